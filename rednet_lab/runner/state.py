"""What a run folder holds: where things lie, a record of each notebook's last run, and how long runs took."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from statistics import median

from rednet_lab import stamp
from rednet_lab.files import now, read_json, remove, write_json
from rednet_lab.runner.course import Job


class Paths:
    """The files of one job in its run folder."""

    def __init__(self, job: Job) -> None:
        folder, name = job.folder, job.entry.name
        self.executed = folder / "executed" / f"{name}.ipynb"
        self.html = folder / "executed" / f"{name}.html"
        self.failed = folder / "executed" / f"{name}.failed.ipynb"
        self.failed_html = folder / "executed" / f"{name}.failed.html"
        self.stale = folder / "executed" / f"{name}.stale.ipynb"
        self.results = folder / name
        self.results_file = folder / name / "results.json"
        self.record = folder / ".runner" / f"{name}.json"
        self.log = folder / ".runner" / "logs" / f"{name}.log"
        self.progress = folder / ".runner" / f"{name}.progress.json"
        self.status = folder / ".runner" / f"{name}.status.json"

    def made(self) -> dict[str, str]:
        """Return {file in the run folder: checksum} of the executed notebook, its page and its results."""
        results = sorted(file for file in self.results.rglob("*") if file.is_file())
        files = [file for file in (self.executed, self.html) if file.is_file()] + results
        sums = {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        return {file.relative_to(self.results.parent).as_posix(): sum_ for file, sum_ in sums.items()}


def record_of(job: Job) -> dict:
    """Return the record of a job's last run: state, key, seconds, time and, if it failed, error; {} if it never ran."""
    return read_json(Paths(job).record, {})


def _keep(job: Job, state: str, **facts) -> None:
    """Write the record of a job; how long its last success took stays in it."""
    record = {"state": state, "time": now(), "took": record_of(job).get("took")}
    write_json(Paths(job).record, record | facts)


def state_to_show(job: Job) -> str:
    """Return the state for a table or page, where a notebook, or one that it needs, may be missing or broken."""
    try:
        return state_of(job) if job.notebook.is_file() else "missing"
    except (OSError, ValueError):
        return "broken"


def state_of(job: Job) -> str:
    """Return up-to-date, stale, failed, interrupted, skipped or never. Raises ParameterError, OSError.

    Results are up to date if they are what would be made again, and if the files are still as the run left them.
    """
    record = record_of(job)
    state = record.get("state", "never")
    if state != "done":
        return {"running": "interrupted"}.get(state, state)
    if record.get("key") != job.key:
        return "stale"
    files, now = record.get("files"), Paths(job).made()
    whole = isinstance(files, dict) and files and all(now.get(name) == sum_ for name, sum_ in files.items())
    return "up-to-date" if whole else "stale"


def begin(job: Job) -> None:
    """Clear what an earlier run of this notebook left, so that nothing old passes for new, and note the start."""
    paths = Paths(job)
    _keep(job, "running")
    for path in (paths.executed, paths.html, paths.failed, paths.failed_html, paths.stale, paths.results,
                 paths.progress, paths.status):  # fmt: skip
        remove(path)
    for folder in (paths.executed.parent, paths.results, paths.log.parent):
        folder.mkdir(parents=True, exist_ok=True)


def finish(job: Job, seconds: float, error: str | None) -> None:
    """Record how a run of this notebook ended; if it succeeded, what it left and how long it took."""
    paths = Paths(job)
    for path in (paths.progress, paths.status):
        remove(path)
    facts = {"key": job.key, "seconds": round(seconds, 2)}
    if error:
        _keep(job, "failed", **facts, error=error)
    else:
        took = {"seconds": round(seconds, 1), "machine": machine_name()}
        took |= {"profile": job.options.profile, "source": job.options.source}
        _keep(job, "done", **facts, took=took, files=paths.made())


def skip(job: Job, reason: str) -> None:
    """Record that a job was not run; an older success is kept under another name, where it cannot be mistaken."""
    paths = Paths(job)
    _keep(job, "skipped", error=reason)
    if paths.executed.is_file():
        paths.executed.replace(paths.stale)
    remove(paths.html)


def expected_seconds(jobs: list[Job]) -> dict[Job, float]:
    """Return how long each job of a run should take, where that is known.

    What it took here, else elsewhere, else what the series says, at the pace of those that ran here.
    """
    options, here, took = jobs[0].options, machine_name(), {True: defaultdict(list), False: defaultdict(list)}
    for file in options.out.glob("*/.runner/*.json"):
        run = read_json(file, {}).get("took")
        if run and (run["profile"], run["source"]) == (options.profile, options.source):
            took[run["machine"] == here][file.stem].append(run["seconds"])
    own, other = ({name: median(each) for name, each in took[place].items()} for place in (True, False))
    said = {e.name: 60 * e.minutes for e in jobs[0].course.series if e.minutes and options.profile == "quick"}
    both = own.keys() & said
    pace = sum(own[name] for name in both) / sum(said[name] for name in both) if both else 1.0
    times = {name: pace * seconds for name, seconds in said.items()} | other | own
    return {job: times[job.entry.name] for job in jobs if job.entry.name in times}


def machine_name() -> str:
    """Return what durations can be compared within: system, architecture and cores."""
    return "{system}-{architecture}-{cpus}cpu".format(**stamp.machine())
