"""The networks of both papers as drawings (journal figures 1, 3, 4, 5, 6; ECCV figures 1, 3, 4, 5).

Sizes and channels are measured: hooks on the modules watch one forward pass, so a changed network is a changed drawing.
`python -m rednet_lab.show.architecture` makes figures/architecture.svg, the whole network of the journal, anew.
"""

from collections.abc import Sequence

import torch
from torch import nn

from rednet_core.eccv import EccvConfig, EccvNet
from rednet_core.rednet import NetConfig, RedNet
from rednet_core.resnet import Unit
from rednet_lab.files import write_text
from rednet_lab.names import ROOT
from rednet_lab.show.svg import FED, PLAIN, SIZE, WIDTH, Canvas, Drawing

# Pale Okabe and Ito colours, one a role; each part has its name in it too, so that colour is never the only sign.
ENCODER, DECODER, IDENTITY, POSE, MEMORY = "#bfe0f5", "#f7d79a", "#a6d9c6", "#f0cfe2", "#dcb0cd"
MAPS, PICTURE = "#f7f2a8", "#e2e2e2"
FILE = ROOT / "figures" / "architecture.svg"
NAMES = {  # what the two papers call the same parts
    RedNet: ("f_enc", "f_dec", "f_srn", "f_trn", "f_cls", "e_i", "e_p"),
    EccvNet: ("f_ENC", "f_DENC", "f_sRNN", "f_tRNN", "f_CLS", "C_id", "C_pe"),
}
TRUTH = {  # what a step is trained to say
    "detection": ("truth: a disc on each point", "loss l_d: cross-entropy (Eq. 5)"),
    "regression": ("truth: a Gaussian on each point", "loss l_r: squared error (Eq. 7)"),
    "labels": ("truth: a square on each point", "loss: N-way cross-entropy (Eq. 4)"),
}


class Shapes:
    """A network, and the shapes that its modules took and gave in one forward pass over a clip of `frames`."""

    def __init__(self, net: RedNet | EccvNet, frames: int = 1):
        self.net, self.taken, self.given = net, {}, {}
        self.enc, self.dec, self.srn, self.trn, self.cls, self.e_i, self.e_p = NAMES[type(net)]

        def watch(name: str):
            def see(module, taken, given) -> None:
                self.taken.setdefault(name, tuple(taken[0].shape))
                self.given.setdefault(name, tuple((given[0] if isinstance(given, tuple) else given).shape))

            return see

        hooks = [part.register_forward_hook(watch(name)) for name, part in net.named_modules() if name]
        training, size = net.training, net.config.input_size
        try:
            with torch.no_grad(), net.mean_shape.device:
                out = net.eval()(torch.zeros(frames, 3, size, size), net.first_guess(frames), frames)
        finally:
            net.train(training)
            for hook in hooks:
                hook.remove()
        self.image, self.maps = (1, 3, size, size), [tuple(one.shape) for one in out.maps]
        self.e = tuple(torch.cat([out.e_i[-1], out.e_p[-1]], 1).shape)
        self.half = (1, out.e_i[-1].shape[1], *self.e[2:])
        if isinstance(net, RedNet):
            first, second = (f"backbone.{name}" for name in net.backbone.encoder[:2])
            self.z = (1, self.taken[second][1] - self.given[first][1], *self.taken[second][2:])
            self.stem = (1, self.given[first][1], *self.z[2:])
        else:
            self.z = (1, self.taken["encoder.0"][1] - 3, *self.image[2:])


def papers(design: str = "vgg", **choices) -> RedNet | EccvNet:
    """Return a whole network of the papers' sizes without memory for its weights; design: "vgg", "resnet", "eccv"."""
    whole = {"temporal": True, "identities": 5371, **choices}  # LFW's persons (journal Table 4)
    with torch.device("meta"):
        return EccvNet(EccvConfig(**whole)) if design == "eccv" else RedNet(NetConfig(design=design, **whole))


def sized(shape: Sequence[int]) -> str:
    """Return a shape (N, C, ...) in words without N: "256 × 8 × 8"."""
    return " × ".join(str(n) for n in shape[1:])


