"""Train and measure all variants beforehand; the notebooks find everything in the cache then.

Several of these may run beside each other on one cache, as processes or on machines that share it: each skips what
another is training and takes the next. --shard I/N does only every N-th training, for machines that start together:

    sbatch --array=1-8 --gpus=1 --wrap='python -m rednet_lab.experiments --profile full --shard $SLURM_ARRAY_TASK_ID/8'

--profile bench does what the claims are judged by (`trial`), in sittings: --minutes N stops cleanly, the same command
goes on. --source udacity, prepared (Helen and LFPW) and face_world are three lists of work.
"""

import argparse
from dataclasses import replace
from itertools import product

from rednet_lab.experiments import EXPERIMENTS, Bench, endpoints
from rednet_lab.experiments.trial import Trial
from rednet_lab.names import LONG, RUNS, add_run_options, command
from rednet_lab.workbench import cache
from rednet_lab.workbench.lab import Lab
from rednet_lab.workbench.price import agreed, planned


def shard(text: str) -> tuple[int, int]:
    """Return (I, N) of "I/N"; raise argparse's error where they are none."""
    own, _, all_ = text.partition("/")
    if not (own.isdigit() and all_.isdigit() and 1 <= int(own) <= int(all_)):
        raise argparse.ArgumentTypeError(f"{text!r}: I/N with 1 <= I <= N, such as 2/8")
    return int(own), int(all_)


def main(arguments: list[str] | None = None) -> None:
    """Train and measure, or with --dry-run only say what that costs."""
    parser = command("python -m rednet_lab.experiments", __doc__)
    add_run_options(parser, "quick", "of the data, and the first training seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="training seeds, counted from --seed")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS), metavar="EXPERIMENT")
    parser.add_argument("--shard", type=shard, default=(1, 1), metavar="I/N", help="every N-th training, from the I-th")
    claims = list(endpoints.QUESTIONS)
    parser.add_argument("--claims", nargs="+", choices=claims, default=claims, help="of --profile bench")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of --profile bench: stop after so many")
    parser.add_argument("--dry-run", action="store_true", help="say what there is to train, and how long it takes")
    parser.add_argument("--yes", action="store_true", help=f"of profiles {' and '.join(LONG)}: do not ask")
    choices = parser.parse_args(arguments)
    if choices.profile == "bench":
        trial = Trial(choices.source, choices.data, choices.device)
        if choices.dry_run:
            left = [task for task in trial.tasks(choices.claims) if not trial.record(task)]
            print(*(f"{task.claim} {task.name}, seed {task.seed} {task.tag}" for task in left), sep="\n")
            print(trial.left(choices.claims))
        else:
            trial.work(choices.claims, choices.minutes, choices.shard)
        return
    run = ("ablations", choices.profile, choices.source, choices.data, choices.device, choices.seed, RUNS)
    seeds = [choices.seed + number for number in choices.seeds]
    if choices.profile in LONG:
        lab = planned(Lab(*run))
        bench, unique = Bench(lab, 1, seeds[0]), {}
        for each in (each for name in choices.only for variant in EXPERIMENTS[name] for each in variant.chain()):
            training = replace(bench.training(each, seeds[0]), name=each.name)
            unique.setdefault(cache.digest(training.key(lab.device)), training)
        if not agreed(lab, list(unique.values()), choices.yes or choices.dry_run, len(seeds)) or choices.dry_run:
            return
    lab = Lab(*run)
    if choices.dry_run:
        for seed, name in product(seeds, choices.only):
            cost = Bench(lab, 1, seed).cost(EXPERIMENTS[name])
            print(f"{name}, training seed {seed}\n{cost.to_string(index=False)}")
        return
    for role in ("stills", "people", "clips", "test_stills", "test_videos"):  # data is waited for
        getattr(lab.source, role)()
    tasks = {}
    for seed, name in product(seeds, choices.only):
        for variant in EXPERIMENTS[name]:
            key = cache.digest(Bench(lab, 1, seed).training(variant, seed).key(lab.device))
            tasks.setdefault(key, (name, variant, seed))
    own, all_ = choices.shard
    work_through(lab, list(tasks.values())[own - 1 :: all_])


def work_through(lab: Lab, tasks: list[tuple]) -> None:
    """Train and measure (experiment, variant, seed), those that another process is busy with last."""

    def measure(task: tuple) -> str:
        (name, variant, seed), trained = task, []
        bench = Bench(lab, 1, seed)
        lab.watchers = [lambda name: lambda *_: trained.append(name)]  # is called where a training is done here
        said = f"{name}: {variant.name}, seed {seed}: stills {bench.stills(variant).errors.mean():.2f} %"
        if not variant.eccv:
            said += f", videos {bench.videos(variant).errors.mean():.2f} %"
        return said + ("" if trained else " (was trained already)")

    for said in cache.busy_last(tasks, measure):
        print(said, flush=True)


if __name__ == "__main__":
    main()
