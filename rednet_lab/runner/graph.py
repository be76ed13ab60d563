"""One invocation: the jobs in the order of their needs, several at a time, and what becomes of each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from rednet_lab.runner import state
from rednet_lab.runner.course import Job
from rednet_lab.runner.workers import Workers

GOOD = ("done", "up-to-date")


@dataclass
class Outcome:
    """What became of a job: done, up-to-date, failed, skipped or interrupted; with the error or the reason."""

    state: str
    seconds: float = 0.0
    detail: str = ""


@dataclass
class Session:
    """What runs now and what has ended; the screen reads it while `run` works in another thread."""

    jobs: list[Job]
    workers: Workers
    force: bool = False
    on_end: Callable[[Job, Outcome], None] = lambda job, outcome: None
    running: dict[str, float] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, parallel: int) -> threading.Thread:
        """Run in a thread, so that the main thread stays free for the screen and for Ctrl-C on every system."""
        thread = threading.Thread(target=self.run, args=(parallel,), daemon=True)
        thread.start()
        return thread

    def run(self, parallel: int) -> None:
        """Bring every job to its end, after those that it needs: the longest first, at most `parallel` at a time."""
        order = TopologicalSorter({job: job.needs for job in self.jobs})
        order.prepare()
        ready: list[Job] = []
        at_work: dict[Future, Job] = {}
        with ThreadPoolExecutor(parallel) as pool:
            while order.is_active():
                ready = sorted([*ready, *order.get_ready()], key=lambda job: (-job.entry.minutes, self.jobs.index(job)))
                while ready and len(at_work) < parallel:
                    job = ready.pop(0)
                    at_work[pool.submit(self._one, job)] = job
                ended, _ = wait(at_work, return_when=FIRST_COMPLETED)
                for future in ended:
                    order.done(at_work.pop(future))

    def _one(self, job: Job) -> None:
        """Bring one job to its end and tell of it, whatever happens."""
        try:
            outcome = self._outcome(job)
        except Exception as error:  # a full disk, say, or a fault of the runner's own: the other jobs go on
            outcome = Outcome("failed", detail=told(error))
        with self._lock:
            self.running.pop(job.id, None)
            self.outcomes[job.id] = outcome
            self.on_end(job, outcome)

    def _outcome(self, job: Job) -> Outcome:
        """Run a job if that is due and possible, and return what became of it."""
        if self.workers.stopping:
            return Outcome("interrupted")
        missing = [need.entry.name for need in job.needs if self.outcomes[need.id].state not in GOOD]
        if missing:
            reason = f"needs {', '.join(missing)}"
            state.skip(job, reason)
            return Outcome("skipped", detail=reason)
        if not self.force and state.state_of(job) == "up-to-date":
            return Outcome("up-to-date", state.record_of(job).get("seconds", 0.0))
        self.running[job.id] = time.monotonic()
        state.begin(job)
        error, seconds = self.workers.execute(job)
        if error == "interrupted":  # the record stays at "running": the next run does it again
            return Outcome("interrupted", seconds)
        state.finish(job, seconds, error)
        return Outcome("failed" if error else "done", seconds, error or "")


def told(error: Exception) -> str:
    """Return an error in one line: what the system says, and which file it says it of."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
