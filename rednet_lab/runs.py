"""The names of runs: one folder under figures/ for each profile, source and seed."""

from __future__ import annotations

USUAL_SOURCE, USUAL_SEED = "face_world", 0  # not named


def run_name(profile: str, source: str = USUAL_SOURCE, seed: int = USUAL_SEED) -> str:
    """Return the name of a run's folder: quick, quick-udacity, quick-seed1, quick-udacity-seed1."""
    parts = [profile]
    parts += [source] if source != USUAL_SOURCE else []
    parts += [f"seed{seed}"] if seed != USUAL_SEED else []
    return "-".join(parts)
