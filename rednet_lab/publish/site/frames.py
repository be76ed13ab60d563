"""Tables of pandas: columns that hold words go to the left, with their heads; pandas sets all to the right."""

from __future__ import annotations

import re

from rednet_lab.publish.site.parts import is_number

ROW, CELL, HEAD = re.compile(r"<tr.*?</tr>", re.S), re.compile(r"<td>([^<]*)</td>"), re.compile(r"<th>([^<]*)</th>")


def aligned(html: str) -> str:
    """Return a data frame's HTML with class "words" on the cells of columns that hold anything but numbers."""
    head, mark, body = html.partition("<tbody>")
    rows = [CELL.findall(row) for row in ROW.findall(body)]
    width = max(map(len, rows), default=0)
    words = {column for column in range(width) if not all(is_number(row[column]) for row in rows if column < len(row))}

    def marked(row: re.Match) -> str:
        columns = iter(range(width))
        return CELL.sub(lambda cell: f"<td{_mark(next(columns) in words)}>{cell[1]}</td>", row[0])

    def headed(row: re.Match) -> str:
        names = HEAD.findall(row[0])
        columns = iter(range(width - len(names), width))  # the index's heads come first, and are columns below 0
        return HEAD.sub(lambda cell: f"<th{_mark(next(columns) in words)}>{cell[1]}</th>", row[0])

    return ROW.sub(headed, head) + mark + ROW.sub(marked, body)


def _mark(is_words: bool) -> str:
    return ' class="words"' if is_words else ""
