"""Torch on one thread, and the same random numbers in every test, whatever ran before."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread_one_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)
