"""Torch on one thread with the same random numbers in every test."""

import pytest
import torch


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """For what a module makes once, too: a test of the lab in the same process may have left two threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def one_seed():
    torch.manual_seed(0)
