"""From factors to a picture with its points: the one entry to everything that draws."""

from dataclasses import dataclass

import cv2
import numpy as np

from data_prep.face_world.factors.camera import BOX_MM
from data_prep.face_world.factors.fields import Factors
from data_prep.face_world.render.backgrounds import background
from data_prep.face_world.render.occluders import draw_occluders
from data_prep.face_world.render.photo import develop
from data_prep.face_world.render.shade import interpolate, shade
from data_prep.face_world.scene.build import COVER, HAT, build
from data_prep.face_world.scene.raster import rasterise

_SLACK_MM = 5.0  # how far behind the drawn surface a point may lie and still count as visible
_HIDDEN = 0.55  # how opaque something in front of a point must be to hide it


@dataclass(frozen=True)
class Sample:
    """A rendered face: uint8 (S, S, 3) RGB image; float32 (68, 2) iBUG points in its pixels (pixel centres at whole
    numbers); bool (68,) visibility; yaw, pitch, roll in degrees; number of the person; the factors that made it.

    A point is visible unless it lies behind the head, under something, or outside the frame."""

    image: np.ndarray
    points: np.ndarray
    visible: np.ndarray
    yaw: float
    pitch: float
    roll: float
    identity: int
    factors: Factors


def supersampling(size):
    """Return how many times finer than the picture the scene is drawn, per axis: large pictures need less."""
    return 1.5 if size <= 160 else 1.25


def render(factors, size=128):
    """Return the Sample of the factors, size x size pixels. A pure function: the same factors give the same bytes."""
    fine = int(round(size * supersampling(size)))
    scene = build(factors, fine)
    picture, depth, cover = _draw(scene, factors, fine)
    draw_occluders(picture, cover, factors, scene)
    _black_edges(picture, cover, factors.border)
    picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    points = (scene.landmarks[:, :2] + 0.5) * np.float32(size / fine) - np.float32(0.5)
    return Sample(
        image=develop(picture, factors),
        points=points.astype(np.float32),
        visible=_visible(scene.landmarks, depth, cover, factors.scale * fine / BOX_MM),
        yaw=factors.yaw,
        pitch=factors.pitch,
        roll=factors.roll,
        identity=factors.identity,
        factors=factors,
    )


def _draw(scene, factors, fine):
    """Return the scene before its background: linear light (fine, fine, 3), depth of the solid things (minus infinity
    where
    there are none) and opacity of what is worn before the face, both (fine, fine)."""
    solid, *see_through = rasterise(scene.points, scene.triangles, scene.layers, fine, 3)
    canvas = background(factors, fine).reshape(-1, 3)
    canvas *= np.float32(2.0 ** (0.6 * factors.exposure))
    depth = np.full(fine * fine, -np.inf, np.float32)
    cover = np.zeros(fine * fine, np.float32)
    values, materials = interpolate(scene, solid)
    canvas[solid.pixel] = shade(scene, factors, values, materials)[0].T
    depth[solid.pixel] = solid.depth
    worn = solid.pixel[(materials == HAT) | (materials == COVER)]
    if len(worn):
        cover[worn] = 1  # lies on the skin, too close for the depth test
        _shade_below(canvas, worn, np.float32(1), fine, factors, depth, spare=True)
    for hits in see_through:  # hair, then glasses
        if len(hits.pixel):
            values, materials = interpolate(scene, hits)
            colour, alpha = shade(scene, factors, values, materials)
            alpha *= hits.depth > depth[hits.pixel]
            _shade_below(canvas, hits.pixel, alpha, fine, factors, depth)
            below = canvas[hits.pixel].T
            canvas[hits.pixel] = (below + alpha * (colour - below)).T
            cover[hits.pixel] = np.maximum(cover[hits.pixel], alpha)
    return canvas.reshape(fine, fine, 3), depth.reshape(fine, fine), cover.reshape(fine, fine)


def _black_edges(picture, cover, border):
    """Black out the shares of the picture that lie beyond the source picture's edge."""
    size = len(picture)
    left, top, right, bottom = (int(round(share * size)) for share in border)
    for window in (np.s_[:, :left], np.s_[:top], np.s_[:, size - right :], np.s_[size - bottom :]):
        picture[window], cover[window] = 0, 1


def _shade_below(canvas, pixel, alpha, fine, factors, depth, spare=False):
    """Darken what lies just under hair, glasses or a hat, as its soft shadow; spare: not the thing itself."""
    mask = np.zeros(fine * fine, np.float32)
    mask[pixel] = alpha
    reach = max(3, int(0.02 * fine * factors.scale / 0.62) * 2 + 1)
    a = np.radians(factors.light_azimuth)
    shift = np.array([[1, 0, -0.35 * reach * np.sin(a)], [0, 1, 0.45 * reach]], np.float32)
    soft = cv2.warpAffine(cv2.blur(mask.reshape(fine, fine), (reach, reach)), shift, (fine, fine))
    if spare:
        soft[mask.reshape(fine, fine) > 0] = 0
    under = np.flatnonzero((soft.ravel() > 0.02) & np.isfinite(depth))
    canvas[under] *= 1 - np.float32(0.45) * soft.ravel()[under, None]


def _visible(landmarks, depth, cover, pixels_mm):
    """Return which of the landmarks (68, 3) in pixels of depth and cover are in the frame, in front and not covered."""
    size = len(depth)
    x, y = np.round(landmarks[:, 0]).astype(int), np.round(landmarks[:, 1]).astype(int)
    inside = (np.minimum(x, y) >= 0) & (np.maximum(x, y) < size)
    x, y = np.clip(x, 1, size - 2), np.clip(y, 1, size - 2)
    around = np.stack([depth[y + j, x + i] for j in (-1, 0, 1) for i in (-1, 0, 1)])
    # A jaw point lies on the outline, where depth falls off within a pixel: the lowest neighbour decides. Another
    # point that is hidden just behind an outline must not be taken for seen, so there it is the fourth lowest.
    surface = np.where(np.arange(len(landmarks)) < 17, around.min(0), np.partition(around, 3, axis=0)[3])
    return inside & (landmarks[:, 2] > surface - _SLACK_MM * pixels_mm) & (cover[y, x] < _HIDDEN)
