"""The ledger on paper: a table as Markdown (README.md, figures/README.md) or as HTML (the site).

A cell is a list of texts and links; links are paths from the repository's root, made relative where they are written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

ID = re.compile(r"C\d+|[JE]-\w[\w-]*|M\d\.\d\d")


@dataclass(frozen=True)
class Link:
    """A text that leads to a path from the repository's root (with #anchor)."""

    text: str
    target: str


Cell = list  # of str and Link; "\n" is a new line


@dataclass(frozen=True)
class Table:
    """A title, a sentence or two, columns and rows of cells; rows may have an id to be linked to."""

    title: str
    text: str
    columns: tuple[str, ...]
    rows: list[list[Cell]]
    level: int = 2


def markdown(table: Table, folder: str = "") -> str:
    """A table as Markdown, its links made relative to `folder` (below the repository's root)."""
    lines = [f"{'#' * table.level} {table.title}", ""] if table.title else []
    lines += [table.text, ""] if table.text else []
    lines += ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns)]
    lines += ["| " + " | ".join(_markdown_cell(cell, folder) for cell in row) + " |" for row in table.rows]
    return "\n".join(lines)


def _markdown_cell(cell: Cell, folder: str) -> str:
    texts = [f"[{p.text}]({relative(p.target, folder)})" if isinstance(p, Link) else p for p in cell]
    return "".join(texts).strip().replace("|", "\\|").replace("\n", "<br>")


def relative(target: str, folder: str) -> str:
    """A path from the root as a link in a file of `folder`: "", or one folder deep."""
    if not folder:
        return target
    return target.removeprefix(folder + "/") if target.startswith(folder + "/") else "../" + target


def html(table: Table, folder: str | None = "") -> str:
    """A table as HTML; the same links, or with folder=None their texts alone."""
    head = f'<h{table.level} id="{_anchor(table.title)}">{inline(table.title)}</h{table.level}>' if table.title else ""
    head += f"<p>{inline(table.text)}</p>" if table.text else ""
    columns = "".join(f'<th scope="col">{inline(column)}</th>' for column in table.columns)
    rows = []
    for row in table.rows:
        cells = "".join(f"<td>{_html_cell(cell, folder)}</td>" for cell in row)
        name = next((p for p in row[0] if isinstance(p, str)), "").strip("*") if row else ""
        rows.append(
            f'<tr id="{escape(name)}">{cells}</tr>'
            if folder is not None and ID.fullmatch(name)
            else f"<tr>{cells}</tr>"
        )
    body = f"<thead><tr>{columns}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'{head}<div class="table"><table>{body}</table></div>'


def _html_cell(cell: Cell, folder: str | None) -> str:
    def piece(p: str | Link) -> str:
        if not isinstance(p, Link):
            return inline(p)
        if folder is None:
            return f'<span title="{escape(p.target, quote=True)}">{inline(p.text)}</span>'
        return f'<a href="{escape(relative(p.target, folder), quote=True)}">{inline(p.text)}</a>'

    return "".join(map(piece, cell))


def inline(text: str) -> str:
    """Escaped text with the few marks that the tables use: **strong**, *emphasis*, `code`, new lines."""
    text = escape(text).replace("\n", "<br>")
    for mark, tag in ((r"\*\*(.+?)\*\*", "strong"), (r"`(.+?)`", "code"), (r"(?<!\w)\*(\S.*?)\*", "em")):
        text = re.sub(mark, rf"<{tag}>\1</{tag}>", text)
    return text


def _anchor(title: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
