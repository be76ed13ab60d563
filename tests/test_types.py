"""What the annotations of rednet_core and data_prep promise, checked by mypy as pyproject.toml says."""

import os
import subprocess
import sys

import pytest

from rednet_lab.names import ROOT


def test_mypy_finds_nothing():
    pytest.importorskip("mypy", reason="no mypy here: pip install mypy")
    command = [sys.executable, "-m", "mypy", "--cache-dir", os.devnull]  # to be thrown away, it need not be written
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
