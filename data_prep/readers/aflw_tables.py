"""AFLW's data base, read without ever writing to it: one AflwFace for each row of Faces (DATASETS 2.2-2.5)."""

import math
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_prep.errors import DataError
from data_prep.markups import AFLW21

HOW_TO_GET = "write to TU Graz, Institute of Computer Graphics and Vision, from an academic address (AFLW, lrs group)"
FEATURES = (
    "LeftBrowLeftCorner LeftBrowCenter LeftBrowRightCorner RightBrowLeftCorner RightBrowCenter RightBrowRightCorner "
    "LeftEyeLeftCorner LeftEyeCenter LeftEyeRightCorner RightEyeLeftCorner RightEyeCenter RightEyeRightCorner LeftEar "
    "NoseLeft NoseCenter NoseRight RightEar MouthLeftCorner MouthCenter MouthRightCorner ChinCenter"
).split()


@dataclass
class AflwFace:
    """A face: its number, image file, the path the data base gives, points (21, 2), mask (21,), pose in degrees.

    rect (3,) = centre x, centre y, width, or None; size (width, height) of the image, or None; near_duplicate where
    the table NearDuplicates, which may not be there, lists it.
    """

    number: int
    file: str
    path: str
    size: tuple[int, int] | None
    points: np.ndarray
    mask: np.ndarray
    pose: tuple[float, float, float] = (math.nan, math.nan, math.nan)  # yaw, pitch, roll
    rect: np.ndarray | None = None
    near_duplicate: bool = False


def read_faces(path: Path) -> tuple[list[AflwFace], list[str]]:
    """Return all faces in the data base's order, and warnings; raise DataError for a file that is not AFLW's."""
    for beside in (path.with_name(f"{path.name}-{kind}") for kind in ("wal", "journal")):
        if beside.is_file() and beside.stat().st_size:
            fix = "close the program that has it open, or get the file again"
            raise DataError(f"unfinished: a part of it is in {beside.name}", path=path, fix=fix)
    try:
        # immutable: neither locks nor a journal, so the folder may be read-only.
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            return _read(connection, path)
        finally:
            connection.close()
    except (sqlite3.Error, UnicodeDecodeError) as error:  # names of columns are decoded by sqlite3 itself
        raise DataError(f"not a readable AFLW data base ({error})", path=path, fix=HOW_TO_GET) from None


def _read(connection: sqlite3.Connection, path: Path) -> tuple[list[AflwFace], list[str]]:
    tables = _tables(connection)
    for table, columns in (
        ("faces", {"face_id", "file_id", "db_id"}),
        ("faceimages", {"file_id", "db_id", "filepath"}),
        ("featurecoords", {"face_id", "feature_id", "x", "y"}),
    ):
        if missing := columns - tables.get(table, set()):
            raise DataError(f"lacks {', '.join(sorted(missing))}", path=path, field=table, fix=HOW_TO_GET)
    faces = _faces(connection, tables)
    warnings: list[str] = []
    _points(connection, tables, faces, warnings, path)
    if "facerect" in tables:
        _rects(connection, tables, faces, warnings)
    if "facepose" in tables:
        _poses(connection, tables, faces, warnings)
    if "face_id" in tables.get("nearduplicates", ()):
        for (number,) in connection.execute("SELECT face_id FROM NearDuplicates"):
            if number in faces:
                faces[number].near_duplicate = True
    for what, count in (
        ("rectangle", sum(face.rect is None for face in faces.values())),
        ("pose", sum(math.isnan(face.pose[0]) for face in faces.values())),
    ):
        if count:
            warnings.append(f"{count} of {len(faces)} faces have no {what}")
    return list(faces.values()), warnings


def _tables(connection: sqlite3.Connection) -> dict[str, set[str]]:
    names = [
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]  # a view may be endless
    quoted = {name: name.replace('"', '""') for name in names}
    columns = {name: connection.execute(f'PRAGMA table_info("{quoted[name]}")').fetchall() for name in names}
    return {name.lower(): {column[1].lower() for column in found} for name, found in columns.items()}


