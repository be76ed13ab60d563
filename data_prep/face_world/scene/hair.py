"""Hair and headwear: shells laid over the head, with an end height and a thickness at every angle.

A style is a row of heights where the hair ends, by angle round the head, and a few numbers. Below the ears long
hair hangs straight. What makes it hair is done per pixel (`render.paints`): streaks, shine and a ragged edge.
"""

from dataclasses import dataclass

import numpy as np

from data_prep.face_world.basics import bell, sheet_tiles, smoothstep
from data_prep.face_world.head.anatomy import CROWN_Y
from data_prep.face_world.head.regions import hairline
from data_prep.face_world.scene.mesh import angles, column_subset, lifted

ROWS, COLUMN_STEP = 15, 2
_ANGLES = np.radians([0, 20, 40, 55, 70, 90, 110, 140, 180])


@dataclass(frozen=True)
class Style:
    """ends: heights (mm) at _ANGLES, None for the hairline; top, side: thickness (mm); ragged: length of the ends."""

    ends: tuple | None
    top: float
    side: float
    ragged: float = 8.0
    rooted: bool = True  # thin at its ends, as cut hair is; False where it ends in a curtain
    curls: float = 0.0
    longer: float = 0.0  # mm by which hair_length lengthens the sides


STYLES = {
    "buzz": Style(None, 3.0, 2.0, 5.0),
    "short": Style(None, 15.0, 7.0, 9.0),
    "side part": Style(None, 17.0, 8.0, 9.0),
    "receding": Style(None, 9.0, 7.0, 10.0),
    "tied back": Style(None, 7.0, 5.0, 7.0),
    "fringe": Style((36, 34, 32, 24, -5, -28, -40, -70, -80), 16.0, 14.0, 15.0, False, 0.0, 60),
    "long": Style((66, 66, 60, 46, 14, -80, -120, -130, -130), 13.0, 13.0, 26.0, False, 0.0, 70),
    "curtain": Style((66, 62, 46, 0, -100, -125, -130, -140, -140), 14.0, 13.0, 26.0, False, 0.0, 60),
    "curly": Style((62, 61, 54, 38, 8, -15, -40, -70, -80), 26.0, 24.0, 12.0, False, 1.0, 50),
}


def _by_angle(values, phi):
    return np.interp(np.abs(phi), _ANGLES, values)


def hair_patch(grid, factors):
    """Return (points, attributes) of the hair on the moved head (R, C, 3), or None where there is none.

    points (ROWS, M, 3) in the head frame; attributes (ROWS, M, 4): place across and along the strands in mm, how
    many ragged lengths from the ends, and openness to light.
    """
    style = STYLES.get(factors.hair_style)
    if style is None or factors.headwear in ("headscarf", "turban"):
        return None
    columns = column_subset(COLUMN_STEP)
    phi = angles(columns)
    part = factors.hair_part * 0.9
    return _shell(grid, factors, style, columns, phi, _ends(factors, style, phi, part), part)


def _ends(factors, style, phi, part):
    """Return heights (M,) in mm where the hair ends at angles phi (M,); part: angle of the parting."""
    front = smoothstep(np.cos(phi), 0.1, 0.7)
    if style.ends is None:
        edge = hairline(phi) + 16 * (factors.hairline - 0.5) * front - 1
        if factors.hair_style == "receding":
            high = smoothstep(np.cos(phi), 0.25, 0.75) * (10 + 26 * factors.hairline)
            edge += high + 8 * bell(np.abs(phi), 0.7, 0.25)
        return edge
    swept = np.abs(phi)
    if factors.hair_style in ("long", "curly"):  # tucked back, or falling forward
        swept = np.maximum(swept - 0.5 * (factors.hair_part - 0.2), 0)
    longer = style.longer * (factors.hair_length - 0.4) * smoothstep(np.abs(phi), 0.9, 1.3)
    ends = _by_angle(style.ends, swept) - longer + 9 * (factors.hairline - 0.5) * (np.abs(phi) < 1)
    lift = {"long": 35, "curtain": 35, "fringe": 9}.get(factors.hair_style, 0)
    return np.minimum(ends + lift * bell(phi, part, 0.35), CROWN_Y - 30)


