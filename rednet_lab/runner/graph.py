"""The jobs as doit tasks: doit orders them, runs what is due, skips what is up to date, and passes failures on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from doit.cmd_base import TaskLoader2
from doit.doit_cmd import DoitMain
from doit.exceptions import TaskFailed, UnmetDependency
from doit.task import dict_to_task

from rednet_lab.runner import state
from rednet_lab.runner.course import Job
from rednet_lab.runner.workers import Workers


@dataclass
class Outcome:
    """What became of a job: done, up-to-date, failed, skipped or interrupted; with the error or the reason."""

    state: str
    seconds: float = 0.0
    detail: str = ""


@dataclass
class Session:
    """One invocation: what runs now and what has ended, read by the screen while doit works in another thread."""

    jobs: list[Job]
    workers: Workers
    force: bool = False
    on_end: Callable[[Job, Outcome], None] = lambda job, outcome: None
    running: dict[str, float] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    problem: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def end(self, job: Job, outcome: Outcome) -> None:
        """Note a job's outcome and tell the screen."""
        with self._lock:
            self.running.pop(job.id, None)
            self.outcomes[job.id] = outcome
            self.on_end(job, outcome)

    def execute(self, job: Job):
        """Execute one job; doit calls this, and wants True or the failure."""
        if self.workers.stopping:
            return TaskFailed("interrupted", report=False)
        self.running[job.id] = time.monotonic()
        state.begin(job)
        error, seconds = self.workers.execute(job)
        if error == "interrupted":  # the record stays at "running": the next run does it again
            self.end(job, Outcome("interrupted", seconds))
            return TaskFailed(error, report=False)
        state.finish(job, seconds, error)
        self.end(job, Outcome("failed" if error else "done", seconds, error or ""))
        return TaskFailed(error, report=False) if error else True


class Loader(TaskLoader2):
    """Gives doit its tasks and settings."""

    def __init__(self, session: Session, parallel: int) -> None:
        super().__init__()
        self.session, self.parallel = session, parallel

    def setup(self, opt_values: dict) -> None:
        """Nothing to prepare."""

    def load_doit_config(self) -> dict:
        """Return doit's settings; its memory is not kept: state.py decides what is up to date."""
        return {
            "backend": "sqlite3",
            "dep_file": ":memory:",
            "continue": True,
            "always": self.session.force,
            "verbosity": 2,
            "num_process": self.parallel if self.parallel > 1 else 0,
            "par_type": "thread",
            "reporter": Reporter(self.session),
        }

    def load_tasks(self, cmd: object, pos_args: list) -> list:
        """Return one task for each job."""
        return [
            dict_to_task(
                {
                    "name": job.id,
                    "actions": [(self.session.execute, [job])],
                    "task_dep": [need.id for need in job.needs],
                    "uptodate": [(_is_current, [job])],
                    "io": {"capture": False},
                }
            )
            for job in self.session.jobs
        ]


def _is_current(job: Job) -> bool:
    """Tell doit whether a job's results are what it would make again."""
    return state.state_of(job) == "up-to-date"


class Reporter:
    """Turns doit's reports on what it did not run into outcomes; execute() has told the rest."""

    desc = "for rednet_lab"

    def __init__(self, session: Session) -> None:
        self.session = session
        self.jobs = {job.id: job for job in session.jobs}

    def skip_uptodate(self, task) -> None:
        """Note a job that need not run."""
        job = self.jobs[task.name]
        self.session.end(job, Outcome("up-to-date", state.record_of(job).get("seconds", 0.0)))

    def add_failure(self, task, failure) -> None:
        """Note a job that cannot run because one that it needs did not succeed, or one that broke the runner."""
        job = self.jobs[task.name]
        if task.name in self.session.outcomes:
            return
        if self.session.workers.stopping:
            self.session.end(job, Outcome("interrupted"))
        elif isinstance(failure, UnmetDependency):
            ended = self.session.outcomes
            causes = [n.entry.name for n in job.needs if ended[n.id].state not in ("done", "up-to-date")]
            reason = f"needs {', '.join(causes)}"
            state.skip(job, reason)
            self.session.end(job, Outcome("skipped", detail=reason))
        else:  # a fault in the runner itself
            state.finish(job, 0.0, failure.get_msg())
            self.session.end(job, Outcome("failed", detail=failure.get_msg()))

    def runtime_error(self, message: str) -> None:
        """Keep what stopped doit itself."""
        self.session.problem = message

    cleanup_error = runtime_error

    def _nothing(self, *_: object) -> None:
        """Leave the report to the screen."""

    initialize = get_status = execute_task = add_success = skip_ignore = teardown_task = complete_run = _nothing


def start(session: Session, parallel: int) -> threading.Thread:
    """Run doit in a thread, so that the main thread stays free for the screen and for Ctrl-C on every system."""

    def work() -> None:
        code = DoitMain(Loader(session, parallel), config_filenames=()).run(["run"])
        if code == 3 and not session.problem:
            session.problem = "doit could not start; see above"

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
