"""Real Helen and LFPW, where they are at hand: met by the readers, the doctor and the store; never copied."""

import numpy as np
import pytest

from data_prep.datasets import dataset
from data_prep.doctor import examine
from data_prep.joined import Joined
from data_prep.plausible import plausible
from data_prep.prepare import prepare
from data_prep.pts import read_points
from data_prep.wrapped import Wrapped
from rednet_core.markup import IBUG68
from tests.helpers import REAL_STILLS, needs_real_stills

pytestmark = needs_real_stills


class EveryNth(Wrapped):
    """Every so-manieth item of a reader."""

    def __init__(self, reader, step):
        super().__init__(reader)
        self.markup, self.description, self.step = reader.markup, reader.description, step

    def __len__(self):
        return -(-len(self.reader) // self.step)

    def __getitem__(self, index):
        return self.reader[index * self.step]


@pytest.mark.parametrize("name", ["helen", "lfpw"])
def test_the_doctor_knows_them_and_says_how_much_is_here(name):
    found = examine(REAL_STILLS / name)
    assert found.dataset.name == name and found.usable == found.listed > 1000 and not found.skipped
    whole = {"helen": ("2,000", "330"), "lfpw": ("811", "224")}[name]
    for line, count in zip(found.tally, whole, strict=True):
        assert line.endswith(f"of {count} items")


def test_every_real_annotation_is_read_and_none_is_called_implausible():
    reader = dataset("300w").open(REAL_STILLS)
    for entry in reader.entries:
        points = read_points(entry.facts["annotation"], 68)[0] - reader.base
        plausible(points, IBUG68, entry.path)
        plausible(points, IBUG68, entry.path, any_pose=True)
    common = [entry for entry in reader.entries if entry.facts["group"] == "300-W common"]
    assert len(common) == 554 and {entry.facts["split"] for entry in common} == {"test"}


def test_a_sample_of_both_is_prepared_and_joined(tmp_path):
    for name in ("helen", "lfpw"):
        reader = EveryNth(dataset(name).open(REAL_STILLS / name), 60)
        store, report = prepare(reader, tmp_path / name, 48)
        assert not report.skipped and store.meta["source"]["dataset"] == name
    joined = Joined(tmp_path)
    assert joined.markup is IBUG68 and joined.table["mask"].all() and joined.groups == ["300-W common"]
    assert len(joined.rows("test")) == len(joined.rows("test", "300-W common")) > 5
    seven = joined.table["points"][:, [36, 39, 42, 45, 30, 48, 54]]
    assert ((seven > 0) & (seven < 48)).all() and np.isfinite(joined.table["yaw"]).all()
