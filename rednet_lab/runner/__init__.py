"""The runner: executes the series of notebooks, or a part of it, and leaves one page that shows the results.

__main__ (the command line) -> course (what to run) -> graph (in which order) -> workers (nbclient, in processes of
their own) -> executed (errors and HTML) -> state (records) -> screen and index (what is told of it). It knows names and
files only, and nothing of what the notebooks import.
"""
