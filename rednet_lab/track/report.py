"""One source tracked and told: a table, an annotated video, a contact sheet, and a page with the player."""

from __future__ import annotations

import hashlib
import os
import time
from argparse import Namespace
from dataclasses import replace
from html import escape
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np

from data_prep.errors import DataError
from rednet_core.rednet import RedNet
from rednet_lab.files import clock, read_json, remove, write_json, write_text, write_whole
from rednet_lab.progress import Progress
from rednet_lab.show import draw
from rednet_lab.show.footage import Footage, Shot
from rednet_lab.show.player import forms
from rednet_lab.show.storyboard import PICTURE, Row, track_storyboard
from rednet_lab.show.trace import Frame, record
from rednet_lab.stamp import module_hash
from rednet_lab.track.exported import weights_hash
from rednet_lab.track.follow import Follower, Seen

COLOURS = (draw.ORANGE, draw.SKY, draw.YELLOW, draw.PINK, draw.VERMILION, draw.BLUE)
KEPT = 24  # frames of the contact sheet
TILE = 240  # pixels of one of them
CAMERA_SECONDS = 10.0
DONE = "done.json"
DECIDES = ("faces", "check", "seconds", "box", "steps", "no_video")  # of what the command line chose


def annotated(shot: Shot, seen: list[Seen], net: RedNet, steps: bool = False) -> np.ndarray:
    """Return the frame with each face's box, points and number, with `steps` the response maps on its right."""
    out = shot.picture.copy()
    for one in seen:
        colour = COLOURS[one.face % len(COLOURS)]
        out = draw.box(out, one.box, colour)
        out = draw.points(out, one.points, colour, net.markup, size=max(2, round(one.box[2] / 70)))
        x, y = one.box[:2] - one.box[2] / 2
        out = draw.words(out, [(f"{one.face + 1}", (x + 3, y + 2), "la")], 16, draw.WHITE, draw.BLACK)
    if not steps:
        return out
    size = out.shape[0] // (len(net.config.steps) + 1)  # a column: what the network saw of the first face, and its maps
    column = np.full((out.shape[0], size, 3), 30, np.uint8)
    if seen:
        tracked = seen[0].tracked
        panels = [draw.enlarge(draw.picture(tracked.inputs[0]), size)]
        for kind, raw in zip(net.config.steps, tracked.prediction.maps, strict=True):
            values = raw[0].sigmoid() if kind == "detection" else raw[0].clamp(0, 1)
            panels.append(draw.label(draw.heat(values.amax(0).cpu().numpy(), size), kind))
        column[: len(panels) * size] = np.concatenate(panels)
    return np.concatenate([out, column], 1)


def tile(shot: Shot, seen: list[Seen], net: RedNet) -> np.ndarray:
    """Return a frame as the contact sheet has it: annotated, TILE wide, with its time."""
    return draw.label(draw.enlarge(annotated(shot, seen, net), TILE), f"{shot.time:.1f} s")


def fingerprint(source: Footage, net: RedNet, given: Namespace) -> str:
    """Return a hash of what decides the outcome: the files' sizes and times, the weights, the choices, the code."""
    chosen = [getattr(given, name) for name in DECIDES], weights_hash(net), type(net).__name__
    told = hashlib.sha256(repr(chosen).encode() + module_hash(__name__).encode())
    for path in (source.path, *source.pictures):
        if path is not None:
            told.update(f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    return told.hexdigest()


HEAD = ("frame", "time", "face", "box_x", "box_y", "box_side", "height", "slip", "yaw")


def moment(shot: Shot, seen: list[Seen], net: RedNet) -> tuple[Shot, Seen, Frame] | None:
    """Return what the page's player shows of a frame's first face, the picture at most PICTURE wide; None without."""
    if not seen:
        return None
    first, picture = seen[0], shot.picture
    scale = min(1.0, PICTURE / max(picture.shape[:2]))
    frame = record(net, first.tracked, picture[None], None)[0]
    if scale < 1:
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        frame = replace(frame, image=small, points=frame.points * scale, box=frame.box * scale)
    return replace(shot, picture=frame.image), first, frame


def page(name: str, moments: list[tuple[Shot, Seen, Frame]], facts: dict, files: list[str]) -> str:
    """Return a page of its own of one source: the player with slip and yaw on its curve, what was counted, links."""
    told = f"{facts['frames_with_a_face']} of {facts['frames']} frames with a face"
    player = "<p>No face was found.</p>"
    if moments:
        story = track_storyboard([frame for *_, frame in moments], f"{name}: {told}")
        story.axes = (("frame", tuple(str(shot.number) for shot, *_ in moments)),)
        for label, values in (("slip: 0 held the face at the last look, 1 lost it", "slip"), ("yaw (degrees)", "yaw")):
            whole = np.round([100 * getattr(seen, values) for _, seen, _ in moments]).astype(np.int32)
            story.rows.append(Row(label, 2, "", whole[None, :, None]))
        player = forms(story)["text/html"]
    links = " · ".join(f'<a href="{quote(file)}">{escape(file)}</a>' for file in files)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(name)}</title><style>:root {{ color-scheme: light dark }} body {{ margin: 12px; "
        f"font: 16px system-ui, sans-serif }}</style><h1>{escape(name)}</h1><p>{told}, {facts['faces']} face(s). "
        f"The player has one frame in {facts['shown_every']}, of the first face.</p>{player}<p>{links}</p></html>\n"
    )


class _Some:
    """Keeps at most KEPT frames of a stream of unknown length, evenly spaced: when full, every other one goes."""

    def __init__(self) -> None:
        self.every, self.count, self.kept = 1, 0, []

    def offer(self, picture) -> None:
        if self.count % self.every == 0:
            self.kept.append(picture())
            if len(self.kept) > KEPT:
                self.kept, self.every = self.kept[::2], 2 * self.every
        self.count += 1


class Film:
    """An annotated video that is written frame by frame; it has its name only once it is whole."""

    def __init__(self, path: Path, rate: float):
        self.path, self.part, self.rate = path, path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}"), rate
        self.writer, self.size, self.written = None, (0, 0), 0

    def add(self, picture: np.ndarray, time: float) -> None:
        """Append a frame (H, W, 3) uint8 RGB, shown from `time` (s) on. Raise DataError where OpenCV cannot write."""
        if self.writer is None:
            kind, self.size = cv2.VideoWriter.fourcc(*"mp4v"), picture.shape[1::-1]
            self.writer = cv2.VideoWriter(str(self.part), kind, self.rate, self.size)
            if not self.writer.isOpened():
                raise DataError("cannot be written", path=self.path, field="video", fix="--no-video; look at the disk")
        if picture.shape[1::-1] != self.size:  # a folder's pictures may differ: each is shown whole
            picture = cv2.warpAffine(picture, min(np.divide(self.size, picture.shape[1::-1])) * np.eye(2, 3), self.size)
        while self.written / self.rate <= time:  # frames that are not evenly spaced stay when they were
            self.writer.write(np.ascontiguousarray(picture[..., ::-1]))
            self.written += 1

    def close(self, whole: bool = True) -> None:
        """End the film: under its name if it is whole, else as if it had never been begun."""
        if self.writer is not None:
            self.writer.release()
        if whole and self.part.exists():
            os.replace(self.part, self.path)
        else:
            remove(self.part)


