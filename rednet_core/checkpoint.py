"""Checkpoints: everything a run needs to go on, written atomically, read without running anybody's code."""

import os
import uuid
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from rednet_core.network import RecurrentNet
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
    """Return the content of a checkpoint; raise CheckpointError where the file is missing, foreign or damaged."""
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


def config_from_plain(plain: dict, kind: type = NetConfig) -> Any:
    """Return a NetConfig (or another kind) from plain values, lists as tuples; raise CheckpointError."""
    try:
        return kind(**{k: tuple(v) if isinstance(v, list | tuple) else v for k, v in plain.items()})
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"network configuration not understood: {error}") from error


def save_net(path: Path | str, net: RecurrentNet, **facts) -> None:
    """Write a trained network alone (configuration, weights, mean shape) with plain `facts` about it."""
    write(path, {"config": asdict(net.config), "net": net.state_dict(), "facts": facts})


def load_net(path: Path | str, device: torch.device | str = "cpu", network: type[RecurrentNet] = RedNet) -> Any:
    """Return the network of a file written by `save_net` or a training run, in evaluation mode; network: its class."""
    content = read(path, device)
    try:
        net = network(config_from_plain(content["config"], network.Config)).to(device)
        net.load_state_dict(content["net"])
    except (KeyError, RuntimeError, CheckpointError) as error:
        raise CheckpointError(f"{path}: holds no network, or weights that do not fit ({error})") from error
    return net.eval()


def grow(net: RecurrentNet, fresh: tuple[str, ...] = (), **changes) -> Any:
    """Return a new network with some choices changed (f_cls or f_trn added, other N) and all weights that fit copied.

    Weights whose names begin with one of `fresh` start anew even where they would fit. Where the number of steps
    changes, batch-norm statistics by step do not fit and start anew too; a warning says so.
    """
    grown = type(net)(replace(net.config, **changes)).to(net.mean_shape.device)
    own, old = grown.state_dict(), net.state_dict()
    kept = [name for name in own if name in old and old[name].shape == own[name].shape and not name.startswith(fresh)]
    reset = sum(name.endswith("running_mean") and name in old and name not in kept for name in own)
    if reset:
        warnings.warn(f"grow: batch-norm statistics of {reset} layers start anew, train before use", stacklevel=2)
    grown.load_state_dict({**own, **{name: old[name] for name in kept}})
    return grown
