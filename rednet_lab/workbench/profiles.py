"""The profiles: how big the network, the data and the training are, and how persons are dealt out.

smoke  seconds a notebook, to see that everything runs; its figures mean nothing
quick  a two-core laptop in the time of a coffee; what the recipe was chosen for is told in notebook 50
bench  what the ablations are judged by: hours on a laptop, in sittings (`rednet_lab.experiments.trial`)
gpu    an hour on a card with 16 GB: half the papers' width and picture size, their depth
full   the papers' sizes, for a GPU and for real data
"""

from dataclasses import dataclass, replace

from data_prep.tracker_error import TrackerError
from rednet_core.augment import Augmentation
from rednet_core.eccv import RATIO, EccvConfig
from rednet_core.rednet import NetConfig
from rednet_core.training import TrainConfig


@dataclass(frozen=True)
class Plateau:
    """The rate by validation (journal 5.1): times `factor` when the error has not fallen for `patience` epochs."""

    patience: int = 3
    factor: float = 0.1
    floor: float = 1e-3  # of the first rate: it falls no lower
    pictures: int = 500  # of the validation stills, evenly drawn


@dataclass(frozen=True)
class Plan:
    """One stage: batches of `batch` pictures (or clips of `frames` frames) for `steps` batches or `epochs`."""

    train: TrainConfig
    batch: int
    frames: int = 1
    epochs: float = 0.0  # where set, decides the number of steps; the papers count in epochs
    variations: int = 1  # of each picture in an epoch; ten in the papers (ECCV 5.1)
    each: int | None = None  # random clips of every video; 100 in the papers (5.1), None: all there are
    plateau: Plateau | None = None  # on top of the schedule

    def config(self, pictures: int, seed: int) -> TrainConfig:
        """Return the stage's TrainConfig for so many training pictures (or clips)."""
        per_epoch = self.variations * pictures / self.batch
        steps = round(self.epochs * per_epoch) if self.epochs else self.train.steps
        return replace(self.train, steps=steps, steps_per_epoch=per_epoch, seed=seed)


@dataclass(frozen=True)
class Profile:
    """Sizes of one profile. Counts of pictures are those of the face world; real data has what it has."""

    name: str
    net: NetConfig
    store_size: int  # pixels of a stored crop, which shows 1.5 face boxes
    frame_size: int  # pixels of a stored video frame of the face world
    stills: tuple[int, int, int]  # train, validation, test
    people: tuple[int, int]  # persons, pictures of each
    videos: tuple[int, int, int, int]  # train, frames of each, test, frames of each
    augmentation: Augmentation
    clip_error: TrackerError  # of boxes and guesses in clips; the papers have none
    stage1: Plan
    stage2: Plan
    stage3: Plan
    demo: Plan  # the small trainings inside notebooks: the tour, and the batch-norm experiment
    eccv: EccvConfig  # the ECCV 2016 network, and its short training inside notebooks
    eccv_demo: Plan
    update: str = "replace"  # f_trn's update of e_p
    hidden: int = 256  # its LSTM units
    identity_units: int = 256
    imagenet: bool = False  # encoders begin with ImageNet's weights, from a file: see `stages.imagenet_file`
    eccv_augmentation: Augmentation | None = None  # where the ECCV network's is another
    folds: int = 0  # real persons are dealt into so many parts; the seed says which is tested (0: the reader's split)
    covers: bool = False  # something covers 30 to 100 % of the face for some frames of every video of the face world


SMOKE = Profile(
    name="smoke",
    net=NetConfig(input_size=32, width=0.125, encoder_convs=(1,) * 5, decoder_convs=(1,) * 4, sigma=8.0),
    store_size=48,
    frame_size=64,
    stills=(48, 8, 16),
    people=(6, 5),
    videos=(6, 6, 4, 6),
    augmentation=Augmentation(),
    clip_error=TrackerError("jitter"),
    stage1=Plan(TrainConfig(8, "adamw", 6e-3, schedule="one_cycle", weight_decay=0.01), 8),
    stage2=Plan(TrainConfig(4, "adamw", 2e-3, schedule="one_cycle", weight_decay=0.01), 8),
    stage3=Plan(TrainConfig(4, "adamw", 2e-3, schedule="one_cycle", weight_decay=0.01), 2, frames=4),
    demo=Plan(TrainConfig(6, "adamw", 6e-3, schedule="one_cycle", weight_decay=0.01), 8),
    eccv=EccvConfig(32, 0.125, (1,) * 5, "seven", steps=(28, 20, 12)),
    eccv_demo=Plan(TrainConfig(6, "adamw", 6e-3, schedule="one_cycle", weight_decay=0.01, ratio=RATIO), 8),
    hidden=16,
    identity_units=16,
)

