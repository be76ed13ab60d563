"""The ears: two closed fans of points, folded like an ear by a few bumps.

A fan has rows from the bowl outwards over the rim and round its back, and columns round the ear. Local
coordinates in millimetres: p backwards along the head, q upwards, e out from the head.
"""

import numpy as np

from data_prep.face_world.basics import bell, smoothstep

ROWS, COLUMNS = 10, 21
_RADII = np.array([0.0, 0.2, 0.38, 0.54, 0.66, 0.77, 0.88, 1.0, 0.99, 0.8])


def _outline(angle):
    """Return (p, q) in mm of the rim at angle (0 back, 90 degrees up), seen from the ear's own centre."""
    up = np.sin(angle)
    wide = 16.5 * np.where(np.cos(angle) > 0, 1 + 0.12 * up - 0.25 * smoothstep(-up, 0.3, 1), 0.88)
    return wide * np.cos(angle) * (1 - 0.25 * smoothstep(-up, 0.2, 1)), np.where(up > 0, 30.0, 29.0) * up


def ear_fan():
    """Return points (ROWS, COLUMNS, 3) of the viewer's right ear in the head frame and how open to light each is (0 to
    1).
    """
    angle = np.linspace(0, 2 * np.pi, COLUMNS)[None]
    radius = _RADII[:, None]
    p, q = (radius * part for part in _outline(angle))
    p, q = p + 0 * radius, q + 0 * radius
    backside = (np.arange(ROWS) > 7)[:, None]
    around = np.degrees(angle)
    free = smoothstep(np.cos(angle - np.radians(20)), -0.65, -0.25)  # the front edge lies on the cheek
    lobe = bell(around, 262, 28)
    rim = 4.2 * bell(radius, 0.92, 0.1) * free * (1 - 0.8 * lobe)
    furrow = -2.2 * bell(radius, 0.74, 0.09) * free * (1 - lobe)
    fold = 3.4 * bell(radius, 0.54, 0.1) * smoothstep(np.cos(angle + 0.3), -0.25, 0.35) * (1 - 0.9 * lobe)
    bowl = -9.5 * bell(np.hypot((p + 3.5) / 7.5, (q + 4) / 11), 0, 1, 2.6)
    tragus = 5.0 * bell(np.hypot((p + 10.5) / 3.2, (q + 3) / 5.5), 0, 1)
    relief = rim + furrow + fold + bowl + tragus + 1.2 * lobe * bell(radius, 0.7, 0.3)
    open_to_light = np.clip(1 + 0.085 * (bowl + 1.0) + 0.16 * furrow - 0.06 * tragus, 0.22, 1)
    open_to_light = np.where(backside, 0.55, open_to_light)
    flare = 0.40 * np.maximum(p + 14.5, 0)
    e = flare + np.where(backside, -3.0 * (radius < 0.9), relief * (radius < 0.995))
    tilt = np.radians(10)
    back, up = p * np.cos(tilt) - -q * np.sin(tilt), q * np.cos(tilt) + -p * np.sin(tilt)
    points = np.stack([74.5 + e, -11.0 + up, -10.0 - back - 0.12 * e], -1)
    return points, open_to_light


def both_ears():
    """Return points (2, ROWS, COLUMNS, 3) of left and right ear (viewer's sides) and openness (ROWS, COLUMNS)."""
    right, openness = ear_fan()
    return np.stack([right * [-1, 1, 1], right]), openness
