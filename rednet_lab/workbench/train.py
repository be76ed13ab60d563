"""Train the three stages of a profile, in one process or in several; the notebooks find them in the cache.

    python -m rednet_lab.workbench.train --profile gpu                     # an hour on a card of 16 GB
    torchrun --nproc-per-node 4 -m rednet_lab.workbench.train --profile full --source prepared --data FOLDER --yes

What it costs is told first. A killed training goes on where it was; of several processes the first one writes.
"""

import argparse
import sys
from collections.abc import Sequence

import torch
import torch.distributed as dist

from rednet_lab.names import RUNS, add_run_options
from rednet_lab.workbench.cache import made, place
from rednet_lab.workbench.lab import Lab
from rednet_lab.workbench.price import CARDS, REACHED, price
from rednet_lab.workbench.stages import Training
from rednet_lab.workbench.team import begin, team

NETWORKS = ("journal", "eccv")


def train_all(lab: Lab, trainings: Sequence[Training]) -> None:
    """Train one after the other what is not in the cache; every process of a team calls this."""
    mine = team()
    for training in trainings:
        name, key = lab.asset_name(training)
        done = torch.tensor(float(made(name, key)), device=lab.device)
        if mine:
            dist.broadcast(done, 0)
        if not mine or mine.lead:
            lab.trained(training)
        elif not done:
            before = lab.trained(training.before).net if training.before else None
            training.trainer(before, lab.device, place(name, key) / "run.pt").run()
        if mine:
            dist.barrier()


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell the price, ask, and train; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m rednet_lab.workbench.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_run_options(parser, "gpu", "of the data and the training")
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0], help="of 2018 or of 2016")
    parser.add_argument("--price", action="store_true", help="tell what it costs, and stop")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    given = parser.parse_args(arguments)
    cuda = given.device in ("auto", "cuda") and torch.cuda.is_available()
    begin("cuda" if cuda else "cpu")
    mine = team()
    lead = not mine or mine.lead
    if mine and not lead:
        dist.barrier()  # the first process prepares the data
    lab = Lab("50_stage1", given.profile, given.source, given.data, given.device, given.seed, RUNS)
    trainings = lab.chain if given.network == NETWORKS[0] else lab.eccv_chain()
    if lead:
        table = price(trainings)
        print(table.to_string(index=False, float_format=lambda value: f"{value:.3g}"))
        peaks = ", ".join(f"{card} {peak} Tflop/s" for card, peak in CARDS.items())
        print(f"Hours assume {REACHED:.0%} of the card's half-precision peak ({peaks}); `go.py gpu-check` measures it.")
        if not (given.price or given.yes) and sys.stdin.isatty() and input("Train? [y/N] ").strip().lower() != "y":
            return 1
    if mine and lead:
        dist.barrier()
    if not given.price:
        train_all(lab, trainings)
    if mine:
        dist.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main())
