"""Pieces that a run's page and the site share: the frame of a page, stamps, numbers, figures, tables; text escaped."""

from __future__ import annotations

import csv
from html import escape
from pathlib import Path
from urllib.parse import quote

from rednet_lab.files import figures

LOOK = Path(__file__).with_name("look.css")
EXPERIMENTS = 70  # notebooks from this number on are experiments; those before are the course
FILMS, ROWS, NUMERIC = (".mp4", ".webm"), 200, ' class="num"'
SHOWN = ("profile", "source", "data", "seed", "device", "python", "torch", "numpy", "opencv")
SMOKE = '<p class="banner">smoke profile: checks that it runs, the figures mean nothing</p>'


class Shown:
    """One notebook's results as a page shows them; `files` is the address of their folder, seen from the page."""

    def __init__(self, entry, folder: Path, results: object, files: str) -> None:
        self.entry, self.folder, self.files = entry, folder, files
        self.results = results if isinstance(results, dict) else {}

    def items(self, kind: str) -> list[dict]:
        """Return the figures or tables, as the notebook listed them."""
        return [item for item in self.results.get(kind) or [] if isinstance(item, dict) and item.get("file")]

    def numbers(self, headline: bool) -> list[tuple[str, dict]]:
        """Return the numbers as (label, {value, unit, note}), only the headlines or only the others."""
        pairs = [(name, n if isinstance(n, dict) else {"value": n})
                 for name, n in (self.results.get("numbers") or {}).items()]  # fmt: skip
        return [(str(n.get("label", name)), n) for name, n in pairs if bool(n.get("headline")) == headline]

    def link(self, item: dict) -> str:
        """Return the address of a results file, relative to the page."""
        return quote(f"{self.files}/{item['file']}")

    @property
    def stamp(self) -> dict:
        """Return the stamp of the results, or {}."""
        stamp = self.results.get("stamp")
        return stamp if isinstance(stamp, dict) else {}


def page(title: str, body: str, smoke: bool = False, kind: str = "plain", scripts: str = "") -> str:
    """Return a whole page, its style sheet inside; `kind` is the body's class, `scripts` go to its end."""
    look = LOOK.read_text(encoding="utf-8")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>
{look}</style></head><body class="{kind}">
{SMOKE * smoke}{body}
{scripts}</body></html>
"""


def describe(profile: object, source: object, seed: object) -> str:
    """Return a run in words."""
    faces = "the face world" if source == "face_world" else f"real faces ({source})"
    return f"profile {profile}, {faces}, seed {seed}"


def latest_stamp(sections: list[Shown]) -> dict:
    """Return the newest stamp among the results, or {}."""
    return max((s.stamp for s in sections), key=lambda stamp: str(stamp.get("time", "")), default={})


def heroes(sections: list[Shown]) -> str:
    """Return the figure that stands for the run: the last that the course calls one so, else the experiments'."""
    found = [figure(s, item) for s in telling(sections) for item in s.items("figures") if item.get("hero")]
    return f'<section class="hero">{found[0]}</section>' if found else ""


def cards(sections: list[Shown], most: int = 8, course: int = 3) -> str:
    """Return the headline numbers: a few of the course's last notebooks, then the experiments', the ledger's first."""
    numbers = [(s, card(*number)) for s in telling(sections) for number in s.numbers(headline=True)]
    first = [made for s, made in numbers if not experiment(s)]
    rest = [made for s, made in numbers if experiment(s)]
    found = (first[: course if rest else most] + rest)[:most]
    return f'<section class="cards">{"".join(found)}</section>' if found else ""


def experiment(section: Shown) -> bool:
    """Whether a notebook is one of the experiments, which come behind the course."""
    return section.entry.number.isdigit() and int(section.entry.number) >= EXPERIMENTS


def telling(sections: list[Shown]) -> list[Shown]:
    """Return the sections in the order of who speaks for a run: the course's last first, then the experiments'."""
    return sorted(reversed(sections), key=experiment)


