"""Small data sets in the real formats, written by the tests: real JPEG and PNG, .pts, AVI, SQLite, .mat, .npz."""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from data_prep.cli import main
from data_prep.errors import BadItem
from data_prep.item import Item
from data_prep.markups import AFLW21, HELEN194
from data_prep.readers.aflw_tables import FEATURES
from data_prep.readers.base import ListedItem, whole
from data_prep.readers.ibug import IbugFaces
from rednet_core.markup import IBUG68, SEVEN, Markup
from tests.helpers import face, smooth_picture

HEIGHT, WIDTH = 90, 110


def picture(seed=0, height=HEIGHT, width=WIDTH):
    return smooth_picture(height, width, np.random.default_rng(seed))


def encode(pixels, kind):
    """Bytes of a JPEG or a PNG; "rgba": a PNG with alpha."""
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    if kind == "rgba":
        bgr, kind = np.dstack([bgr, np.full(bgr.shape[:2], 200, np.uint8)]), "png"
    return cv2.imencode(f".{kind}", bgr)[1].tobytes()


def points_of(k=0, markup=IBUG68):
    """A face of a markup, three decimals: its seven are those of the drawn face, the others lie on it."""
    drawn = face((50 + k % 7, 44), 50 + k % 5, 0.02 * (k % 3)).round(3)
    if markup is IBUG68:
        return drawn
    seven = drawn[list(IBUG68.seven)]
    if markup is SEVEN:
        return seven
    if markup is HELEN194:
        return helen_face(drawn)
    # Each point of another 68 lies on its part of the face: jaw, brows, eyes and pupils, nose, nostrils, lips.
    places = [*range(0, 15), 22, 23, 24, 25, 26, 24, 17, 18, 19, 20, 21, 19, 36, 37, 39, 41, 38, 45, 44, 42, 46, 43]
    places += [27, 28, 31, 32, 33, 34, 35, 28, 27, 32, 34, *range(48, 60), 61, 62, 63, 65, 66, 67, 66, 30]
    points = drawn[np.array(places)[: markup.n_points]].copy()
    points[list(markup.seven)] = seven
    return points


def helen_face(drawn):
    """194 points in the order of the markup `helen194` on the drawn face."""

    def line(places, count):
        corners = drawn[places]
        at = np.linspace(0, len(corners) - 1, count)
        return np.stack([np.interp(at, np.arange(len(corners)), corners[:, axis]) for axis in (0, 1)], -1)

    def loop(centre, reach, count):
        angle = np.pi + 2 * np.pi * np.arange(count) / count  # from the left corner over the top
        return np.stack([centre[0] + reach[0] * np.cos(angle), centre[1] + reach[1] * np.sin(angle)], -1)

    eyes = [drawn[36:42].mean(0), drawn[42:48].mean(0)]
    brows = [drawn[17:22].mean(0), drawn[22:27].mean(0)]
    mouth = drawn[48:60].mean(0)
    parts = [line(range(17), 41), line([31, 32, 33, 34, 35], 17)]
    parts += [loop(mouth, (8, 3), 28), loop(mouth, (6, 1.5), 28)]
    parts += [loop(eyes[0], (4, 2), 20), loop(eyes[1], (4, 2), 20) * [-1, 1] + [2 * eyes[1][0], 0]]
    parts += [loop(brows[0], (5, 1), 20), loop(brows[1], (5, 1), 20) * [-1, 1] + [2 * brows[1][0], 0]]
    return np.concatenate(parts).round(3)


def pts(points, newline="\n", gap="  ", end="}", bom=False):
    lines = ["version: 1", f"n_points:{gap}{len(points)}", "{", *(f"{x:.6f} {y:.6f}" for x, y in points)]
    text = newline.join(lines) + newline + end
    return (b"\xef\xbb\xbf" if bom else b"") + text.encode()


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def pair(folder, stem, k=0, kind="png", markup=IBUG68, suffix=None, base=0, **choices):
    """A picture and its .pts side by side; base is added to the coordinates."""
    put(folder / f"{stem}.{suffix or kind}", encode(picture(k), kind))
    put(folder / f"{stem}.pts", pts(points_of(k, markup) + base, **choices))


