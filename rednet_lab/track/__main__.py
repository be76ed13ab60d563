"""Track faces in your own videos, pictures or camera: `python -m rednet_lab.track FILE|FOLDER|camera ...`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch

from data_prep.errors import DataError
from rednet_lab.names import command
from rednet_lab.show.footage import PICTURES, Footage
from rednet_lab.track.exported import OnnxNet
from rednet_lab.track.report import track
from rednet_lab.workbench.shipped import WEIGHTS, open_weights

VIDEOS = {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".3gp"}
EXAMPLES = """\
examples (python3 go.py track ... does the same and makes the environment first):
  %(prog)s holiday.mp4                      an annotated video, a table, a contact sheet and a page in tracked/holiday/
  %(prog)s videos/ --faces 3                every video of a folder, up to three faces in each
  %(prog)s photo.jpg                        one picture
  %(prog)s camera --seconds 20              the camera of this machine
  %(prog)s film.mp4 --engine onnx           ONNX Runtime computes (pip install '.[onnx]')
  %(prog)s film.mp4 --steps                 with the response maps of every spatial step beside the picture
  %(prog)s film.mp4 --box 320 200 180       the face in the first frame: centre x, centre y, side in pixels

What is whole already is skipped; --again does it anew. Ctrl-C keeps what is finished.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    p = command("python -m rednet_lab.track", "Find faces, follow them, write what was seen.", EXAMPLES)
    p.add_argument("what", nargs="+", metavar="FILE|FOLDER|camera", help="videos, pictures, folders of them, a camera")
    p.add_argument("--out", type=Path, default=Path("tracked"), metavar="FOLDER", help="default: tracked")
    p.add_argument("--weights", default="", metavar="NAME", help=f"{' or '.join(WEIGHTS)}, or a file of your own")
    p.add_argument("--faces", type=int, default=1, metavar="N", help="follow up to so many faces (default: 1)")
    p.add_argument("--seconds", type=float, default=0.0, help="stop after so many (a camera: 10, if nothing is said)")
    p.add_argument("--box", type=float, nargs=3, metavar=("X", "Y", "SIDE"), help="the face in the first frame")
    p.add_argument("--steps", action="store_true", help="show the response maps of every spatial step")
    p.add_argument("--check", type=int, default=5, metavar="K", help="look at doubtful faces every K frames (0: never)")
    p.add_argument("--no-video", action="store_true", help="write no annotated video")
    p.add_argument("--again", action="store_true", help="do also what is done already")
    p.add_argument("--threads", type=int, default=0, help="processor threads (default: torch's own choice)")
    p.add_argument("--engine", choices=("torch", "onnx"), default="torch", help="onnx: ONNX Runtime, the same points")
    return p


def sources(words: list[str]) -> list[Footage]:
    """Return what a command line's words name: files, folders of videos or of pictures, `camera` or `camera:1`.

    Of several with one name the later ones have a number behind it: each has a folder of its own. Raise DataError,
    naming the word and the fix, for one that names nothing.
    """
    found = []
    for word in words:
        kind, _, number = word.partition(":")
        path = Path(word).expanduser()
        if kind == "camera" and not path.exists() and (number or "0").isdecimal():
            found.append(Footage(f"camera{number or 0}", camera=int(number or 0)))
        elif path.is_dir():
            found += _of_folder(path)
        elif path.is_file():
            found.append(Footage.of_file(path))
        else:
            raise DataError("no such file or folder", path=word, field="source", fix="a file, a folder or 'camera'")
    taken: set[str] = set()
    for n, each in enumerate(found):
        names = (each.name, *(f"{each.name}-{more}" for more in range(2, len(found) + 1)))
        name = next(name for name in names if name.casefold() not in taken)
        taken.add(name.casefold())  # some file systems do not tell a from A
        found[n] = replace(each, name=name)
    return found


def _of_folder(folder: Path) -> list[Footage]:
    """Return the videos of a folder, each by itself, and its pictures as one video."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    found = [Footage(file.stem, file) for file in files if file.suffix.lower() in VIDEOS]
    pictures = tuple(file for file in files if file.suffix.lower() in PICTURES)
    found += [Footage(folder.resolve().name, pictures=pictures)] if pictures else []
    if not found:
        raise DataError("no videos and no pictures in it", path=folder, field="source", fix="name another folder")
    return found


def main(words: list[str] | None = None) -> int:
    """Track everything that is named; return 0, or 1 where something failed (the rest goes on)."""
    given = parser().parse_args(words)
    if given.faces < 1 or min(given.check, given.threads) < 0 or not 0 <= given.seconds < float("inf"):
        print("track: --faces is 1 or more, --check, --threads and --seconds 0 or more", file=sys.stderr)
        return 2
    torch.set_num_threads(given.threads or torch.get_num_threads())
    try:
        found, net = sources(given.what), open_weights(given.weights)
        if given.engine == "onnx":
            net = OnnxNet(net)
            torch.set_num_threads(1)  # two pools of threads would wait for each other
    except DataError as error:
        print(f"track: {error}", file=sys.stderr)
        return 2
    failed = 0
    for source in found:
        try:
            track(net, source, given)
        except DataError as error:
            failed += 1
            print(f"{source.name}: {error}", file=sys.stderr)
        except KeyboardInterrupt:
            print("\nStopped. What is finished stays; the same command goes on.", file=sys.stderr)
            return 130
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
