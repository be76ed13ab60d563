"""Other markups in the 68: exact points stand in their place, the others are masked, nothing is made up."""

import numpy as np
import pytest

from data_prep.cli import main
from data_prep.datasets import dataset
from data_prep.errors import DataError
from data_prep.joined import Joined
from data_prep.markup_shapes import sketch
from data_prep.markups import MARKUPS
from data_prep.readers.aflw import Aflw
from data_prep.readers.ibug import IbugFaces
from data_prep.sixty_eight import SixtyEightPoints, places_of
from data_prep.store import Store
from rednet_core.markup import IBUG68
from tests.data_prep.makers import aflw, encode, pair, picture, points_of, put
from tests.helpers import face

SEVEN_OF_68 = [36, 39, 42, 45, 30, 48, 54]
every = pytest.mark.parametrize("markup", MARKUPS.values(), ids=MARKUPS)


@every
def test_exact_places_are_where_the_68_are(markup):
    """On a drawn face in that markup: the places found in it are the 68's own, and mirror as the 68 do."""
    drawn, places = face((50, 44), 50, 0.1), places_of(markup)
    here = np.flatnonzero(places >= 0)
    assert len(set(places[here])) == len(here)  # no point stands for two
    assert set(SEVEN_OF_68) - set(here) == {SEVEN_OF_68[k] for k in markup.stand_in}
    np.testing.assert_allclose(sketch(drawn, markup)[places[here]], drawn[here], atol=1e-9)
    for place in here:
        assert places[IBUG68.flip[place]] == markup.flip[places[place]]


@every
def test_near_places_add_to_the_exact_ones_and_lie_close_by(markup):
    drawn, exact, near = face((50, 44), 50, 0.1), places_of(markup), places_of(markup, near=True)
    assert (near[exact >= 0] == exact[exact >= 0]).all()
    here = np.flatnonzero((near >= 0) & (exact < 0))
    off = np.linalg.norm(sketch(drawn, markup)[near[here]] - drawn[here], axis=-1)
    assert (off < 6).all()  # of a face 50 px wide
    for place in here:
        assert near[IBUG68.flip[place]] == markup.flip[near[place]]


def test_aflws_seven_stand_in_the_68_and_the_rest_is_masked(tmp_path):
    aflw(tmp_path, [{"id": 1, "file": "image1.jpg"}, {"id": 2, "file": "image2.jpg", "missing": (12,)}])
    reader = SixtyEightPoints(Aflw(tmp_path))
    whole, half = reader[0], reader[1]
    assert whole.points.shape == (68, 2) and np.flatnonzero(whole.mask).tolist() == sorted(SEVEN_OF_68)
    np.testing.assert_allclose(whole.points[SEVEN_OF_68], points_of(1)[SEVEN_OF_68], atol=1e-4)
    middle = whole.points[whole.mask].mean(0)
    assert np.isfinite(whole.points).all() and np.allclose(whole.points[~whole.mask], middle)
    assert not half.mask[45] and half.mask.sum() == 6  # what AFLW itself did not see stays masked
    assert (whole.visible == whole.mask).all()


def test_seven_and_68_points_are_joined_in_one_set_of_stores(tmp_path, capsys):
    aflw(tmp_path / "aflw", [{"id": k, "file": f"image{k}.jpg"} for k in range(1, 6)])
    for k in range(3):
        pair(tmp_path / "helen" / "trainset", f"{k}_1", k, "jpg", base=1)
    pair(tmp_path / "helen" / "testset", "9_1", 3, "jpg", base=1)
    rows = [f"Ada_{k:04}.jpg 20 20 70 70 " + " ".join(f"{v:.4f}" for v in lfw_row(k)) for k in (1, 2)]
    put(tmp_path / "lfw" / "LFW_annotation.txt", "\n".join(rows).encode())
    for k in (1, 2):
        put(tmp_path / "lfw" / "lfw" / "Ada" / f"Ada_{k:04}.jpg", encode(picture(k), "jpg"))
    for name in ("aflw", "helen", "lfw"):
        command = ["prepare", str(tmp_path / name), str(tmp_path / "stills" / name), "--size", "40", "--sixty-eight"]
        assert main(command) == 0, capsys.readouterr()
    joined = Joined(tmp_path / "stills")
    assert joined.markup is IBUG68 and joined.readers == ["aflw", "helen", "lfw"] and len(joined) == 11
    assert joined.table["mask"].sum(1).tolist() == [7] * 5 + [68] * 4 + [7] * 2
    for row in joined.table:  # one crop convention: the seven give the box, whatever else is known
        assert row["mask"][SEVEN_OF_68].all() and 0 < row["points"][SEVEN_OF_68].min() < 40
    assert main(["prepare", str(tmp_path / "aflw"), str(tmp_path / "x"), "--near"]) == 1
    with pytest.raises(SystemExit):  # one or the other
        main(["prepare", str(tmp_path / "aflw"), str(tmp_path / "x"), "--seven", "--sixty-eight"])


def lfw_row(k):
    """Flandmark's order: four eye corners, two mouth corners, the nose tip; from 1."""
    return (points_of(k)[[36, 39, 42, 45, 48, 54, 30]] + 1).ravel()


def test_a_reader_of_68_stays_as_it_is(tmp_path):
    pair(tmp_path / "trainset", "1_1", 1, base=1)
    own, wrapped = IbugFaces(tmp_path, "helen")[0], SixtyEightPoints(IbugFaces(tmp_path, "helen"))[0]
    assert np.array_equal(own.points, wrapped.points) and wrapped.mask.all()


# ------------------------------------------------------------------------------------- the papers' own stills


def test_helens_test_half_can_be_trained_on(tmp_path):
    pair(tmp_path / "trainset", "1_1", 1, base=1)
    pair(tmp_path / "testset", "2_1", 2, base=1)
    as_usual = dataset("helen").open(tmp_path)
    assert [(i.split, i.group) for i in as_usual] == [("train", ""), ("test", "300-W common")]
    assert as_usual.tally() == ["train: 1 of 2,000 items", "test: 1 of 330 items"]
    papers = dataset("helen").open(tmp_path, test_half="train")
    assert [(i.split, i.group) for i in papers] == [("train", "")] * 2 and papers.description != as_usual.description
    assert papers.tally() == ["train: 2 of 2,330 items"]
    with pytest.raises(DataError, match="known: test, train"):
        dataset("helen").open(tmp_path, test_half="both")


def test_lfpw_re_encoded_as_jpeg_is_lfpw(tmp_path, capsys):
    for half, count in (("trainset", 3), ("testset", 2)):
        for k in range(1, count + 1):
            pair(tmp_path / half, f"image_{k:04}", k, "jpg", base=1)
    assert main(["doctor", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "seems to be LFPW" in said and "train: 3 of 811 items" in said and "test: 2 of 224 items" in said


def test_a_store_says_which_data_set_it_was_made_from(tmp_path):
    for k in range(2):
        pair(tmp_path / "lfpw" / "trainset", f"image_{k:04}", k, "png", base=1)
    assert main(["prepare", str(tmp_path / "lfpw"), str(tmp_path / "store"), "--size", "32"]) == 0
    assert Store(tmp_path / "store").meta["source"]["dataset"] == "lfpw"
