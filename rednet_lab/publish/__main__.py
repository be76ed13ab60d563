"""The command line: `python -m rednet_lab.publish evidence|readme|picture|site`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rednet_lab.names import EVIDENCE, ROOT, RUNS


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    p = argparse.ArgumentParser(prog="python -m rednet_lab.publish", description=__doc__)
    commands = p.add_subparsers(dest="command", required=True)

    def command(run: Callable[[argparse.Namespace], int], said: str) -> argparse.ArgumentParser:
        one = commands.add_parser(run.__name__[1:], help=said, description=said)
        one.set_defaults(run=run)
        return one

    evidence = command(_evidence, f"copy a run's small results to {EVIDENCE}, and renew the made pages")
    evidence.add_argument("folder", type=Path, metavar="RUN_FOLDER", help=f"such as {RUNS}/quick")
    evidence.add_argument("--force", action="store_true", help="replace evidence of more trainings, too")
    readme = command(_readme, "renew what is made of the evidence: README's parts, figures/, cells of notebooks")
    readme.add_argument("--check", action="store_true", help="write nothing; fail if something is not up to date")
    command(_picture, "draw the README's picture anew: the shipped network at work")
    site = command(_site, "build the site of a run: pages that need no network")
    site.add_argument("folder", type=Path, nargs="?", metavar="RUN_FOLDER",
                      help=f"default: {RUNS}/quick if it is there, else the evidence")  # fmt: skip
    site.add_argument("--to", type=Path, default=ROOT / "build" / "site", metavar="FOLDER", help="default: build/site")
    site.add_argument("--serve", type=int, nargs="?", const=8000, metavar="PORT",
                      help="then serve it on this machine alone (default port: 8000)")  # fmt: skip
    return p


def main(argv: list[str] | None = None) -> int:
    """Run a command; 0 all well, 1 something is not as it should be, 2 wrong usage or nothing done."""
    args = parser().parse_args(argv)
    try:
        return args.run(args)
    except ValueError as error:  # PublishError, SiteError, LedgerError: told in words
        print(f"Nothing done. {error}", file=sys.stderr)
        return 2


def _evidence(args: argparse.Namespace) -> int:
    from rednet_lab.publish.evidence import publish

    print("\n".join(publish(args.folder.resolve(), force=args.force)))
    return 0


def _readme(args: argparse.Namespace) -> int:
    from rednet_lab.publish import cells
    from rednet_lab.publish.pages import renew

    names = [path.relative_to(ROOT).as_posix() for path in renew(check=args.check)]
    print("\n".join(f"{name} {'is not up to date' if args.check else 'written'}" for name in names) or "up to date")
    print(cells.badges(cells.address()))
    return 1 if names and args.check else 0


def _picture(_: argparse.Namespace) -> int:
    from rednet_lab.files import write_whole
    from rednet_lab.publish.pages import METHOD, method
    from rednet_lab.show.draw import palette_png

    write_whole(METHOD, lambda part: part.write_bytes(palette_png(method())))
    print(METHOD)
    return 0


def _site(args: argparse.Namespace) -> int:
    from rednet_lab.publish.site import build
    from rednet_lab.track.demo import add_to, serve

    own = ROOT / RUNS / "quick"
    run = args.folder or (own if (own / "executed").is_dir() else ROOT / EVIDENCE / "quick")
    started = time.monotonic()
    problems = build(run.resolve(), args.to.resolve())
    print(add_to(args.to.resolve()))
    files = [path for path in args.to.rglob("*") if path.is_file()]
    size, count = sum(path.stat().st_size for path in files) / 1e6, sum(path.suffix == ".html" for path in files)
    print("".join(f"  wrong: {problem}\n" for problem in problems), end="")
    address = (args.to.resolve() / "index.html").as_uri()
    print(f"{count} pages, {size:.0f} MB, {time.monotonic() - started:.0f} s: {address}")
    if args.serve is not None:
        serve(args.to.resolve(), args.serve)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
