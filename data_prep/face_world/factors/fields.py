"""Every factor of one picture, as plain numbers: what a cockpit has sliders for.

`Factors()` is a plain average face; `dataclasses.replace(factors, yaw=40.0)` alters one thing and nothing else.
Each field carries its range and one line of documentation in `FIELDS`.
"""

from dataclasses import dataclass, field, fields
from math import isfinite

from data_prep.face_world.head.shapes import SHAPE_NAMES

HAIR_STYLES = ("bald", "buzz", "short", "side part", "fringe", "long", "curtain", "curly", "receding", "tied back")
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
HEADWEAR = ("none", "cap", "beanie", "headscarf", "turban")
GLASSES = ("none", "clear", "dark")
COVERS = ("none", "scarf", "mask")
CLOTHES = ("crew", "open collar", "suit", "turtleneck", "bare")
BACKGROUNDS = ("plain", "gradient", "blur", "indoor", "stripes", "outdoor", "crowd", "noise")
OCCLUDERS = ("hand", "microphone", "strand", "bar", "ellipse", "box")


def number(default, low, high, doc):
    """Return a field that holds a number between low and high."""
    return field(default=default, metadata={"low": low, "high": high, "doc": doc})


def choice(options, doc):
    """Return a field that holds one of the options; the first is the default."""
    return field(default=options[0], metadata={"options": options, "doc": doc})


def numbers(default, low, high, doc):
    """Return a field that holds a tuple of as many numbers as its default, each between low and high."""
    return field(default=default, metadata={"low": low, "high": high, "length": len(default), "doc": doc})


@dataclass(frozen=True)
class Occluder:
    """One thing between camera and face, in the plane of the picture."""

    kind: str = choice(OCCLUDERS, "what it is")
    x: float = number(0.0, -3, 3, "centre, in face-box sides to the right of the head's anchor")
    y: float = number(0.0, -3, 3, "centre, in face-box sides below the head's anchor")
    size: float = number(0.4, 0.02, 2, "its extent in face-box sides")
    angle: float = number(0.0, -360, 360, "turn, degrees counter-clockwise as displayed")
    colour: tuple = numbers((0.55, 0.42, 0.35), 0, 1, "its colour, sRGB")
    seed: int = number(0, 0, 2**31, "draws its details")

    def __post_init__(self):
        check(self)


