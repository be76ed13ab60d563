"""What all tests share: one thread, no pictures of randomness left behind, the same examples on every run."""

import os
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy, OpenCV or torch start their threads

import cv2  # noqa: E402
import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402
from hypothesis.configuration import set_hypothesis_home_dir  # noqa: E402

from tests.checkout import Run  # noqa: E402

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


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """One copy of the checkout for all tests: what one of them prepares and trains is in its cache for the others."""
    return Run(tmp_path_factory.mktemp("series"))
