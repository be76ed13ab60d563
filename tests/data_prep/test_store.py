"""The prepared store: what is written is read back, a store is whole or absent, and damage is named."""

import json
import os
import shutil

import numpy as np
import pytest

from data_prep.errors import DataError
from data_prep.item import SPLITS, Item
from data_prep.store import KEY_LENGTH, Store, StoreWriter, row_type
from rednet_core.markup import IBUG68, SEVEN

SIZE = 8


def item(k, **changes):
    rng = np.random.default_rng(k)
    mask = rng.random(68) < 0.8
    facts = dict(
        key=f"item {k}",
        image=np.zeros((2, 2, 3), np.uint8),
        points=np.zeros((68, 2)),
        mask=mask,
        visible=rng.random(68) < 0.7,
        identity=f"person {k % 3}" if k % 4 else "",
        video=f"video {k // 3}" if k % 5 else "",
        frame=k % 3,
        yaw=float(10 * k),
        pitch=float(-k),
        roll=float("nan"),
        split=SPLITS[k % 3],
        group="common" if k % 2 else "challenging",
    )
    return Item(**{**facts, **changes})


def crop(k):
    return np.random.default_rng(100 + k).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def points(k):
    return np.random.default_rng(200 + k).normal(4, 3, (68, 2)).astype(np.float32)


def write(path, count=7, meta=None, **changes):
    with StoreWriter(path, IBUG68, SIZE) as writer:
        for k in range(count):
            writer.add(crop(k), item(k, **changes), points(k), np.array([1.0 + k, 2.0, 30.0]))
        return writer.close(meta or {"source": {"reader": "test"}})


# -------------------------------------------------------------------------------------------------- round trip


def test_everything_comes_back(tmp_path):
    write(tmp_path / "store")
    store = Store(tmp_path / "store")
    assert len(store) == 7 and store.size == SIZE and store.markup is IBUG68
    assert store.meta == {"source": {"reader": "test"}}
    for k in range(7):
        original, row = item(k), store.table[k]
        np.testing.assert_array_equal(store.crops[k], crop(k))
        np.testing.assert_array_equal(row["points"], points(k))
        np.testing.assert_array_equal(row["mask"], original.mask)
        np.testing.assert_array_equal(row["visible"], original.visible & original.mask)
        np.testing.assert_array_equal(row["box"], [1 + k, 2, 30])
        assert row["key"] == original.key and row["frame"] == original.frame
        assert (row["yaw"], row["pitch"]) == (original.yaw, original.pitch) and np.isnan(row["roll"])
        assert SPLITS[row["split"]] == original.split
        assert store.groups[row["group"]] == original.group
        for names, value, text in (
            (store.identities, row["identity"], original.identity),
            (store.videos, row["video"], original.video),
        ):
            assert (names[value] if value >= 0 else "") == text
            assert (value == -1) == (text == "")
    assert "" not in store.identities and "" not in store.videos
    store.verify()


def test_crops_and_table_are_memory_mapped_and_read_only(tmp_path):
    store = write(tmp_path / "store")
    for array in (store.crops, store.table):
        assert isinstance(array, np.memmap)
        with pytest.raises(ValueError):
            array[0] = array[1]


def test_rows_read_by_number_are_what_the_system_is_asked_for(tmp_path):
    crops = write(tmp_path / "store", count=60).crops  # 192 bytes each: several to a page, some in two of them
    plain, rows = np.array(crops), np.array([[7, 3], [-1, 3]])
    for part in (slice(None), slice(20, 50), slice(None, None, -2)):
        some = crops[part]
        np.testing.assert_array_equal(some[rows], plain[part][rows])
        asked = [some._mmap[start : start + length] for start, length in some.spans(rows)]
        assert all(row.tobytes() in page for row, page in zip(plain[part][[3, 7, -1]], asked, strict=True))
    with pytest.raises(IndexError):
        crops[np.array([60])]


def test_seven_points_are_stored_as_seven(tmp_path):
    with StoreWriter(tmp_path / "store", SEVEN, SIZE) as writer:
        seven = item(1, mask=np.ones(7, bool), visible=np.ones(7, bool))
        writer.add(crop(1), seven, points(1)[:7], np.ones(3))
        writer.close({})
    store = Store(tmp_path / "store")
    assert store.markup is SEVEN and store.table["points"].shape == (1, 7, 2)


def test_rows_of_a_split_and_a_group(tmp_path):
    store = write(tmp_path / "store", count=12)
    for split in (None, *SPLITS):
        for group in (None, "common", "challenging"):
            expected = [
                k
                for k in range(12)
                if (split is None or item(k).split == split) and (group is None or item(k).group == group)
            ]
            assert store.rows(split, group).tolist() == expected


