"""ImageNet weights for the encoders: checkpoints in torchvision's format into A0..A4, C0..C4, or the ECCV encoder.

A weight goes where its name and shape say. Nothing is written before everything was checked, so a wrong file leaves
the network as it was. torchvision itself is not needed, and nothing is downloaded unless `download` is called.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from rednet_core.checkpoint import CheckpointError
from rednet_core.network import MEAN_PIXEL, PIXEL_SPREAD
from rednet_core.vgg import ENCODER_CONVS

MODELS = "https://download.pytorch.org/models/"
FILES = {  # the end of each name is the beginning of the file's SHA-256, which torch.hub checks
    "vgg16": "vgg16-397923af.pth",
    "vgg16_bn": "vgg16_bn-6c64b313.pth",
    "resnet50": "resnet50-0676ba61.pth",
    "resnet101": "resnet101-63fe2227.pth",
    "resnet152": "resnet152-394f9c45.pth",
}
IMAGENET_MEAN, IMAGENET_SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # what these weights were trained with
FEEDBACK = ("zeros", "gaussian")


@dataclass
class LoadedWeights:
    """What became of a file: tensors of the network that were loaded, of the file skipped, of the network left new."""

    source: str
    loaded: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{self.source}: {len(self.loaded)} tensors loaded"]
        for name, names in (("skipped", self.skipped), ("newly made", self.new)):
            groups = sorted({".".join(n.split(".")[:2]) for n in names})
            parts.append(f"{len(names)} {name}" + (f" ({', '.join(groups)})" if groups else ""))
        return "; ".join(parts)


def load(net: nn.Module, path: Path | str, feedback: str = "zeros") -> LoadedWeights:
    """Load a checkpoint file of VGG-16 (plain or with batch norm) or ResNet-50, 101 or 152 into net's encoder.

    feedback says how the weights begin that meet z, which ImageNet's networks have not: "zeros", so that the loaded
    features are not disturbed, or "gaussian", as the network was made. Raise CheckpointError for a wrong file.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except Exception as error:  # torch.load raises many kinds for a damaged file; all mean the same here
        raise CheckpointError(f"{path}: not a readable file of weights ({type(error).__name__})") from error
    return put(net, content, str(path), feedback)


def download(net: nn.Module, name: str, feedback: str = "zeros") -> LoadedWeights:
    """Fetch one of FILES from PyTorch's server (or torch.hub's cache), check its hash, and load it as `load` does."""
    if name not in FILES:
        raise ValueError(f"pretrained weights {name!r}, known: {', '.join(FILES)}")
    url = MODELS + FILES[name]
    content = torch.hub.load_state_dict_from_url(url, map_location="cpu", check_hash=True, weights_only=True)
    return put(net, content, name, feedback)


def put(net: nn.Module, content: dict[str, Tensor], source: str, feedback: str = "zeros") -> LoadedWeights:
    """Put a state_dict in torchvision's format into net's encoder; `load` and `download` end here."""
    if feedback not in FEEDBACK:
        raise ValueError(f"feedback {feedback!r}, known: {', '.join(FEEDBACK)}")
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise CheckpointError(f"{source}: holds no weights by name (a state_dict)")
    own, report = net.state_dict(), LoadedWeights(source)
    parts = {"": net, **{f"cascade.{k}.": part for k, part in enumerate(getattr(net, "cascade", ()))}}
    made = {f"{at}{name}": v for at, part in parts.items() for name, v in _values(part, content, report, feedback)}
    with torch.no_grad():
        for name, value in made.items():
            own[name].copy_(value)
    report.loaded = list(made)
    report.new = [name for name in own if name not in made and not name.endswith("mean_shape")]
    return report


def _values(
    net: nn.Module, content: dict[str, Tensor], report: LoadedWeights, feedback: str
) -> Iterable[tuple[str, Tensor]]:
    """Return the names of one encoder's tensors and what the file has for them; the report learns what is left over."""
    source = report.source
    rename, first = _naming(net, content, source)
    own, made, skipped = net.state_dict(), {}, []  # type: dict[str, Tensor], dict[str, Tensor], list[str]
    for name, value in content.items():
        target = rename(name)
        if target not in own:
            skipped.append(name)
            continue
        if not value.isfinite().all():
            raise CheckpointError(f"{source}: {name} holds numbers that are not finite")
        fitted = _fitted(value, own[target], feedback)
        if fitted is None:
            shapes = f"{tuple(value.shape)} there, {tuple(own[target].shape)} here"
            raise CheckpointError(f"{source}: {name} does not fit {target} ({shapes}); is it this network, at width 1?")
        made[target] = fitted
    if f"{first}.conv.weight" not in made:
        raise CheckpointError(f"{source}: has no first convolution")
    _take_bias(made, content, rename)
    _recolour(made, first)
    report.skipped = skipped  # the same for every encoder of a cascade
    return made.items()