def network(net: RedNet | EccvNet, frames: int = 2) -> Drawing:
    """Draw all K spatial steps (rows) of one or two frames (columns): figure 1 of both papers.

    One frame is the spatial loop alone. Two frames of a network with one step are figure 3, the temporal recurrence.
    """
    seen, count, wide = Shapes(net, frames), len(net.config.steps), 331
    top, pitch = 168 if net.f_trn is not None else 140, 178
    last = top + (count - 1) * pitch
    ends = [part for part in ("f_cls", "f_reg") if getattr(net, part, None) is not None]
    c = Canvas(last + (126 if ends else 76) + 24 * (frames > 1))
    for k, step in enumerate(net.config.steps):
        kind = step if isinstance(net, RedNet) else f"{step:g} px squares"
        c.text(14, top + k * pitch, f"step {k + 1}: {kind}", SIZE, bold=True, turn=-90)
    for t in range(frames):
        x = 34 + (t + 0.5) * wide
        bus, joins, when = x - 140, x - 110, ("x", "x, frame t − 1", "x, frame t")[t + frames - 1]
        c.arrow((bus, 50), (bus, last + 22), (joins, last + 22))
        for y in range(top + 22, last, pitch):
            c.arrow((bus + 0.8, y), (joins, y))
        c.sheets(bus + 2, 30, 30, PICTURE)
        c.text(bus + 32, 20, when, SIZE, "start", bold=True)
        c.text(bus + 32, 39, sized(seen.image), anchor="start")
        if isinstance(net, RedNet):
            c.box(bus, 76, 34, 24, ENCODER, net.backbone.encoder[0])
            c.text(bus + 24, 76, f"{sized(seen.stem)}, once a frame", anchor="start")
        for k in range(count):
            y = top + k * pitch
            _step(c, seen, k, x, y, first=not t, last=t == frames - 1)
            if k:  # f_srn: the maps of a step are an input of the next
                lane = y - 94
                way = (x + 142, lane - 67), (x + 142, lane), (x - 125, lane), (x - 125, y - 22), (joins, y - 22)
                c.arrow(*way, fed=True)
                c.text(x - 120, lane - 13, f"{seen.srn}: z, {sized(seen.z)}", anchor="start", fill=FED)
        if t:  # tracking: the landmarks of a frame are the first guess of the next
            way = (x - 173, last), (x - 165, last), (x - 165, top - 22), (joins, top - 22)
            c.arrow(*way, fed=True, dashed=True)
            words = "dashed: the landmarks of a frame are drawn as the first guess z_0 of the next"
            c.text(WIDTH / 2, c.height - 14, words, fill=FED)
        else:
            c.arrow((x - 165, top - 22), (joins, top - 22), fed=True)
            c.text(x - 155, top - 36, "z_0", fill=FED)
        if "f_cls" in ends:
            c.arrow((x, last + 27), (x, last + 72))
            c.box(x, last + 95, 116, 44, IDENTITY, seen.cls, f"{seen.given['f_cls.classify'][1]} persons")
        if "f_reg" in ends:
            c.arrow((x + 142, last + 17), (x + 142, last + 72))
            c.box(x + 116, last + 95, 90, 44, MAPS, "f_REG", f"{seen.given['f_reg.locate'][1] // 2} points")
    parts = [f"encoder {seen.enc}", f"encoding in two halves {seen.e_p} and {seen.e_i}", f"decoder {seen.dec}"]
    parts += [f"{seen.trn} from frame to frame"] * (net.f_trn is not None) + [seen.cls] * ("f_cls" in ends)
    parts += ["f_REG"] * ("f_reg" in ends) + [f"feedback {seen.srn}, z with {seen.z[1]} channels, from step to step"]
    return c.drawing(f"Spatial steps: {count}, frames: {frames}. Parts: {', '.join(parts)}.")


