"""Measuring along a training: the error and the accuracy of facial parts on test pictures, at a few places.

Used where a claim is about the course of a training (figure 8's curves, batch norm's speed).
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from rednet_core import geometry, maps, metrics
from rednet_core.markup import MARKUPS
from rednet_core.training import TrainConfig
from rednet_lab.files import write_whole
from rednet_lab.show.trace import look
from rednet_lab.workbench.sources import evenly

EPOCHS, MANY = 8, 30  # places along a training; along a long one
LONG = 2000  # steps
PICTURES = 100
PARTS = {"left eye": (0, 1), "right eye": (2, 3), "nose": (4,), "mouth": (5, 6)}  # of the seven detection channels


def watched_on(lab, stage: str, count: int = PICTURES) -> tuple[object, np.ndarray]:
    """Return the data and the rows that a stage is watched on: test stills, or for clips frames of test videos.

    The paper's figure 8 is of stage 3 on videos; the curves on stills are an extra.
    """
    if stage == "clips":
        videos = lab.source.test_videos()
        return videos.data, evenly(videos.rows, count)
    test = lab.source.test_stills()
    return test.data, evenly(test.rows, count)


class Watcher:
    """A callback of the Trainer that writes into the training's folder at each place what it measures there.

    watched-<step>.csv is a table of one row, the means; watched-<step>.npy (M, 7) the accuracy of every face.
    """

    def __init__(self, lab, markup: str, stage: str, folder: Path, train: TrainConfig):
        data, self.rows = watched_on(lab, stage)
        self.data, self.markup, self.folder = lab.marked(data, markup), MARKUPS[markup], folder
        many = MANY if train.steps >= LONG else EPOCHS
        self.places = {max(1, round(train.steps * n / many)) for n in range(1, many + 1)}

    def __call__(self, run, record) -> None:
        """Measure where this step is one of the places."""
        if run.step in self.places:
            error, right = self.measure(run.net)
            means = {part: float(np.nanmean(right[:, list(which)])) for part, which in PARTS.items()}
            row = pd.DataFrame([{"step": run.step, "error": error, **means}])
            path = self.folder / f"watched-{run.step:07d}.npy"
            write_whole(path, lambda part: _save(part, right))
            write_whole(path.with_suffix(".csv"), lambda part: row.to_csv(part, index=False, lineterminator="\n"))

    def measure(self, net) -> tuple[float, np.ndarray]:
        """Return the mean error (%), and the disc accuracy (M, 7) of the first detection step, on the chosen stills."""
        net.eval()
        seen, inside = look(net, self.data, self.rows)
        seven, config, mask = list(self.markup.seven), net.config, np.array(self.data.table["mask"][self.rows])
        inside = geometry.rescale(torch.from_numpy(inside), config.input_size, config.map_size)
        discs = maps.draw_discs(inside[:, seven], config.map_size, config.map_radius).numpy()
        response = seen.prediction.maps[0].sigmoid().cpu().numpy()
        error = metrics.nme(seen.points, np.array(self.data.table["points"][self.rows]), self.markup, mask)
        return float(error.mean()), metrics.disc_accuracy(response, discs, mask[:, seven]).astype(np.float32)


def _save(path: Path, array: np.ndarray) -> None:
    with open(path, "wb") as file:  # np.save adds an ending to a name that has another
        np.save(file, array)


def read_watched(folder: Path) -> pd.DataFrame:
    """What a Watcher wrote, a row for each place. Raise FileNotFoundError for a training that was not watched."""
    found = sorted(folder.glob("watched-*.csv"))
    if not found:
        raise FileNotFoundError(f"{folder}: this training was not watched (Variant.watch)")
    return pd.concat([pd.read_csv(path) for path in found], ignore_index=True)


def read_watched_faces(folder: Path) -> np.ndarray:
    """Return the disc accuracies (places, M, 7) that a Watcher wrote. Raise FileNotFoundError where it wrote none."""
    found = sorted(folder.glob("watched-*.npy"))
    if not found:
        raise FileNotFoundError(f"{folder}: holds no accuracy by face (Variant.watch); remove it to train it again")
    return np.stack([np.load(path, allow_pickle=False) for path in found])
