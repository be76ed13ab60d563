"""Train the three stages of a profile, in one process or in several; the notebooks find them in the cache.

    python -m rednet_lab.workbench.train --profile gpu                     # an hour on a card of 16 GB
    torchrun --nproc-per-node 4 -m rednet_lab.workbench.train --profile full --source prepared --data FOLDER --yes

What it costs is told first. A killed training goes on where it was; of several processes the first one writes.
A network that was trained in parts is another one: notebooks find it where REDNET_PARTS says how many they were.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence

import torch
import torch.distributed as dist

from rednet_lab.names import RUNS, add_run_options, command
from rednet_lab.workbench.cache import made, place
from rednet_lab.workbench.lab import Lab
from rednet_lab.workbench.price import agreed, planned
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
        if mine and not done and training.plan.batch % mine.share[1]:
            several = f"{mine.share[1]} processes cannot share batches of {training.plan.batch} evenly"
            if mine.lead:
                print(f"{training.name}: {several}; start again with another number of them")
            return
        if not mine or mine.lead:
            lab.trained(training)
        elif not done:
            before = lab.trained(training.before).net if training.before else None
            training.trainer(before, lab.device, place(name, key) / "run.pt").run()
        if mine:
            dist.barrier()


def chain(given: Namespace, finish: Callable[[Lab], Lab] = lambda lab: lab) -> tuple[Lab, list[Training]]:
    """Return the Lab of a command line, and a network's three stages in it."""
    lab = finish(Lab("50_stage1", given.profile, given.source, given.data, given.device, given.seed, RUNS))
    return lab, lab.chain if given.network == NETWORKS[0] else lab.eccv_chain()


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell the price, ask, and train; return the exit code."""
    parser = command("python -m rednet_lab.workbench.train", __doc__)
    add_run_options(parser, "gpu", "of the data and the training")
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0], help="of 2018 or of 2016")
    parts = int(os.environ.get("REDNET_PARTS") or 1)
    parser.add_argument("--parts", type=int, default=parts, help="of a batch: less memory, 4/3 of the time")
    parser.add_argument("--price", action="store_true", help="tell what it costs, and stop")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    given = parser.parse_args(arguments)
    os.environ["REDNET_PARTS"] = str(given.parts)
    cuda = given.device in ("auto", "cuda") and torch.cuda.is_available()
    begin("cuda" if cuda else "cpu")
    mine = team()
    lead = not mine or mine.lead
    if mine and not lead:
        dist.barrier()  # the first process prepares the data
    lab, trainings = chain(given, planned)
    if lead and not agreed(lab, trainings, given.yes or given.price):
        return 1
    if not given.price:
        lab, trainings = chain(given)
    if mine and lead:
        dist.barrier()
    if not given.price:
        train_all(lab, trainings)
    if mine:
        dist.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main())