def _fitted(value: Tensor, own: Tensor, feedback: str) -> Tensor | None:
    """The file's value in the shape of the network's, or None: one set of statistics for all steps, z's inputs."""
    if own.ndim == 2 and value.ndim == 1 and own.shape[1:] == value.shape:  # running statistics (steps, C)
        return value.expand_as(own)
    if own.ndim != value.ndim or own.shape[:1] != value.shape[:1] or own.shape[2:] != value.shape[2:]:
        return None
    if own.ndim == 4 and own.shape[1] > value.shape[1]:  # the layer where z joins; z comes behind
        rest = own[:, value.shape[1] :].cpu()
        return torch.cat([value, rest if feedback == "gaussian" else torch.zeros_like(rest)], 1)
    return value if own.shape == value.shape else None


def _take_bias(made: dict[str, Tensor], content: dict[str, Tensor], rename: Callable[[str], str | None]) -> None:
    """Put a convolution's own bias (VGG's have one, this project's have none) into the running mean behind it.

    Where the file has no running mean, batch norm begins anew and takes any constant away.
    """
    for name, bias in content.items():
        layer = name.removesuffix(".bias")
        if layer == name or content[f"{layer}.weight"].ndim != 4:
            continue
        statistics = (rename(f"{layer}.weight") or "").replace(".conv.weight", ".norm.running_mean")
        if statistics in made:
            made[statistics] = made[statistics] - bias


def _recolour(made: dict[str, Tensor], first: str) -> None:
    """Make the first layer see this project's pixels (one mean, one spread) as its own (three of each).

    The spread goes into the weights, exactly; the mean is a constant for each filter, which batch norm's running
    mean (or the bias, without batch norm) takes up, exactly but for the picture's border.
    """
    weight = made[f"{first}.conv.weight"].clone()
    mean, spread = (torch.tensor(v)[:, None, None] for v in (IMAGENET_MEAN, IMAGENET_SPREAD))
    colours = weight[:, :3]
    offset = (colours * (MEAN_PIXEL - mean) / spread).sum((1, 2, 3))
    weight[:, :3] = colours * PIXEL_SPREAD / spread
    made[f"{first}.conv.weight"] = weight
    for name, sign in ((f"{first}.norm.running_mean", -1), (f"{first}.norm.bias", 1)):
        if name in made:
            made[name] = made[name] + sign * offset
            return


def _naming(net: nn.Module, content: dict, source: str) -> tuple[Callable[[str], str | None], str]:
    """How a file's names translate into net's, and the name of net's first layer; raises for the other family."""
    design = getattr(net.config, "design", "vgg")  # the ECCV network's encoder is VGG-16 too
    vgg, resnet = "features.0.weight" in content, "layer1.0.conv1.weight" in content
    if not (vgg if design == "vgg" else resnet):
        found = "a VGG" if vgg else "a ResNet" if resnet else "neither VGG nor ResNet"
        raise CheckpointError(f"{source}: holds {found}; this network's encoder is of the {design} design")
    if design == "resnet":
        return _resnet_name, "backbone.C0"
    blocks = [f"backbone.A{i}" if hasattr(net, "backbone") else f"encoder.{i}" for i in range(5)]
    normed = getattr(net.config, "batch_norm", True)  # without, an unnormalised file fits: its biases, too
    names = [f"{block}.convs.{j}" for block, count in zip(blocks, ENCODER_CONVS, strict=True) for j in range(count)]
    places = [int(m[1]) for m in (re.fullmatch(r"features\.(\d+)\.weight", n) for n in content) if m]
    places = sorted(p for p in places if content[f"features.{p}.weight"].ndim == 4)
    if len(places) != len(names):
        raise CheckpointError(f"{source}: has {len(places)} convolutions, VGG-16 has {len(names)}")
    table = {}
    for place, name in zip(places, names, strict=True):
        table[f"features.{place}.weight"] = f"{name}.conv.weight"
        of_norm = f"features.{place + 1}.running_mean" in content  # the file is of vgg16_bn
        if not normed and not of_norm:
            table[f"features.{place}.bias"] = f"{name}.norm.bias"
        elif normed and of_norm:
            for kind in ("weight", "bias", "running_mean", "running_var"):
                table[f"features.{place + 1}.{kind}"] = f"{name}.norm.{kind}"
    return table.get, f"{blocks[0]}.convs.0"


def _resnet_name(name: str) -> str | None:
    """layer2.0.bn3.weight to backbone.C2.units.0.expand.norm.weight, and so on; None where there is no counterpart."""
    parts = {"conv1": "reduce.conv", "conv2": "spatial.conv", "conv3": "expand.conv", "downsample.0": "shortcut.conv"}
    parts |= {"bn1": "reduce.norm", "bn2": "spatial.norm", "bn3": "expand.norm", "downsample.1": "shortcut.norm"}
    unit = re.fullmatch(r"layer(\d)\.(\d+)\.(conv\d|bn\d|downsample\.\d)\.(\w+)", name)
    if unit:
        return f"backbone.C{unit[1]}.units.{unit[2]}.{parts.get(unit[3])}.{unit[4]}"
    stem = re.fullmatch(r"(conv1|bn1)\.(\w+)", name)
    return stem and f"backbone.C0.{'conv' if stem[1] == 'conv1' else 'norm'}.{stem[2]}"