def video_frame(k, size=(96, 128)):
    """Frame k of a video: a plain picture that tells its number in 16 squares and survives a lossy codec."""
    image = np.full((*size, 3), 90, np.uint8)
    for bit in range(16):
        image[4 + 12 * (bit // 8) : 14 + 12 * (bit // 8), 4 + 14 * (bit % 8) : 16 + 14 * (bit % 8)] = (
            230 if k >> bit & 1 else 20
        )
    return image


def frame_number(image):
    """The number that a frame of `video_frame` tells."""
    centres = [(9 + 12 * (bit // 8), 10 + 14 * (bit % 8)) for bit in range(16)]
    return sum(1 << bit for bit, (y, x) in enumerate(centres) if image[y, x].mean() > 125)


def video(path, frames, codec="MJPG", size=(96, 128)):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 25, size[::-1])
    assert writer.isOpened()
    for k in range(frames):
        writer.write(video_frame(k, size))
    writer.release()
    return path


def vw300(root, number="001", frames=6, annotated=None, base=1):
    """A 300-VW video with `annotated` .pts files; point 0 of frame k (from 1) is (k, k)."""
    video(root / number / "vid.avi", frames)
    for k in range(1, (frames if annotated is None else annotated) + 1):
        points = points_of(0)
        points[0] = k, k
        put(root / number / "annot" / f"{k:06d}.pts", pts(points + base))


SCHEMA = """
CREATE TABLE Faces (face_id INTEGER PRIMARY KEY, file_id TEXT, db_id TEXT);
CREATE TABLE FaceImages (image_id INTEGER, db_id TEXT, file_id TEXT, filepath TEXT, bw, width, height);
CREATE TABLE FaceRect (face_id INTEGER, x INTEGER, y INTEGER, w INTEGER, h INTEGER, annot_type_id INTEGER);
CREATE TABLE FacePose (face_id INTEGER, roll FLOAT, pitch FLOAT, yaw FLOAT, annot_type_id INTEGER);
CREATE TABLE FeatureCoords (face_id INTEGER, feature_id INTEGER, x FLOAT, y FLOAT);
CREATE TABLE FeatureCoordTypes (feature_id INTEGER, descr TEXT, code TEXT, x, y, z);
"""


def aflw(root, faces, sql=()):
    """AFLW's layout: faces [dict(id, file, points, and may be: missing, rect, pose, image, path, size)]."""
    database = root / "data" / "aflw.sqlite"
    database.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(database) as base:
        base.executescript(SCHEMA)
        for k, name in enumerate([*FEATURES, "HeadCenter"], 1):
            base.execute("INSERT INTO FeatureCoordTypes VALUES (?, ?, '', 0, 0, 0)", (k, name))
        done = set()
        for row in faces:
            number, file = row["id"], row["file"]
            place, width, height = row.get("path", f"0/{file}"), *row.get("size", (WIDTH, HEIGHT))
            base.execute("INSERT INTO Faces VALUES (?, ?, 'flickr')", (number, file))
            if file not in done and place is not None:
                values = (number, "flickr", file, place, 0, width, height)
                base.execute("INSERT INTO FaceImages VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            done.add(file)
            points = row.get("points", points_of(number, AFLW21))
            for feature, (x, y) in enumerate(points, 1):
                if feature not in row.get("missing", ()):
                    base.execute("INSERT INTO FeatureCoords VALUES (?, ?, ?, ?)", (number, feature, float(x), float(y)))
            for rect in row.get("rects", [(25, 20, 50, 50)]):
                base.execute("INSERT INTO FaceRect VALUES (?, ?, ?, ?, ?, 1)", (number, *rect))
            if row.get("pose", (0.1, 0.2, 0.3)):
                base.execute("INSERT INTO FacePose VALUES (?, ?, ?, ?, 1)", (number, *row.get("pose", (0.1, 0.2, 0.3))))
            if row.get("image", True) and place:
                put(root / "data" / "flickr" / row.get("disk", place), encode(picture(number), row.get("kind", "jpg")))
        for statement in sql:
            base.execute(statement)
    base.close()
    return root


def npz(path, frames=3, **changes):
    """A video of YouTube Faces with Facial Keypoints, frame axis last; frame k is picture(k)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        "colorImages": np.stack([picture(k) for k in range(frames)], -1),
        "boundingBox": np.zeros((4, 2, frames)),
        "landmarks2D": np.stack([points_of(k) for k in range(frames)], -1),
        "landmarks3D": np.zeros((68, 3, frames)),
    }
    np.savez_compressed(path, **{k: v for k, v in {**arrays, **changes}.items() if v is not None})
    return path


def read_all(reader):
    """({key: Item}, {path or key: what is wrong}) of everything in a reader."""
    items, problems = {}, {}
    for k in range(len(reader)):
        try:
            item = reader[k]
            assert item.key not in items
            items[item.key] = item
        except BadItem as error:
            problems[str(error.path)] = f"[{error.field}] {error.problem}" if error.field else error.problem
    return items, problems


def tree_of(folder):
    """What lies below a folder: {place: (size, time of last change)}, to see that nothing has been written."""
    return {str(p.relative_to(folder)): (p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(folder.rglob("*"))}


def lfw_row(name, points, box=(20, 15, 81, 75)):
    order = [0, 1, 2, 3, 5, 6, 4]  # the file has the nose last
    numbers = "  ".join(f"{v:.4f}" for v in points[order].ravel())
    return f"{name}\t{' '.join(map(str, box))}\t{numbers}"


def helen_text(name, points, newline="\n"):
    return (name + newline + "".join(f"{x:.6f} , {y:.6f}{newline}" for x, y in points)).encode()


@dataclass
class Pictures:
    """A reader of drawn pictures; the ones in `bad` cannot be read. Picklable, as a reader must be."""

    count: int = 5
    height: int = 90
    width: int = 110
    bad: tuple[int, ...] = ()
    markup: Markup = IBUG68
    description: dict = field(default_factory=lambda: {"reader": "drawn"})
    side: float = 50.0

    def __len__(self):
        return self.count

    def __getitem__(self, k):
        if k in self.bad:
            raise BadItem("image file is missing", path=f"picture {k}.png")
        rng = np.random.default_rng(k)
        image = smooth_picture(self.height, self.width, rng)
        points = face((self.width / 2 + 2 * (k % 5), self.height / 2 - k % 5), self.side + k % 5, 0.05 * (k % 5))
        annotated = np.ones(68, bool)
        return Item(f"picture {k}", image, points, annotated, annotated, identity=f"person {k}", yaw=k, split="test")


def listed(k):
    """The entry of drawn face number k."""
    return ListedItem(str(k), Path(f"face {k}.jpg"))


def drawn_item(key, k):
    """The item of drawn face number k."""
    return Item(key, picture(k), **whole(points_of(k)))


def stop_after(count):
    """A `read` of IbugFaces that is interrupted at its call number `count`, and a call of the command line to be so."""
    calls, read = [], IbugFaces.read

    def stopping(self, entry):
        calls.append(entry.key)
        if len(calls) > count:
            raise KeyboardInterrupt
        return read(self, entry)

    def run(command):
        if main(command) == 130:
            raise KeyboardInterrupt

    return stopping, run
