"""Train and measure all variants beforehand: `python -m rednet_lab.experiments --help`.

The notebooks find everything in the cache then. Several of these may run beside each other: no training is done twice.
"""

import argparse

from rednet_lab.experiments import EXPERIMENTS, Bench
from rednet_lab.names import DEVICES, PROFILE_NAMES, RUNS, SOURCES
from rednet_lab.workbench.lab import Lab


def main() -> None:
    """Train and measure, or with --dry-run only say what that costs."""
    parser = argparse.ArgumentParser(prog="python -m rednet_lab.experiments", description=__doc__.splitlines()[0])
    parser.add_argument("--profile", choices=PROFILE_NAMES, default="quick")
    parser.add_argument("--source", choices=SOURCES, default=SOURCES[0])
    parser.add_argument("--data", default="", help="where the real faces are")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--seed", type=int, default=0, help="of the data, and the first training seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="training seeds, counted from --seed")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS), metavar="EXPERIMENT")
    parser.add_argument("--dry-run", action="store_true", help="say what there is to train, and how long it takes")
    choices = parser.parse_args()
    lab = Lab("ablations", choices.profile, choices.source, choices.data, choices.device, choices.seed, RUNS)
    for number in choices.seeds:
        bench = Bench(lab)
        bench.seeds = [choices.seed + number]
        for name in choices.only:
            if choices.dry_run:
                print(f"{name}, training seed {bench.seeds[0]}\n{bench.cost(EXPERIMENTS[name]).to_string(index=False)}")
                continue
            for variant in EXPERIMENTS[name]:
                stills = bench.stills(variant)
                videos = None if variant.eccv else bench.videos(variant)
                tracked = "" if videos is None else f", videos {videos.errors.mean():.2f} %"
                print(
                    f"{name}: {variant.name}, seed {bench.seeds[0]}: stills {stills.errors.mean():.2f} %{tracked}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
