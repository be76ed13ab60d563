"""One picture's geometry: every patch, posed in front of the camera, joined into arrays the rasteriser takes.

Materials are numbers; layers keep see-through things (hair, glasses) apart from what is behind them.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data_prep.face_world.factors.camera import PIVOT, project, rotation, turned
from data_prep.face_world.head.anatomy import EYE_RADIUS, smooth_grid
from data_prep.face_world.head.body import bust
from data_prep.face_world.head.ears import COLUMNS as EAR_COLUMNS
from data_prep.face_world.head.ears import ROWS as EAR_ROWS
from data_prep.face_world.head.ears import ear_fan
from data_prep.face_world.head.expressions import JAW_ANGLE, jaw_swing
from data_prep.face_world.head.flesh import flesh as move_flesh
from data_prep.face_world.head.flesh import head
from data_prep.face_world.head.landmarks import landmark_points
from data_prep.face_world.scene.accessories import cover_patch, glasses_patches
from data_prep.face_world.scene.baking import baked, light_reaching
from data_prep.face_world.scene.hair import hair_patch, hat_patches
from data_prep.face_world.scene.mesh import grid_normals, head_triangles, opening_slices, patch_normals, patch_triangles

SKIN, EAR, EYE, MOUTH, CLOTH, HAIR, FRAME, LENS, HAT, COVER, HAIR_INSIDE = range(11)
OPAQUE, HAIRY, GLASSY = range(3)  # layers
ATTRIBUTES = 8  # a, b, normal x, y, z, sun, openness, c: what a, b and c mean depends on the material


@dataclass
class Scene:
    """Everything to draw: points (V, 3) in pixels, attributes (8, V), triangles, their materials and layers.

    landmarks (68, 3) and camera_landmarks (68, 3) are in pixels and in camera mm; to_light (3,) points to the light.
    """

    points: np.ndarray
    attributes: np.ndarray
    triangles: np.ndarray
    materials: np.ndarray
    layers: np.ndarray
    landmarks: np.ndarray
    to_light: np.ndarray


def light_direction(factors):
    """Return unit vector (3,) from the head to the light, camera frame."""
    a, e = np.radians([factors.light_azimuth, factors.light_elevation])
    return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])


class _Builder:
    """Collects patches; offsets their triangles."""

    def __init__(self):
        self.points, self.attributes, self.triangles, self.kinds = [], [], [], []
        self.count = 0

    def add(
        self, camera, material, layer=OPAQUE, *, abc, normals=None, sun=1.0, openness=1.0, triangles=None, flip=False
    ):
        """Add camera points (R, C, 3) with abc (R, C, 3) and broadcastable sun and openness."""
        rows, columns = camera.shape[:2]
        if triangles is None:
            triangles = patch_triangles(rows, columns, flip)
        attributes = np.empty((rows, columns, ATTRIBUTES), np.float32)
        attributes[..., :2], attributes[..., 7] = abc[..., :2], abc[..., 2]
        attributes[..., 2:5] = patch_normals(camera, flip) if normals is None else normals
        attributes[..., 5], attributes[..., 6] = sun, openness
        self.points.append(camera.reshape(-1, 3))
        self.attributes.append(attributes.reshape(-1, ATTRIBUTES))
        self.triangles.append(triangles + self.count)
        self.kinds.append((len(triangles), material, layer))
        self.count += rows * columns


@lru_cache(maxsize=1)
def _head_abc():
    rows, columns = head().shape
    v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    return np.stack([u, v, 0 * u], -1).astype(np.float32)


@lru_cache(maxsize=1)
def _neck_share():
    """Return share (R, 1, 1) of each grid row that follows the shoulders instead of the head."""
    first = smooth_grid().rows["edge"] + 1
    t = np.clip((np.arange(head().shape[0]) - first) / (head().shape[0] - 1 - first), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)[:, None, None]


def _eye(camera_rows, centre, head_turn):
    """Return camera points (6, M, 3), abc and openness of the visible part of an eyeball between the lids' edges (2, M,
    3).
    """
    upper, lower = camera_rows
    t = np.linspace(0, 1, 6, dtype=np.float32)[:, None, None]
    points = upper + (lower - upper) * t
    offset = points - centre
    local = turned(offset, head_turn.T)  # head axes: x, y across, z out of the eye
    flat = np.minimum(local[..., 0] ** 2 + local[..., 1] ** 2, 0.97 * EYE_RADIUS**2)
    z = np.minimum(np.sqrt(EYE_RADIUS**2 - flat), local[..., 2] - 0.3)
    inner = np.ones_like(z)
    inner[0] = inner[-1] = 0
    local[..., 2] += inner * (z - local[..., 2])
    camera = turned(local, head_turn) + centre
    unit = np.stack([local[..., 0], local[..., 1], np.sqrt(EYE_RADIUS**2 - flat)], -1) / EYE_RADIUS
    gap = np.linalg.norm(upper - lower, axis=-1)
    depth = np.minimum(t[..., 0] * gap, 4.0) / 4.0
    openness = 0.18 + 0.68 * np.minimum(depth * 1.2, 1)
    return camera, unit, turned(unit, head_turn), openness


def _mouth(flesh_rows, factors):
    """Return head points (7, M, 3), abc and openness of the inside of the mouth between the lips' seams (2, M, 3)."""
    upper, lower = flesh_rows
    t = np.linspace(0, 1, 7, dtype=np.float32)[:, None, None]
    points = upper + (lower - upper) * t
    gap = np.abs(upper[:, 1] - lower[:, 1])
    depth = np.minimum(gap * 1.2, 7.0) * np.maximum(np.sin(np.pi * t[..., 0]), 0) ** 0.5
    points[..., 2] -= depth
    drop = jaw_swing(-72.0, 86.0, JAW_ANGLE)[0] + 72.0
    abc = np.stack([points[..., 0], points[..., 1] + 72.0, points[..., 1] + 73.5 - drop * factors.jaw], -1)
    edge = np.minimum(np.minimum(t, 1 - t)[..., 0] * gap, 5.0) / 5.0
    return points, abc, 0.35 + 0.65 * edge


