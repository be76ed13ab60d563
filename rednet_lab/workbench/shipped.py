"""The networks that come with the course: how they are trained, and how they are opened.

    python -m rednet_lab.workbench.shipped world                  # rendered faces alone; hours on two cores, resumable
    python -m rednet_lab.workbench.shipped faces --data FOLDER    # goes on from world: YouTube Faces (Udacity layout)
    python -m rednet_lab.workbench.shipped stills --data FOLDER   # from world, too: Helen and LFPW, prepared
    python -m rednet_lab.workbench.shipped NAME [--data FOLDER] --measure [STORE ...]    # the card's figures anew

A recipe is made for boxes as a tracker or a detector gives them, not for annotated ones: half of the batches have
boxes that are off by up to a fifth in place and size; low resolution and noise come on top. A trained network becomes
rednet_lab/weights/NAME.safetensors (float16) with a card beside it, NAME.json: data, terms, figures, versions, code.
`stills` only measures what real stills with manual points bring: its data's terms do not let it ship.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from data_prep.errors import DataError
from data_prep.face_world import FaceWorld
from data_prep.joined import Joined
from data_prep.readers.face_world import HELD_OUT, FaceWorldStills
from data_prep.readers.udacity import UdacityFaces
from data_prep.store import Store
from rednet_core import checkpoint, geometry, metrics, stages
from rednet_core.augment import Augmentation
from rednet_core.batches import Batch, Stills
from rednet_core.inputs import Inputs, still_inputs
from rednet_core.rednet import NetConfig, RedNet
from rednet_core.tracking import Tracker
from rednet_core.training import TrainConfig, Trainer
from rednet_lab.evaluation import COMMON_YAW, floor_of, own_boxes, predict_stills, score
from rednet_lab.files import read_json, write_json, write_whole
from rednet_lab.names import ROOT
from rednet_lab.progress import Progress
from rednet_lab.stamp import module_hash, versions
from rednet_lab.workbench.profiles import SHORT
from rednet_lab.workbench.sources import stored
from rednet_lab.workbench.stages import suited

READS = ("rednet_lab/weights/*.json",)  # the cards: other weights, another card
WEIGHTS = ("world", "faces")  # world: free of any data set's terms, the default
PLACE = Path(__file__).resolve().parents[1] / "weights"
TERMS = {
    "world": "trained on rendered faces alone; no data set's terms apply",
    "faces": "rendered faces, then YouTube Faces points in the Udacity layout (MIT licence of that repository)",
    "stills": "rendered faces, then Helen and LFPW: for research alone, not to be passed on",
}
LIMITS = {
    "world": "its points follow another habit than annotators' (jaw and brows most)",
    "faces": "its real faces are persons on television, few turned or covered; worse than world on rendered ones",
    "stills": "its real faces are few",
}
ALIKE = "no f_cls, no f_trn; a face turned beyond 60 degrees, or a turned face in a box 20 % off, is often missed"
SIZE, MARGIN = 176, 1.8  # pixels of a stored crop; its side in face boxes
NARROW = Augmentation(scale=0.1, turn=20.0, shift=0.05, contrast=0.25, brightness=0.12)
WIDE = Augmentation(scale=0.25, turn=30.0, shift=0.22, contrast=0.4, brightness=0.2)


@dataclass(frozen=True)
class Recipe:
    """One training: the network, the data, and how long."""

    net: NetConfig
    train: TrainConfig
    batch: int = 16
    begins: str = ""  # the recipe whose network this one starts from


NET = NetConfig(input_size=96, width=0.5, encoder_convs=(1,) * 5, decoder_convs=(1,) * 4, sigma=5.0)
RECIPES = {
    "world": Recipe(NET, TrainConfig(10_000, "adamw", 8e-3, **SHORT)),
    "faces": Recipe(NET, TrainConfig(18_000, "adamw", 4e-3, **SHORT), begins="world"),
    "stills": Recipe(NET, TrainConfig(6_000, "adamw", 4e-3, **SHORT), begins="world"),
}


def suited_recipe(name: str) -> Recipe:
    """Return a recipe as this machine trains it: in float32 where its processor has no bfloat16."""
    recipe = RECIPES[name]
    return replace(recipe, train=suited(recipe.train, torch.device("cpu")))


def worsened(x: Tensor, generator: torch.Generator) -> Tensor:
    """Return pictures (N, 3, n, n) in [0, 1], each with some of: fewer pixels, other colours, a cover, noise."""
    n, size = len(x), x.shape[-1]
    draw, of_colour = torch.rand(n, 11, generator=generator), torch.rand(n, 3, generator=generator)
    noise = torch.randn(x.shape, generator=generator).to(x)
    draw, of_colour = draw.to(x), of_colour.to(x)

    def chance(which: int, share: float) -> Tensor:
        return (draw[:, which] < share).view(n, 1, 1, 1)

    for which, share, factor in ((0, 0.2, 2), (1, 0.08, 3)):
        small = F.interpolate(x, size=size // factor, mode="area")
        x = torch.where(chance(which, share), F.interpolate(small, size=size, mode="bilinear", align_corners=False), x)
    x = torch.where(chance(2, 0.15), x.mean(1, keepdim=True), x)  # grey
    gains = 1 + 0.3 * (of_colour - 0.5)
    gamma = torch.exp((draw[:, 3] - 0.5) * 1.2)
    coloured = (x * gains[:, :, None, None]).clamp(1e-4, 1) ** gamma.view(n, 1, 1, 1)
    x = torch.where(chance(10, 0.6), coloured, x)
    along = torch.arange(size, device=x.device) / size  # a cover: a rectangle of one colour, with noise
    half = 0.05 + 0.17 * draw[:, 4:6]
    inside = ((along - draw[:, 6:8, None]).abs() < half[:, :, None]) & (draw[:, 8, None, None] < 0.3)
    cover = (inside[:, 0, :, None] & inside[:, 1, None, :])[:, None]
    x = torch.where(cover, (of_colour[:, :, None, None] + 0.1 * noise).clamp(0, 1), x)
    strength = 0.06 * ((draw[:, 9] - 0.6).clamp(min=0) / 0.4).view(n, 1, 1, 1)
    return (x + strength * noise).clamp(0, 1)


def hard_inputs(batch: Batch, net: RedNet, generator: torch.Generator) -> Inputs:
    """Return still inputs with a narrow or, every other time, a wide error of the box, and worse pictures."""
    wide = float(torch.rand((), generator=generator)) < 0.5
    inputs = still_inputs(batch, net, generator, WIDE if wide else NARROW)
    return replace(inputs, x=worsened(inputs.x, generator))


def reader_of(name: str, data: str):
    """Return the reader of a recipe's training faces."""
    return UdacityFaces(data) if name == "faces" else FaceWorldStills(0, 8000, 300, 300, size=200)


