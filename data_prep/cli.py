"""The command line of data preparation.

    python -m data_prep list                       the data sets that can be read
    python -m data_prep doctor FOLDER              what a folder holds, what is missing, how to get it; writes nothing
    python -m data_prep prepare FOLDER STORE       a folder made into a prepared store, with progress

FOLDER may be a zip file: it is unpacked beside the store (by the doctor: into a temporary folder) and removed again.

A store is complete or absent: a run that is stopped leaves nothing that looks like one, and the same command goes on
where it was (`data_prep.resume`). Where the same store already stands, nothing is done; where another does, it is an
error.
"""

import argparse
import errno
import io
import json
import os
import re
import shutil
import sys
from pathlib import Path

from data_prep.account import kept_lines, line, note_lines, noted_lines, skipped_lines
from data_prep.archive import FromArchive, folder_of
from data_prep.datasets import DATASETS, dataset
from data_prep.doctor import examine, nearest, require_folder
from data_prep.errors import DataError, readable
from data_prep.fixed_crop import FixedCrop
from data_prep.landmark_subset import LandmarkSubset
from data_prep.prepare import MARGIN, prepare
from data_prep.resume import bytes_done, leftovers, work_key
from data_prep.sixty_eight import SixtyEightPoints
from data_prep.store import Store

SIZE = 320  # the papers' 256 and the margin of augmentation


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return 0, 1 for data that cannot be used (said on stderr), 130 where it was interrupted."""
    _open_streams()
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
    except BrokenPipeError:  # whoever read what is said has had enough (head, less)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "no space left" if full else error.strerror or str(error)
        print(f"error: {what} ({readable(error.filename or 'while writing the store')})", file=sys.stderr)
    except MemoryError:
        print("error: not enough memory", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 1


def _open_streams() -> None:
    """What is said where nobody listens goes nowhere, and a file's name may have letters that the screen does not."""
    while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:  # closed: the next file that is opened would get what is said
        pass
    os.close(spare)
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m data_prep", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="command")
    listed = commands.add_parser("list", help="the data sets that can be read")
    listed.set_defaults(run=_list)
    doctor = commands.add_parser("doctor", help="look at a folder without writing")
    doctor.set_defaults(run=_doctor)
    doctor.add_argument("--read", action="store_true", help="open every picture too (slow)")
    make = commands.add_parser("prepare", help="make a prepared store of a folder")
    make.set_defaults(run=_prepare)
    for command in (doctor, make):
        command.add_argument("folder", type=Path, help="the data set's folder, or a zip file of it")
        command.add_argument(
            "--dataset", metavar="NAME", help="which data set it is (default: the nearest); list has the names"
        )
        command.add_argument(
            "--set", action="append", default=[], metavar="OPTION=VALUE", help="an option of its reader"
        )
    make.add_argument("store", type=Path)
    make.add_argument("--size", type=int, default=SIZE, help=f"side of the crops in pixels (default {SIZE})")
    make.add_argument("--margin", type=float, default=MARGIN, help=f"crop over face box (default {MARGIN})")
    frames = make.add_mutually_exclusive_group()
    frames.add_argument("--whole-frames", action="store_true", help="keep whole pictures, for tracking through videos")
    frames.add_argument(
        "--fixed-crop", action="store_true", help="the same, but a fixed square a video that its face stays in: finer"
    )
    points = make.add_mutually_exclusive_group()
    points.add_argument("--seven", action="store_true", help="keep the seven points only, whatever the markup")
    points.add_argument(
        "--sixty-eight", action="store_true", help="put the points into iBUG's 68 and mask those that are not there"
    )
    make.add_argument("--near", action="store_true", help="with --sixty-eight: also points that mean nearly the same")
    make.add_argument("--workers", type=int, default=1, help="worker processes (default 1)")
    make.add_argument("--dry-run", action="store_true", help="say what would be done and how large it would be")
    return parser


def _list(options) -> int:
    for one in DATASETS.values():
        print(f"{one.name:<14} {one.title}\n{'':<14} Table 4: {one.table4}\n{'':<14} get it: {one.how_to_get}")
    return 0