def _box_in(picture: np.ndarray, box: list[float], source: Footage) -> np.ndarray:
    """Return the box (3,) that was given for the first frame. Raise DataError where there is none in the picture."""
    high, wide = picture.shape[:2]
    if not (0 <= box[0] < wide and 0 <= box[1] < high and 0 < box[2] < np.inf):
        fix = f"centre x, centre y and side in pixels; the first frame is {wide} x {high}"
        raise DataError(f"no box in it: {box}", path=source.path or source.name, field="--box", fix=fix)
    return np.array(box)


def track(net: RedNet, source: Footage, given: Namespace) -> dict:
    """Track one source as the command line (`rednet_lab.track`) says, write all that is told of it; return its facts.

    Raise DataError, naming the file and the fix, where nothing can be read or written.
    """
    folder = given.out / source.name
    mark = fingerprint(source, net, given)
    done = read_json(folder / DONE, {})
    if done.get("fingerprint") == mark and not given.again and source.camera is None:
        print(f"{source.name}: done already ({folder}); --again does it anew")
        return done
    folder.mkdir(parents=True, exist_ok=True)
    total, rate = source.told()
    limit = given.seconds or (CAMERA_SECONDS if source.camera is not None else 0.0)
    follower, rows, times, spent = Follower(net, given.faces, given.check), [], [], 0.0
    kept, moments = _Some(), _Some()
    whole, film = False, Film(folder / "annotated.mp4", rate)
    try:
        with Progress(source.name, "frame") as progress:
            for shot in source:
                if limit and shot.time > limit:
                    break
                if given.box is not None and not times:
                    follower.start(_box_in(shot.picture, given.box, source))
                began = time.perf_counter()
                seen = follower.update(shot.picture)
                spent += time.perf_counter() - began
                for one in seen:
                    told = (*one.box, *one.tracked.confidence, one.slip, one.yaw, *one.points.ravel())
                    rows.append([str(shot.number), f"{shot.time:.3f}", str(one.face + 1), *(f"{n:.2f}" for n in told)])
                times.append(shot.time)
                kept.offer(lambda shot=shot, seen=seen: tile(shot, seen, net))
                moments.offer(lambda shot=shot, seen=seen: moment(shot, seen, follower.probe.net))
                if not given.no_video:
                    film.add(annotated(shot, seen, net, given.steps), shot.time)
                progress(len(times), max(total, len(times)), f"{len(seen)} face(s)")
        whole = True
    finally:
        film.close(whole)
    head = [*HEAD, *(f"{axis}{i}" for i in range(net.markup.n_points) for axis in "xy")]
    write_text(folder / "points.csv", "".join(",".join(row) + "\n" for row in (head, *rows)))
    high = max(map(len, kept.kept))
    tiles = [np.pad(one, ((0, high - len(one)), (0, 0), (0, 0)), constant_values=255) for one in kept.kept]
    sheet = draw.png(draw.montage(tiles, min(6, len(tiles)), gap=4))
    write_whole(folder / "sheet.png", lambda part: part.write_bytes(sheet))
    facts = {"frames": len(times), "frames_with_a_face": len({row[0] for row in rows}), "faces": follower.starts}
    speed = round(len(times) / max(spent, 1e-9), 1)
    facts |= {"seconds": round(spent, 2), "frames_a_second": speed, "shown_every": moments.every, "fingerprint": mark}
    files = ["points.csv", "sheet.png", *(["annotated.mp4"] if times and not given.no_video else [])]
    write_text(folder / "index.html", page(source.name, [one for one in moments.kept if one], facts, files))
    write_json(folder / DONE, facts)
    print(f"{source.name}: {facts['frames_with_a_face']} of {len(times)} frames with a face, "
          f"{follower.starts} face(s), {speed:.0f} frames a second, {clock(spent)}; {folder}")  # fmt: skip
    return facts
