"""Light that the head takes from itself: which directions each point of the flesh can see.

For a few dozen directions over the sphere the average head is drawn once from that direction, and each point is
compared with what was drawn in front of it. Per picture, the shadow of the light is then a weighted mean of a
few columns of this table, and ambient occlusion is fixed. Costs a fraction of a second per process.
"""

from functools import lru_cache

import cv2
import numpy as np

from data_prep.face_world.factors.camera import turned
from data_prep.face_world.head.flesh import head
from data_prep.face_world.scene.mesh import flesh_normals, flesh_triangles
from data_prep.face_world.scene.raster import rasterise

DIRECTIONS = 96
_SIZE, _BIAS = 150, 5.0  # pixels of a bake and slack in mm
SHARPNESS = 26.0  # how narrowly the directions near the light are weighted


@lru_cache(maxsize=1)
def light_directions():
    """Return unit vectors (DIRECTIONS, 3) float32 spread evenly over the sphere (a Fibonacci spiral)."""
    k = np.arange(DIRECTIONS) + 0.5
    y = 1 - 2 * k / DIRECTIONS
    ring, angle = np.sqrt(1 - y * y), np.pi * (1 + 5**0.5) * k
    return np.stack([ring * np.cos(angle), y, ring * np.sin(angle)], -1).astype(np.float32)


def _frame(direction):
    """Return rotation (3, 3) whose last row is the direction."""
    helper = np.array([0.0, 1, 0]) if abs(direction[1]) < 0.9 else np.array([1.0, 0, 0])
    right = np.cross(helper, direction)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(direction, right), direction])


@lru_cache(maxsize=1)
def baked():
    """Return (visible (N, DIRECTIONS) float32 in 0..1, openness (N,) float32 in 0..1) of the flesh without eyeballs."""
    points = head().rest[:-2].astype(np.float64)
    normals, triangles = flesh_normals(head().rest), flesh_triangles()
    layers = np.zeros(len(triangles), np.int64)
    visible = np.zeros((len(points), DIRECTIONS), np.float32)
    scale = _SIZE / 420.0
    for k, direction in enumerate(light_directions()):
        seen = turned(points, _frame(direction.astype(np.float64)))
        xy = np.stack([_SIZE / 2 + scale * seen[:, 0], _SIZE / 2 - scale * (seen[:, 1] + 40)], -1)
        pixels = np.concatenate([xy, seen[:, 2:]], -1).astype(np.float32)
        hits = rasterise(pixels, triangles, layers, _SIZE, 1)[0]
        depth = np.full(_SIZE * _SIZE, -1e3, np.float32)
        depth[hits.pixel] = hits.depth
        x, y = (np.clip(np.round(xy[:, a]).astype(int), 1, _SIZE - 2) for a in (0, 1))
        near = [depth[(y + dy) * _SIZE + x + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        slack = seen[:, 2] + _BIAS
        visible[:, k] = np.mean([slack >= d for d in near], 0)
    visible = _smooth(visible)
    x, y, z = (normals[:, k : k + 1] * light_directions()[:, k] for k in range(3))
    facing = np.maximum(x + y + z, 0)
    openness = (visible * facing).sum(1) / np.maximum(facing.sum(1), 1e-6)
    return visible, openness.astype(np.float32)


def _smooth(visible):
    """Return the table with the grid's part blurred by a cell, which makes shadows' edges soft."""
    rows, columns = head().shape
    grid = visible[head().grid].reshape(rows, columns, -1)
    for k in range(0, DIRECTIONS, 4):
        grid[..., k : k + 4] = cv2.GaussianBlur(grid[..., k : k + 4], (3, 3), 0.8)
    visible[head().grid] = grid.reshape(-1, DIRECTIONS)
    return visible


def light_reaching(direction):
    """Return share (N,) float32 of the directed light that reaches each flesh point; direction (3,) in the head's
    frame.
    """
    table, directions = baked()[0], light_directions()
    weight = np.exp(SHARPNESS * ((directions * np.asarray(direction, np.float32)).sum(-1) - 1))
    near = np.argsort(-weight, kind="stable")[:8]
    weight = weight[near] / weight[near].sum()
    return (table[:, near] * weight.astype(np.float32)).sum(1)