def _step(c: Canvas, seen: Shapes, k: int, x: float, y: float, first: bool, last: bool) -> None:
    """Draw one spatial step of one frame round (x, y): encoder, both halves of the encoding, f_trn, decoder, maps."""
    config, channels = seen.net.config, seen.maps[k][1]
    for side, fill, name in ((-1, ENCODER, seen.enc), (1, DECODER, seen.dec)):
        near, far = x + side * 60, x + side * 110
        c.shape([(far, y - 50), (near, y - 26), (near, y + 26), (far, y + 50)], fill)
        c.text((near + far) / 2, y, name, SIZE, bold=True)
    c.box(x, y - 13, 120, 26, POSE, f"{seen.e_p}: {sized(seen.half)}", bold=False)
    c.box(x, y + 13, 120, 26, IDENTITY, f"{seen.e_i}: {sized(seen.half)}", bold=False)
    c.arrow((x + 111, y), (x + 126, y))
    c.sheets(x + 142, y, 22, MAPS)
    c.text(x + 134, y + 59, sized(seen.maps[k]), anchor="end")
    if seen.net.f_trn is not None and (getattr(config, "interleave", "own") != "last" or k == len(seen.maps) - 1):
        c.arrow((x - (166 if first else 269), y - 64), (x - 62, y - 64))
        c.arrow((x - 34, y - 27), (x - 34, y - 50))
        c.arrow((x + 34, y - 50), (x + 34, y - 27))
        c.box(x, y - 64, 120, 26, MEMORY, f"{seen.trn}: LSTM {seen.given['f_trn.lstm'][-1]}", bold=False)
        if last:
            c.arrow((x + 62, y - 64), (x + 164, y - 64))
    if first and last:  # one frame: room for what the step is trained to say
        for i, words in enumerate((f"{channels} maps", *TRUTH.get(config.steps[k], TRUTH["labels"]))):
            c.text(x + 196, y - 22 + 22 * i, words, SIZE, "start", bold=not i)


def stack(net: RedNet | EccvNet) -> Drawing:
    """Draw the blocks of encoder and decoder with what runs past the encoding: journal figures 4 and 5, ECCV figure 4.

    Height and thickness of a block are the square roots of its maps' size and of its channels, times a constant.
    """
    seen, modules, joins = Shapes(net), dict(net.named_modules()), isinstance(net, RedNet)
    if joins:
        inward = [(name, f"backbone.{name}") for name in net.backbone.encoder]
        letter = "B" if net.config.design == "vgg" else "D"
        outward = [(f"{letter}{i}", f"backbone.{letter}{i}") for i in (4, 3, 2, 1)]
        head, links = f"heads.{net.config.steps[-1]}", [(i, 12 - i) for i in (5, 4, 3, 2)]
    else:
        inward = [(f"conv{i + 1}", f"encoder.{i}") for i in range(5)]
        outward = [(f"conv{i + 1}′", f"decoder.{i}") for i in reversed(range(5))]
        head, links = "head", [(i, 12 - i) for i in (5, 4, 3, 2, 1)]
    unit = [*(name for name, part in modules.items() if isinstance(part, Unit)), "", ""][1]  # that of C1 without z
    links = [(i, 11 - i) for i in (4, 3, 2)] if unit else links  # E3 from C3 to behind D4, and so on
    places = [("image", ""), *inward, ("e", ""), *outward, ("head", head)]
    shapes = [seen.given.get(place, seen.e if name == "e" else seen.image) for name, place in places]
    fills = [PICTURE, *[ENCODER] * len(inward), POSE, *[DECODER] * len(outward), MAPS]
    pitch, middle, table = (WIDTH - 90) / len(places), 126, 194 + 24 * len(links)
    at, right, c = [70 + (i + 0.5) * pitch for i in range(len(places))], 0.0, Canvas(table + 78 + 116 * bool(unit))
    for i, ((name, place), shape, x) in enumerate(zip(places, shapes, at, strict=True)):
        wide, high = 0.75 * shape[1] ** 0.5, 9.5 * shape[2] ** 0.5
        if i:
            c.arrow((right, middle), (x - wide / 2 - 2, middle))
        right = x + wide / 2 + 0.16 * high + 2
        c.cuboid(x - wide / 4 if name == "e" else x, middle, wide / 2 if name == "e" else wide, high, fills[i])
        if name == "e":  # e_p and e_i, half of the channels each
            c.cuboid(x + wide / 4, middle, wide / 2, high, IDENTITY)
            c.text(x, middle - high / 2 - 24, seen.e_p, anchor="end")
            c.text(x + 7, middle - high / 2 - 24, seen.e_i, anchor="start")
        words = name, layers(modules[place]) if place else "", str(shape[1]), str(shape[2])
        for row, (label, word) in enumerate(zip(("block", "layers", "channels", "size, px"), words, strict=True)):
            c.text(x, table + 20 * row, word, bold=not row)
            if not i:
                c.text(4, table + 20 * row, label, anchor="start")
    between = (at[joins] + at[joins + 1]) / 2 + 8
    c.arrow((between, 22), (between, middle - 3), fed=True)
    c.text(between - 4, 10, f"z: {seen.z[1]}", anchor="start", fill=FED)
    for depth, (i, j) in enumerate(links):
        low, (start, end) = middle + 38 + 24 * depth, (middle + 4.75 * shapes[k][2] ** 0.5 + 2 for k in (i, j))
        c.arrow((at[i], start), (at[i], low), (at[j], low), (at[j], end), dashed=not unit)
        words = f"E{i - 1}: {layers(modules[f'backbone.E{i - 1}'])}" if unit else sized(shapes[i])
        c.box((at[i] + at[j]) / 2, low, 6.6 * len(words) + 2, 20, PLAIN, words, bold=False)
    how = "skip branches, added" if unit else "dashed: switches of 2 bits, from each pool to its unpooling"
    c.text(WIDTH / 2, middle + 42 + 24 * len(links), how)
    if unit:  # journal figure 5, right
        parts = (("1 × 1 conv", "reduce"), ("3 × 3 conv", "spatial"), ("1 × 1 conv", "expand"))
        boxes = [(ENCODER, words, sized(seen.given[f"{unit}.{part}"])) for words, part in parts]
        out = (DECODER, "added, ReLU", sized(seen.given[unit]))
        ends = c.chain(c.height - 30, [(PLAIN, "in", sized(seen.taken[unit])), *boxes, out])
        (first, *_, last), up = ends, c.height - 86
        c.arrow((first, up + 31), (first, up), (last, up), (last, up + 31))
        c.box(WIDTH / 2, up, 330, 22, PLAIN, f"a residual unit of {unit.split('.')[1]}, and its shortcut", bold=False)
    blocks = ", ".join(f"{name} {shape[1]} × {shape[2]} px" for (name, _), shape in zip(places, shapes, strict=True))
    return c.drawing(
        f"Encoder, encoding and decoder, channels × size: {blocks}; z joins with {seen.z[1]} channels; {how}."
    )