@dataclass(frozen=True)
class Factors:
    """All factors of one picture; see each field's metadata for its range and meaning."""

    # Identity: the same in every picture of one person.
    identity: int = number(0, -(2**62), 2**62, "number of the person; a label, it draws nothing")
    shape: tuple = numbers((0.0,) * len(SHAPE_NAMES), -4, 4, "head shape, standard deviations; names: SHAPE_NAMES")
    skin: float = number(0.7, 0, 1, "skin tone, 0 darkest to 1 lightest")
    skin_red: float = number(0.0, -1, 1, "ruddiness")
    age: float = number(0.3, 0, 1, "wrinkles, bags and folds")
    freckles: float = number(0.0, 0, 1, "freckles")
    moles: tuple = numbers((0.0,) * 6, -1, 1, "x, y of three moles in half face sizes; 0, 0 is no mole")
    grain: tuple = numbers((0.3, 0.6), 0, 1, "where the skin's noise is read: makes every skin its own")
    gloss: float = number(0.4, 0, 1, "how oily the skin shines")
    brow_thickness: float = number(0.5, 0, 1, "thickness of the eyebrows")
    brow_density: float = number(0.8, 0, 1, "darkness of the eyebrows")
    eye_colour: float = number(0.2, 0, 1, "iris from dark brown (0) over hazel and green to blue and grey (1)")
    lid_fold: float = number(0.5, 0, 1, "depth of the upper lid's crease")
    lip_red: float = number(0.4, 0, 1, "how much the lips differ from the skin")
    lipstick: float = number(0.0, 0, 1, "lipstick")
    lipstick_hue: float = number(0.5, 0, 1, "lipstick from pink to dark red")
    eye_makeup: float = number(0.1, 0, 1, "dark lashes, liner and shadow")
    hair_style: str = choice(("short", *(s for s in HAIR_STYLES if s != "short")), "style of the hair")
    hair_colour: tuple = numbers((0.20, 0.13, 0.08), 0, 1, "colour of the hair, sRGB")
    hair_volume: float = number(0.5, 0, 1, "thickness of the hair")
    hair_length: float = number(0.5, 0, 1, "length within the style")
    hair_part: float = number(-0.4, -1, 1, "where the hair is parted, viewer's left to right")
    hairline: float = number(0.5, 0, 1, "height of the hairline")
    hair_wave: float = number(0.3, 0, 1, "waviness of the hair")
    beard: str = choice(BEARDS, "facial hair")
    beard_density: float = number(0.6, 0, 1, "density of the facial hair")
    # Expression: all zero is a neutral face.
    jaw: float = number(0.0, 0, 1, "jaw open")
    smile: float = number(0.0, 0, 1, "mouth corners up and out, cheeks raised")
    frown: float = number(0.0, 0, 1, "mouth corners down")
    pucker: float = number(0.0, 0, 1, "lips rounded forwards")
    lips_apart: float = number(0.0, 0, 1, "lips apart over closed teeth")
    lips_pressed: float = number(0.0, 0, 1, "lips pressed thin")
    sneer: float = number(0.0, 0, 1, "upper lip and nose wings raised")
    brows_up: float = number(0.0, 0, 1, "eyebrows raised")
    brows_down: float = number(0.0, 0, 1, "eyebrows drawn down and together")
    brows_worried: float = number(0.0, 0, 1, "inner ends of the eyebrows raised")
    blink_left: float = number(0.0, 0, 1, "eye on the viewer's left closed")
    blink_right: float = number(0.0, 0, 1, "eye on the viewer's right closed")
    squint: float = number(0.0, 0, 1, "eyes narrowed")
    gaze_x: float = number(0.0, -1, 1, "eyes turned to the viewer's right, 1 = 35 degrees, relative to the head")
    gaze_y: float = number(0.0, -1, 1, "eyes turned up, 1 = 25 degrees")
    # Pose, with the signs of AFLW.
    yaw: float = number(0.0, -90, 90, "degrees; positive: the nose points to the viewer's left")
    pitch: float = number(0.0, -30, 30, "degrees; positive: looking up")
    roll: float = number(0.0, -30, 30, "degrees; positive: tilted counter-clockwise as displayed")
    x: float = number(0.0, -2, 2, "head's anchor right of the frame's centre, in face-box sides")
    y: float = number(0.0, -2, 2, "head's anchor below the frame's centre, in face-box sides")
    scale: float = number(0.62, 0.1, 2, "face-box side of an average frontal face over the frame's side")
    distance: float = number(1200.0, 400, 10000, "camera to head in mm: less is stronger perspective")
    body_yaw: float = number(0.0, -90, 90, "degrees the shoulders are turned, signed as yaw")
    # Light.
    light_azimuth: float = number(25.0, -180, 180, "degrees, where the light comes from; positive: viewer's right")
    light_elevation: float = number(35.0, -60, 89, "degrees above the horizon")
    light: float = number(1.0, 0, 3, "strength of the directed light")
    light_warmth: float = number(0.1, -1, 1, "colour of the directed light, blue to orange")
    ambient: float = number(0.45, 0.02, 1.5, "strength of the light from everywhere")
    ambient_warmth: float = number(0.0, -1, 1, "colour of the ambient light")
    shadow: float = number(0.7, 0, 1, "depth of cast shadows")
    rim: float = number(0.0, 0, 2, "strength of a light from behind, on the other side")
    # Camera.
    exposure: float = number(0.0, -3, 3, "stops")
    gamma: float = number(1.0, 0.5, 2, "tone curve; above 1 is darker")
    contrast: float = number(1.0, 0.3, 1.6, "contrast of the finished picture")
    saturation: float = number(1.0, 0, 1.6, "0 is a grey picture")
    tint: float = number(0.0, -1, 1, "white balance, blue to orange")
    blur: float = number(0.003, 0, 0.04, "sigma of the lens blur over the frame's side")
    motion: float = number(0.0, 0, 0.08, "length of motion blur over the frame's side")
    motion_angle: float = number(0.0, -180, 180, "direction of the motion blur, degrees")
    noise: float = number(0.01, 0, 0.15, "standard deviation of the sensor's noise, full range 1")
    noise_seed: int = number(0, 0, 2**31, "draws the sensor's noise")
    compression: float = number(0.1, 0, 1, "0 no JPEG, 1 JPEG of the lowest quality")
    coarseness: float = number(1.0, 1, 5, "how many pixels the camera joined to one before enlarging again")
    border: tuple = numbers((0.0, 0.0, 0.0, 0.0), 0, 0.3, "black edge of the picture: left, top, right, bottom share")
    # What covers the head, and what stands round it.
    headwear: str = choice(HEADWEAR, "on the head")
    headwear_colour: tuple = numbers((0.15, 0.2, 0.35), 0, 1, "its colour, sRGB")
    glasses: str = choice(GLASSES, "glasses")
    glasses_shape: tuple = numbers((0.5, 0.5, 0.4), 0, 1, "lens height, roundness, thickness of the frame")
    glasses_colour: tuple = numbers((0.08, 0.07, 0.07), 0, 1, "colour of the frame, sRGB")
    cover: str = choice(COVERS, "over mouth and neck")
    cover_colour: tuple = numbers((0.5, 0.6, 0.7), 0, 1, "its colour, sRGB")
    cover_height: float = number(0.5, 0, 1, "how high the cover reaches: 0 neck, 0.6 mouth, 1 nose")
    occluders: tuple = field(default=(), metadata={"of": Occluder, "doc": "things before the face, far to near"})
    clothes: str = choice(CLOTHES, "clothes")
    clothes_colour: tuple = numbers((0.2, 0.25, 0.35), 0, 1, "their colour, sRGB")
    shirt_colour: tuple = numbers((0.85, 0.85, 0.88), 0, 1, "colour of the shirt under a suit, sRGB")
    background: str = choice(BACKGROUNDS, "kind of background")
    background_colours: tuple = numbers((0.55, 0.57, 0.6, 0.35, 0.36, 0.4), 0, 1, "two sRGB colours")
    background_blur: float = number(0.4, 0, 1, "how far out of focus it is")
    background_seed: int = number(0, 0, 2**31, "draws its details")

    def __post_init__(self):
        check(self)

    @property
    def expression(self):
        """Strengths of the expressions that move the flesh, by name; a lowered gaze lowers the lids."""
        values = {name: getattr(self, name) for name in EXPRESSION_FIELDS}
        values["look_down"] = -self.gaze_y if self.gaze_y < 0 else -0.5 * self.gaze_y
        return values