def build(factors, size):
    """Return the Scene of the factors for a picture of the given side in pixels."""
    model = head()
    flesh = move_flesh(factors.shape, factors.expression)
    head_turn = rotation(factors.yaw, factors.pitch, factors.roll)
    body_turn = rotation(factors.body_yaw, 0.1 * factors.pitch, 0.3 * factors.roll)
    pivot = turned(PIVOT.astype(np.float32), head_turn)

    def body_camera(points):
        return turned(points - PIVOT.astype(np.float32), body_turn) + pivot

    to_light = light_direction(factors)
    sun = 1 - np.float32(factors.shadow) * (1 - light_reaching(turned(to_light, head_turn.T)))
    openness = baked()[1]
    builder = _Builder()

    grid = flesh[model.grid].reshape(*model.shape, 3)
    head_camera = turned(grid, head_turn)
    share = _neck_share()
    first = smooth_grid().rows["edge"] + 1
    head_camera[first:] += share[first:] * (body_camera(grid[first:]) - head_camera[first:])
    shape = model.shape
    abc, sun_grid, open_grid = _head_abc(), sun[model.grid].reshape(shape), openness[model.grid].reshape(shape)
    normals = grid_normals(head_camera)
    builder.add(
        head_camera, SKIN, abc=abc, normals=normals, sun=sun_grid, openness=open_grid, triangles=head_triangles()
    )
    for side in (0, 1) if factors.headwear != "headscarf" else ():
        ear = turned(flesh[model.ear(side)].reshape(EAR_ROWS, EAR_COLUMNS, 3), head_turn)
        part = (EAR_ROWS, EAR_COLUMNS)
        ear_sun, ear_open = (
            sun[model.ear(side)].reshape(part),
            _ear_openness() * openness[model.ear(side)].reshape(part),
        )
        builder.add(ear, EAR, abc=np.zeros((*part, 3), np.float32), sun=ear_sun, openness=ear_open, flip=side == 0)
    left, right, mouth = opening_slices()
    rows = smooth_grid().rows
    for columns, centre in ((left, flesh[-2]), (right, flesh[-1])):
        lids = head_camera[rows["upper lid"] : rows["lower lid"] + 1, columns]
        lid_sun = sun_grid[rows["bag"], columns]
        camera, unit, normal, dark = _eye(lids, turned(centre, head_turn), head_turn)
        builder.add(camera, EYE, abc=unit, normals=normal, sun=lid_sun, openness=dark)
    inside, abc, dark = _mouth(grid[rows["upper seam"] : rows["lower seam"] + 1, mouth], factors)
    builder.add(turned(inside, head_turn), MOUTH, abc=abc, sun=sun_grid[rows["lower lip"], mouth], openness=dark)
    if factors.clothes != "bare":
        torso = bust()
        camera = body_camera(torso)
        shade = np.clip(0.55 + 0.45 * (-122 - torso[..., 1]) / 60, 0.45, 1)
        builder.add(camera, CLOTH, abc=torso, openness=shade)
    _add_worn(builder, factors, grid, flesh, head_turn)

    turned_x = turned(grid, rotation(factors.yaw, factors.pitch, 0.0))[..., 0].reshape(-1)
    landmarks = turned(landmark_points(flesh[model.grid], turned_x), head_turn)
    counts, materials, layers = zip(*builder.kinds, strict=True)
    return Scene(
        points=project(np.concatenate(builder.points), factors, head_turn, size),
        attributes=np.ascontiguousarray(np.concatenate(builder.attributes).T),
        triangles=_columns_contiguous(np.concatenate(builder.triangles)),
        materials=np.repeat(np.array(materials, np.int8), counts),
        layers=np.repeat(np.array(layers, np.int64), counts),
        landmarks=project(landmarks, factors, head_turn, size),
        to_light=to_light,
    )


def _columns_contiguous(triangles):
    """Return the same (T, 3) triangles, laid out so that each of the three columns is contiguous."""
    return np.ascontiguousarray(triangles.T).T


def _add_worn(builder, factors, grid, flesh, head_turn):
    """Add hair, headwear, glasses and covers."""
    hair = hair_patch(grid, factors)
    if hair is not None:
        points, attributes = hair
        camera = turned(points, head_turn)
        builder.add(camera, HAIR, HAIRY, abc=attributes[..., :3], openness=attributes[..., 3])
        short = slice(0, max(2, int(0.9 * len(points))))  # the inside has no ragged ends
        builder.add(camera[short], HAIR_INSIDE, abc=attributes[short, :, :3], openness=0.35, flip=True)
    for points, attributes in hat_patches(grid, factors):
        camera = turned(points, head_turn)
        builder.add(camera, HAT, abc=attributes[..., :3], openness=attributes[..., 3])
        builder.add(camera, HAT, abc=attributes[..., :3], openness=0.3, flip=True)
    if factors.glasses != "none":
        for points, kind in glasses_patches(grid, flesh, factors):
            camera = turned(points, head_turn)
            builder.add(camera, LENS if kind == "lens" else FRAME, GLASSY, abc=points)
    cover = cover_patch(grid, factors)
    if cover is not None:
        points, attributes = cover
        builder.add(turned(points, head_turn), COVER, abc=attributes[..., :3], openness=attributes[..., 3])


@lru_cache(maxsize=1)
def _ear_openness():
    return ear_fan()[1].astype(np.float32)
