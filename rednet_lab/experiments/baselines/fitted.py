"""The compared methods of a run, trained once for its stills and seed and kept in the cache."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from rednet_core.markup import MARKUPS
from rednet_lab.experiments.baselines.baseline import Aligner, FirstBox
from rednet_lab.experiments.baselines.sdm import SDM, SdmConfig
from rednet_lab.experiments.baselines.trees import Trees, TreesConfig, dlib_version
from rednet_lab.progress import Progress
from rednet_lab.stamp import code_hash, imported_files
from rednet_lab.workbench.cache import asset, digest

METHODS: dict[str, type[Aligner]] = {"first box": FirstBox, "SDM": SDM, "regression trees": Trees}
LARGEST = 128  # pixels: crops larger than that tell these methods nothing more
SMOKE = {  # on profile smoke, to see that it runs
    "SDM": SdmConfig(kept=6, variations=1),
    "regression trees": TreesConfig(cascade_depth=2, num_trees_per_cascade_level=10, oversampling_amount=2),
}


@dataclass(frozen=True)
class Fitted:
    """A trained method, and the seconds that its training took."""

    method: Aligner
    seconds: float


def fitted(lab, name: str, seed: int | None = None, choices=None) -> Fitted:
    """A method trained on a Lab's stills, from the cache or now; seed and choices: the run's and the method's own.

    Raises ValueError for a name that is not in METHODS, ImportError with the fix where the method's library is missing.
    """
    if name not in METHODS:
        raise ValueError(f"method {name!r}, known: {', '.join(METHODS)}")
    kind, seed = METHODS[name], lab.seed if seed is None else seed
    choices = choices or (SMOKE.get(name) if lab.profile.name == "smoke" else None)
    setting = (choices,) if choices else ()
    method = kind(MARKUPS[lab.profile.net.markup], min(lab.profile.net.input_size, LARGEST), *setting)
    role = lab.source.stills()
    key = {
        "method": name,
        "sees": method.config.input_size,
        "choices": asdict(method.choices) if method.choices else {},
        "data": role.data.fingerprint,
        "rows": digest({"rows": role.rows.tolist()}),
        "seed": seed,
        "device": lab.device.type,
        "torch": torch.__version__.partition("+")[0],
        "dlib": dlib_version() if kind is Trees else "",
        "code": code_hash(*imported_files(kind.__module__)),
    }

    def make(folder: Path) -> dict:
        began = time.perf_counter()
        with Progress(f"{name}, seed {seed}") as progress:
            method.to(lab.device).fit(role.data, role.rows, seed, progress)
        method.save(folder)
        return {"seconds": time.perf_counter() - began}

    folder, facts = asset(f"{lab.profile.name}-{name.replace(' ', '-')}", key, make)
    return Fitted(method.load(folder).to(lab.device), facts["seconds"])