def _doctor(options) -> int:
    from tqdm import tqdm

    with (
        folder_of(options.folder, name=options.dataset) as (folder, notes),
        tqdm(unit="item", disable=None if options.read else True) as bar,
    ):

        def step(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        diagnosis = examine(folder, options.dataset, options.read, step, **_choices(options.set))
        diagnosis.warnings = [*notes, *diagnosis.warnings]
        text = diagnosis.text().replace(str(folder), str(options.folder))  # it looks at the folder once more
    print(text)
    return 0 if diagnosis.dataset and not diagnosis.error and diagnosis.usable else 1


def _choices(pairs: list[str]) -> dict[str, object]:
    """Return options of a reader as text; what each must be is known where the reader is opened."""
    choices: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise DataError(f"{pair!r} is not OPTION=VALUE", field="--set")
        if choices.setdefault(name.replace("-", "_"), value) != value:
            raise DataError(f"{name} is given twice, as {choices[name]} and as {value}", field="--set")
    return choices


def open_reader(folder: Path, name: str | None, choices: dict):
    """Return the reader of a folder, of the data set that is named or the nearest; raise DataError."""
    if name is None:
        require_folder(folder)
        one, _ = nearest(folder)
        if one is None:
            raise DataError("no data set that is known here", path=folder, fix="python -m data_prep doctor FOLDER")
        name = one.name
    return name, dataset(name).open(folder, **choices)


def _prepare(options) -> int:
    for name, low, high in (("size", 8, 4096), ("margin", 0.1, 100), ("workers", 1, 256)):
        if not low <= (value := getattr(options, name)) <= high:
            raise DataError(f"{value} is not between {low} and {high}", field=f"--{name}")
    if options.near and not options.sixty_eight:
        raise DataError("is of use with --sixty-eight only", field="--near")
    with folder_of(options.folder, None if options.dry_run else options.store, options.dataset) as (folder, notes):
        for note in note_lines(notes):
            print(note)
        return _prepare_folder(options, folder)


def _prepare_folder(options, folder: Path) -> int:
    name, reader = open_reader(folder, options.dataset, _choices(options.set))
    if folder != options.folder:
        reader, options.folder = FromArchive(reader, folder, options.folder), folder
    if options.seven:
        reader = LandmarkSubset(reader)
    if options.sixty_eight:
        reader = SixtyEightPoints(reader, options.near)
    if options.fixed_crop:
        reader = FixedCrop(reader, options.margin)
    margin = None if options.whole_frames or options.fixed_crop else options.margin
    bad = reader.problems()
    need = (len(reader) - len(bad)) * options.size**2 * 3
    size = f"at most {need / 1e9:.2f} GB"
    print(f"{name}: {len(reader):,} items, {len(bad):,} known to be bad, {size}, markup {reader.markup.name}")
    for warning in note_lines(getattr(reader, "warnings", [])):
        print(warning)
    if _stands(options.store, reader, options.size, margin):
        print(f"{options.store}: already prepared, nothing to do")
        for left in () if options.dry_run else leftovers(options.store):  # of a run killed when all but this was done
            if left.suffix == ".journal":
                left.unlink(missing_ok=True)
        return 0
    key = work_key(reader, options.folder, options.size, margin)
    need = max(need - bytes_done(options.store, key), 0)
    free = shutil.disk_usage(_existing(options.store)).free
    if need > free:
        raise DataError(f"{need / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are free", path=options.store)
    if options.dry_run:
        tally = reader.tally() if hasattr(reader, "tally") else []
        print("\n".join([*(line("", what) for what in tally), *skipped_lines(bad)]))
        print("dry run: nothing was written")
        return 0
    return _make(options, reader, margin, key)


def _make(options, reader, margin: float | None, key: str) -> int:
    from filelock import FileLock, Timeout

    path: Path = options.store
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=0):
            if _stands(path, reader, options.size, margin):
                return 0
            store, report = _work(options, reader, margin, key)
    except Timeout:
        raise DataError("another run is preparing this store", path=path, fix="wait for it") from None
    skipped = len(report.skipped)
    print(f"{path}: {report.kept:,} kept, {skipped:,} skipped, of {report.kept + skipped:,} items")
    print("\n".join([*kept_lines(store), *noted_lines(report.noted, report.kept), *skipped_lines(report.skipped)]))
    if report.skipped:
        print(f"every skipped item and why: {path / 'skipped.json'}")
    return 0


def _work(options, reader, margin: float | None, key: str):
    """Return store and report; go on where the same command was stopped, and says where a stop leaves what is done."""
    from tqdm import tqdm

    for left in leftovers(options.store):
        if f".{key}." not in left.name:  # another source, other options, or of workers that were killed
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    with tqdm(unit="face", disable=None) as bar:

        def step(done: int, total: int) -> None:
            if bar.total is None and done:
                print(f"going on: {done:,} of {total:,} items were done, and are as they were written")
            bar.total = total
            bar.update(done - bar.n)

        try:
            return prepare(reader, options.store, options.size, margin, key, options.workers, step)
        except BaseException:
            for left in (left for left in leftovers(options.store) if left.is_dir()):
                print(f"what is done is kept in {left}: the same command goes on there", file=sys.stderr)
            raise


def _stands(path: Path, reader, size: int, margin: float | None) -> bool:
    """Tell whether the very store that is wanted stands there; raise DataError where something else does."""
    if not path.exists() and not path.is_symlink():
        return False
    if path.is_dir() and not any(path.iterdir()):
        return False
    if not (path / "store.json").is_file():
        raise DataError("no store, and something else stands there", path=path, fix="name another place")
    store = Store(path)
    source = json.loads(json.dumps(reader.description))
    there = {"size": store.size, "margin": store.meta.get("margin"), **_flat(store.meta.get("source") or {})}
    wanted = {"size": size, "margin": margin, **_flat(source)}
    if there == wanted:
        return True
    parts = [_differs(name, there.get(name), wanted.get(name)) for name in dict.fromkeys([*there, *wanted])]
    what = "; ".join([part for part in parts if part][:5])
    raise DataError(f"another store stands there: {what}", path=path, fix="remove it, or name another place")


def _flat(source: dict, prefix: str = "") -> dict:
    """Return a description's entries, those of inner ones with the names of what they are in."""
    found: dict[str, object] = {}
    for name, value in source.items():
        found |= _flat(value, f"{prefix}{name} ") if isinstance(value, dict) else {prefix + name: value}
    return found


def _differs(name: str, there, wanted) -> str:
    """Return how an entry of two stores' descriptions differs, "" where it does not."""
    if there == wanted:
        return ""
    texts = ["none" if value is None else str(value) for value in (there, wanted)]
    if all(re.fullmatch("[0-9a-f]{64}|none", text) for text in texts):
        return f"{name} changed since (a file's name, size or time; of a table its content)"
    return f"{name} is {texts[0][:40]} there, {texts[1][:40]} is wanted"


def _existing(path: Path) -> str:
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return os.fspath(path)
