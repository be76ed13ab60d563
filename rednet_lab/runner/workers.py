"""The processes that execute notebooks, one each with its kernel, and the runner's side of them: start and stop.

A worker is a process of its own so that it can be killed with its kernel. It reads requests from standard input, a line
each, and answers each with one line (all JSON); after a notebook that failed there is a new one. When its parent dies,
the closed standard input ends it; its kernel notices that within a second and ends too.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from rednet_lab.files import clock, remove, write_json, write_text
from rednet_lab.names import ROOT, THREADS
from rednet_lab.parameters import INJECTED
from rednet_lab.runner.course import Job
from rednet_lab.runner.executed import errors_in, is_lesson, to_html
from rednet_lab.runner.state import Paths

START = 180  # seconds that a kernel has to start
PATIENCE = 10.0  # seconds that a process has to end when asked to
FILES = ("executed", "html", "failed", "failed_html", "progress", "status", "log")


class Workers:
    """Executes notebooks in processes, for at most `timeout` seconds each; a context manager, for several threads."""

    def __init__(self, timeout: float) -> None:
        self.timeout, self.stopping = timeout, False
        self._living, self._idle = set[subprocess.Popen](), list[subprocess.Popen]()
        self._lock = threading.Lock()

    def __enter__(self) -> Workers:
        self._home = tempfile.TemporaryDirectory(prefix="rednet-", ignore_cleanup_errors=True)
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
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "IPYTHONDIR": str(home / "ipython"),
            # Threads that wait shall sleep: spinning beside anything else that runs makes training far longer.
            "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
            "OMP_NUM_THREADS": str(THREADS),  # on any number of cores: sums over other parts are other sums
        }
        return {name: value for name, value in os.environ.items() if name != "MPLBACKEND"} | changes

    def execute(self, job: Job) -> tuple[str | None, float]:
        """Execute a job's notebook; return its error, or None, and the seconds it took. Blocks."""
        paths, started = Paths(job), time.monotonic()
        request = {name: str(getattr(paths, name)) for name in FILES}
        request |= {"notebook": str(job.notebook), "cwd": str(job.course.notebooks), "title": job.entry.title}
        request |= {"parameters": job.parameters, "stamp": job.stamp()}
        with self._lock:
            if self.stopping:
                return "interrupted", 0.0
            self._idle = [one for one in self._idle if one.poll() is None]  # one may have been killed meanwhile
            process = self._idle.pop() if self._idle else self._started(paths.log)
        timer, answer = threading.Timer(self.timeout, end, [process]), ""
        timer.start()
        with suppress(OSError):  # it may be gone already
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        timer.cancel()
        seconds, reply = time.monotonic() - started, json.loads(answer or "{}")
        with self._lock:
            if reply and not reply["error"] and seconds < self.timeout:
                self._idle.append(process)
                return None, reply["seconds"]
        with suppress(OSError), process:  # its standard input is closed: it ends
            self._living.discard(process)
        if reply:
            return reply["error"], reply["seconds"]
        if self.stopping:
            return "interrupted", seconds
        if seconds >= self.timeout:
            return f"stopped after the time limit of {self.timeout / 60:g} min (--timeout)", seconds
        return f"the process that executed it died (exit code {process.returncode}); log: {paths.log}", seconds

    def _started(self, log: Path) -> subprocess.Popen:
        """Return a new worker, which says what ails it in a log until it has a request."""
        own = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"start_new_session": True}
        with open(log, "w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                env=self.environment(), encoding="utf-8", **own,  # Ctrl-C in the terminal reaches the runner only
            )  # fmt: skip
        self._living.add(process)
        return process

    def stop(self) -> None:
        """End every worker with its kernel; notebooks at work end as interrupted."""
        with self._lock:
            self.stopping, living = True, list(self._living)
        with ThreadPoolExecutor() as pool:
            list(pool.map(end, living))


def end(process: subprocess.Popen) -> None:
    """Have a worker shut its kernel down and end; one that does not hear is killed, which its kernel notices."""
    process.terminate()
    try:
        process.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


# ----------------------------------------------------------------------------------------------- in the other process


def main() -> None:
    """Execute the notebooks of the requests on standard input, and answer."""
    if os.name == "nt":  # ZeroMQ's sockets need this loop
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")  # kernels do not inherit this one
    os.dup2(2, 1)
    # jsonschema, which nbformat needs, would compile a grammar for two seconds, for a format that no notebook has.
    sys.modules["rfc3987_syntax"] = None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that the kernel is shut down
    requests = SimpleQueue[bytes]()
    threading.Thread(target=_listen, args=[requests], daemon=True).start()
    while True:
        request = json.loads(requests.get())
        with open(request["log"], "wb") as log:  # what kernels and libraries say goes there
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        print(json.dumps(carry_out(request)), file=replies, flush=True)


