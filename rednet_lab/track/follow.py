"""Find faces in a picture, follow them through a video, notice when one is lost, and find it again.

On a face the points stay where they are when the crop is moved; elsewhere they move along with it, or anywhere. `slip`
measures that over four crops moved by +-x and +-y:

    slip = mean over points of  (RMS distance of the point from its mean place) / (RMS movement of the crops)

0 is a face that holds the points, 1 is a mean shape that is carried around. The height of the peaks costs nothing, but
what it says depends on the network; of those that ship it was measured (tests/benchmarks/bench_lost.py). Above `sure`
are 99 of 100 faces; under `gone`, half way between the medians of faces and of boxes that lost theirs, it is lost; only
between the two the slip has to tell. So one look finds 97.9 to 98.5 % of 3,210 lost boxes, the slip alone 97.5 to 98.3;
of 600 faces both call none lost, and 6 need a look at their slips (figures/evidence/lost.csv, notebook 60).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import torch

from data_prep.pose import estimate_pose
from rednet_core import geometry
from rednet_core.rednet import RedNet
from rednet_core.tracking import Tracked, Tracker
from rednet_lab.show.footage import frontal_faces
from rednet_lab.track.exported import weights_hash

SHIFT = 0.08  # of the box's side: how far `slip` moves the crop
FOUND = 0.25  # slip up to this: a search has found a face (599 of the 600 faces, 19 of the 3,210 lost boxes above)
LOST = 0.45  # slip above this: a followed face is lost
HEIGHTS = {"f22db4a19db5": (0.709, 0.857), "ebb5556b2a11": (0.636, 0.853)}  # (gone, sure) of world, faces: weights_hash
DOUBTFUL = (-np.inf, np.inf)  # of any other network: no height tells
CHECK_EVERY = 5  # frames between two looks at the slip of a face whose height is doubtful
RARELY = 100  # at a sure height: 14 of the lost boxes have one, and the slip of 5 of these tells
NEAR_EVERY, NEAR_FOR = 3, 60  # frames: between two searches round the place where a face was lost; as long as that
SEARCH_EVERY = 10  # frames between two searches of the whole picture for faces that are not followed yet
IN_VAIN = 8  # searches: as long as nothing is found only the 1st, 2nd, 4th and every 8th goes all over the picture
SEARCHED = 480  # pixels of the longer side of a picture that is searched
SCALES = (0.22, 0.33, 0.5, 0.75)  # of the shorter side: the boxes of a search
STEP = 0.45  # of a box's side: from one box of a search to the next
VOTES = 3  # boxes of a search that must agree on a face
BATCH = 64


def _look(tracker: Tracker, picture: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the points (N, L, 2) that a network finds in boxes (N, 3) of a picture, without a past, and heights."""
    found = []
    for some in np.array_split(boxes, -(-len(boxes) // BATCH)):
        tracker.start(some)
        seen = tracker.update(picture)
        found.append((seen.points, seen.confidence))
    points, heights = zip(*found, strict=True)
    return np.concatenate(points), np.concatenate(heights)


def slip(net: RedNet | Tracker, picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return how much the points move when the crop is moved, for boxes (N, 3): about 0 on a face, 1 elsewhere."""
    tracker = net if isinstance(net, Tracker) else Tracker(net)
    boxes = np.atleast_2d(np.asarray(boxes, np.float32))
    moves = SHIFT * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
    moved = np.repeat(boxes[:, None], 4, 1)
    moved[..., :2] += moves * boxes[:, None, 2:]
    points = _look(tracker, picture, moved.reshape(-1, 3))[0].reshape(len(boxes), 4, -1, 2)
    apart = np.sqrt(np.square(points - points.mean(1, keepdims=True)).sum(-1).mean(1)).mean(-1)  # (N,) pixels
    return apart / (SHIFT * boxes[:, 2])


def one_look(height: np.ndarray, slips: np.ndarray, heights: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return whether looks with a height and a slip say that a face is lost, and whether the slip was needed for it."""
    gone, sure = heights
    doubtful = (height >= gone) & (height < sure)
    return (height < gone) | (doubtful & (slips > LOST)), doubtful


def grid(picture: np.ndarray) -> np.ndarray:
    """Return boxes (N, 3) all over a picture, of several sizes."""
    height, width = picture.shape[:2]
    boxes = []
    for share in SCALES:
        side = share * min(height, width)
        places = (np.arange(side / 2, reach - side / 2 + 1, STEP * side) for reach in (width, height))
        x, y = (a.ravel() for a in np.meshgrid(*places))
        boxes.append(np.stack([x, y, np.full(len(x), side)], -1))
    return np.concatenate(boxes)


def near(box: np.ndarray) -> np.ndarray:
    """Return boxes (27, 3) round one: where a face that was just lost will be."""
    offsets = np.stack(np.meshgrid([-0.45, 0, 0.45], [-0.45, 0, 0.45], [0.8, 1.0, 1.25]), -1).reshape(-1, 3)
    return np.column_stack([box[:2] + offsets[:, :2] * box[2], offsets[:, 2] * box[2]])


def overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersection over union of a square (3,) with squares (N, 3)."""
    half, halves = box[2] / 2, others[:, 2:] / 2
    low = np.maximum(box[:2] - half, others[:, :2] - halves)
    high = np.minimum(box[:2] + half, others[:, :2] + halves)
    both = np.clip(high - low, 0, None).prod(1)
    return both / (box[2] ** 2 + others[:, 2] ** 2 - both)


def find_faces(
    net: RedNet | Tracker, picture: np.ndarray, most: int = 1, boxes: np.ndarray | None = None, hard: bool = True
) -> np.ndarray:
    """Return the boxes (N, 3) of up to `most` faces of a picture (H, W, 3), the largest first; boxes: where to look.

    Every box of a search is moved to the face that the network sees in it, and the half with the higher peaks once
    more. Where several end at one place and the points hold there (`slip`), there is a face. hard: also those that
    OpenCV's frontal cascade does not see.
    """
    tracker = net if isinstance(net, Tracker) else Tracker(net)
    scale = min(1.0, SEARCHED / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
    if boxes is None:
        frontal = frontal_faces(small)  # what is easy is found at once
        held = _settled(tracker, small, frontal, 1)
        if hard and len(held) < most:
            held = _settled(tracker, small, np.concatenate([grid(small), held]), VOTES, held)
    else:
        held = _settled(tracker, small, np.asarray(boxes) * scale, VOTES)
    return held[np.argsort(-held[:, 2])][:most] / scale


def _settled(tracker: Tracker, picture: np.ndarray, boxes: np.ndarray, least: int, sure=()) -> np.ndarray:
    """Return the boxes (N, 3) of the faces at which at least so many of the boxes (M, 3) end, and those of `sure`."""
    for share in (0.5 if least > 1 else 0, 0):
        if not len(boxes):
            return np.empty((0, 3))
        points, heights = _look(tracker, picture, boxes)
        new = geometry.face_box(points, tracker.net.markup)
        growth, high = new[:, 2] / boxes[:, 2], heights >= np.quantile(heights, share)
        boxes = new[np.isfinite(new).all(1) & (growth > 0.4) & (growth < 2.5) & high]
    agree = np.stack([overlap(box, boxes) > 0.6 for box in boxes]) if len(boxes) else np.empty((0, 0), bool)
    votes, places = agree.sum(1), list(sure)
    for place in places:
        votes[overlap(place, boxes) > 0.3] = 0
    while len(votes) and votes.max() >= least:
        places.append(np.median(boxes[agree[votes.argmax()]], 0))
        votes[overlap(places[-1], boxes) > 0.3] = 0
    places = np.array(places).reshape(-1, 3)
    return places[slip(tracker, picture, places) <= FOUND] if len(places) else places


@dataclass
class Seen:
    """One face in one frame: its number, box (3,) and points (L, 2) in the frame's pixels, its latest slip."""

    face: int
    box: np.ndarray
    points: np.ndarray
    slip: float
    yaw: float
    tracked: Tracked = field(repr=False)


@dataclass
class _Followed:
    number: int
    tracker: Tracker
    last: np.ndarray  # its last box that held
    slip: float = 0.0
    looked: int = RARELY  # frames since its slip was looked at
    doubts: int = 0  # looks in a row that said: lost
    since: int = 0  # frames since it was


class Follower:
    """Follows up to `most` faces through the frames of one video; a face that comes back keeps its number.

    heights: (gone, sure), if not the network's own. The slip is looked at every `check` frames where the height is in
    doubt, and behind a look that said lost (0: no looks, as the papers track). After two in a row a face is lost; then
    it is looked for in its last box, for a while round it, and with the others in the whole picture, ever more rarely.
    """

    def __init__(self, net: RedNet, most: int = 1, check: int = CHECK_EVERY, heights: tuple | None = None):
        self.most, self.check, self.heights = most, check, heights or HEIGHTS.get(weights_hash(net), DOUBTFUL)
        self.probe = Tracker(net)  # of no face: for searches and looks
        self.faces, self.gone = list[_Followed](), list[_Followed]()
        self.starts = self.wait = self.vain = 0  # frames to the next search of the whole picture; of these, in vain

    def start(self, box: np.ndarray, number: int | None = None) -> None:
        """Begin to follow the face in a box (3,) of the next frame."""
        number = self.starts if number is None else number
        self.starts, self.gone = max(self.starts, number + 1), [one for one in self.gone if one.number != number]
        self.faces.append(_Followed(number, Tracker(self.probe.net), np.asarray(box, np.float64)))
        self.vain = 0
        self.faces[-1].tracker.start(box)

    def _search(self, picture: np.ndarray) -> None:
        """Look for lost faces in their last boxes and round these, and now and then for faces anywhere."""
        for face in self.gone:
            found, face.since = (), face.since + 1
            self.probe.start(face.last)
            if self.probe.update(picture).confidence[0] >= self.heights[1]:
                found = _settled(self.probe, picture, face.last[None], 1)
            if not len(found) and face.since % NEAR_EVERY == 0 and face.since <= NEAR_FOR:
                found = find_faces(self.probe, picture, 1, near(face.last))
            if len(found) and not self._known(found[0]):
                self.start(found[0], face.number)
        self.wait -= 1
        if len(self.faces) < self.most and self.wait < 0:
            self.wait, self.vain = SEARCH_EVERY - 1, self.vain + 1
            hard = self.vain in (1, 2, 4) or self.vain % IN_VAIN == 0
            for box in find_faces(self.probe, picture, self.most, hard=hard):
                if len(self.faces) < self.most and not self._known(box):
                    back = min(self.gone, key=lambda face: np.abs(face.last - box).sum(), default=None)
                    self.start(box, back and back.number)

    def _known(self, box: np.ndarray) -> bool:
        return any(overlap(box, np.atleast_2d(face.last))[0] > 0.3 for face in self.faces)

    def _doubted(self, face: _Followed, picture: np.ndarray, seen: Tracked) -> bool:
        """Look at a face's height and, where it is due, at its slip; tell whether two looks in a row say: lost."""
        height, face.looked = float(seen.confidence[0]), face.looked + 1
        if height < self.heights[0]:
            face.doubts += 1
        elif face.doubts or face.looked >= (self.check if height < self.heights[1] else RARELY):
            box = geometry.face_box(seen.points, self.probe.net.markup)
            face.slip, face.looked = float(slip(self.probe, picture, box)[0]), 0
            face.doubts = face.doubts + 1 if face.slip > LOST else 0
        return face.doubts >= 2

    @torch.inference_mode()
    def update(self, picture: np.ndarray) -> list[Seen]:
        """Return the faces of the next frame (H, W, 3) uint8 RGB, in the order of their numbers."""
        if len(self.faces) < self.most:
            self._search(picture)
        out = []
        for face in list(self.faces):
            seen = face.tracker.update(picture)
            if self.check and self._doubted(face, picture, seen):
                self.faces.remove(face)
                self.gone.append(face)
                face.since, self.wait, self.vain = 0, 2 * NEAR_EVERY, 0
                continue
            if not face.doubts:
                face.last = face.tracker.box[0].cpu().numpy().astype(np.float64)
            pose = estimate_pose(seen.points[0], self.probe.net.markup, picture.shape[:2])
            out.append(Seen(face.number, seen.box[0], seen.points[0], face.slip, pose.yaw, seen))
        return sorted(out, key=lambda one: one.face)
