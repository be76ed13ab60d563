"""Progress for anything over a few seconds: a bar for people, a small file for the runner."""

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from tqdm import tqdm

from rednet_lab.files import write_whole

REPORT_SECONDS = 0.5


def in_batch() -> bool:
    """Whether the runner (and nobody at a screen) executes this notebook."""
    return os.environ.get("REDNET_BATCH") == "1"


class Progress:
    """A progress callback (done, total) and context manager: a tqdm bar, or lines of JSON for the runner.

    The bar is not drawn in batch, where it would only litter the executed notebook.
    """

    def __init__(self, label: str, unit: str = "step"):
        self.label, self.unit = label, unit
        self.bar: tqdm | None = None
        self.file = os.environ.get("REDNET_PROGRESS")
        self.last = 0.0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_) -> None:
        if self.bar is not None:
            self.bar.close()

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Say that `done` of `total` is behind us; note is a few words, such as the loss."""
        if in_batch():
            self._report(done, total, note)
            return
        if self.bar is None:
            # Words, not a widget: of that a saved notebook would keep the name only. Jupyter paints stderr red.
            began, wide = max(done - 1, 0), None if sys.stdout.isatty() else 90
            self.bar = tqdm(total=total, desc=self.label, unit=self.unit, initial=began, file=sys.stdout, ncols=wide)
        self.bar.update(done - self.bar.n)
        if note:
            self.bar.set_postfix_str(note, refresh=False)

    def _report(self, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        if not self.file or (now - self.last < REPORT_SECONDS and done < total):
            return
        self.last = now
        said = json.dumps({"label": self.label, "done": done, "total": total, "note": note})
        with suppress(PermissionError):  # Windows, while the runner reads it: the next report will do
            write_whole(Path(self.file), lambda part: part.write_text(said, encoding="utf-8"))
