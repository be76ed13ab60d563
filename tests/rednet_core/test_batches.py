"""Batches: what is in them, that (seed, step) alone decides, and what a clip may never do."""

import threading

import numpy as np
import pytest
import torch

from data_prep.synthetic import SyntheticClips
from rednet_core.batches import Ahead, Batch, Clips, Stills, gather, person_labels
from tests.helpers import make_data, row_numbers

# Persons 0, 1, 2 and 5; person 1 has two videos, one of them with a gap; the last video is of nobody known.
VIDEOS = [
    (0, range(12)),
    (1, range(3, 11)),
    (1, [0, 1, 2, 3, 7, 8, 9, 10]),
    (5, range(6)),
    (2, range(5)),
    (-1, range(7)),
]


@pytest.fixture(scope="module")
def data():
    return make_data(VIDEOS, size=12)


def everything(data):
    return np.arange(len(data.table))


def as_tuple(batch):
    return tuple(t.numpy().tobytes() for t in (batch.crops, batch.points, batch.mask, batch.identity))


# ---------------------------------------------------------------------------------------------------- gathering


def test_gather_keeps_the_order_that_was_asked_for(data):
    rows = np.array([7, 3, 3, 40, 0, 12])
    data.table["mask"][40, 5] = False
    batch = gather(data, rows)
    assert row_numbers(batch.crops).tolist() == rows.tolist()
    for place, row in enumerate(rows):
        assert torch.equal(batch.crops[place], torch.tensor(data.crops[row]))
        np.testing.assert_array_equal(batch.points[place], data.table["points"][row])
        np.testing.assert_array_equal(batch.mask[place], data.table["mask"][row])
        assert int(batch.identity[place]) == data.table["identity"][row]
    data.table["mask"][40, 5] = True
    assert batch.crops.dtype == torch.uint8 and batch.points.dtype == torch.float32
    assert batch.mask.dtype == torch.bool and batch.identity.dtype == torch.int64


def test_gather_renumbers_persons_and_keeps_the_unknown_unknown(data):
    rows = np.flatnonzero(np.isin(data.table["identity"], (1, 5, -1)))
    labels = person_labels(data, rows[data.table["identity"][rows] != 5])
    batch = gather(data, rows, labels=labels)
    wanted = {1: 0, 5: -1, -1: -1}
    assert batch.identity.tolist() == [wanted[int(i)] for i in data.table["identity"][rows]]


def test_a_batch_is_its_own_memory(data):
    batch = gather(data, np.array([2, 3]))
    before = data.crops[2].copy()
    batch.crops.zero_(), batch.points.zero_()
    np.testing.assert_array_equal(data.crops[2], before)
    assert (data.table["points"][2] != 0).any()


def test_moving_a_batch_keeps_all_of_it(data):
    batch = gather(data, np.array([2, 3, 4]), frames=3)
    moved = batch.to("cpu")
    assert isinstance(moved, Batch) and moved.frames == 3 and as_tuple(moved) == as_tuple(batch)


def test_person_labels_number_the_persons_of_the_rows(data):
    rows = np.flatnonzero(np.isin(data.table["identity"], (0, 2, 5)))
    assert person_labels(data, rows).tolist() == [0, -1, 1, -1, -1, 2]
    nobody = np.flatnonzero(data.table["identity"] < 0)
    assert (person_labels(data, nobody) == -1).all()


# -------------------------------------------------------------------------------------------------------- stills


def test_every_row_comes_once_an_epoch_in_a_new_order(data):
    rows = everything(data)[::2]  # 23 rows, a number that batches of 4 do not divide
    stills = Stills(data, rows, batch=4, seed=3)
    seen = np.concatenate([row_numbers(stills.batch(step).crops) for step in range(len(rows))])  # four epochs
    epochs = seen.reshape(4, len(rows))
    for epoch in epochs:
        assert sorted(epoch) == sorted(rows)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_a_batch_may_run_from_one_epoch_into_the_next(data):
    stills = Stills(data, everything(data)[:6], batch=4, seed=0)
    first, second = (row_numbers(stills.batch(step).crops) for step in (0, 1))
    assert sorted([*first, *second[:2]]) == list(range(6))
    assert set(second[2:]) <= set(range(6)) and len(set(second[2:])) == 2


