"""The process that executes notebooks: reads one request a line (JSON), answers each with one line.

It is a process of its own so that it can be killed with its kernel, and it stays for several notebooks because
importing papermill takes two seconds. When its parent dies, the closed standard input ends it.
"""

from __future__ import annotations

import json
import mimetypes
import os
import queue
import signal
import sys
import threading
import time
from base64 import b64encode
from pathlib import Path

from rednet_lab.files import read_json, remove, write_json, write_text

KERNEL = "rednet-course"  # the kernelspec that workers.py writes: this very interpreter


def main() -> None:
    """Answer requests until standard input ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")  # kernels do not inherit this one
    os.dup2(2, 1)
    requests: queue.Queue = queue.Queue()
    threading.Thread(target=read_requests, args=(requests,), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that the kernel is shut down
    while True:
        request = requests.get()
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        print(json.dumps(execute(request)), file=replies, flush=True)


def read_requests(requests: queue.Queue) -> None:
    """Queue the requests; when the parent is gone, end at once (the kernel notices that and ends too)."""
    for line in sys.stdin:
        requests.put(json.loads(line))
    os._exit(1)


def execute(request: dict) -> dict:
    """Execute one notebook, write its files, and return {"error": None or text, "seconds": time without the export}."""
    import papermill
    from nbformat import NO_CONVERT, read
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError

    from rednet_lab.runner.outcome import errors_in

    os.environ["REDNET_PROGRESS"] = request["progress"]
    engine = make_engine(Path(request["status"]), Path(request["progress"]))
    papermill_engines.register("rednet", engine)
    source = read(request["notebook"], NO_CONVERT)
    started = time.monotonic()
    error: str | None = "stopped before the end"
    try:
        papermill.execute_notebook(
            source, None, parameters=request["parameters"], engine_name="rednet", kernel_name=KERNEL,
            language="python", cwd=request["cwd"], progress_bar=False, start_timeout=180,
        )  # fmt: skip
        error = "\n".join(errors_in(engine.notebook)) or None
    except PapermillExecutionError as failure:
        error = "\n".join(errors_in(engine.notebook)) or f"{failure.ename}: {failure.evalue}"
    except Exception as failure:  # a kernel that died or never started; told to the reader, not swallowed
        error = f"{type(failure).__name__}: {failure}"
    finally:
        seconds = time.monotonic() - started
        if engine.notebook is not None:
            problem = save(engine.notebook, request, seconds, error)
            error = error or problem
    return {"error": error, "seconds": seconds}


def make_engine(status: Path, progress: Path):
    """Return a papermill engine that notes each cell's start in the status file and keeps hold of the notebook."""
    from papermill.engines import NBClientEngine

    from rednet_lab.runner.outcome import is_lesson

    class ReportingEngine(NBClientEngine):
        notebook = None

        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, **options):
            cls.notebook = nb_man.nb
            code = [index for index, cell in enumerate(nb_man.nb.cells) if is_lesson(cell)]
            start = nb_man.cell_start

            def cell_start(cell, cell_index=None, **more):
                if cell_index in code:
                    remove(progress)  # it told of an earlier cell
                    write_json(status, {"cell": code.index(cell_index) + 1, "cells": len(code)})
                return start(cell, cell_index, **more)

            nb_man.cell_start = cell_start
            return super().execute_managed_notebook(nb_man, kernel_name, **options)

    return ReportingEngine


def save(notebook, request: dict, seconds: float, error: str | None) -> str | None:
    """Write the executed notebook and its HTML, as failed ones if so; return what went wrong in that, or None."""
    import nbformat

    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if not cell.metadata.get("tags"):
            cell.metadata.pop("tags", None)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["rednet"] = {"stamp": request["stamp"], "seconds": round(seconds, 2), "error": error}
    ipynb, html = (request["failed"], request["failed_html"]) if error else (request["executed"], request["html"])
    try:
        page = to_html(notebook, request["title"], Path(request["results"]))
        write_text(Path(html), page)
        write_text(Path(ipynb), nbformat.writes(notebook) + "\n")  # last: where it is, all is there
    except Exception as failure:
        return f"executed, but its copy could not be written: {type(failure).__name__}: {failure}"
    return None


def to_html(notebook, title: str, results: Path) -> str:
    """Return the executed notebook as one HTML page, whole in itself; `results` is the folder of its figures."""
    from rednet_lab.publish.site.frame import alone
    from rednet_lab.publish.site.notebook import article

    listed = read_json(results / "results.json", {})
    made = article(notebook, listed if isinstance(listed, dict) else {}, inside(results))
    return alone(title, made.html, notebook.metadata["rednet"])


def inside(results: Path):
    """Return what gives a figure's file as an address that holds all of it, or None if it is not there."""

    def address(name: str) -> str | None:
        file, kind = results / name, mimetypes.guess_type(name)[0]
        return f"data:{kind};base64,{b64encode(file.read_bytes()).decode()}" if kind and file.is_file() else None

    return address


if __name__ == "__main__":
    main()