# A short training: in bfloat16 where the device has units for it (`stages.suited`), in float32 anywhere else.
SHORT = {"schedule": "one_cycle", "weight_decay": 0.01, "precision": "bfloat16"}
QUICK = Profile(
    name="quick",
    net=NetConfig(input_size=64, width=0.375, encoder_convs=(1,) * 5, decoder_convs=(1,) * 4, sigma=6.0),
    store_size=96,
    frame_size=128,
    stills=(4000, 200, 400),
    people=(60, 20),
    videos=(400, 10, 24, 40),
    augmentation=Augmentation(contrast=0.2, brightness=0.1),
    clip_error=TrackerError("jitter"),
    stage1=Plan(TrainConfig(1800, "adamw", 8e-3, **SHORT), 16),
    stage2=Plan(TrainConfig(1000, "adamw", 3e-3, **SHORT), 16),
    stage3=Plan(TrainConfig(400, "adamw", 2e-3, **SHORT), 4, frames=10),
    demo=Plan(TrainConfig(350, "adamw", 8e-3, **SHORT), 16),
    # Seven labels: 68 would not fit beside each other on a map of 64 px. The squares are the paper's 7, 5, 3 px.
    eccv=EccvConfig(64, 0.25, (1,) * 5, "seven", steps=(14, 10, 6)),
    eccv_demo=Plan(TrainConfig(400, "adamw", 8e-3, ratio=RATIO, **SHORT), 16),
    update="residual",  # starts where stage 2 ended: with "replace" and 400 steps it only caught up with it
    hidden=64,
    identity_units=64,
)

BENCH = replace(
    QUICK,
    name="bench",
    net=NetConfig(input_size=64, width=0.25, encoder_convs=(1,) * 5, decoder_convs=(1,) * 4),
    stills=(4000, 400, 800),
    people=(120, 30),
    videos=(200, 20, 16, 40),
    clip_error=TrackerError("drift"),  # as a tracker errs; no jitter from frame to frame
    stage1=Plan(TrainConfig(3000, "adamw", 8e-3, **SHORT), 16),
    stage2=Plan(TrainConfig(1500, "adamw", 3e-3, **SHORT), 16),
    stage3=Plan(TrainConfig(900, "adamw", 2e-3, **SHORT), 2, frames=20),
    eccv_demo=Plan(TrainConfig(3000, "adamw", 8e-3, ratio=RATIO, **SHORT), 16),
    identity_units=256,
    folds=6,
    covers=True,
)

HALF = TrainConfig(0, "adamw", 4e-3, **SHORT)
GPU = Profile(
    name="gpu",
    net=NetConfig(input_size=128, width=0.5),
    store_size=192,
    frame_size=256,
    stills=(20_000, 500, 1_000),
    people=(200, 20),
    videos=(400, 20, 40, 60),
    augmentation=Augmentation(contrast=0.2, brightness=0.1),
    clip_error=TrackerError("jitter"),
    stage1=Plan(replace(HALF, steps=12_000), 32),
    stage2=Plan(replace(HALF, steps=3_000, rate=2e-3), 32),
    stage3=Plan(replace(HALF, steps=1_500, rate=1e-3), 8, frames=10),
    demo=Plan(replace(HALF, steps=600), 32),
    eccv=EccvConfig(width=0.5),
    eccv_demo=Plan(replace(HALF, steps=2_000, ratio=RATIO), 32),
    update="residual",
)

PAPERS = TrainConfig(0, "sgd", 0.01, schedule="constant", precision="bfloat16")
FULL = Profile(
    name="full",
    net=NetConfig(),
    store_size=384,
    frame_size=384,
    stills=(20_000, 1_000, 4_000),
    people=(500, 24),
    videos=(90, 300, 24, 300),
    augmentation=Augmentation(),
    clip_error=TrackerError("none"),
    stage1=Plan(PAPERS, 32, epochs=30, variations=10, plateau=Plateau()),
    stage2=Plan(PAPERS, 32, epochs=20, variations=10, plateau=Plateau()),
    stage3=Plan(PAPERS, 5, frames=10, epochs=50, variations=2, each=100, plateau=Plateau()),
    demo=Plan(TrainConfig(2_000, "sgd", 0.01, schedule="tenths", precision="bfloat16"), 32),
    eccv=EccvConfig(),
    eccv_demo=Plan(TrainConfig(2_000, "sgd", 0.01, schedule="tenths", precision="bfloat16", ratio=RATIO), 32),
    imagenet=True,
    eccv_augmentation=Augmentation(shift=7 / 128),  # the same 7 px, of its smaller picture
)

PROFILES = {profile.name: profile for profile in (SMOKE, QUICK, BENCH, GPU, FULL)}
