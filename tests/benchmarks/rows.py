"""Tables under figures/evidence that grow a measurement at a time: what is there is not measured again."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from rednet_lab.files import write_text


def kept(file: Path, rows: Callable[[], pd.DataFrame], **which) -> pd.DataFrame:
    """Return the whole table; `rows()` are measured and put behind it where it has none with these values."""
    table = pd.DataFrame(columns=[*which])
    if file.exists():
        table = pd.read_csv(file, keep_default_na=False, na_values=[""])
    if not (table[[*which]] == pd.Series(which)).all(1).any():
        table = pd.concat([table, rows()], ignore_index=True) if len(table) else rows()
        write_text(file, table.to_csv(index=False, lineterminator="\n"))
    return table
