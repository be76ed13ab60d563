"""What the runner prints: the plan, one live line while notebooks run, a summary, and where to look."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

from rednet_lab.files import clock, figures, read_json
from rednet_lab.runner import state
from rednet_lab.runner.course import Job
from rednet_lab.runner.graph import Outcome, Session, chains
from rednet_lab.runner.index import Section

WORDS = {"up-to-date": "up to date", "skipped": "not run", "never": "never run", "done": "done"}
SPOKEN = 10.0  # seconds between lines where there is no terminal


class Screen:
    """Prints to a terminal or, in plain lines, to a file or a pipe."""

    def __init__(self) -> None:
        self.stream, self.live = sys.stdout, sys.stdout.isatty()
        self.drawn, self.spoken = 0, 0.0
        self.jobs, self.parallel, self.times = list[Job](), 1, dict[Job, float]()

    def say(self, text: str = "") -> None:
        """Print lines that stay, above the live line."""
        wiped = "\r" + " " * self.drawn + "\r" if self.drawn else ""
        self._write(f"{wiped}{text}\n")
        self.drawn = 0

    def _write(self, text: str) -> None:
        """Write, or be silent from now on where nobody reads any more: a run goes on when its terminal is gone."""
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):
            self.stream, self.live = open(os.devnull, "w", encoding="utf-8"), False  # noqa: SIM115

    def plan(self, jobs: list[Job], force: bool, parallel: int = 1) -> None:
        """Say what will run and how long that should take."""
        first, self.jobs, self.parallel, self.times = jobs[0].options, jobs, parallel, state.expected_seconds(jobs)
        data = f" from {first.data}" if first.data else ""
        many = f"seed {' '.join(map(str, sorted({job.seed for job in jobs})))}"
        self.say(f"RED-Net course: profile {first.profile}, source {first.source}{data}, {many}, device {first.device}")
        due = [job for job in jobs if force or state.state_of(job) != "up-to-date"]
        times = {job: self.times[job] for job in due if job in self.times}
        parts = [f"{len(jobs)} notebooks: {len(jobs) - len(due)} up to date, {len(due)} to run"]
        if times:
            parts.append(f"expected about {clock(together(jobs, times, parallel))}")
        if len(times) < len(due):
            parts.append(f"{len(due) - len(times)} never timed on profile {first.profile}")
        if due and parallel > 1:
            parts.append(f"{parallel} at a time")
        self.say("; ".join(parts))
        self.say()

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Print one line for a job that has ended."""
        word, self.times = WORDS.get(outcome.state, outcome.state), state.expected_seconds(self.jobs)
        detail = outcome.detail.split("\n", 1)[0]
        took = f"{clock(outcome.seconds):>8}" if outcome.seconds and outcome.state != "up-to-date" else " " * 8
        self.say(f"  {word:<12}{took}  {label(job)}{'  ' + detail if detail else ''}")

    def show(self, session: Session) -> None:
        """Redraw the live line, or print one where there is no terminal and it is time."""
        running, ended = dict(session.running), session.outcomes  # other threads go on
        spent = {job: time.monotonic() - began for job, began in running.items()}
        left = {job: max(t - spent.get(job, 0.0), 0.0) for job, t in self.times.items() if job not in ended}
        told = f", about {clock(together(self.jobs, left, self.parallel))} left" if left else ""
        texts = [f"{len(ended)} of {len(self.jobs)} ended{told}"]
        texts += [doing(job, seconds, self.times.get(job)) for job, seconds in spent.items()]
        if self.live:
            text = " | ".join(texts)[: shutil.get_terminal_size().columns - 1]
            self._write("\r" + text.ljust(self.drawn))
            self.drawn = len(text)
        elif running and (now := time.monotonic()) - max(self.spoken, min(running.values())) >= SPOKEN:
            self.spoken = now
            for text in texts:
                self.say("    " + text)

    def summary(self, session: Session, folders: list[Path], seconds: float) -> None:
        """Print the table of outcomes, the errors, and where to look."""
        outcomes = [session.outcomes.get(job, Outcome("interrupted")) for job in session.jobs]
        counts = {name: sum(o.state == name for o in outcomes) for name in
                  ("done", "up-to-date", "failed", "skipped", "interrupted")}  # fmt: skip
        parts = [f"{count} {WORDS.get(name, name)}" for name, count in counts.items() if count]
        self.say(f"\n{', '.join(parts)}; {clock(seconds)} in all")
        for job, outcome in zip(session.jobs, outcomes, strict=True):
            if outcome.state == "failed":
                self.say(f"\n{label(job)} failed:\n{shorten(outcome.detail)}")
                self.say(f"  as far as it got: {state.Paths(job).failed_html.as_uri()}")
        self.say("\nWhere to look")
        for folder in folders:
            self.say(f"  {(folder / 'index.html').as_uri()}")
            for line in headlines([job for job in session.jobs if job.folder == folder]):
                self.say(f"    {line}")
        if session.jobs[0].options.profile == "smoke":
            self.say("  Profile smoke only checks that everything runs: its figures mean nothing.")

    def table(self, jobs: list[Job]) -> None:
        """Print the series with each notebook's state and times."""
        rows, times = [("notebook", "state", "last", "expected", "title, needs")], state.expected_seconds(jobs)
        for job in jobs:
            record, now = state.record_of(job), state.state_to_show(job)
            rows.append((
                label(job), WORDS.get(now, now),
                clock(record["seconds"]) if "seconds" in record else "-",
                clock(times[job]) if job in times else "-",
                job.entry.title + (f" (needs {', '.join(job.entry.needs)})" if job.entry.needs else ""),
            ))  # fmt: skip
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        for row in rows:
            self.say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def label(job: Job) -> str:
    """Return the notebook's name, with the run's where there are several."""
    return f"{job.entry.name} (seed {job.seed})" if job.seed else job.entry.name


def together(jobs: list[Job], times: dict[Job, float], parallel: int) -> float:
    """Return how long jobs take, so many at a time, each after those that it needs; those without a time are done."""
    longest = max(chains({job: times.get(job, 0.0) for job in jobs}).values())
    return max(sum(times.values()) / parallel, longest)


def doing(job: Job, took: float, expected: float | None) -> str:
    """Return what a notebook is at: its cell, what that cell reports, and the time."""
    paths, parts = state.Paths(job), [label(job)]
    status, progress = read_json(paths.status, {}), read_json(paths.progress, {})
    parts.append(f"cell {status['cell']}/{status['cells']}" if status else "starting")
    if progress:
        parts += ["{label} {done}/{total}".format(**progress), progress["note"]]
    parts.append(f"{clock(took)} of ~{clock(expected)}" if expected else clock(took))
    return "  ".join(filter(None, parts))


def shorten(text: str, lines: int = 25) -> str:
    """Return the head and the end of a long traceback, indented."""
    all_lines = text.splitlines()
    if len(all_lines) > lines:
        all_lines = [all_lines[0], "...", *all_lines[-lines + 2 :]]
    return "\n".join("  " + line for line in all_lines)


def headlines(jobs: list[Job], most: int = 3) -> list[str]:
    """Return the numbers that the notebooks of a run call their headlines, the last notebooks' first."""
    found = [pair for job in reversed(jobs) for pair in Section(job).numbers if pair[1].get("headline")]
    said = [(f"{label}: {figures(n.get('value'))} {n.get('unit', '')}".strip(), n.get("note")) for label, n in found]
    return [f"{words} ({note})" if note else words for words, note in said[:most]]
