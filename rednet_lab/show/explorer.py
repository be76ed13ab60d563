"""The response-map explorer: any channel of any layer, and the pooling switches as a picture."""

from zlib import crc32

import cv2
import ipywidgets as w
import numpy as np
import torch

from rednet_core import layers
from rednet_core.rednet import RedNet
from rednet_core.vgg import VGGEncoderDecoder
from rednet_lab.show import draw, plots
from rednet_lab.show.own_file import HINT, OwnFile, whole_picture
from rednet_lab.show.trace import Face, FaceTracer, Frame
from rednet_lab.show.widgets import Painter, menu, slider

# Where in its 2 x 2 window a maximum stood, as a colour: above left, above right, below left, below right.
SWITCH_COLOURS = np.array([draw.BLUE, draw.ORANGE, draw.SKY, draw.VERMILION], np.uint8)
KEPT = 6  # faces whose activations are remembered
FEEDBACK, MAPS = "z fed back", "response maps"
OWN = "your own photo"


class Activations:
    """A network laid open: what every block puts out for a face, per spatial step."""

    def __init__(self, net: RedNet):
        self.tracer, self.steps = FaceTracer(net), len(net.config.steps)
        self.pools = isinstance(self.tracer.net.backbone, VGGEncoderDecoder)
        self.kept: dict[tuple, tuple] = {}

    def look(self, face: Face) -> tuple[dict[str, list[np.ndarray]], Frame]:
        """Return activations {layer: per step (C, h, w)} in the order of the data's flow, and the run's trace."""
        key = (crc32(face.image.tobytes()), *face.box.tolist())
        if key not in self.kept:
            if len(self.kept) >= KEPT:
                del self.kept[next(iter(self.kept))]
            self.kept[key] = self._look(face)
        return self.kept[key]

    def _look(self, face: Face) -> tuple[dict[str, list[np.ndarray]], Frame]:
        net, seen = self.tracer.net, {}

        def keep(name: str):
            return lambda module, given, out: seen.setdefault(name, []).append(out[0].float().cpu().numpy())

        hooks = [block.register_forward_hook(keep(name)) for name, block in net.backbone.named_children()]
        try:
            frame = self.tracer.frame(face)
        finally:
            for hook in hooks:
                hook.remove()
        # The stem runs once a frame: it is the same in every step.
        seen = {name: each * self.steps if len(each) == 1 else each for name, each in seen.items()}
        coding = [name for name in seen if name[0] in "AC"]
        found = {FEEDBACK: [step.feedback for step in frame.steps], **{name: seen.pop(name) for name in coding}}
        found |= {"e_i": [step.e_i for step in frame.steps], "e_p": [step.e_p for step in frame.steps]}
        return {**found, **seen, MAPS: [step.maps for step in frame.steps]}, frame

    def switches(self, face: Face, layer: str, step: int) -> np.ndarray | None:
        """Return the switches (C, h/2, w/2), 0..3, of the pool behind an encoder block, or None where nothing pools."""
        if not (self.pools and layer in ("A0", "A1", "A2", "A3", "A4")):
            return None
        maps = torch.from_numpy(self.look(face)[0][layer][step])
        where = layers.pool(maps[None])[1][0].numpy()
        width = maps.shape[-1]
        return 2 * (where // width % 2) + where % width % 2


def channel_grid(values: np.ndarray, chosen: int, top: float, size: int = draw.PANEL) -> np.ndarray:
    """Return all channels (C, h, w) as small pictures, the chosen one framed."""
    columns = int(np.ceil(np.sqrt(len(values))))
    tile = size // columns
    # All channels side by side as one map: colouring hundreds of small ones takes longer than all the rest.
    rows = -(-len(values) // columns)
    grid, out = np.full((rows * columns, tile, tile), np.nan, np.float32), np.full((size, size, 3), 255, np.uint8)
    for i, one in enumerate(values):
        grid[i, :-1, :-1] = cv2.resize(one, (tile - 1, tile - 1), interpolation=cv2.INTER_NEAREST)
    grid = grid.reshape(rows, columns, tile, tile).transpose(0, 2, 1, 3).reshape(rows * tile, columns * tile)
    coloured = draw.heat(np.nan_to_num(grid), top=top)
    out[: rows * tile, : columns * tile] = np.where(np.isnan(grid)[..., None], 255, coloured)
    y, x = chosen // columns * tile, chosen % columns * tile
    corners = np.array([[x, y], [x + tile - 1, y], [x + tile - 1, y + tile - 1], [x, y + tile - 1]], float)
    for width, colour in ((4, draw.WHITE), (2, draw.GREEN)):
        plots.stroke(out, corners[[0, 1, 2, 3, 0]], colour, width)
    return out


def switch_picture(places: np.ndarray | None, values: np.ndarray, size: int = draw.PANEL) -> np.ndarray:
    """Return one channel's switches (h, w) as colours, dark where the pooled value (h, w) is nothing, with a key."""
    if places is None:
        said = "No pooling follows here.", "In the VGG design it follows", "the blocks A0 to A4."
        return draw.message(*said, size=size)
    bright = np.where(values > 0, 1.0, 0.25)[..., None]
    out = draw.blocks((SWITCH_COLOURS[places] * bright).astype(np.uint8), size)
    key = SWITCH_COLOURS[np.array([[0, 1], [2, 3]])]
    out[4:44, size - 44 : size - 4] = draw.blocks(key, 40)
    texts = [(f"{i:02b}", (size - 34 + 20 * (i % 2), 14 + 20 * (i // 2)), "mm") for i in range(4)]
    return draw.words(out, texts, 11, draw.WHITE)


def panel(inside: Activations, face: Face, layer: str, step: int, channel: int, over: bool = False) -> np.ndarray:
    """Return what is painted: the face, all channels of a layer, one of them (over the face or alone), its switches."""
    activations, frame = inside.look(face)
    values = np.abs(activations[layer][step])  # painted without their signs
    top = 1.0 if layer in (FEEDBACK, MAPS) else max(float(values.max()), 1e-9)  # what is painted brightest
    one = values[channel]
    own = top if layer in (FEEDBACK, MAPS) else max(float(one.max()), 1e-9)  # a faint channel is seen too
    alone = draw.blocks(draw.heat(one, top=own), draw.PANEL)
    laid = draw.overlay(draw.enlarge(frame.picture, draw.PANEL), one / own) if over else alone
    places = inside.switches(face, layer, step)
    pooled = one if places is None else one.reshape(one.shape[0] // 2, 2, -1, 2).max((1, 3))
    error = "" if np.isnan(frame.error) else f", error {frame.error:.1f} %"
    pictures = {
        f"points{error}": whole_picture(face, points=frame.points),
        f"all {len(values)} channels of {layer}": channel_grid(values, channel, top),
        f"channel {channel}: {one.shape[1]} x {one.shape[0]}": laid,
        "switches (dark: nothing pooled)": switch_picture(None if places is None else places[channel], pooled),
    }
    return draw.panels(pictures)


def explore_layers(net: RedNet, faces: list[Face]) -> Painter:
    """Return menus for a face (or an own one), a layer, a step and a channel, to see what the network has there."""
    inside, own = Activations(net), OwnFile()
    first = inside.look(faces[0])[0]
    start = "A2" if "A2" in first else MAPS
    sizes = [("{}: {} of {} x {}".format(name, *each[-1].shape), name) for name, each in first.items()]
    controls = {
        "file": own.upload,
        "path": own.path,
        "face": menu("face", [face.name for face in faces]),
        "layer": menu("layer", sizes, start),
        "step": slider("spatial step", 1, inside.steps, inside.steps),
        "channel": slider("channel", 0, len(first[start][-1]) - 1, 0),
        "over": w.Checkbox(False, description="over the face"),
        **own.controls,  # the face box; the first two keep their places
    }
    offered = {face.name: face for face in faces}

    def arrived(change) -> None:
        if change["new"]:  # a file that cannot be read takes an earlier one away
            controls["face"].options = [*offered, *([OWN] if own.frames else [])]
            controls["face"].value = OWN if own.frames else faces[0].name

    for control in (own.upload, own.path):
        control.observe(arrived, names="value")  # before the painter's own: then it paints what has arrived

    def paint(face: str, layer: str, step: int, channel: int, over: bool, **_):
        own.show(face == OWN)
        chosen = own.face() if face == OWN else offered[face]
        values = inside.look(chosen)[0][layer][step - 1]
        # The detection step has fewer maps than the regression step, and every layer its own number of channels.
        controls["channel"].max = len(values) - 1
        channel = min(channel, len(values) - 1)
        one = values[channel]
        words = f"channel {channel}: largest {one.max():.2f}, {100 * np.mean(one == 0):.0f} % of it is zero"
        said = f"<br>{own.words}" if face == OWN or not own.frames and own.words != HINT else ""
        return panel(inside, chosen, layer, step - 1, channel, over), words + said

    return Painter(controls, paint, "a face, all channels of a layer, one of them, and its pooling switches")
