"""The command line of the runner. Imports nothing that has to be installed until there is something to run."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from rednet_lab.names import DEVICES, PROFILE_NAMES, ROOT, RUNS, SOURCES
from rednet_lab.parameters import ParameterError
from rednet_lab.runner.course import (
    Course,
    Job,
    Options,
    UsageError,
    check_jobs,
    make_jobs,
)

EXAMPLES = """\
examples (python3 go.py run ... does the same and makes the environment first):
  %(prog)s                                   the whole series on profile quick
  %(prog)s --list                            the series, what is up to date, how long it takes
  %(prog)s --profile smoke                   check in minutes that everything runs; figures mean nothing
  %(prog)s --only 50 60                      two notebooks, and those that they need
  %(prog)s --only 34 --no-needs --force      one notebook alone, even if it is up to date
  %(prog)s --source udacity --data FOLDER    on real faces
  %(prog)s --source prepared --data FOLDER   on stores made by python -m data_prep (stills, people, videos)
  %(prog)s --seeds 0 1 2 --jobs 2            three runs, two notebooks at a time
  %(prog)s --only 50 -p steps=200            with a parameter of the notebook's own

A run that was stopped or killed goes on where it was. A notebook that fails is reported, those that need
it are not run, and all others go on; the exit code is then 1.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    p = argparse.ArgumentParser(
        prog="python -m rednet_lab.runner", description="Run the notebooks of the course and collect their results.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    p.add_argument("--profile", choices=PROFILE_NAMES, default="quick", help="how much work (default: quick)")
    p.add_argument("--source", choices=SOURCES, default=SOURCES[0], help="which faces (default: face_world)")
    p.add_argument("--data", type=Path, metavar="FOLDER", help="where the real faces or the prepared stores are")
    p.add_argument("--device", choices=DEVICES, default="auto", help="what to compute on (default: auto)")
    p.add_argument("--seeds", type=seed, nargs="+", default=[0], metavar="N", help="one run for each (default: 0)")
    p.add_argument("--out", type=Path, metavar="FOLDER", help=f"where runs go (default: {RUNS} in the checkout)")
    p.add_argument("--only", nargs="+", default=[], metavar="NOTEBOOK", help="numbers or names; with what they need")
    p.add_argument("--no-needs", action="store_true", help="with --only: not what they need")
    p.add_argument("--jobs", type=count, default=1, metavar="N", help="notebooks at a time (default: 1)")
    p.add_argument("-p", dest="extra", action="append", default=[], metavar="NAME=VALUE", type=assignment,
                   help="a parameter for the notebooks that have it")  # fmt: skip
    p.add_argument("--timeout", type=float, metavar="MINUTES", help="stop a notebook that takes longer")
    p.add_argument("--force", action="store_true", help="run also what is up to date")
    p.add_argument("--list", action="store_true", help="show the series and its state, run nothing")
    return p


def seed(text: str) -> int:
    """Return a seed of 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0, not {text!r}")
    return int(text)


def count(text: str) -> int:
    """Return a number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def assignment(text: str) -> tuple[str, str]:
    """Return NAME=VALUE as a pair."""
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"must look like name=value, not {text!r}")
    return name, value


def options_from(args: argparse.Namespace) -> Options:
    """Check what belongs together and return the options. Raises UsageError."""
    if args.source != SOURCES[0] and args.data is None:
        what = "prepared stores" if args.source == "prepared" else "images and tables"
        raise UsageError(f"--source {args.source} needs --data FOLDER, the folder with its {what}")
    if args.source == SOURCES[0] and args.data is not None:
        raise UsageError(f"--data is for real faces; with --source {SOURCES[0]} leave it out")
    if args.data is not None and not args.data.is_dir():
        raise UsageError(f"--data {args.data}: {'not a folder' if args.data.exists() else 'no such folder'}")
    if args.source == "prepared" and not (args.data / "stills").is_dir():
        raise UsageError(f"--data {args.data}: no folder stills in it (python -m data_prep prepare makes it)")
    if args.no_needs and not args.only:
        raise UsageError("--no-needs goes with --only")
    if args.timeout is not None and args.timeout <= 0:
        raise UsageError("--timeout is in minutes and more than 0")
    return Options(
        profile=args.profile, source=args.source, data=args.data and args.data.resolve(), device=args.device,
        out=(args.out or ROOT / RUNS).resolve(), extra=dict(args.extra),
    )  # fmt: skip


def main(argv: list[str], course: Course | None = None) -> int:
    """Run, or list, and return the exit code: 0 all well, 1 something failed, 2 wrong usage, 130 Ctrl-C."""
    args = parser().parse_args(argv)
    try:
        course = course or Course()
        options = options_from(args)
        entries = course.select(args.only, with_needs=not args.no_needs)
        jobs = [job for n in dict.fromkeys(args.seeds) for job in make_jobs(course, options, entries, n)]
        if not args.list:
            check_jobs(jobs, options.extra)
    except (UsageError, ParameterError) as error:
        print(f"Nothing was run. {error}", file=sys.stderr)
        return 2
    from rednet_lab.runner.screen import Screen  # from here on the installed packages are needed

    if args.list:
        Screen().table(jobs)
        return 0
    return run(jobs, args.jobs, args.force, args.timeout)


def run(jobs: list[Job], parallel: int, force: bool, minutes: float | None) -> int:
    """Execute what is due, keep the pages current, and return the exit code."""
    from contextlib import ExitStack

    from filelock import FileLock, Timeout

    from rednet_lab.runner.graph import Session, start
    from rednet_lab.runner.index import write_index
    from rednet_lab.runner.screen import Screen
    from rednet_lab.runner.workers import Workers

    screen, started = Screen(), time.monotonic()
    folders = list(dict.fromkeys(job.folder for job in jobs))
    with ExitStack() as stack:
        for folder in folders:
            (folder / ".runner").mkdir(parents=True, exist_ok=True)
            try:
                stack.enter_context(FileLock(folder / ".runner" / "lock", timeout=0))
            except Timeout:
                print(f"Nothing was run. Another run is at work in {folder}.", file=sys.stderr)
                return 2
        screen.plan(jobs, force)
        workers = stack.enter_context(Workers(parallel, minutes and minutes * 60))
        session = Session(jobs, workers, force)

        def ended(job: Job, outcome: object) -> None:
            screen.ended(job, outcome)
            if outcome.state in ("done", "failed"):
                write_index(job.folder, job.course, job.options, job.seed)

        session.on_end = ended
        thread, interrupted = start(session, parallel), False
        try:
            screen.watch(session, thread)
        except KeyboardInterrupt:
            interrupted = True
            screen.say("\nStopping ... (what is finished stays; the same command goes on from here)")
            workers.stop()
            thread.join(timeout=20)
        for job in {job.folder: job for job in jobs}.values():
            write_index(job.folder, job.course, job.options, job.seed)
        screen.summary(session, folders, time.monotonic() - started)
    if interrupted:
        return 130
    states = {session.outcomes[job.id].state for job in jobs if job.id in session.outcomes}
    complete = len(session.outcomes) == len(jobs) and states <= {"done", "up-to-date"} and not session.problem
    return 0 if complete else 1


if os.name == "nt":  # a console with an old code page must not end a run over a letter in a title
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