def _faces(connection: sqlite3.Connection, tables: dict[str, set[str]]) -> dict[int, AflwFace]:
    sizes = "i.width, i.height" if {"width", "height"} <= tables["faceimages"] else "NULL, NULL"
    faces: dict[int, AflwFace] = {}
    for number, file, place, width, height in connection.execute(
        f"SELECT f.face_id, f.file_id, i.filepath, {sizes} FROM Faces f "
        "LEFT JOIN FaceImages i ON i.file_id = f.file_id AND i.db_id = f.db_id ORDER BY f.rowid"
    ):
        known = isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0
        points, mask = np.zeros((AFLW21.n_points, 2)), np.zeros(AFLW21.n_points, bool)
        size = (width, height) if known else None
        faces.setdefault(number, AflwFace(number, str(file), str(place or ""), size, points, mask))
    return faces


def _rows(connection: sqlite3.Connection, tables: dict, table: str, columns: str):
    """Return rows of a table by face, the lowest annotation type first, as the data base has them otherwise."""
    kind = "annot_type_id, " if "annot_type_id" in tables[table] else ""
    return connection.execute(f"SELECT face_id, {columns} FROM {table} ORDER BY face_id, {kind}rowid")


def _numbers(values) -> bool:
    return all(isinstance(value, int | float) and math.isfinite(value) for value in values)


def _places(connection: sqlite3.Connection, tables: dict, warnings: list[str], path: Path) -> dict[int, int]:
    """Return which of the 21 each feature_id is, by name and checked against the known number."""
    if not {"feature_id", "descr"} <= tables.get("featurecoordtypes", set()):
        warnings.append("the data base does not name its features: 1 ... 21 are taken to be the usual ones")
        return {i + 1: i for i in range(AFLW21.n_points)}
    places = {}
    for number, name in connection.execute("SELECT feature_id, descr FROM FeatureCoordTypes"):
        if name in FEATURES:
            if number != FEATURES.index(name) + 1:
                problem = f"{name} has number {number}, not {FEATURES.index(name) + 1}"
                raise DataError(problem, path=path, field="FeatureCoordTypes", fix=HOW_TO_GET)
            places[number] = number - 1
    if len(places) != AFLW21.n_points:
        raise DataError(f"names {len(places)} of the 21 features", path=path, field="FeatureCoordTypes", fix=HOW_TO_GET)
    return places


def _points(connection, tables, faces: dict[int, AflwFace], warnings: list[str], path: Path) -> None:
    places, odd, twice = _places(connection, tables, warnings, path), 0, 0
    for number, feature, x, y in _rows(connection, tables, "featurecoords", "feature_id, x, y"):
        face, place = faces.get(number), places.get(feature)
        if face is None or place is None:
            continue
        if not _numbers((x, y)) or x <= 0 or y <= 0:  # the owner's tools never store such points
            odd += 1
        elif face.mask[place]:
            twice += 1
        else:
            face.points[place], face.mask[place] = (x, y), True
    if odd:
        warnings.append(f"{odd} points are no numbers or not above 0: taken as missing")
    if twice:
        warnings.append(f"{twice} points are given twice: the first is taken")


def _rects(connection, tables, faces: dict[int, AflwFace], warnings: list[str]) -> None:
    odd, twice = 0, 0
    for number, x, y, width, height in _rows(connection, tables, "facerect", "x, y, w, h"):
        face = faces.get(number)
        if face is None:
            continue
        if not _numbers((x, y, width, height)) or not (width > 0 and height > 0):
            odd += 1
        elif face.rect is not None:
            twice += 1
        else:  # a corner may be negative: the crop is padded
            face.rect = np.array([x + (width - 1) / 2, y + (height - 1) / 2, max(width, height)], np.float64)
    if odd:
        warnings.append(f"{odd} rectangles are none: taken as missing")
    if twice:
        warnings.append(f"{twice} faces have a second rectangle: the first is taken")


def _poses(connection, tables, faces: dict[int, AflwFace], warnings: list[str]) -> None:
    odd, seen = 0, set()
    for number, *angles in _rows(connection, tables, "facepose", "yaw, pitch, roll"):
        if number not in faces or number in seen:
            continue
        seen.add(number)
        if _numbers(angles) and max(abs(angle) for angle in angles) <= math.pi:
            yaw, pitch, roll = map(math.degrees, angles)
            faces[number].pose = yaw, pitch, roll
        else:  # the owner's code writes -2 pi for "undefined"
            odd += 1
    if odd:
        warnings.append(f"{odd} poses are undefined: taken as missing")