def test_a_batch_larger_than_the_data_holds_several_epochs(data):
    stills = Stills(data, everything(data)[:3], batch=7)
    seen = np.concatenate([row_numbers(stills.batch(step).crops) for step in range(3)])
    assert np.bincount(seen).tolist() == [7, 7, 7]


@pytest.mark.parametrize("kind", [Stills, Clips, SyntheticClips])
def test_seed_and_step_alone_decide(data, kind):
    choices = {} if kind is Stills else {"frames": 4}
    one, other = (kind(data, everything(data), batch=3, seed=5, **choices) for _ in range(2))
    straight = [as_tuple(one.batch(step)) for step in range(6)]
    backwards = [as_tuple(other.batch(step)) for step in (5, 3, 3, 0, 4, 1, 2)]
    assert [straight[step] for step in (5, 3, 3, 0, 4, 1, 2)] == backwards
    assert len(set(straight)) == 6
    another = kind(data, everything(data), batch=3, seed=6, **choices)
    assert [as_tuple(another.batch(step)) for step in range(6)] != straight


def test_numpys_and_torchs_own_random_numbers_are_left_alone(data):
    np.random.seed(0)
    torch.manual_seed(0)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    Stills(data, everything(data), batch=3).batch(0)
    Clips(data, everything(data), batch=2, frames=3).batch(0)
    assert (np.random.get_state()[1] == before[0]).all() and torch.equal(torch.get_rng_state(), before[1])


def test_stills_label_persons_from_zero(data):
    rows = np.flatnonzero(data.table["identity"] != 0)
    stills = Stills(data, rows, batch=len(rows))
    batch = stills.batch(0)
    assert stills.identities == 3
    assert set(batch.identity.tolist()) == {-1, 0, 1, 2}
    persons = data.table["identity"][row_numbers(batch.crops)]
    assert {(int(p), int(label)) for p, label in zip(persons, batch.identity, strict=True)} == {
        (1, 0),
        (2, 1),
        (5, 2),
        (-1, -1),
    }


def test_no_rows_are_refused(data):
    with pytest.raises(ValueError, match="Stills: no rows"):
        Stills(data, np.array([], int), batch=2)


# --------------------------------------------------------------------------------------------------------- clips


def many_clips(data, clips, steps=60):
    for step in range(steps):
        batch = clips.batch(step)
        rows = row_numbers(batch.crops).reshape(clips.size, clips.frames)
        yield batch, rows


def test_a_clip_is_consecutive_frames_of_one_video(data):
    clips = Clips(data, everything(data), batch=3, frames=4, seed=1)
    for batch, rows in many_clips(data, clips):
        assert batch.frames == 4 and len(batch.crops) == 12
        for clip in rows:
            assert len(set(data.table["video"][clip])) == 1
            assert abs(np.diff(data.table["frame"][clip])).tolist() == [1, 1, 1]
            assert len(set(np.sign(np.diff(data.table["frame"][clip])))) == 1


def test_clips_run_forward_and_backward(data):
    clips = Clips(data, everything(data), batch=3, frames=4, seed=1)
    forward = [
        data.table["frame"][clip[0]] < data.table["frame"][clip[-1]] for _, r in many_clips(data, clips) for clip in r
    ]
    assert 0.35 < np.mean(forward) < 0.65


def test_no_two_clips_of_a_batch_are_of_one_person(data):
    clips = Clips(data, everything(data), batch=4, frames=4, seed=2)
    for batch, rows in many_clips(data, clips):
        persons = [tuple(set(data.table["identity"][clip])) for clip in rows]
        assert len(set(persons)) == 4
        assert len(set(batch.identity[::4].tolist())) == 4


