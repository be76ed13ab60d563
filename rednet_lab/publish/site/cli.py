"""The command line of the site."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rednet_lab.names import ROOT


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    p = argparse.ArgumentParser(
        prog="python -m rednet_lab.publish.site",
        description="Turn an executed run into pages that need no network; open index.html in the folder it names.",
    )
    p.add_argument("run", type=Path, nargs="?", default=ROOT / "figures" / "evidence" / "quick", metavar="RUN FOLDER",
                   help="a folder that python3 go.py run left (default: the evidence)")  # fmt: skip
    p.add_argument("--to", type=Path, default=ROOT / "build" / "site", metavar="FOLDER",
                   help="where the pages go; an older site there is replaced (default: build/site)")  # fmt: skip
    p.add_argument("--check", action="store_true", help="build nothing: check the folder given with --to")
    return p


def main(argv: list[str] | None = None) -> int:
    """Build a site and check it, or only check one; 0 all well, 1 something is wrong with the pages, 2 wrong usage."""
    args = parser().parse_args(argv)
    from rednet_lab.publish.site.build import SiteError, build, report
    from rednet_lab.publish.site.check import check

    started = time.monotonic()
    if not args.check:
        try:
            if not args.run.is_dir():
                raise SiteError(f"{args.run}: {'not a folder' if args.run.exists() else 'no such folder'}."
                                " Make a run with: python3 go.py run")  # fmt: skip
            parts = build(args.run.resolve(), args.to.resolve())
        except SiteError as error:
            print(f"No site was built. {error}", file=sys.stderr)
            return 2
        print("\n".join(report(args.to, parts)))
    problems = check(args.to.resolve())
    for problem in problems:
        print(f"  wrong: {problem}")
    print(f"{'Checked' if args.check else 'Built and checked'} in {time.monotonic() - started:.1f} s:"
          f" {len(problems) or 'no'} problem{'s' * (len(problems) != 1)}")  # fmt: skip
    print(f"  {(args.to.resolve() / 'index.html').as_uri()}")
    return 1 if problems else 0
