"""Deferred shading: the colour of every visible pixel of a scene, material by material."""

import numpy as np

from data_prep.face_world.basics import skin_tile
from data_prep.face_world.render import paints, skin
from data_prep.face_world.render.light import Lamp, noise_at, paint_of, rgb
from data_prep.face_world.scene.build import CLOTH, COVER, EAR, EYE, FRAME, HAIR, HAIR_INSIDE, HAT, LENS, MOUTH, SKIN


def interpolate(scene, hits):
    """Return (attributes (8, P) with unit normals, materials (P,)) of the hits of one layer."""
    a, b, c = (column.take(hits.triangle) for column in scene.triangles.T)
    weight0 = 1 - hits.weight1 - hits.weight2
    values = np.empty((len(scene.attributes), len(a)), np.float32)
    for row, attribute in zip(values, scene.attributes, strict=True):
        np.multiply(attribute.take(a), weight0, out=row)
        row += attribute.take(b) * hits.weight1
        row += attribute.take(c) * hits.weight2
    normal = values[2:5]
    normal /= np.sqrt((normal * normal).sum(0)) + np.float32(1e-6)
    return values, scene.materials.take(hits.triangle)


def shade(scene, factors, values, materials):
    """Return (linear colour (3, P), alpha (P,)) of points with attributes (8, P) and materials (P,)."""
    lamp = Lamp(factors, scene.to_light)
    colour = np.empty((3, len(materials)), np.float32)
    alpha = np.ones(len(materials), np.float32)
    for material in np.flatnonzero(np.bincount(materials)):
        here = np.flatnonzero(materials == material)
        part, opacity = _PAINTERS[int(material)](factors, lamp, _Surface(values.take(here, 1)))
        colour[:, here] = part
        if opacity is not None:
            alpha[here] = opacity
    return colour, alpha


class _Surface:
    """The attributes of P points of one material by name: a, b, c as the material defines them, normal (3, P)."""

    def __init__(self, values):
        self.a, self.b, self.c, self.normal = values[0], values[1], values[7], values[2:5]
        self.sun, self.open = values[5], values[6]

    def lit(self, lamp, wrap=(0.2, 0.2, 0.2)):
        """Return light (3, P) this surface sends back if it is white."""
        return lamp.diffuse(self.normal, self.sun, self.open, wrap)


def _skin(factors, lamp, s):
    colour, gloss = skin.paint(factors, s.a, s.b)
    colour *= s.lit(lamp, skin.WRAP)
    slant = 1 - np.clip(s.normal[2], 0, 1)
    gloss *= (np.float32(0.5) + np.float32(1.2) * slant * slant) * lamp.shine(s.normal, s.sun, 14.0)
    colour += gloss * (lamp.colour * np.float32(0.55))
    return colour, None


def _ear(factors, lamp, s):
    colour = skin.skin_colour(factors) * rgb(1.0, 0.84, 0.83) * s.lit(lamp, skin.WRAP)
    return colour + np.float32(0.06) * lamp.shine(s.normal, s.sun, 14.0) * lamp.colour, None


def _eye(factors, lamp, s):
    grain = noise_at(skin_tile(), 90 * s.a + 128, 90 * s.b + 128)[1]
    albedo = paints.eye_albedo(factors, np.stack([s.a, s.b, s.c]), grain)
    colour = albedo * s.lit(lamp, (0.4, 0.4, 0.4)) * (0.45 + 0.55 * s.open)
    wet = 1.4 * lamp.shine(s.normal, s.open, 160.0) + 0.05 * s.open * np.clip(s.normal[1] + 0.4, 0, 1)
    return colour + wet * lamp.colour, None


def _mouth(factors, lamp, s):
    albedo, gloss = paints.mouth_albedo(factors, s.a, s.b, s.c)
    colour = albedo * s.lit(lamp, (0.4, 0.4, 0.4)) * (0.25 + 0.75 * s.open)
    return colour + gloss * lamp.shine(s.normal, s.sun * s.open, 30.0) * lamp.colour, None


def _cloth(factors, lamp, s):
    return paints.cloth_albedo(factors, s.a, s.b, s.c, 0.92 * skin.skin_colour(factors)) * s.lit(lamp), None


def _hat(factors, lamp, s):
    return paints.knit_albedo(factors.headwear_colour, s.a, s.b) * s.lit(lamp), None


def _cover(factors, lamp, s):
    return paints.knit_albedo(factors.cover_colour, s.a, s.b) * s.lit(lamp), None


def _hair(factors, lamp, s):
    albedo, alpha, sheen, bent = paints.hair_paint(factors, s.a, s.b, s.c, s.normal)
    colour = albedo * lamp.diffuse(bent, s.sun, s.open, paints.HAIR_WRAP)
    bright = (np.float32(0.03) + np.float32(0.35) * paint_of(factors.hair_colour)) * lamp.colour
    return colour + sheen * lamp.shine(bent, s.open, 18.0) * bright, alpha


def _hair_inside(factors, lamp, s):
    albedo = paints.hair_paint(factors, s.a, s.b, s.c, s.normal)[0]
    return np.float32(0.7) * albedo * lamp.diffuse(s.normal, 0.3 * s.sun, s.open, paints.HAIR_WRAP), None


def _frame(factors, lamp, s):
    colour = paint_of(factors.glasses_colour) * s.lit(lamp)
    return colour + np.float32(0.5) * lamp.shine(s.normal, s.sun, 40.0) * lamp.colour, np.float32(0.97)


def _lens(factors, lamp, s):
    streak = np.clip(1 - np.abs(((s.a * 0.8 + s.b) % 34) / 9 - 1), 0, 1) * (s.b > 0)
    glare = np.float32(0.10) * streak + np.float32(0.6) * lamp.shine(s.normal, np.float32(1), 60.0)
    if factors.glasses == "dark":
        return (np.float32(0.010) + np.float32(0.5) * glare) * lamp.colour, np.clip(0.93 + 0.004 * s.b, 0.8, 0.97)
    return (np.float32(0.25) + glare) * lamp.colour, np.clip(0.05 + 0.55 * glare, 0, 0.7)


_PAINTERS = {
    SKIN: _skin,
    EAR: _ear,
    EYE: _eye,
    MOUTH: _mouth,
    CLOTH: _cloth,
    HAIR: _hair,
    HAIR_INSIDE: _hair_inside,
    FRAME: _frame,
    LENS: _lens,
    HAT: _hat,
    COVER: _cover,
}
