"""Which videos of 300-VW train and which test: the owner's lists, our default, and a user's file.

A split file is a CSV with the header `video,split,scenario,identity`: video 001 ... 562, split train or test,
scenario 1 (common) or 2, 3 (challenging) for test videos, identity any name, the same for one person (may be
empty). The papers' has 90 training and 24 test videos, 9 of them common and 15 challenging, and no person in both.
"""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from data_prep.errors import DataError
from data_prep.pts import read_rows

OFFICIAL = {  # DATASETS 8.2
    "1": "114 124 125 126 150 158 401 402 505 506 507 508 509 510 511 514 515 518 519 520 521 522 524 525 537 538 540 "
    "541 546 547 548",
    "2": "203 208 211 212 213 214 218 224 403 404 405 406 407 408 409 412 550 551 553",
    "3": "410 411 516 517 526 528 529 530 531 533 557 558 559 562",
    "train": "001 002 003 004 007 009 010 011 013 015 016 017 018 019 020 022 025 027 028 029 031 033 034 035 037 039 "
    "041 043 044 046 047 048 049 053 057 059 112 113 115 119 120 123 138 143 144 160 204 205 223 225",
}
SCENARIO = {video: name for name, videos in OFFICIAL.items() for video in videos.split()}
GROUP = {"1": "common", "2": "challenging", "3": "challenging"}
TEST = {"common": 9, "challenging": 15}
SHOWN = ("526", "540", "557")  # test videos of the owner's that RED-Net's authors show in their demo
COLUMNS = ["video", "split", "scenario", "identity"]


@dataclass(frozen=True)
class VideoRole:
    """What a video is for: split train or test, group common, challenging or "", identity "" where unknown."""

    split: str
    group: str = ""
    identity: str = ""


def default_split() -> dict[str, VideoRole]:
    """Our stand-in for the unpublished 90 / 24: the demo's videos, then the owner's test videos by a hash of the id."""
    order = sorted(SCENARIO, key=lambda video: (video not in SHOWN, hashlib.sha256(f"300vw/{video}".encode()).digest()))
    left, split = dict(TEST), {}
    for video in order:
        group = GROUP.get(SCENARIO[video], "")
        if left.get(group):
            left[group] -= 1
            split[video] = VideoRole("test", group)
        else:
            split[video] = VideoRole("train", group)
    return split


def read_split(path: Path) -> tuple[dict[str, VideoRole], list[str]]:
    """Return roles by video, and warnings, of a split file; raise DataError for a bad line and for a person on both
    sides.
    """
    rows = read_rows(path)
    if not rows or [cell.strip().lower() for cell in rows[0]] != COLUMNS:
        raise DataError("wrong header", path=path, field="header", fix=f"begin with {','.join(COLUMNS)}")
    split: dict[str, VideoRole] = {}
    for place, row in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in row):
            video, role = _role([cell.strip() for cell in row], f"line {place}", path)
            if video in split:
                raise DataError(f"video {video} is listed twice", path=path, field=f"line {place}")
            split[video] = role
    sides: dict[str, set[str]] = {}
    for role in split.values():
        sides.setdefault(role.identity, set()).add(role.split)
    if both := sorted(person for person, found in sides.items() if person and len(found) > 1):
        problem = f"persons in training and test: {', '.join(both)}"
        raise DataError(problem, path=path, field="identity", fix="put all videos of a person on one side")
    return split, _notes(split)


def _role(row: list[str], where: str, path: Path) -> tuple[str, VideoRole]:
    if len(row) != len(COLUMNS):
        raise DataError(f"{len(row)} columns instead of {len(COLUMNS)}", path=path, field=where)
    video, split, scenario, identity = row
    if not re.fullmatch(r"\d{1,3}", video, re.ASCII) or video.zfill(3) not in SCENARIO:
        raise DataError(f"{video!r} is no video of 300-VW", path=path, field=where)
    if split not in ("train", "test"):
        raise DataError(f"split {split!r} is neither train nor test", path=path, field=where)
    if scenario not in GROUP and (split == "test" or scenario):
        raise DataError(f"scenario {scenario!r} is not 1, 2 or 3", path=path, field=where)
    return video.zfill(3), VideoRole(split, GROUP.get(scenario, ""), identity)


def _notes(split: dict[str, VideoRole]) -> list[str]:
    count = Counter(role.split for role in split.values())
    groups = Counter(role.group for role in split.values() if role.split == "test")
    notes = []
    if (count["train"], count["test"]) != (90, 24):
        notes.append(f"the split has {count['train']} training and {count['test']} test videos, the papers' 90 and 24")
    if dict(groups) != TEST:
        found = f"{groups['common']} common and {groups['challenging']} challenging"
        notes.append(f"the split has {found} test videos, the papers' 9 and 15")
    if any(not role.identity for role in split.values()):
        notes.append("the split does not name every video's person: that none is on both sides is not checked")
    return notes
