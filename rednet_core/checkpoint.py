"""Checkpoints: everything a run needs to go on, written atomically, read without running anybody's code."""

import os
import uuid
from dataclasses import asdict, replace
from pathlib import Path

import torch

from rednet_core.rednet import NetConfig, RedNet

FORMAT = 1


class CheckpointError(Exception):
    """A checkpoint that cannot be used: names the file and what is wrong with it."""


def write(path: Path | str, content: dict) -> None:
    """Write `content` (tensors and plain values) so that `path` is either the old file or the whole new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with open(part, "wb") as file:
            torch.save({"format": FORMAT, **content}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path | str, device: torch.device | str = "cpu") -> dict:
    """The content of a checkpoint; raises CheckpointError where the file is missing, foreign or damaged."""
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such checkpoint") from None
    except Exception as error:  # torch.load raises many kinds for a damaged file; all mean the same here
        # Its text is left out: it advises to load the file without the check that refused it.
        kind = type(error).__name__
        raise CheckpointError(f"{path}: not a readable checkpoint ({kind}); remove it and train again") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path}: not a checkpoint of this version (format {FORMAT})")
    return content


def config_to_plain(config: NetConfig) -> dict:
    """A NetConfig as plain values."""
    return asdict(config)


def config_from_plain(plain: dict, kind: type = NetConfig) -> NetConfig:
    """A NetConfig (or another kind) from plain values, lists as tuples; raises CheckpointError on unknown fields."""
    try:
        return kind(**{k: tuple(v) if isinstance(v, list | tuple) else v for k, v in plain.items()})
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"network configuration not understood: {error}") from error


def save_net(path: Path | str, net: RedNet, **facts) -> None:
    """Write a trained network alone (configuration, weights, mean shape) with plain `facts` about it."""
    write(path, {"config": config_to_plain(net.config), "net": net.state_dict(), "facts": facts})


def load_net(path: Path | str, device: torch.device | str = "cpu", network: type = RedNet) -> RedNet:
    """The network of a file written by `save_net` or by a training run, in evaluation mode; network: its class."""
    content = read(path, device)
    try:
        net = network(config_from_plain(content["config"], network.Config)).to(device)
        net.load_state_dict(content["net"])
    except KeyError as error:
        raise CheckpointError(f"{path}: holds no network ({error} is missing)") from error
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except RuntimeError as error:
        raise CheckpointError(f"{path}: weights do not fit the configuration beside them ({error})") from error
    return net.eval()


def grow(net: RedNet, fresh: tuple[str, ...] = (), **changes) -> RedNet:
    """A new network with some choices changed (f_cls or f_trn added, other N) and all weights that fit copied.

    Weights whose names begin with one of `fresh` start anew even where they would fit.
    """
    grown = type(net)(replace(net.config, **changes)).to(net.mean_shape.device)
    own, old = grown.state_dict(), net.state_dict()
    kept = [name for name in own if name in old and old[name].shape == own[name].shape and not name.startswith(fresh)]
    grown.load_state_dict({**own, **{name: old[name] for name in kept}})
    return grown
