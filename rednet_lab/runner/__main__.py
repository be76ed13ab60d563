"""The command line of the runner. Nothing has to be installed to be told that it is wrong."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rednet_lab.files import leftovers, remove
from rednet_lab.names import LONG, ROOT, RUNS, USUAL_SOURCE, add_run_options, command
from rednet_lab.parameters import ParameterError
from rednet_lab.runner.course import Course, Job, Options, UsageError, check_jobs, make_jobs
from rednet_lab.runner.graph import GOOD, Outcome, Session, told
from rednet_lab.runner.index import write_index
from rednet_lab.runner.screen import Screen
from rednet_lab.runner.workers import Workers
from rednet_lab.stamp import cores

EXAMPLES = """\
examples (python3 go.py run ... does the same and makes the environment first):
  %(prog)s                                   the whole series on profile quick
  %(prog)s --list                            the series, what is up to date, how long it takes
  %(prog)s --profile smoke                   check in minutes that everything runs; figures mean nothing
  %(prog)s --only 34 --no-needs --force      one notebook alone, even if it is up to date
  %(prog)s --source udacity --data FOLDER    on real faces
  %(prog)s --source prepared --data FOLDER   on stores made by python -m data_prep (stills, people, videos)
  %(prog)s --seeds 0 1 2 --jobs 1            three runs, one notebook at a time
  %(prog)s --only 50 -p steps=200            with a parameter of the notebook's own

A run that was stopped or killed goes on where it was. A notebook that fails is reported, those that need
it are not run, and all others go on; the exit code is then 1.
"""
# Minutes: whatever takes longer hangs.
LONGEST = {"smoke": 60, "quick": 12 * 60, "bench": 48 * 60, "gpu": 48 * 60, "full": 14 * 24 * 60}
MEMORY = 4e9  # bytes that a notebook may take
MOST_JOBS = 4  # by default: a notebook has threads of its own, and the series is no wider for long


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    p = command("python -m rednet_lab.runner", "Run the notebooks of the course and collect their results.", EXAMPLES)
    add_run_options(p, "quick")
    p.add_argument("--seeds", type=whole(0), nargs="+", default=[0], metavar="N", help="one run for each (default: 0)")
    p.add_argument("--out", type=Path, metavar="FOLDER", help=f"where runs go (default: {RUNS} in the checkout)")
    p.add_argument("--only", nargs="+", default=[], metavar="NOTEBOOK", help="numbers or names; with what they need")
    p.add_argument("--no-needs", action="store_true", help="with --only: not what they need")
    p.add_argument("--jobs", type=whole(1), metavar="N", help="notebooks at a time (default: by cores and memory)")
    p.add_argument("-p", dest="extra", action="append", default=[], metavar="NAME=VALUE", type=assignment,
                   help="a parameter for the notebooks that have it")  # fmt: skip
    limits = ", ".join(f"{name} {minutes // 60} h" for name, minutes in LONGEST.items())
    p.add_argument("--timeout", type=float, metavar="MINUTES",
                   help=f"stop a notebook that takes longer (default: {limits})")  # fmt: skip
    p.add_argument("--from-scratch", dest="extra", action="append_const", const=("weights", "mine"),
                   help="study what this run trains, not what ships: the same as -p weights=mine")  # fmt: skip
    p.add_argument("--force", action="store_true", help="run also what is up to date")
    p.add_argument("--yes", action="store_true", help=f"profiles {' and '.join(LONG)}: tell no price, do not ask")
    p.add_argument("--list", action="store_true", help="show the series and its state, run nothing")
    p.add_argument("--check", action="store_true", help="say whether this command line is right, run nothing")
    return p


def whole(least: int) -> Callable[[str], int]:
    """Return what reads a whole number of `least` or more."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least}, not {text!r}")
        return int(text)

    return number


def assignment(text: str) -> tuple[str, str]:
    """Return NAME=VALUE as a pair. A name is checked here: whatever else stands there would be run as code."""
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"must look like name=value, not {text!r}")
    return name, value