def layers(block: nn.Module) -> str:
    """Return what a block is made of: "3 units", "2 conv", "deconv"."""
    parts = list(block.modules())
    convs = [part for part in parts if isinstance(part, nn.Conv2d)]
    if any(isinstance(part, nn.ConvTranspose2d) for part in parts):
        return "deconv"
    if units := sum(isinstance(part, Unit) for part in parts):
        return f"{units} units"
    return f"{len(convs)} conv" if len(convs) > 1 else "{}×{}".format(*convs[0].kernel_size)


def branches(net: RedNet | EccvNet) -> Drawing:
    """Draw what reads each half of the encoding, layer by layer: f_trn and f_cls, and f_REG (journal 6, ECCV 5)."""
    seen, config = Shapes(net), net.config
    rows = []
    if net.f_trn is not None:
        means, hidden = net.f_trn.pooling == "average", seen.given["f_trn.lstm"][-1]
        down, up = (("average", "pool"), ("upsample",)) if means else (("max", "pool"), ("unpool", "switches"))
        conv = [(POSE, "conv 1 × 1", sized(seen.given["f_trn.squeeze"]))]
        boxes = [(POSE, seen.e_p, sized(seen.half)), *conv * isinstance(net.f_trn.squeeze, nn.Conv2d)]
        boxes += [(PLAIN, *down, str(seen.taken["f_trn.lstm"][-1])), (MEMORY, "LSTM", str(hidden))]
        boxes += [(PLAIN, *up, sized(seen.taken["f_trn.spread"]))]
        boxes += [(POSE, "conv 1 × 1", sized(seen.given["f_trn.spread"]))] * isinstance(net.f_trn.spread, nn.Conv2d)
        added = [f"+ {seen.e_p}"] * (net.f_trn.update == "residual")
        rows.append((seen.trn, [*boxes, (POSE, f"{seen.e_p} *", *added, sized(seen.half))]))
    if net.f_cls is not None:
        conv = [(IDENTITY, "conv 1 × 1", sized(seen.given["f_cls.squeeze"]))]
        boxes = [(IDENTITY, seen.e_i, sized(seen.half)), *conv * isinstance(net.f_cls.squeeze, nn.Conv2d)]
        boxes += [(PLAIN, "average", "pool", str(seen.taken["f_cls.dropout"][1]))]
        boxes += [(PLAIN, "dropout", f"{config.dropout:g}"), (IDENTITY, "linear", str(seen.given["f_cls.classify"][1]))]
        rows.append((seen.cls, boxes))
    if getattr(net, "f_reg", None) is not None:
        boxes = [(MAPS, "maps", *_lines(seen.maps[-1]))]
        for i in range(1, 6):
            more = seen.taken[f"f_reg.R{i}"][1] - (seen.given[f"f_reg.R{i - 1}"][1] if i > 1 else seen.maps[-1][1])
            boxes.append((ENCODER, f"R{i} conv", *_lines(seen.given[f"f_reg.R{i}"]), *[f"+ {more} in"] * bool(more)))
        boxes += [(PLAIN, "dropout", f"{config.dropout:g}"), (MAPS, "linear", str(seen.given["f_reg.locate"][1]))]
        rows.append(("f_REG", boxes))
    c = Canvas(116 * len(rows) + 4)
    for i, (name, boxes) in enumerate(rows):
        c.text(4, 116 * i + 16, name, SIZE, "start", bold=True)
        at = c.chain(116 * i + 70, boxes, high=80)
        if name == seen.trn:
            x = next(x for x, box in zip(at, boxes, strict=True) if box[1] == "LSTM")
            c.arrow((x + 20, 29), (x + 20, 14), (x - 20, 14), (x - 20, 29))
            c.text(x + 30, 16, "h, c: to the next frame", anchor="start")
    said = "; ".join(f"{name}: {', '.join(' '.join(box[1:]) for box in boxes)}" for name, boxes in rows)
    return c.drawing(f"What reads the two halves of the encoding, layer by layer. {said}.")