def test_an_unknown_split_is_refused(tmp_path):
    store = write(tmp_path / "store")
    with pytest.raises(ValueError):
        store.rows("training")
    with pytest.raises(ValueError):
        store.rows(group="uncommon")


@pytest.mark.parametrize("name", ["Ordner mit Ümläuten 面", "a b", ".hidden"])
def test_any_folder_name_will_do(tmp_path, name):
    write(tmp_path / name / "store é")
    Store(tmp_path / name / "store é").verify()


def test_names_and_keys_may_be_in_any_script(tmp_path):
    store = write(tmp_path / "store", count=1, identity="Zoë 面", video="vidéo", key="training/Beyoncé_00.jpg")
    assert (
        store.identities == ["Zoë 面"]
        and store.videos == ["vidéo"]
        and store.table["key"][0] == "training/Beyoncé_00.jpg"
    )


def test_the_same_content_has_the_same_fingerprint_and_bytes(tmp_path):
    one, other = write(tmp_path / "one"), write(tmp_path / "two")
    assert one.fingerprint == other.fingerprint
    for name in ("crops.npy", "table.npy", "store.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert write(tmp_path / "three", count=6).fingerprint != one.fingerprint
    assert write(tmp_path / "four", yaw=1.5).fingerprint != one.fingerprint


def test_files_are_plain_numpy(tmp_path):
    write(tmp_path / "store")
    assert sorted(os.listdir(tmp_path / "store")) == ["crops.npy", "store.json", "table.npy"]
    assert np.load(tmp_path / "store" / "crops.npy").shape == (7, SIZE, SIZE, 3)
    assert np.load(tmp_path / "store" / "table.npy").dtype == row_type(IBUG68)


# --------------------------------------------------------------------------------------------- whole or absent


def test_an_exception_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), StoreWriter(tmp_path / "store", IBUG68, SIZE) as writer:
        writer.add(crop(0), item(0), points(0), np.ones(3))
        raise RuntimeError("the power fails")
    assert os.listdir(tmp_path) == []


def test_leaving_without_close_leaves_nothing(tmp_path):
    with StoreWriter(tmp_path / "store", IBUG68, SIZE) as writer:
        writer.add(crop(0), item(0), points(0), np.ones(3))
    assert os.listdir(tmp_path) == []


def test_nothing_is_visible_before_close(tmp_path):
    with StoreWriter(tmp_path / "store", IBUG68, SIZE) as writer:
        writer.add(crop(0), item(0), points(0), np.ones(3))
        assert not (tmp_path / "store").exists()
        writer.close({})
        assert os.listdir(tmp_path) == ["store"]


def test_an_empty_store_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(DataError, match="no usable item"), StoreWriter(tmp_path / "store", IBUG68, SIZE) as writer:
        writer.close({})
    assert os.listdir(tmp_path) == []


def test_a_whole_store_that_stands_there_is_kept(tmp_path):
    first = write(tmp_path / "store", count=3)
    second = write(tmp_path / "store", count=5)
    assert len(second) == 3 and second.fingerprint == first.fingerprint
    assert os.listdir(tmp_path) == ["store"]


def test_a_folder_that_is_no_store_is_not_overwritten(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "thesis.txt").write_text("years of work")
    with pytest.raises(OSError):
        write(tmp_path / "store")
    assert (tmp_path / "store" / "thesis.txt").read_text() == "years of work"
    assert os.listdir(tmp_path) == ["store"]


# ------------------------------------------------------------------------------------------------ what is refused


def test_a_key_too_long_is_refused(tmp_path):
    write(tmp_path / "long", count=1, key="x" * KEY_LENGTH)
    with pytest.raises(DataError, match=f"key longer than {KEY_LENGTH}"):
        write(tmp_path / "longer", count=1, key="x" * (KEY_LENGTH + 1))
    assert os.listdir(tmp_path) == ["long"]


def test_a_crop_of_another_size_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"crop of shape \(9, 8, 3\), wanted \(8, 8, 3\)"):
        with StoreWriter(tmp_path / "store", IBUG68, SIZE) as writer:
            writer.add(np.zeros((9, 8, 3), np.uint8), item(0), points(0), np.ones(3))


def test_a_wrong_number_of_points_is_refused(tmp_path):
    with pytest.raises(ValueError), StoreWriter(tmp_path / "store", SEVEN, SIZE) as writer:
        writer.add(crop(0), item(0), points(0), np.ones(3))


