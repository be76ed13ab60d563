"""The paint of hair: streaks along the strands, a sheen, and an edge that ends in single strands."""

import numpy as np

from data_prep.face_world.light import noise_at, paint_of
from data_prep.face_world.noise import strand_tile

WRAP = (0.25, 0.25, 0.25)


def paint(factors, across, along, ragged, normal):
    """(albedo (3, P), alpha (P,), sheen (P,), bent normals (3, P)) of hair with normals (3, P).

    across and along (P,) are mm over and along the strands, ragged (P,) how many ragged lengths from the ends.
    """
    gx, gy = 253 * factors.grain[0] + 1024, 239 * factors.grain[1] + 256
    curly = factors.hair_style == "curly"
    if curly:
        _, _, fine, lock = noise_at(strand_tile(), 2.6 * across + gx, 2.6 * along + gy)
        fine, blotch = np.float32(1.7) * fine, lock
    else:
        sway = 4.5 * factors.hair_wave * np.sin(along / 15 + 0.045 * across + 1.5 * np.sin(across / 31))
        fine, lock, _, blotch = noise_at(strand_tile(), 2.3 * (across + sway) + gx, 0.9 * along + gy)
    shade = 1 + np.float32(0.17) * (fine + lock) + np.float32(0.10) * blotch
    albedo = (paint_of(factors.hair_colour) + np.float32(0.002)) * np.clip(shade, 0.25, 2.2)
    soft = 2.5 if curly else 9.0  # how far in from its outline hair is see-through
    grazing = np.clip(normal[2] * np.float32(soft) + np.float32(0.2 if curly else 0.55), 0, 1)
    alpha = np.clip(1.6 * ragged + 0.45 * fine + 0.40 * lock - 0.25, 0, 1)
    alpha *= np.clip(grazing + (1 - grazing) * (0.45 * fine + 0.35 * lock), 0, 1)
    bent = normal.copy()
    bent[0] += np.float32(0.16) * (fine + lock)
    bent[1] += np.float32(0.10) * lock
    bent /= np.sqrt((bent * bent).sum(0))
    return albedo, alpha, np.clip(np.float32(0.55) + np.float32(0.35) * fine, 0, 1.5), bent
