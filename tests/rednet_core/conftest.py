"""Torch on one thread with the same random numbers in every test."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread_one_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)
