"""What all tests share: one thread, no pictures of randomness left behind, the same examples on every run."""

import atexit
import gc
import os
import sys
import tempfile
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy, OpenCV or torch start their threads
# jsonschema, which nbformat needs, would compile a grammar for two seconds, for a format that no notebook has.
sys.modules["rfc3987_syntax"] = None

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from filelock import FileLock  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402
from hypothesis.configuration import set_hypothesis_home_dir  # noqa: E402

from rednet_core.augment import NONE  # noqa: E402
from rednet_core.batches import Stills  # noqa: E402
from rednet_core.checkpoint import grow  # noqa: E402
from rednet_core.inputs import still_inputs  # noqa: E402
from rednet_core.training import TrainConfig, Trainer  # noqa: E402
from tests.checkout import Run  # noqa: E402
from tests.helpers import make_data, tiny_net  # noqa: E402

cv2.setNumThreads(1)
set_hypothesis_home_dir(os.path.join(tempfile.gettempdir(), "hypothesis"))  # not into the checkout
settings.register_profile(
    "course",
    deadline=None,  # a busy machine is not a failure
    derandomize=True,  # the same examples each time: a red test stays red until it is mended
    database=None,  # nothing is written into the checkout
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("course")


# The long ones, in the order in which they begin; the short ones behind them keep every core busy to the end.
LONG = ("test_notebooks.py", "test_setup.py", "rednet_lab/runner/", "rednet_lab/experiments/", "rednet_lab/workbench/")
LONG = (*LONG, "browser/")  # these want what the notebooks leave in the cache


def pytest_collection_modifyitems(items):
    """Put the long tests first."""
    here = os.path.dirname(__file__)

    def turn(item):
        place = item.path.relative_to(here).as_posix()
        return next((k for k, name in enumerate(LONG) if place.startswith(name)), len(LONG))

    items.sort(key=turn)


def pytest_collection_finish(session):
    """Spare the garbage collector what is there to stay: it took a sixteenth of the time."""
    gc.freeze()
    atexit.register(gc.freeze)  # nor need it look for cycles when all ends


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each of several processes one file after the other, in order; the browser's tests to one of them."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return "browser" if nodeid.startswith("tests/browser/") else nodeid.partition("::")[0]

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """One copy of the checkout for all tests of all processes: what one trains is in the cache for the others."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "series"
    with FileLock(f"{folder}.lock"):
        return Run(folder)


@pytest.fixture(scope="session")
def data():
    videos = [(0, range(3)), (1, range(6)), (2, range(4, 9)), (3, range(6)), (4, range(1))]
    return make_data(videos, size=56)


@pytest.fixture(scope="session")
def trained(data):
    """A network with clear peaks: on the flat maps of an untrained one, rounding decides which pixel is highest."""
    torch.set_num_threads(1)
    net = tiny_net(seed=0, steps=("detection", "regression", "regression"), sigma=10.0, radius=10.0)
    stills = Stills(data, np.arange(len(data.table)), 8)
    config = TrainConfig(steps=70, optimiser="adamw", rate=0.02, schedule="one_cycle")
    Trainer(net, config, stills.batch, partial(still_inputs, how=NONE)).run()
    return net.eval()


@pytest.fixture(scope="session")
def remembering(trained):
    """The trained network with an f_trn that does a little."""
    torch.manual_seed(0)
    net = grow(trained, temporal=True, update="residual").eval()
    torch.nn.init.normal_(net.f_trn.spread.weight, std=10)
    return net
