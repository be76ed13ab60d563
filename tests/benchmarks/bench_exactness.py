"""What the faster ways of inference cost in landmark error: the trained stage-1 network of a profile, on test stills.

    python tests/benchmarks/bench_exactness.py [--profile quick] [--source face_world] [--data FOLDER] [--device cpu]

Ways: batch norm folded into the convolutions, bfloat16, both; the network comes from the cache or is trained first.
Error in % of the inter-ocular distance; "points move" is how far from plain float32, in pixels of the input, in the
mean and at most. Pooling switches flip where two of four values are closer than a way's rounding.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pandas as pd  # noqa: E402
import torch  # noqa: E402

from rednet_core import augment, metrics  # noqa: E402
from rednet_core.batches import gather  # noqa: E402
from rednet_core.fold import folded  # noqa: E402
from rednet_core.inputs import still_inputs  # noqa: E402
from rednet_lab.evaluation import score  # noqa: E402
from rednet_lab.names import RUNS  # noqa: E402
from rednet_lab.workbench.lab import Lab

WAYS = {"float32": (False, False), "folded": (True, False), "bfloat16": (False, True), "folded, bfloat16": (True, True)}


def measure(lab):
    """One row a way: error, failures, how far the points move, share of pooling switches that flip."""
    test, net = lab.source.test_stills(), lab.stage1.net  # perhaps trained now, so with gradients
    with torch.no_grad():
        return compare(net, test, lab)


def compare(net, test, lab):
    """The rows of `measure` for a network on stored stills."""
    batch = gather(test.data, test.rows[:400]).to(lab.device)
    inputs = still_inputs(batch, net, torch.Generator().manual_seed(0), how=augment.NONE)
    truth, rows, plain = inputs.points.cpu().numpy(), [], None
    for name, (fold, low) in WAYS.items():
        one, switches = folded(net) if fold else net, []
        encode = one.backbone.encode

        def watched(*given, encode=encode, switches=switches):
            code = encode(*given)
            switches.extend(getattr(code, "switches", []))
            return code

        one.backbone.encode = watched
        with torch.autocast(lab.device.type, torch.bfloat16, enabled=low):
            out = one(inputs.x, inputs.z0)
        del one.backbone.encode
        points = one.points(out).float().cpu().numpy()
        plain = plain or (points, switches)
        errors = score(metrics.nme(points, truth, net.markup, inputs.mask.cpu().numpy()))
        moved = ((points - plain[0]) ** 2).sum(-1) ** 0.5
        flips = [float((a != b).float().mean()) for a, b in zip(switches, plain[1], strict=True)]
        rows.append(
            {
                "way": name,
                "error (%)": errors.mean,
                "failures (%)": errors.failure,
                "points move, mean (px)": moved.mean(),
                "at most (px)": moved.max(),
                "switches flipped (%)": 100 * sum(flips) / max(len(flips), 1),
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--source", default="face_world")
    parser.add_argument("--data", default="")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    lab = Lab("exactness", given.profile, given.source, given.data, given.device, 0, RUNS)
    print(measure(lab).round(4).to_string(index=False))