def faces_of(name: str, data: str) -> Store | Joined:
    """Return the prepared faces of a recipe; those of `stills` are a folder of stores, from `python -m data_prep`."""
    return Joined(Path(data)) if name == "stills" else stored(f"shipped-{name}", reader_of(name, data), SIZE, MARGIN)


def train(name: str, store: Store, folder: Path, begin: RedNet | None = None) -> RedNet:
    """Return the network of a recipe, trained in `folder`, where a killed run goes on."""
    recipe = suited_recipe(name)
    stills = Stills(store, store.rows("train"), recipe.batch, recipe.train.seed)
    net = stages.new_network(recipe.net, store, stills.rows, recipe.train.seed) if begin is None else begin
    with Progress(name) as progress:

        def show(run: Trainer, record) -> None:
            progress(record.step + 1, run.config.steps, f"l_d {record.detection:.3f}  l_r {record.regression:.4f}")
            if record.step % 500 == 499:
                print(name, record.step + 1, f"{record.detection:.4f} {record.regression:.5f}", flush=True)

        run = Trainer(net, recipe.train, stills.batch, hard_inputs, folder / f"{name}.run.pt", (show,))
        run.run()
    checkpoint.save_net(folder / f"{name}.pt", run.net, recipe=asdict(recipe.train))
    return run.net


def box_errors(net: RedNet, data, rows: np.ndarray, off: float, seed: int = 0) -> np.ndarray:
    """Return the NME (M,) of stills whose boxes are off by up to `off` in place and size, uniformly."""
    random, boxes = np.random.default_rng(seed), own_boxes(data, rows, net.markup)
    boxes[:, :2] += random.uniform(-off, off, (len(rows), 2)) * boxes[:, 2:]
    boxes[:, 2] *= 1 + random.uniform(-off, off, len(rows))
    found = predict_stills(net, data, rows, boxes=boxes)
    return metrics.nme(found.points, found.truth, net.markup, found.mask)


def figures_of(net: RedNet, store, more: dict[str, np.ndarray] | None = None) -> dict:
    """Return the card's figures on a store's test faces: NME and failures by error of the box and group of faces.

    NME is the papers', by the outer eye corners; "NME, floored" ours (`metrics.interocular`). more: masks of the faces,
    groups besides those of yaw.
    """
    out, rows = {}, store.rows("test")
    table = store.table[rows]
    yaw, floor = np.abs(table["yaw"]), floor_of(np.array(table["points"]), net.markup, np.array(table["mask"]))
    groups = {"all": np.ones(len(rows), bool), "yaw to 30": yaw < COMMON_YAW, "yaw beyond 30": yaw >= COMMON_YAW}
    groups |= more or {}
    for off in (0.0, 0.1, 0.2):
        each = box_errors(net, store, rows, off)
        out[f"box off by {off:.0%}"] = here = {}
        for group, keep in groups.items():
            if keep.any():
                one, ours = score(each[keep]), score((each * floor)[keep])
                here[group] = {"faces": one.count, "NME": round(one.mean, 3), "failures": round(one.failure, 2)}
                here[group]["NME, floored"] = round(ours.mean, 3)
    return out


