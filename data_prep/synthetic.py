"""Synthetic clips and videos, for sources without video: a still in smooth motion, drifting light, a passing occluder.

A stand-in, and to be called one: the face itself does not move, only the camera, the light and what comes
between. Everything is drawn on the CPU from a seeded generator and done in batches on the device.
"""

import numpy as np
import torch
from torch import Tensor

from data_prep.landmark_subset import InMemory
from data_prep.tracker_error import drift
from rednet_core.augment import rand, resample
from rednet_core.batches import Clips
from rednet_core.geometry import apply, face_box

SHIFT, SCALE, TURN = 0.12, 0.10, 12.0  # reach of the camera's motion: box sides, share, degrees
LIGHT = 0.15  # reach of the drift in brightness, of full white
OCCLUDED = 0.5  # share of clips that something passes through


def motion(box: Tensor, frames: int, generator: torch.Generator) -> Tensor:
    """Return matrices (N, 2, 3) that move each frame of N / frames clips; box (N, 3) is the still's, repeated."""
    path = drift(len(box) // frames, frames, 4, generator).flatten(0, 1).to(box)
    scale, angle = 1 + SCALE * path[:, 2], torch.deg2rad(TURN * path[:, 3])
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    linear = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    centre = box[:, :2, None]  # turned and scaled about the face's centre, then carried along
    shift = centre - linear @ centre + SHIFT * box[:, 2:, None] * path[:, :2, None]
    return torch.cat([linear, shift], -1)


def light_and_occluder(pictures: Tensor, frames: int, generator: torch.Generator) -> Tensor:
    """Return pictures (N, 3, n, n) of N / frames clips with drifting light and, in some clips, a disc that passes."""
    n, size = len(pictures), pictures.shape[-1]
    clips = n // frames
    lift = drift(clips, frames, 1, generator).flatten().to(pictures)
    pictures = (pictures + LIGHT * lift[:, None, None, None]).clamp(0, 1)
    draw = rand(clips, 8, generator=generator)
    time = torch.linspace(-0.2, 1.2, frames)[None, :, None]
    # From one side to the other: the way there is the time, the way across drifts from one place to another.
    there = torch.where(draw[:, None, 2:3] < 0.5, time, 1 - time)
    across = draw[:, None, 0:1] + (draw[:, None, 1:2] - draw[:, None, 0:1]) * time
    level = draw[:, None, 7:8] < 0.5
    path = torch.cat([torch.where(level, there, across), torch.where(level, across, there)], -1)
    path = path.flatten(0, 1).to(pictures) * size
    present = (draw[:, 6] < OCCLUDED).float() * (0.12 + 0.10 * draw[:, 6])
    radius = present.repeat_interleave(frames).to(pictures) * size
    places = torch.arange(size, device=pictures.device, dtype=pictures.dtype)
    dx, dy = places - path[:, :1], places - path[:, 1:]
    inside = dx.square()[:, None, :] + dy.square()[:, :, None] < radius.square()[:, None, None]
    colour = draw[:, 3:6].repeat_interleave(frames, 0).to(pictures)[:, :, None, None]
    return torch.where(inside[:, None], colour, pictures)


class SyntheticClips(Clips):
    """Clips for sources without video: one still T times over, set in motion and lit as the functions here say."""

    def _find_starts(self, table: np.ndarray) -> np.ndarray:
        return np.arange(len(table))

    def _some_of_each(self, videos: np.ndarray, each: int) -> np.ndarray:
        return self.starts  # a still is no video of which there could be a hundred clips

    def _own_person(self, table: np.ndarray) -> np.ndarray:
        return np.arange(len(table))

    def _offsets(self, random: np.random.Generator) -> np.ndarray:
        return np.zeros((self.size, self.frames), np.int64)

    motion = staticmethod(motion)
    light = staticmethod(light_and_occluder)


@torch.no_grad()
def synthetic_videos(data, rows: np.ndarray, frames_each: int, seed: int = 0) -> InMemory:
    """Return whole test videos made of stills: each of `rows` becomes one of that many frames, video i of row i."""
    generator = torch.Generator().manual_seed(seed)
    table = np.repeat(data.table[rows], frames_each)
    points = torch.from_numpy(table["points"].copy())
    moved = motion(face_box(points, data.markup, torch.from_numpy(table["mask"].copy())), frames_each, generator)
    still = torch.from_numpy(np.repeat(data.crops[rows], frames_each, 0))
    pictures = light_and_occluder(resample(still, moved, still.shape[1]), frames_each, generator)
    table["points"] = apply(moved, points).numpy()
    table["video"] = np.repeat(np.arange(len(rows)), frames_each)
    table["frame"] = np.tile(np.arange(frames_each), len(rows))
    crops = (pictures.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).numpy()
    return InMemory(crops, table, data.markup)
