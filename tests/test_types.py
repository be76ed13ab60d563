"""What the annotations of rednet_core and data_prep promise, checked by mypy as pyproject.toml says."""

import subprocess
import sys

import pytest

from rednet_lab.names import ROOT


def test_mypy_finds_nothing(tmp_path):
    pytest.importorskip("mypy", reason="no mypy here: pip install mypy")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