def _listen(requests: SimpleQueue[bytes]) -> None:
    """Pass on what the parent asks; when it is gone, end at once (the kernel notices that and ends too)."""
    held = b""
    while part := os.read(0, 1 << 16):
        *lines, held = (held + part).split(b"\n")
        for line in lines:
            requests.put(line)
    os._exit(1)


def carry_out(request: dict) -> dict:
    """Execute one notebook, write its files, and return {"error": None or text, "seconds": time without the export}."""
    import nbformat
    from nbclient.exceptions import CellExecutionError

    os.environ["REDNET_PROGRESS"] = request["progress"]
    notebook = nbformat.read(request["notebook"], as_version=4)
    tagged = ["parameters" in cell.metadata.get("tags", []) for cell in notebook.cells]
    lines = "\n".join(f"{name} = {value!r}" for name, value in request["parameters"].items())
    injected = nbformat.v4.new_code_cell(f"{INJECTED}{lines}", metadata={"tags": ["injected-parameters"]})
    notebook.cells.insert(tagged.index(True) + 1, injected)  # as papermill does
    client, started = make_client(notebook, request["cwd"]), time.monotonic()
    error: str | None = "stopped before the end"
    try:
        with client.setup_kernel():
            kernel = client.wait_for_reply(client.kc.kernel_info())["content"]
            notebook.metadata["language_info"] = kernel["language_info"]
            lessons = [index for index, cell in enumerate(notebook.cells) if is_lesson(cell)]
            for index, cell in enumerate(notebook.cells):
                if index in lessons:
                    remove(Path(request["progress"]))  # it told of an earlier cell
                    now = {"cell": lessons.index(index) + 1, "cells": len(lessons)}
                    write_json(Path(request["status"]), now)
                client.execute_cell(cell, index)
        client.set_widgets_metadata()
        error = "\n".join(errors_in(notebook)) or None
    except CellExecutionError as failure:
        error = "\n".join(errors_in(notebook)) or f"{failure.ename}: {failure.evalue}"
    except Exception as failure:  # a kernel that died or never started; told to the reader, not swallowed
        error = f"{type(failure).__name__}: {failure}"
    finally:
        seconds = time.monotonic() - started
        error = save(notebook, request, seconds, error) or error
    return {"error": error, "seconds": seconds}


def make_client(notebook, folder: str):
    """Return a notebook's client; its kernel works in a folder, and does not look for cycles when it ends (0.5 s)."""
    import zmq
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_core.utils import run_sync
    from nbclient import NotebookClient

    class PatientClient(NotebookClient):
        """Looks again, once a second, whether the kernel has replied.

        An Output widget makes nbclient send on the socket on which it waits for the reply; one that arrives at that
        moment is not told of, and the notebook would wait for ever.
        """

        async def async_execute_cell(self, *arguments, **options):
            looking = asyncio.ensure_future(self.look())
            try:
                return await super().async_execute_cell(*arguments, **options)
            finally:
                looking.cancel()

        execute_cell = run_sync(async_execute_cell)

        async def look(self):
            while True:
                await asyncio.sleep(1)
                self.kc.shell_channel.socket.get(zmq.EVENTS)

    ending = ["--IPKernelApp.exec_lines=__import__('atexit').register(__import__('gc').freeze)"]
    client = PatientClient(notebook, kernel_name="python3", startup_timeout=START, timeout=None, extra_arguments=ending,
                           resources={"metadata": {"path": folder}}, raise_on_iopub_timeout=True)  # fmt: skip
    client.create_kernel_manager().kernel_spec_manager = KernelSpecManager(kernel_dirs=[])  # this very interpreter
    return client


def save(notebook, request: dict, seconds: float, error: str | None) -> str | None:
    """Write the executed notebook and its HTML, as failed ones if so; return what went wrong in that, or None."""
    import nbformat

    notebook.cells = [cell for cell in notebook.cells if not cell.get("id", "").startswith("links-")]
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["rednet"] = {"stamp": request["stamp"], "seconds": round(seconds, 2), "error": error}
    ipynb, html = (request["failed"], request["failed_html"]) if error else (request["executed"], request["html"])
    stamp = request["stamp"]
    facts = ", ".join(f"{n} {stamp[n]}" for n in ("profile", "source", "seed", "device", "time") if n in stamp)
    try:
        write_text(Path(html), to_html(notebook, request["title"], f"Executed in {clock(seconds)}: {facts}"))
        write_text(Path(ipynb), nbformat.writes(notebook) + "\n")  # last: where it is, all is there
    except Exception as failure:
        return f"executed, but its copy could not be written: {type(failure).__name__}: {failure}"
    return None


if __name__ == "__main__":
    main()