# --------------------------------------------------------------------------------------------------------- damage


@pytest.fixture
def damaged(tmp_path):
    write(tmp_path / "store")
    return tmp_path / "store"


@pytest.mark.parametrize("name", ["crops.npy", "table.npy"])
@pytest.mark.parametrize("place", [0.2, 0.5, 0.999])
def test_one_changed_byte_is_found(damaged, name, place):
    path = damaged / name
    content = bytearray(path.read_bytes())
    content[128 + int(place * (len(content) - 129))] ^= 1 if name == "crops.npy" else 255
    path.write_bytes(content)
    try:
        store = Store(damaged)
    except DataError:
        return  # the change hit the file's header
    with pytest.raises(DataError, match="checksum.*prepare it again"):
        store.verify()


def test_verify_reads_all_chunks(tmp_path):
    """More rows than `verify` reads at a time, the last one damaged."""
    with StoreWriter(tmp_path / "store", IBUG68, 1) as writer:
        for _ in range(1030):
            writer.add(np.zeros((1, 1, 3), np.uint8), item(0), points(0), np.ones(3))
        writer.close({})
    Store(tmp_path / "store").verify()
    content = bytearray((tmp_path / "store" / "crops.npy").read_bytes())
    content[-1] ^= 1
    (tmp_path / "store" / "crops.npy").write_bytes(content)
    with pytest.raises(DataError, match="checksum"):
        Store(tmp_path / "store").verify()


@pytest.mark.parametrize("name", ["crops.npy", "table.npy", "store.json"])
@pytest.mark.parametrize("keep", [0, 1, 40, 0.5, -1])
def test_a_truncated_file_is_named(damaged, name, keep):
    content = (damaged / name).read_bytes()
    (damaged / name).write_bytes(content[: int(len(content) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(DataError, match=f"{name}.*prepare it again") as caught:
        Store(damaged)
    assert caught.value.path == damaged / name


@pytest.mark.parametrize("name", ["crops.npy", "table.npy"])
def test_a_missing_file_is_named(damaged, name):
    (damaged / name).unlink()
    with pytest.raises(DataError, match=f"{name}: missing.*prepare it again"):
        Store(damaged)


def test_a_folder_that_is_no_store_is_named(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DataError, match="not a prepared store.*prepare it first"):
            Store(path)


@pytest.mark.parametrize(
    "name, content, problem",
    [
        ("crops.npy", np.zeros((7, 8, 9, 3), np.uint8), r"holds \(7, 8, 9, 3\) uint8, not \(7, 8, 8, 3\)"),
        ("crops.npy", np.zeros((6, 8, 8, 3), np.uint8), "not"),
        ("crops.npy", np.zeros((7, 8, 8, 3), np.float32), "float32"),
        ("table.npy", np.zeros(6, row_type(IBUG68)), "7 rows"),
        ("table.npy", np.zeros(7, row_type(SEVEN)), "7 rows"),
        ("table.npy", np.zeros(7), "7 rows"),
        ("crops.npy", np.array([{}], object), "not readable"),
    ],
)
def test_a_file_that_does_not_fit_is_named(damaged, name, content, problem):
    np.save(damaged / name, content, allow_pickle=True)
    with pytest.raises(DataError, match=f"{name}: .*{problem}.*prepare it again"):
        Store(damaged)


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"format": 2}, "store format 2, this version reads 1"),
        ({"format": None}, "store format None"),
        ({"markup": "menpo39"}, "unknown markup 'menpo39', known: seven, ibug68"),
        ({"count": 8}, "crops.npy"),
        ({"size": 9}, "crops.npy"),
        ({"identities": ...}, "does not say identities"),
        ({"fingerprint": ..., "size": ...}, "does not say fingerprint, size"),
    ],
)
def test_a_description_that_does_not_fit_is_named(damaged, changes, problem):
    facts = json.loads((damaged / "store.json").read_text(encoding="utf-8"))
    facts = {k: v for k, v in {**facts, **changes}.items() if v is not ...}
    (damaged / "store.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(DataError, match=f"{problem}.*prepare it again"):
        Store(damaged)


@pytest.mark.parametrize("text", ["[]", "3", "not json", "\ud83d".encode("utf-8", "surrogatepass").decode("latin-1")])
def test_a_description_that_is_no_object_is_named(damaged, text):
    (damaged / "store.json").write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match="store.json.*prepare it again"):
        Store(damaged)


def test_a_store_can_be_moved(damaged, tmp_path):
    shutil.copytree(damaged, tmp_path / "elsewhere")
    Store(tmp_path / "elsewhere").verify()