def _shell(grid, factors, style, columns, phi, ends, part):
    t = np.linspace(0, 1, ROWS)[:, None]
    heights = CROWN_Y - (CROWN_Y - ends) * t**1.7
    hang = np.interp(np.abs(phi), [0.0, 0.95, 1.15, 3.2], [20.0, 8.0, 4.0, -20.0])
    on_top = np.maximum(heights, hang)
    volume = 0.55 + 0.9 * factors.hair_volume
    if factors.headwear != "none":  # pressed flat
        volume = 0.25
    above = smoothstep(on_top, 0, 70)
    thickness = volume * (style.side + (style.top - style.side) * above)
    if style.rooted:
        thickness = thickness * (0.12 + 0.88 * smoothstep(heights - ends, 0, 24)) + 0.8
    thickness = thickness * (1 - 0.22 * bell(phi, part, 0.12) * smoothstep(on_top, 60, 95)) + 1.2
    if factors.hair_style in ("side part", "short"):
        thickness = thickness + volume * 6 * np.sin(phi - part) * np.sign(-part) * smoothstep(on_top, 50, 90)
    bumps = sheet_tiles()[3 if not style.curls else 2]
    row = (np.arange(ROWS) * (7 if not style.curls else 11) + int(997 * factors.grain[0])) % bumps.shape[0]
    column = (np.arange(len(columns)) * 6 + int(991 * factors.grain[1])) % bumps.shape[1]
    rough = bumps[row[:, None], column[None]]
    thickness = thickness * (1 + (0.10 + 0.10 * factors.hair_wave + 0.02 * style.curls) * rough)
    points = lifted(grid, columns, on_top, thickness.astype(np.float32))
    fall = (on_top - heights).astype(np.float32)
    points[..., 1] -= fall
    out = 1 + 0.0010 * fall * (1 + factors.hair_wave) + 0.012 * factors.hair_wave * np.sin(heights / 9) * (fall > 0)
    points[..., 0] *= out
    along = CROWN_Y - heights + 0 * phi
    across = 78 * phi + 0.35 * along * np.sin(phi - part) * (factors.hair_style in ("side part", "short"))
    ragged = np.clip((heights - ends) / style.ragged, 0, 4)
    openness = 0.55 + 0.45 * smoothstep(heights, -60, 60) * np.ones_like(phi)
    attributes = np.stack([across + 0 * along, along, ragged, openness], -1)
    return points, attributes.astype(np.float32)


@dataclass(frozen=True)
class Hat:
    """ends: heights (mm) of the rim at _ANGLES; thick: mm off the skin at rim and crown; fold: depth of its folds."""

    ends: tuple
    rim: float
    crown: float
    fold: float


HATS = {
    "cap": Hat((52, 51, 45, 36, 26, 16, 8, -5, -12), 8, 17, 0.3),
    "beanie": Hat((46, 45, 38, 26, 8, -8, -20, -38, -45), 11, 17, 1.0),
    "headscarf": Hat((56, 53, 42, 8, -120, -150, -160, -170, -170), 8, 14, 1.2),
    "turban": Hat((50, 49, 42, 30, 14, 4, -6, -20, -28), 17, 30, 3.5),
}


def hat_patches(grid, factors):
    """Return a list of (points, attributes) of the headwear; attributes (T, M, 4): across, along in mm, 1, openness."""
    hat = HATS.get(factors.headwear)
    if hat is None:
        return []
    columns = column_subset(COLUMN_STEP)
    phi = angles(columns)
    ends = _by_angle(hat.ends, phi)
    t = np.linspace(0, 1, 12)[:, None]
    heights = CROWN_Y - (CROWN_Y - ends) * t**1.6
    hang = np.interp(np.abs(phi), [0.0, 0.9, 1.1, 3.2], [20.0, 0.0, -60.0, -40.0])
    on_top = np.maximum(heights, hang)
    folds = hat.fold * np.sin(0.16 * heights + 2.2 * np.abs(phi) + 9 * factors.grain[0])
    thickness = hat.rim + (hat.crown - hat.rim) * smoothstep(heights, 30, 105) + folds
    if factors.headwear == "turban":
        thickness = thickness + 9 * bell(heights, 70, 22)
    points = lifted(grid, columns, on_top, thickness.astype(np.float32))
    points[..., 1] -= (on_top - heights).astype(np.float32)
    attributes = np.stack(
        [78 * phi + 0 * heights, CROWN_Y - heights, 1 + 0 * heights, 0.55 + 0.45 * smoothstep(heights, -60, 40)], -1
    )
    attributes[-1, :, 3] = 0.45  # the rim's own shade
    patches = [(points, attributes.astype(np.float32))]
    if factors.headwear == "cap":
        patches.append(_visor(points[-1], phi))
    return patches


def _visor(rim, phi):
    front = np.flatnonzero(np.abs(phi) < np.radians(62))
    base, angle = rim[front], phi[front]
    reach = 62 * np.cos(angle * np.pi / 2 / np.radians(64)) ** 0.6
    t = np.linspace(0, 1, 5)[:, None]
    points = np.stack(
        [base[:, 0] * (1 + 0.05 * t), base[:, 1] - t * 20 - 10 * t * np.sin(angle) ** 2, base[:, 2] + t * reach], -1
    )
    attributes = np.zeros((*points.shape[:2], 4), np.float32)
    attributes[..., 0], attributes[..., 1] = 78 * angle, 200 + 60 * t
    attributes[..., 2:] = (1, 0.8)
    return points.astype(np.float32), attributes
