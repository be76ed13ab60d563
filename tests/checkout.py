"""A copy of the checkout with a cache of its own, in which tests run the series: nobody's edits or cache matter."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rednet_lab.names import ROOT, RUNS


class Run:
    """A copy of the checkout and the real runner in it."""

    def __init__(self, folder: Path):
        self.root, self.lock = folder / "course", f"{folder}.lock"
        self.cache, self.folder = folder / "cache", self.root / RUNS / "smoke"
        if self.root.exists():  # another process has made it
            return
        hidden = shutil.ignore_patterns("__pycache__", ".*")
        for part in ("rednet_core", "data_prep", "rednet_lab", "notebooks"):
            shutil.copytree(ROOT / part, self.root / part, ignore=hidden)
        shutil.copy(ROOT / ".gitignore", self.root)
        if shutil.which("git"):
            self.git("init", "--quiet")
            self.git("add", "--all")

    def git(self, *arguments):
        """Run git on the copy, as if nobody had a configuration, and return what it said."""
        clean = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        return subprocess.run(
            ["git", *arguments], cwd=self.root, env=clean, check=True, stdout=subprocess.PIPE, encoding="utf-8"
        ).stdout

    def changed_for_git(self):
        """Return the files that git sees as changed or new since the copy was made, as after a clone."""
        return self.git("ls-files", "--modified", "--others", "--exclude-standard").splitlines()

    def __call__(self, *arguments):
        """Run the runner on profile smoke and return what it said, or fail with the last of it."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("REDNET_", "PYTHON"))}
        variables |= {"REDNET_CACHE": str(self.cache), "PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, "-m", "rednet_lab.runner", "--profile", "smoke", "--device", "cpu", *arguments]
        done = subprocess.run(
            command, cwd=self.root, env=variables, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode:
            pytest.fail(f"the runner ended with {done.returncode}:\n{done.stdout[-6000:]}", pytrace=False)
        return done.stdout