EXPRESSION_FIELDS = (
    *("jaw", "smile", "frown", "pucker", "lips_apart", "lips_pressed", "sneer"),
    *("brows_up", "brows_down", "brows_worried", "blink_left", "blink_right", "squint"),
)
FIELDS = {f.name: f.metadata for f in fields(Factors)}
_IDENTITY_END = "beard_density"
IDENTITY_FIELDS = tuple(FIELDS)[: list(FIELDS).index(_IDENTITY_END) + 1]


def check(factors):
    """Raise ValueError that names the field if a value of a Factors or Occluder is out of its range."""
    for name, rule in _rules(type(factors)):
        value = getattr(factors, name)
        if "options" in rule:
            if value not in rule["options"]:
                raise ValueError(f"{name}: {value!r} is none of {', '.join(rule['options'])}")
        elif "of" in rule:
            if not all(isinstance(item, rule["of"]) for item in value):
                raise ValueError(f"{name}: must be a tuple of {rule['of'].__name__}, got {value!r}")
        elif "length" in rule:
            if len(value) != rule["length"]:
                raise ValueError(f"{name}: needs {rule['length']} numbers, got {len(value)}")
            if not (min(value) >= rule["low"] and max(value) <= rule["high"]):
                raise ValueError(f"{name}: every number must lie in [{rule['low']}, {rule['high']}], got {value!r}")
        elif not (rule["low"] <= value <= rule["high"] and isfinite(value)):
            raise ValueError(f"{name}: {value!r} lies outside [{rule['low']}, {rule['high']}]")


_CACHE: dict = {}


def _rules(kind):
    """Return (name, metadata) of the fields of a dataclass, looked up once a class."""
    if kind not in _CACHE:
        _CACHE[kind] = [(f.name, f.metadata) for f in fields(kind)]
    return _CACHE[kind]
