"""One invocation: the jobs in the order of their needs, several at a time, and what becomes of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from rednet_lab.runner import state
from rednet_lab.runner.course import Job
from rednet_lab.runner.workers import Workers

GOOD = ("done", "up-to-date")
REFRESH = 0.3  # seconds between two looks at what runs


@dataclass
class Outcome:
    """What became of a job: done, up-to-date, failed, skipped or interrupted; with the error or the reason."""

    state: str
    seconds: float = 0.0
    detail: str = ""


@dataclass
class Session:
    """What runs now and what has ended; `meanwhile` is called a few times a second, so that it can be shown."""

    jobs: list[Job]
    workers: Workers
    force: bool
    on_end: Callable[[Job, Outcome], None]
    meanwhile: Callable[[Session], None]
    running: dict[Job, float] = field(default_factory=dict)
    outcomes: dict[Job, Outcome] = field(default_factory=dict)

    def run(self, parallel: int) -> None:
        """Bring every job to its end, after those that it needs, at most `parallel` at a time.

        First those behind which the longest chain of others waits, by the minutes of the series.
        """
        left, order = chains({job: job.entry.minutes for job in self.jobs}), _order(self.jobs)
        order.prepare()
        ready, at_work = list[Job](), dict[Future, Job]()
        with ThreadPoolExecutor(parallel) as pool:
            try:
                while order.is_active():
                    ready += order.get_ready()
                    ready.sort(key=lambda job: (-left[job], self.jobs.index(job)))
                    while ready and len(at_work) < parallel:
                        job = ready.pop(0)
                        at_work[pool.submit(self._outcome, job)] = job
                    ended, _ = wait(at_work, REFRESH, FIRST_COMPLETED)
                    for future in ended:
                        self._end(at_work[future], future)
                        order.done(at_work.pop(future))
                    self.meanwhile(self)
            except BaseException:  # Ctrl-C, mostly: else the pool would wait for what is at work
                self.workers.stop()
                raise

    def _end(self, job: Job, future: Future) -> None:
        """Keep and tell what became of a job."""
        try:
            outcome = future.result()
        except Exception as error:  # a full disk, say, or a fault of the runner's own: the other jobs go on
            outcome = Outcome("failed", detail=told(error))
        self.running.pop(job, None)
        self.outcomes[job] = outcome
        self.on_end(job, outcome)

    def _outcome(self, job: Job) -> Outcome:
        """Run a job if that is due and possible, and return what became of it."""
        if self.workers.stopping:
            return Outcome("interrupted")
        missing = [need.entry.name for need in job.needs if self.outcomes[need].state not in GOOD]
        if missing:
            reason = f"needs {', '.join(missing)}"
            state.skip(job, reason)
            return Outcome("skipped", detail=reason)
        if not self.force and state.state_of(job) == "up-to-date":
            return Outcome("up-to-date", state.record_of(job).get("seconds", 0.0))
        self.running[job] = time.monotonic()
        state.begin(job)
        error, seconds = self.workers.execute(job)
        if error == "interrupted":  # the record stays at "running": the next run does it again
            return Outcome("interrupted", seconds)
        state.finish(job, seconds, error)
        return Outcome("failed" if error else "done", seconds, error or "")


def _order(jobs: Iterable[Job]) -> TopologicalSorter[Job]:
    return TopologicalSorter({job: job.needs for job in jobs})


def chains(times: dict[Job, float]) -> dict[Job, float]:
    """Return how long each job takes together with the longest chain of others that wait for it."""
    left = dict(times)
    for job in reversed([*_order(times).static_order()]):
        left |= {need: max(left[need], times[need] + left[job]) for need in job.needs}
    return left


def told(error: Exception) -> str:
    """Return an error in one line: what the system says, and which file it says it of."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