def evidence(section: Shown) -> str:
    """Return all figures, tables and numbers of a notebook."""
    summary = f"<p>{escape(str(section.results['summary']))}</p>" if section.results.get("summary") else ""
    pictures = "".join(figure(section, item) for item in section.items("figures"))
    tables = "".join(table(section, item) for item in section.items("tables"))
    numbers = [(n, v) for headline in (True, False) for n, v in section.numbers(headline)]
    cells = "".join(number_row(*pair) for pair in numbers)
    listing = f"<details><summary>numbers ({len(numbers)})</summary><table>{cells}</table></details>" if numbers else ""
    return f'{summary}<div class="figures">{pictures}</div>{tables}{listing}'


def stamp_list(stamp: dict) -> str:
    """Return a stamp as a line of labels."""
    parts = [(name, stamp.get(name)) for name in SHOWN] + [("code", str(stamp.get("code") or "")[:10])]
    machine = stamp.get("machine") or {}
    if isinstance(machine, dict) and machine:
        parts.append(("machine", ", ".join(f"{v} cores" if k == "cpus" else str(v) for k, v in machine.items())))
    parts.append(("time", stamp.get("time")))
    labels = [f"<li><b>{escape(str(k))}</b> {escape(str(v))}</li>" for k, v in parts if v not in (None, "")]
    return f'<ul class="stamp">{"".join(labels)}</ul>' if stamp else ""


def card(name: str, number: dict) -> str:
    """Return a headline number."""
    note = f'<p class="note">{escape(str(number["note"]))}</p>' if number.get("note") else ""
    unit = f" <small>{escape(str(number['unit']))}</small>" if number.get("unit") else ""
    value = escape(figures(number.get("value")))
    return f'<div class="card"><p>{escape(name)}</p><p class="value">{value}{unit}</p>{note}</div>'


def number_row(name: str, number: dict) -> str:
    """Return one number's line in a notebook's list."""
    value = f"{escape(figures(number.get('value')))} {escape(str(number.get('unit', '')))}"
    note = escape(str(number.get("note", "")))
    return f'<tr><td>{escape(name)}</td><td class="num">{value}</td><td>{note}</td></tr>'


def figure(section: Shown, item: dict) -> str:
    """Return one figure with its caption; one that is gone is said to be."""
    caption = f"<figcaption>{escape(str(item.get('caption', '')))}</figcaption>"
    if not (section.folder / item["file"]).is_file():
        return f'<figure><p class="error">missing: {escape(item["file"])}</p>{caption}</figure>'
    link, alt = (
        section.link(item),
        escape(str(item.get("alt") or item.get("caption") or item["file"]), quote=True),
    )
    wide = ' class="wide"' if item.get("wide") or item.get("hero") else ""
    if item["file"].lower().endswith(FILMS):
        return f'<figure{wide}><video controls loop muted src="{link}" aria-label="{alt}"></video>{caption}</figure>'
    return f'<figure{wide}><a href="{link}"><img src="{link}" alt="{alt}" loading="lazy"></a>{caption}</figure>'


def table(section: Shown, item: dict) -> str:
    """Return a CSV file as a table, its first line as the head."""
    caption = escape(str(item.get("caption", item["file"])))
    try:
        with open(section.folder / item["file"], encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return f'<p class="error">{escape(item["file"])} cannot be shown: {escape(str(error))}</p>'
    head, body = (rows[0] if rows else []), rows[1 : ROWS + 1]
    right = [bool(body) and all(is_number(line[c]) for line in body if c < len(line)) for c in range(len(head))]
    heads = "".join(f"<th{NUMERIC * num}>{escape(cell)}</th>" for cell, num in zip(head, right, strict=True))
    lines = "".join("<tr>" + "".join(map(cell_of, line)) + "</tr>" for line in body)
    more = f" ({len(rows) - 1 - ROWS} more lines in the file)" if len(rows) > ROWS + 1 else ""
    link = f'<p class="caption">{caption}{more} &middot; <a href="{section.link(item)}">CSV</a></p>'
    return f'{link}<div class="table"><table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>'


def is_number(text: str) -> bool:
    """Tell whether a cell is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def cell_of(text: str) -> str:
    """Return one cell, numbers to the right and no longer than they need be."""
    if not is_number(text):
        return f"<td>{escape(text)}</td>"
    return f'<td class="num">{text.strip() if len(text) <= 7 else f"{float(text):.5g}"}</td>'
