"""What a run consists of: the course's notebooks, the options, and one Job for each notebook and seed."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rednet_lab import stamp
from rednet_lab.names import ROOT, RUNS, USUAL_SOURCE, run_name
from rednet_lab.parameters import ParameterError, check_parameters, nearest, read_parameters
from rednet_lab.series import SERIES, Entry

# The runner sets these from its own options; without the last two a notebook would not run as the page says it did.
STANDARD = ("source", "data", "seed", "device", "profile", "out")
REQUIRED = STANDARD[-2:]


class UsageError(Exception):
    """The command line asks for something that cannot be done; the text says what is wrong and what is right."""


@dataclass(frozen=True)
class Course:
    """A checkout with notebooks, how they hang together and the packages they import; tests pass their own."""

    series: tuple[Entry, ...] = SERIES
    root: Path = ROOT
    packages: tuple[str, ...] = stamp.PACKAGES

    @property
    def notebooks(self) -> Path:
        """Return the folder of the notebooks."""
        return self.root / "notebooks"

    def entry(self, name: str) -> Entry:
        """Return the entry of a name."""
        return next(entry for entry in self.series if entry.name == name)

    def find(self, word: str) -> Entry:
        """Return the one entry with this number, name or beginning of a name."""
        word = word.removesuffix(".ipynb")
        exact = [e for e in self.series if word in (e.name, e.number)]
        found = exact or [e for e in self.series if e.name.startswith(word)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"--only {word}: could be {' or '.join(e.name for e in found)}")
        names = [e.name for e in self.series] + [e.name.split("_", 1)[-1] for e in self.series]
        raise UsageError(f"--only {word}: no such notebook{nearest(word, names)}")

    def select(self, words: list[str], with_needs: bool) -> list[Entry]:
        """Return the entries to run, in the order of the series, with all that they need unless told otherwise."""
        wanted = {self.find(word).name for word in words} if words else {e.name for e in self.series}
        todo = list(wanted) if with_needs else []
        while todo:
            new = set(self.entry(todo.pop()).needs) - wanted
            wanted |= new
            todo += new
        return [entry for entry in self.series if entry.name in wanted]


@dataclass(frozen=True)
class Options:
    """What the command line chose, checked; paths are absolute."""

    profile: str = "quick"
    source: str = USUAL_SOURCE
    data: Path | None = None
    device: str = "auto"
    out: Path = ROOT / RUNS
    extra: dict[str, str] = field(default_factory=dict)
    seen: dict = field(default_factory=dict, compare=False)  # data looked at, keys of notebooks that do not run


@dataclass(eq=False)
class Job:
    """One notebook to be executed with one set of parameters into one run folder."""

    course: Course
    options: Options
    entry: Entry
    seed: int
    needs: list[Job]

    @property
    def folder(self) -> Path:
        """Return the run's folder."""
        return self.options.out / run_name(self.options.profile, self.options.source, self.seed)

    @property
    def notebook(self) -> Path:
        """Return the notebook's source."""
        return self.course.notebooks / f"{self.entry.name}.ipynb"

    @cached_property
    def parameters(self) -> dict:
        """Return every parameter with its value, defaults included. Raises ParameterError."""
        known = read_parameters(self.notebook)
        for name in REQUIRED:
            if name not in known:
                raise ParameterError(f"{self.notebook.name}: the parameters cell must set {name!r}")
        chosen = self.options
        standard = {"profile": chosen.profile, "source": chosen.source, "seed": self.seed, "device": chosen.device}
        standard["data"] = chosen.data and self._place(chosen.data, self.course.notebooks)
        standard["out"] = self._place(chosen.out, self.course.root)
        given = {name: value for name, value in standard.items() if name in known and value is not None}
        extra = {name: text for name, text in self.options.extra.items() if name in known}
        converted = check_parameters(self.notebook, extra, as_text=True)
        return check_parameters(self.notebook, given | {name: converted[name] for name in extra})

    def _place(self, path: Path, base: Path) -> str:
        """Return a path relative to a base if it is inside the checkout, so that results name no machine."""
        inside = path.is_relative_to(self.course.root)
        return Path(os.path.relpath(path, base)).as_posix() if inside else path.as_posix()

    @cached_property
    def code_key(self) -> str:
        """Return the hash of all that decides this notebook's numbers, notebooks whose files it reads among it."""
        versions = {name: ".".join(text.split(".")[:2]) for name, text in stamp.versions().items()}
        decides = {
            "code": stamp.notebook_hash(self.notebook, self.course.packages),
            "parameters": {name: value for name, value in self.parameters.items() if name != "out"},
            "data": [str(self.options.data or ""), *self._read()],
            "versions": {name: versions[name] for name in stamp.DISTRIBUTIONS},
            "needs": [self._need(name) for name in self.entry.needs if self.entry.reads],
        }
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()

    def _read(self) -> list[str]:
        """Return the fingerprints, looked at once a run, of the data, and of files and folders that parameters name."""
        words = [value for name, value in self.parameters.items() if isinstance(value, str) and name not in STANDARD]
        places = [self.course.notebooks / word for word in words if "/" in word or "\\" in word]
        found = [place for place in [self.options.data, *places] if place and place.exists()]
        self.options.seen.update({place: stamp.fingerprint(place) for place in set(found) - set(self.options.seen)})
        return [self.options.seen[place] for place in found]

    def _need(self, name: str) -> str:
        """Return the code key of a needed notebook, whether or not it runs too."""
        found = next((job for job in self.needs if job.entry.name == name), None)
        if found:
            return found.code_key
        if (name, self.seed) not in self.options.seen:
            job = make_jobs(self.course, self.options, [self.course.entry(name)], self.seed)[0]
            self.options.seen[name, self.seed] = job.code_key
        return self.options.seen[name, self.seed]

    @cached_property
    def key(self) -> str:
        """Return the hash that must be unchanged for the results to be current: code_key and the prose."""
        text = stamp.notebook_code(self.notebook.read_text(encoding="utf-8"), markdown=True)
        return hashlib.sha256(f"{self.code_key}\0{text}".encode()).hexdigest()

    def stamp(self) -> dict:
        """Return the stamp that the executed notebook carries."""
        return stamp.make_stamp(self.parameters, self.notebook) | {"notebook": self.entry.name, "key": self.key}


