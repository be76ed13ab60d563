"""The face-world cockpit: a made face with a slider for each of its factors."""

from dataclasses import replace

import ipywidgets as w

from data_prep.face_world import FIELDS, OCCLUDERS, FaceWorld, Factors, Occluder, render
from rednet_lab.show import draw
from rednet_lab.show.widgets import STYLE, Painter, slider

SLIDERS = (
    *("yaw", "pitch", "roll", "jaw", "smile", "brows_up", "blink_left", "gaze_x"),
    *("light_azimuth", "light", "age", "skin"),
)
RENDERED, SHOWN = 192, 400  # pixels


def plain_face(factors: Factors) -> Factors:
    """The same person, upright, at rest and with nothing in the way."""
    calm = dict.fromkeys(("yaw", "pitch", "roll", "jaw", "smile", "frown", "pucker", "blink_left", "blink_right"), 0.0)
    return replace(factors, **calm, occluders=(), headwear="none", glasses="none", cover="none")


def cockpit(world: FaceWorld, person: int = 3) -> Painter:
    """Sliders for one face's factors, one thing to hold before it, and its points (hidden ones in pink)."""
    start = plain_face(world.still(person).factors)
    controls = {"person": slider("person", 0, 40, person)}
    for name in SLIDERS:
        controls[name] = slider(
            name, float(FIELDS[name]["low"]), float(FIELDS[name]["high"]), float(getattr(start, name))
        )
    controls["before"] = w.Dropdown(options=["nothing", *OCCLUDERS], description="before it", style=STYLE)
    controls["dots"] = w.Checkbox(True, description="points")

    def paint(person: int, before: str, dots: bool, **values):
        things = () if before == "nothing" else (Occluder(before, x=0.05, y=0.15, size=0.45),)
        face = replace(plain_face(world.still(person).factors), occluders=things, **values)
        sample = render(face, RENDERED)
        picture = draw.face(sample.image, SHOWN, truth=sample.points if dots else None, visible=sample.visible)
        return picture, f"{int(sample.visible.sum())} of 68 points visible"

    return Painter(controls, paint)