def options_from(args: argparse.Namespace) -> Options:
    """Check what belongs together and return the options. Raises UsageError."""
    data = Path(args.data) if args.data else None
    if args.source != USUAL_SOURCE and data is None:
        what = "prepared stores" if args.source == "prepared" else "images and tables"
        raise UsageError(f"--source {args.source} needs --data FOLDER, the folder with its {what}")
    if args.source == USUAL_SOURCE and data is not None:
        raise UsageError(f"--data is for real faces; with --source {USUAL_SOURCE} leave it out")
    if data is not None and not data.is_dir():
        raise UsageError(f"--data {data}: {'not a folder' if data.exists() else 'no such folder'}")
    if args.source == "prepared" and not (data / "stills").is_dir():
        raise UsageError(f"--data {data}: no folder stills in it (python -m data_prep prepare makes it)")
    if args.no_needs and not args.only:
        raise UsageError("--no-needs goes with --only")
    if args.timeout is not None and not args.timeout > 0:
        raise UsageError("--timeout is in minutes and more than 0")
    return Options(
        profile=args.profile, source=args.source, data=data and data.resolve(), device=args.device,
        out=(args.out or ROOT / RUNS).resolve(), extra=dict(args.extra),
    )  # fmt: skip


def usual_jobs() -> int:
    """Return how many notebooks to run at a time: one for each core, as far as the memory goes."""
    try:
        fit = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / MEMORY)
    except (AttributeError, ValueError, OSError):  # Windows does not say
        fit = 2
    return max(1, min(cores(), fit, MOST_JOBS))


def main(argv: list[str], course: Course | None = None) -> int:
    """Run, or list, and return the exit code: 0 all well, 1 something failed, 2 wrong usage, 128 + n a signal."""
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
    if args.check:
        return 0
    if args.list:
        Screen().table(jobs)
        return 0
    if args.profile in LONG and not args.yes and sys.stdin.isatty():
        names = ("profile", "source", "data", "device")
        given = [f"--{name}={value}" for name in names if (value := getattr(args, name))]
        prices = ["workbench.train --price"]
        prices += ["workbench.train --price --network eccv"] * any("eccv" in entry.name for entry in entries)
        prices += ["experiments --dry-run --seeds 0"] * any(entry.name.startswith("7") for entry in entries)
        failed = any(subprocess.call([sys.executable, "-m", *f"rednet_lab.{each}".split(), *given]) for each in prices)
        if failed or input("Run? [y/N] ").strip().lower() != "y":
            return 1
    try:
        with signals_heard():
            return run(jobs, args.jobs or usual_jobs(), args.force, args.timeout or LONGEST[options.profile])
    except OSError as error:
        print(f"Nothing was run. {told(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        return 128 + (stop.args[0] if stop.args else signal.SIGINT)


@contextmanager
def signals_heard() -> Iterator[None]:
    """Let the signals that end a program do what Ctrl-C does, but not one that nohup has had ignored."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt(number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(jobs: list[Job], parallel: int, force: bool, minutes: float) -> int:
    """Execute what is due, keep the pages current, and return the exit code. Raises OSError where it cannot write."""
    from filelock import FileLock, Timeout

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
            for part in leftovers(folder):  # of a run that was killed
                remove(part)
        screen.plan(jobs, force, parallel)
        workers = stack.enter_context(Workers(minutes * 60))

        def ended(job: Job, outcome: Outcome) -> None:
            screen.ended(job, outcome)
            if outcome.state in ("done", "failed"):
                with suppress(OSError):  # it is written once more at the end, and told of there
                    write_index(job.folder, job.course, job.options, job.seed)

        session, stopped_by = Session(jobs, workers, force, ended, screen.show), 0
        try:
            session.run(parallel)
        except KeyboardInterrupt as stop:
            stopped_by = stop.args[0] if stop.args else signal.SIGINT
            screen.say("\nStopped. What is finished stays; the same command goes on from here.")
        for job in {job.folder: job for job in jobs}.values():
            try:
                write_index(job.folder, job.course, job.options, job.seed)
            except OSError as error:
                screen.say(f"\nThe page of the run could not be written: {told(error)}")
        screen.summary(session, folders, time.monotonic() - started)
    if stopped_by:
        return 128 + stopped_by
    return 0 if all(job in session.outcomes and session.outcomes[job].state in GOOD for job in jobs) else 1


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):  # an old code page must not end a run over a letter in a title
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.exit(main(sys.argv[1:]))
