"""What `full` does as the papers do and the small profiles do not: ImageNet's weights, and the rate by validation."""

from pathlib import Path

from data_prep import pretrained
from rednet_core.eccv import EccvConfig, EccvNet
from rednet_core.metrics import nme
from rednet_core.rednet import NetConfig, RedNet
from rednet_core.training import Trainer
from rednet_lab.evaluation import predict_stills
from rednet_lab.files import write_text
from rednet_lab.workbench.cache import cache_root
from rednet_lab.workbench.profiles import Plateau
from rednet_lab.workbench.sources import Role

RESNETS = {(3, 4, 6, 3): "resnet50", (3, 4, 23, 3): "resnet101", (3, 8, 36, 3): "resnet152"}


class PlateauRule:
    """A callback that lowers the rate by validation, as `profiles.Plateau` says, every so many steps.

    validation.csv is its memory: how often the rate was lowered follows from the errors in it, so that a stopped
    training goes on with its rate.
    """

    def __init__(self, rule: Plateau, role: Role, every: int, folder: Path):
        self.rule, self.role, self.every, self.file = rule, role, every, folder / "validation.csv"
        self.errors: list[tuple[int, float]] = []
        if self.file.exists():
            lines = self.file.read_text(encoding="utf-8").splitlines()[1:]
            self.errors = [(int(step), float(error)) for step, error in (line.split(",") for line in lines)]

    def __call__(self, run: Trainer, record) -> None:
        """Measure at the end of an epoch, and set the share of the rate that goes with what was measured so far."""
        now = run.step % self.every == 0
        if now:
            self.errors = [each for each in self.errors if each[0] < run.step]  # of a run that was stopped: again
            found = predict_stills(run.net, self.role.data, self.role.rows)
            run.net.train()
            error = nme(found.points, found.truth, run.net.markup, found.mask).mean()
            self.errors.append((run.step, float(error)))
            lines = ["step,error", *(f"{step},{value!r}" for step, value in self.errors)]
            write_text(self.file, "\n".join(lines) + "\n")
        before = [error for step, error in self.errors if step <= run.step]
        share = max(self.rule.factor ** lowered(before, self.rule.patience), self.rule.floor)
        for group in run.optimiser.param_groups:
            group["share"] = group.setdefault("own_share", group["share"]) * share
        if now:
            run.save()


def lowered(errors: list[float], patience: int) -> int:
    """Return how often a rate is lowered after these errors: whenever `patience` in a row were no new lowest."""
    lowest, waited, times = float("inf"), 0, 0
    for error in errors:
        lowest, waited = (error, 0) if error < lowest else (lowest, waited + 1)
        if waited == patience:
            waited, times = 0, times + 1
    return times


def imagenet_file(config: NetConfig | EccvConfig) -> Path:
    """Return where the ImageNet weights of an encoder are looked for: torchvision's file in <cache>/imagenet."""
    name = "vgg16_bn" if getattr(config, "batch_norm", True) else "vgg16"
    if getattr(config, "design", "vgg") == "resnet":
        name = RESNETS.get(tuple(config.encoder_units), "resnet152")
    return cache_root() / "imagenet" / pretrained.FILES[name]


def load_imagenet(net: RedNet | EccvNet) -> None:
    """Load them; raise FileNotFoundError with the fix where there is no such file."""
    file = imagenet_file(net.config)
    if not file.exists():
        raise FileNotFoundError(
            f"this profile's encoders begin with ImageNet's weights, and there is no {file}; fetch them once: "
            f"curl --create-dirs -o '{file}' {pretrained.MODELS}{file.name}"
        )
    pretrained.load(net, file)
