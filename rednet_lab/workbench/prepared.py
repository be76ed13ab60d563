"""A reader's own prepared stores as a source: a folder with the subfolders stills, people and videos.

    FOLDER/stills    one store, or a folder of several that are joined: AFLW, Helen and LFPW in the papers
    FOLDER/people    the same for LFW; without it, the stills of persons that are known by name
    FOLDER/videos    the same for 300-VW and other videos, prepared with --fixed-crop (a fixed square a video, in which
                     the face moves) or with --whole-frames; without it, made of stills (of people, if there are)

They are made by `python -m data_prep prepare`, all with one markup: --seven brings any data set to the
seven points, --sixty-eight puts what it has into the 68 and masks the others.
"""

from functools import cached_property
from pathlib import Path

import numpy as np

from data_prep.errors import DataError
from data_prep.joined import PREPARE, Joined, StoredFaces
from rednet_lab.evaluation import COMMON_YAW
from rednet_lab.workbench.folds import dealt
from rednet_lab.workbench.profiles import Profile
from rednet_lab.workbench.sources import Role, Source, TestVideos, hold_back, synthetic_test_videos

JUDGE = "aflw"  # whose test faces judge the papers' Tables 5 to 7, where they are there


class PreparedSource(Source):
    """Stores of the papers' own data, or of any other that `python -m data_prep prepare` can read."""

    def __init__(self, profile: Profile, data: str, seed: int):
        if not data:
            raise ValueError("data: name the folder with the prepared stores stills, people and videos")
        self.profile, self.seed, self.folder = profile, seed, Path(data)
        if not (self.folder / "stills").is_dir():
            raise DataError("no folder stills in it", path=self.folder, fix=f"{PREPARE}stills")
        self._stills = self._open("stills")
        self.markup = self._stills.markup.name
        if self._stills.markup.stand_in:
            problem = f"markup {self.markup} lacks one of the seven points"
            raise DataError(problem, path=self._stills.path, fix="prepare it with --seven")
        opened = {"stills": self._stills, "people": self._people, "videos": self._videos}
        parts = [f"{part}: {', '.join(data.readers)}" for part, data in opened.items() if data is not None]
        self.what = f"prepared stores ({'; '.join(parts)})"

    def _open(self, part: str) -> Joined | None:
        if not (self.folder / part).is_dir():
            return None
        found = Joined(self.folder / part, videos=part == "videos")
        if part != "stills" and found.markup is not self._stills.markup:
            problem = f"markup {found.markup.name}, but the stills have {self._stills.markup.name}"
            raise DataError(problem, path=found.path, fix="prepare all with --seven, or all with --sixty-eight")
        return found

    @cached_property
    def _people(self) -> Joined | None:
        return self._open("people")

    @cached_property
    def _videos(self) -> Joined | None:
        found = self._open("videos")
        if found is not None and found.meta["margin"] is not None:
            problem = "its videos are cut to faces: nothing is left to track"
            raise DataError(problem, path=found.path, fix="prepare them with --fixed-crop, or with --whole-frames")
        return found

    def data(self, part: str) -> Joined:
        """Return the stills, the people (else the stills) or the videos."""
        if part == "videos":
            return self._videos
        own = self._people if part == "people" and self._people else self._stills
        return dealt(own, self.profile.folds, self.seed, fixed=True)

    def _split(self, part: str, split: str) -> Role:
        role = super()._split(part, split)
        rows = role.rows[role.data.table["video"][role.rows] >= 0] if part == "videos" else role.rows
        if not len(rows):
            what = f"no {split.replace('train', 'training')} {part[:-1]} in it"
            raise DataError(what, path=role.data.path, fix="python -m data_prep doctor says what a folder has")
        return Role(role.data, rows)

    def stills_reader(self) -> StoredFaces:
        """Return the stored stills as items: their source pictures are not at hand."""
        return StoredFaces(self._stills)

    def people(self) -> Role:
        """Return pictures of known persons; without a store of them, the stills whose persons are known."""
        data = self.data("people")
        rows = data.rows("train")
        rows = rows[data.table["identity"][rows] >= 0]
        persons = len(np.unique(data.table["identity"][rows]))
        if persons < 2:
            problem = f"training pictures of {persons} persons known by name: stage 2 needs two or more"
            raise DataError(problem, path=data.path, fix=f"{PREPARE}people, of a data set with persons, such as LFW")
        kept = data.rows("validation")
        kept = kept[np.isin(data.table["identity"][kept], data.table["identity"][rows])]
        if len(kept):
            return Role(data, rows, held_back=kept)
        return hold_back(data, rows)

    def clips(self, few: int = 0) -> Role:
        """Return training videos; without a store of them, training stills set in motion, marked as synthetic.

        Those are of known persons where there is a store of them, for stage 3 keeps the identity loss.
        """
        if self._videos is None:
            named = self.people() if self._people is not None else self.stills()
            return Role(named.data, named.rows, synthetic=True)
        return self._split("videos", "train")

    def test_sets(self) -> dict[str, Role]:
        """The test stills by their group (such as "300-W common"), those of no group by their data set's name."""
        data, found = self._stills, {}
        for row in data.rows("test"):
            own = data.table["group"][row]
            found.setdefault(data.groups[own] if own >= 0 else data.readers[data.part[row]], []).append(row)
        return {name: Role(data, np.array(rows)) for name, rows in found.items()}

    def test_stills(self) -> Role:
        """Return the test stills that judge: AFLW's as in the papers, where there are any, else all."""
        return self.test_sets().get(JUDGE) or self._split("stills", "test")

    def test_videos(self, few: int = 0) -> TestVideos:
        """Test videos in their own groups; made of test stills if there are none.

        Those of no group are one by their data set's name where stores are joined (Talking Face is not 300-VW's
        common), and grouped by the median of their |yaw| where theirs is the only store.
        """
        data = self._videos
        if data is None:
            return synthetic_test_videos(self._stills, self.test_stills().rows, self.profile.videos[3], self.seed)
        rows = self._split("videos", "test").rows
        table, groups = data.table[rows], {"common": [], "challenging": []}
        for video in np.unique(table["video"]):
            here = table["video"] == video
            own = table["group"][here][0]
            yaw = np.abs(table["yaw"][here])
            yaw = np.median(yaw[np.isfinite(yaw)]) if np.isfinite(yaw).any() else np.nan
            by_yaw = "yaw unknown" if np.isnan(yaw) else "common" if yaw < COMMON_YAW else "challenging"
            other = data.readers[data.part[rows[here][0]]] if len(data.parts) > 1 else by_yaw
            groups.setdefault(data.groups[own] if own >= 0 else other, []).append(rows[here])
        found = {name: np.concatenate(some) for name, some in groups.items() if some}
        return TestVideos(data, found, "prepared test videos, in their own groups, by data set or by median yaw")
