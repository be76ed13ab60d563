"""The runner's side of the worker processes: starts them, hands out notebooks, stops them with their kernels."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from rednet_lab.names import ROOT
from rednet_lab.runner.course import Job
from rednet_lab.runner.state import Paths
from rednet_lab.runner.worker import KERNEL


class Workers:
    """At most `count` processes that execute notebooks; use as a context manager, from several threads."""

    def __init__(self, count: int, timeout: float | None = None) -> None:
        self.timeout = timeout
        self.stopping = False
        self._free: queue.LifoQueue = queue.LifoQueue()
        self._running: dict[str, subprocess.Popen] = {}
        self._all: list[subprocess.Popen] = []
        self._lock = threading.Lock()
        for _ in range(count):
            self._free.put(None)
        self._count = count

    def __enter__(self) -> Workers:
        self._home = tempfile.TemporaryDirectory(prefix="rednet-", ignore_cleanup_errors=True)
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Python 3",
            "language": "python",
        }
        folder = Path(self._home.name, "share", "kernels", KERNEL)
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._home.cleanup()

    def environment(self) -> dict[str, str]:
        """Return the environment of workers and kernels: batch, repeatable, and free of the user's Jupyter set-up."""
        home = Path(self._home.name)
        changes = {
            "REDNET_BATCH": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONIOENCODING": "utf-8",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "JUPYTER_PATH": os.pathsep.join(filter(None, [str(home / "share"), os.environ.get("JUPYTER_PATH")])),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "IPYTHONDIR": str(home / "ipython"),
            # Threads that wait shall sleep: spinning beside anything else that runs makes training far longer.
            "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
        }
        if self._count > 1:  # several notebooks at once share the cores
            changes["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS") or str(
                max(1, (os.cpu_count() or 1) // self._count)
            )
        kept = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
        return kept | changes

    def execute(self, job: Job) -> tuple[str | None, float]:
        """Execute a job's notebook; return its error, or None, and the seconds it took. Blocks."""
        paths, started = Paths(job), time.monotonic()
        request = {name: str(getattr(paths, name)) for name in
                   ("executed", "html", "failed", "failed_html", "results", "progress", "status", "log")}  # fmt: skip
        request |= {"notebook": str(job.notebook), "cwd": str(job.course.notebooks), "title": job.entry.title}
        request |= {"parameters": _lists(job.parameters), "stamp": job.stamp()}
        process, timer, answer, problem = self._free.get(), None, "", ""
        try:
            process = self._alive(process, job)
            if self.timeout:
                timer = threading.Timer(self.timeout, terminate, [process])
                timer.start()
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError as error:
            problem = str(error)
        finally:
            if timer:
                timer.cancel()
            with self._lock:
                self._running.pop(job.id, None)
            self._free.put(process)
        seconds = time.monotonic() - started
        if answer:
            reply = json.loads(answer)
            return reply["error"], reply["seconds"]
        if self.stopping:
            return "interrupted", seconds
        if self.timeout and seconds >= self.timeout:
            return f"stopped after the time limit of {self.timeout / 60:g} min (--timeout)", seconds
        code = process.wait() if process else "none"
        return f"the process that executed it died (exit code {code}) {problem}; log: {paths.log}", seconds

    def _alive(self, process: subprocess.Popen | None, job: Job) -> subprocess.Popen:
        """Return the process if it still lives, else a new one."""
        with self._lock:
            if self.stopping:
                raise OSError("stopping")
            if process is None or process.poll() is not None:
                # its own session: a Ctrl-C in the terminal reaches the runner only, which then stops everything
                apart = ({"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt"
                         else {"start_new_session": True})  # fmt: skip
                process = subprocess.Popen(
                    [sys.executable, "-m", f"{__package__}.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    env=self.environment(), encoding="utf-8", **apart,
                )  # fmt: skip
                self._all.append(process)
            self._running[job.id] = process
            return process

    def stop(self) -> None:
        """End every worker with its kernel; notebooks at work end as interrupted."""
        with self._lock:
            self.stopping = True
            living = [process for process in self._all if process.poll() is None]
            busy = set(map(id, self._running.values()))
        for process in living:
            if id(process) in busy:
                terminate(process)
            else:
                process.stdin.close()
        for process in living:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()  # its kernel notices within a second
                process.wait()


def terminate(process: subprocess.Popen) -> None:
    """Ask a worker to shut its kernel down and end."""
    if process.poll() is None:
        process.terminate()


def _lists(parameters: dict) -> dict:
    """Return parameters with tuples as lists: papermill would write a tuple as text."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in parameters.items()}