def make_jobs(course: Course, options: Options, entries: list[Entry], seed: int) -> list[Job]:
    """Return the jobs of one seed, linked to those of them that they need."""
    jobs = {entry.name: Job(course, options, entry, seed, []) for entry in entries}
    for job in jobs.values():
        job.needs.extend(jobs[name] for name in (*job.entry.needs, *job.entry.after) if name in jobs)
    return list(jobs.values())


def check_jobs(jobs: list[Job], extra: dict[str, str]) -> None:
    """Refuse missing notebooks, broken parameters cells, and parameters that no notebook has or that do not fit."""
    course = jobs[0].course
    if not course.notebooks.is_dir():
        raise UsageError(
            f"there are no notebooks in {course.root}: this is an installed copy of the packages, not a checkout."
            " Run it in a clone of the repository (python3 go.py run)"
        )
    missing = [job.notebook.name for job in jobs if not job.notebook.is_file()]
    if missing:
        raise UsageError(f"not found in {course.notebooks}: {', '.join(dict.fromkeys(missing))}")
    known = {name for job in jobs for name in read_parameters(job.notebook)}
    for name in extra:
        if name in STANDARD:
            raise UsageError(f"-p {name}=...: use the option --{'seeds' if name == 'seed' else name} instead")
        if name not in known:
            choice = nearest(name, known - set(STANDARD))
            raise ParameterError(f"-p {name}=...: none of the notebooks that would run has this parameter{choice}")
    for job in jobs:
        job.parameters  # noqa: B018  computed once, here, so that it raises before anything runs
