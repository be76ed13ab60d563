"""What the faster ways of inference cost in landmark error, on test stills.

    python tests/benchmarks/bench_exactness.py --weights world          # the shipped network, on rendered test faces
    python tests/benchmarks/bench_exactness.py [--profile quick] [--source face_world] [--data FOLDER] [--device cpu]

Ways: batch norm folded into the convolutions, bfloat16, torch.compile, ONNX Runtime. Without --weights the network is a
profile's after stage 1, from the cache or trained first. Error in % of the inter-ocular distance; "points move" is
how far from plain float32, in pixels of the input, in the mean and at most. Pooling switches flip where two of four
values are closer than a way's rounding; a compiled network does not show them.
"""

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import torch  # noqa: E402

from data_prep.landmark_subset import InMemory  # noqa: E402
from rednet_core import augment, metrics  # noqa: E402
from rednet_core.batches import gather  # noqa: E402
from rednet_core.fold import folded  # noqa: E402
from rednet_core.inputs import still_inputs  # noqa: E402
from rednet_lab.evaluation import score  # noqa: E402
from rednet_lab.names import RUNS  # noqa: E402
from rednet_lab.track.exported import OnnxNet  # noqa: E402
from rednet_lab.workbench.lab import Lab  # noqa: E402
from rednet_lab.workbench.shipped import WEIGHTS, open_weights, reader_of  # noqa: E402

WAYS = (
    "float32",
    "folded",
    "bfloat16",
    "folded, bfloat16",
    "folded, compiled",
    "folded, bfloat16, compiled",
    "ONNX Runtime",
)
FACES = 300


def rendered():
    """The face world's test stills that no shipped network was trained on."""
    reader = reader_of("world", "")
    first = len(reader) - reader.test
    items = [reader[number] for number in range(first, first + FACES)]
    kinds = [("points", "f4", (68, 2)), ("mask", "?", 68), ("identity", "i4")]
    table = np.array([(item.points, item.mask, k) for k, item in enumerate(items)], kinds)
    data = InMemory(np.array([item.image for item in items]), table, reader.markup)
    return SimpleNamespace(data=data, rows=np.arange(len(items)))


def made(net, way):
    """Return a network that computes in one way; raise where this machine cannot."""
    one = OnnxNet(net, 1) if way == "ONNX Runtime" else folded(net) if "folded" in way else net
    return torch.compile(one) if "compiled" in way else one


def measure(lab):
    """One row a way: error, failures, how far the points move, share of pooling switches that flip."""
    test, net = lab.source.test_stills(), lab.stage1.net  # perhaps trained now, so with gradients
    with torch.no_grad():
        return compare(net, test, lab.device)


def compare(net, test, device):
    """The rows of `measure` for a network on stored stills."""
    batch = gather(test.data, test.rows[:400]).to(device)
    inputs = still_inputs(batch, net, torch.Generator().manual_seed(0), how=augment.NONE)
    truth, rows, plain = inputs.points.cpu().numpy(), [], None
    for name in WAYS:
        switches, call = [], made(net, name)
        seen = hasattr(call, "backbone") and "compiled" not in name
        if seen:
            encode = call.backbone.encode

            def watched(*given, encode=encode, switches=switches):
                code = encode(*given)
                switches.extend(getattr(code, "switches", []))
                return code

            call.backbone.encode = watched
        try:
            with torch.autocast(device.type, torch.bfloat16, enabled="bfloat16" in name):
                out = call(inputs.x, inputs.z0)
        except Exception as error:  # no compiler: say so and go on
            print(f"{name}: {type(error).__name__} {str(error).splitlines()[0]}")
            continue
        if seen:
            del call.backbone.encode
        points = net.points(out).float().cpu().numpy()
        plain = plain or (points, switches)
        errors = score(metrics.nme(points, truth, net.markup, inputs.mask.cpu().numpy()))
        moved = ((points - plain[0]) ** 2).sum(-1) ** 0.5
        flips = [float((a != b).float().mean()) for a, b in zip(switches, plain[1], strict=True)] if seen else [np.nan]
        rows.append(
            {
                "way": name,
                "error (%)": errors.mean,
                "change (points)": errors.mean - (rows[0]["error (%)"] if rows else errors.mean),
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
    parser.add_argument("--weights", choices=WEIGHTS, help="a network that ships, instead of a profile's")
    given = parser.parse_args()
    if given.weights:
        torch.set_num_threads(1)
        with torch.no_grad():
            table = compare(open_weights(given.weights), rendered(), torch.device("cpu"))
    else:
        table = measure(Lab("exactness", given.profile, given.source, given.data, given.device, 0, RUNS))
    print(table.round(4).to_string(index=False))