def test_two_videos_of_unknown_persons_count_as_two_persons():
    data = make_data([(-1, range(4)), (-1, range(4))], size=12)
    clips = Clips(data, everything(data), batch=2, frames=3)
    for batch, rows in many_clips(data, clips, 5):
        assert len(set(data.table["video"][rows[:, 0]])) == 2
        assert (batch.identity == -1).all()
    assert clips.identities == 0


def test_a_clip_does_not_run_on_into_the_next_video_where_its_numbers_do():
    data = make_data([(0, range(4)), (1, range(4, 8)), (2, range(8, 12))], size=12)
    for _, rows in many_clips(data, Clips(data, everything(data), batch=3, frames=3), 20):
        assert (data.table["video"][rows] == data.table["video"][rows[:, :1]]).all()


def test_every_possible_start_occurs(data):
    clips = Clips(data, everything(data), batch=3, frames=4, seed=1)
    starts = {tuple(sorted(clip)) for _, rows in many_clips(data, clips, 400) for clip in rows}
    expected = set()
    first = 0
    for _, numbers in VIDEOS:
        numbers = list(numbers)
        for k in range(len(numbers) - 3):
            if numbers[k + 3] - numbers[k] == 3:
                expected.add(tuple(range(first + k, first + k + 4)))
        first += len(numbers)
    assert starts == expected


def test_the_order_of_the_rows_given_does_not_matter(data):
    shuffled = np.random.default_rng(0).permutation(everything(data))
    one = Clips(data, everything(data), batch=3, frames=4, seed=1)
    other = Clips(data, shuffled, batch=3, frames=4, seed=1)
    assert [as_tuple(one.batch(step)) for step in range(5)] == [as_tuple(other.batch(step)) for step in range(5)]


def test_clips_use_only_the_rows_given(data):
    rows = np.flatnonzero(data.table["identity"] != 1)
    for _, seen in many_clips(data, Clips(data, rows, batch=2, frames=4), 30):
        assert set(seen.ravel()) <= set(rows)


def test_clips_label_persons_from_zero(data):
    rows = np.flatnonzero(np.isin(data.table["identity"], (1, 5)))
    clips = Clips(data, rows, batch=2, frames=4)
    assert clips.identities == 2
    assert set(clips.batch(0).identity.tolist()) == {0, 1}


@pytest.mark.parametrize(
    "videos, batch, frames, message",
    [
        ([(0, range(3)), (1, range(3))], 2, 4, "no video has 4 frames in a row"),
        ([(0, [0, 2, 4, 6]), (1, [1, 3, 5, 7])], 2, 2, "no video has 2 frames in a row"),
        ([(0, range(9)), (0, range(9))], 2, 4, "as many persons"),
    ],
)
def test_impossible_clips_are_refused(videos, batch, frames, message):
    data = make_data(videos, size=12)
    with pytest.raises(ValueError, match=message):
        Clips(data, everything(data), batch=batch, frames=frames)


# ---------------------------------------------------------------------------------------------------- made clips


def test_a_made_clip_is_one_still_over_and_over(data):
    clips = SyntheticClips(data, everything(data), batch=4, frames=5, seed=1)
    for batch, rows in many_clips(data, clips, 20):
        assert batch.frames == 5
        assert (rows == rows[:, :1]).all()
        assert len(set(rows[:, 0])) == 4
        known = [p for p in data.table["identity"][rows[:, 0]] if p >= 0]
        assert len(set(known)) == len(known)


def test_unknown_stills_count_as_different_persons():
    data = make_data([(-1, [0]), (-1, [0]), (-1, [0])], size=12)
    for _, rows in many_clips(data, SyntheticClips(data, everything(data), batch=3, frames=2), 5):
        assert sorted(rows[:, 0]) == [0, 1, 2]


