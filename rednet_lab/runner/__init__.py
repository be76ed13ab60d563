"""The runner: executes the series of notebooks, or a part of it, and leaves one page that shows the results.

The graph, its scheduling and what follows from a failure are doit's (graph.py): a small pure-Python tool that
installs with pip on Linux, macOS and Windows. Snakemake would bring 135 MB and a lock to clear by hand after a
kill; make is not on Windows. What a notebook is up to date with is decided here (state.py), because doit writes
its own memory only at the end of a run, and a run that was killed must go on where it was.

cli -> course (what to run) -> graph (doit) -> workers/worker (papermill) -> state (records) -> index (the page)
"""