def on_face_world(net: RedNet) -> dict:
    """Return the figures on the test stills of the face world, by thirds of their skin tones, too."""
    reader = reader_of("world", "")
    store = stored("shipped-world", reader, SIZE, MARGIN, first=reader.train + reader.validation)
    first = HELD_OUT + reader.validation
    skin = np.array([FaceWorld(reader.seed, 16).still(first + n).factors.skin for n in range(reader.test)])
    third = np.searchsorted(np.quantile(skin, (1 / 3, 2 / 3)), skin)
    return figures_of(net, store, {f"{name} skin": third == k for k, name in enumerate(("dark", "medium", "light"))})


def card_figures(name: str, net: RedNet, data: str, stores: list[Path]) -> dict:
    """Return what a card says of errors: on the face world, on the recipe's own data, on the stores of real faces."""
    real = {f"{path.name}, test part": figures_of(net, Store(path)) for path in stores}
    if name != "world":
        real = {"its own data, persons never trained on": figures_of(net, faces_of(name, data))} | real
    return {"face world": on_face_world(net), "check": round(check_figure(net), 4), "real faces": real}


def check_figure(net: RedNet, faces: int = 24) -> float:
    """Return the NME of the face world's first test faces in their own boxes: a test compares it with the card."""
    reader, each = reader_of("world", ""), []
    tracker = Tracker(net)
    for number in range(len(reader) - reader.test, len(reader) - reader.test + faces):
        item = reader[number]
        tracker.start(geometry.face_box(item.points[None].astype(np.float32), net.markup)[0])
        found = tracker.update(item.image).points
        each.append(metrics.nme(found, item.points[None], net.markup, item.mask[None])[0])
    return float(np.mean(each))


def export(name: str, net: RedNet, folder: Path, card: dict) -> Path:
    """Write a network as NAME.safetensors in float16, with its card; return the weights' path."""
    tensors = {key: value.contiguous().cpu() for key, value in net.state_dict().items()}
    tensors = {key: v.half() if v.is_floating_point() else v for key, v in tensors.items()}
    told = {"config": json.dumps(asdict(net.config)), "name": name}
    path = folder / f"{name}.safetensors"
    write_whole(path, lambda part: part.write_bytes(save(tensors, told)))
    write_json(folder / f"{name}.json", card)
    return path


def open_weights(name: str = "") -> RedNet:
    """Return a shipped network by its name ("" is the first that is there), or one of a .safetensors or .pt file.

    Raise DataError, naming the file and the fix, where it is missing or damaged.
    """
    path = Path(name).expanduser()
    if name in ("", *WEIGHTS):
        there = [PLACE / f"{one}.safetensors" for one in ([name] if name else WEIGHTS)]
        path = next((one for one in there if one.is_file()), there[0])
    if not path.is_file():
        fix = f"{', '.join(WEIGHTS)}, or a file that training left"
        raise DataError("no such weights", path=path, field="weights", fix=fix)
    if path.suffix == ".pt":
        return checkpoint.load_net(path)
    try:
        with safe_open(path, "pt") as file:
            config = checkpoint.config_from_plain(json.loads(file.metadata()["config"]))
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dictionary
        net = RedNet(config)
        net.load_state_dict({key: v.float() if v.is_floating_point() else v for key, v in state.items()})
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, checkpoint.CheckpointError) as error:
        fix = "fetch it again, or train it: python -m rednet_lab.workbench.shipped"
        raise DataError(f"damaged or of another version ({error})", path=path, field="weights", fix=fix) from None
    return net.eval()


def main() -> None:
    """Train one of the recipes, or measure its weights anew; print its errors, and write weights and card."""
    parser = argparse.ArgumentParser(prog="python -m rednet_lab.workbench.shipped", description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--data", default="", help="folder of YouTube Faces (Udacity layout), or of stores")
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "shipped", help="where a killed run goes on")
    parser.add_argument("--to", type=Path, help="where the weights go, if not to those that ship")
    parser.add_argument("--measure", nargs="*", type=Path, metavar="STORE", help="measure these weights anew")
    given = parser.parse_args()
    torch.set_num_threads(1)  # hours beside other work: a second thread would wait for it at every layer
    to = given.to or (PLACE if given.name in WEIGHTS else given.folder)
    if given.measure is not None:
        path = to / f"{given.name}.json"
        found = card_figures(given.name, open_weights(str(path.with_suffix(".safetensors"))), given.data, given.measure)
        return write_json(path, read_json(path) | {"versions": versions()} | found)
    begin = open_weights(begins) if (begins := RECIPES[given.name].begins) else None
    began = time.perf_counter()
    store = faces_of(given.name, given.data)
    net = train(given.name, store, given.folder, begin)
    card = {
        "name": given.name,
        "terms": TERMS[given.name],
        "data": store.fingerprint,
        "recipe": asdict(suited_recipe(given.name)),
        "stages": "stage 1 (stills, f_srn alone)",
        "seconds": round(time.perf_counter() - began),
        "versions": versions(),
        "code": module_hash("rednet_lab.workbench.shipped"),
        "limits": f"{LIMITS[given.name]}; {ALIKE}",
    } | card_figures(given.name, net, given.data, [])
    print(json.dumps(card["real faces"] or card["face world"], indent=1))
    print(export(given.name, net, to, card))


if __name__ == "__main__":
    main()