def test_every_still_serves(data):
    clips = SyntheticClips(data, everything(data), batch=3, frames=2, seed=1)
    assert {row for _, rows in many_clips(data, clips, 400) for row in rows.ravel()} == set(everything(data))


def test_made_clips_without_rows_are_refused(data):
    with pytest.raises(ValueError, match="Clips"):
        SyntheticClips(data, np.array([], int), batch=1, frames=2)


# ------------------------------------------------------------------------------------ so many clips of every video


def test_so_many_random_clips_of_every_video_are_the_training_set():
    data = make_data([(0, range(200)), (1, range(12)), (2, [*range(5), *range(7, 60)])], size=4)
    table, rows = data.table, everything(data)
    clips = Clips(data, rows, batch=2, frames=10, seed=3, each=40)
    starts = clips.rows[clips.starts]
    assert [int((table["video"][starts] == video).sum()) for video in range(3)] == [40, 3, 40]
    assert len(np.unique(starts)) == len(starts)  # no clip twice
    assert set(starts) <= set(Clips(data, rows, batch=2, frames=10).rows[Clips(data, rows, 2, 10).starts])
    spread = table["frame"][starts[table["video"][starts] == 0]]
    assert spread.min() < 40 and spread.max() > 150  # random ones, not the first ones
    again = Clips(data, rows, batch=2, frames=10, seed=3, each=40)
    other = Clips(data, rows, batch=2, frames=10, seed=4, each=40)
    assert (again.starts == clips.starts).all() and set(other.starts) != set(clips.starts)


def test_only_the_chosen_clips_are_drawn_and_each_of_them_is():
    data = make_data([(0, range(60)), (1, range(60)), (2, range(60))], size=4)
    clips = Clips(data, everything(data), batch=3, frames=10, seed=1, each=5)
    drawn = {min(rows) for step in range(60) for rows in row_numbers(clips.batch(step).crops).reshape(3, 10).tolist()}
    assert drawn == set(clips.rows[clips.starts].tolist()) and len(drawn) == 15


def test_a_videos_clips_do_not_depend_on_the_other_videos():
    data = make_data([(0, range(60)), (1, range(60)), (2, range(60))], size=4)
    some = np.flatnonzero(data.table["video"] != 1)
    both = [Clips(data, rows, batch=2, frames=10, each=5) for rows in (everything(data), some)]
    found = [set(clips.rows[clips.starts].tolist()) for clips in both]
    assert found[1] == {row for row in found[0] if data.table["video"][row] != 1}


def test_clips_made_of_stills_are_of_all_of_them():
    data = make_data([(k, [0]) for k in range(9)], size=4)
    assert len(SyntheticClips(data, everything(data), batch=4, frames=5, each=2).starts) == 9


# ------------------------------------------------------------------------------------------------- drawn ahead


def test_batches_drawn_ahead_are_the_same_in_any_order(data):
    stills = Stills(data, everything(data), batch=5, seed=2)
    ahead = Ahead(stills.batch)
    for step in (0, 1, 2, 7, 8, 3, 3, 0):
        assert as_tuple(ahead(step)) == as_tuple(stills.batch(step))


def test_the_next_batch_is_drawn_while_this_one_is_used():
    asked, seen = [], threading.Event()

    def draw(step):
        asked.append((step, threading.current_thread() is threading.main_thread()))
        if step == 1:
            seen.set()
        return step

    assert Ahead(draw)(0) == 0 and seen.wait(60) and asked == [(0, True), (1, False)]


def test_an_error_of_a_draw_comes_up_where_its_batch_is_asked_for():
    def draw(step):
        if step == 1:
            raise OSError("the disk has gone")
        return step

    ahead = Ahead(draw)
    assert ahead(0) == 0
    with pytest.raises(OSError, match="the disk has gone"):
        ahead(1)