def _lines(shape: Sequence[int]) -> tuple[str, str]:
    return str(shape[1]), sized(shape[1:])


def feedbacks(labels: EccvNet, chances: EccvNet) -> Drawing:
    """Draw the two feedbacks of 2016: one channel of labels (Eq. 9), and the L + 1 probability maps of the demo."""
    c, said = Canvas(226), []
    for i, seen in enumerate((Shapes(labels), Shapes(chances))):
        if seen.net is labels:
            points, side = f"{labels.markup.n_points} points", f"{labels.config.sides[1]:g} px"
            way = [(PLAIN, "argmax", sized((1, 1, *seen.z[2:]))), (PLAIN, "centres", points), (PLAIN, "squares", side)]
        else:
            way = [(PLAIN, "softmax", sized(seen.maps[0]))]
        end = (MAPS, "z", sized(seen.z)), (ENCODER, "z and x", sized(seen.taken["encoder.0"]))
        boxes = [(MAPS, "maps", sized(seen.maps[0])), *way, *end]
        said.append(f"{seen.net.config.feedback}: {', '.join(' '.join(box[1:]) for box in boxes)}")
        c.text(4, 112 * i + 18, f"feedback {seen.net.config.feedback}".replace("_", " "), SIZE, "start", bold=True)
        c.chain(112 * i + 66, boxes, high=56)
    return c.drawing(f"From the maps of a step to the input of the next. {'; '.join(said)}.")


def overview() -> str:
    """Return the text of figures/architecture.svg: the whole network of the journal, VGG design."""
    head, line, rest = network(papers()).svg.partition("\n")
    return f"{head}{line}<!-- Made by python -m rednet_lab.show.architecture -->\n{rest}"


if __name__ == "__main__":
    write_text(FILE, overview())
