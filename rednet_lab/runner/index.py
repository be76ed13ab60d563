"""The page of a run: one HTML file with relative links that shows each notebook's state, figures, tables, numbers."""

from __future__ import annotations

import csv
from html import escape
from pathlib import Path
from urllib.parse import quote

from ..files import clock, figures, read_json, write_text
from . import state
from .course import Course, Job, Options, make_jobs
from .style import CSS

STATES = {
    "up-to-date": ("ok", "done"), "stale": ("old", "done, but with other code or parameters than now"),
    "failed": ("bad", "failed"), "skipped": ("bad", "not run"), "interrupted": ("bad", "running or interrupted"),
    "never": ("none", "not run yet"), "missing": ("none", "no such notebook here"),
    "broken": ("bad", "a parameters cell is wrong, or what it needs is missing"),
}  # fmt: skip
FILMS, ROWS, NUMERIC = (".mp4", ".webm"), 200, ' class="num"'
SHOWN = ("profile", "source", "data", "seed", "device", "python", "torch", "numpy", "opencv")


def write_index(folder: Path, course: Course, options: Options, seed: int) -> Path:
    """Write the page of one run folder from what lies in it, and return its path."""
    shown = [Section(job) for job in make_jobs(course, options, list(course.series), seed)]
    page = state.page_of(folder)
    write_text(page, render(folder.name, options, seed, shown))
    return page


class Section:
    """What the page shows of one notebook; results only of a run that succeeded."""

    def __init__(self, job: Job) -> None:
        self.entry, self.paths, self.record = job.entry, state.Paths(job), state.record_of(job)
        self.state = state.state_to_show(job)
        results = read_json(self.paths.results_file, {}) if self.record.get("state") == "done" else {}
        self.results = results if isinstance(results, dict) else {}

    @property
    def worth_showing(self) -> bool:
        """Tell whether there is more to say of the notebook than its line in the overview."""
        return self.state not in ("never", "missing")

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
        return quote(f"{self.entry.name}/{item['file']}")


def render(name: str, options: Options, seed: int, sections: list[Section]) -> str:
    """Return the whole page."""
    heroes = [figure(s, item) for s in reversed(sections) for item in s.items("figures") if item.get("hero")]
    keys = [card(*number) for s in reversed(sections) for number in s.numbers(headline=True)][:6]
    good = sum(s.state == "up-to-date" for s in sections)
    bad = [s for s in sections if STATES[s.state][0] == "bad"]
    seconds = sum(s.record.get("seconds", 0) for s in sections if s.record.get("state") == "done")
    lead = f"{good} of {len(sections)} notebooks done, {clock(seconds)} of work"
    old = sum(s.state == "stale" for s in sections)
    lead += f"; {old} made with other code or parameters than now" if old else ""
    lead += f"; <strong>{len(bad)} failed or not run</strong>" if bad else ""
    smoke = ('<p class="banner">smoke profile: checks that it runs, the figures mean nothing</p>'
             if options.profile == "smoke" else "")  # fmt: skip
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>RED-Net course: {escape(name)}</title><style>{CSS}</style></head><body>
{smoke}<header><p class="kicker">RED-Net course &middot; run <code>{escape(name)}</code></p>
<h1>Recurrent face alignment, {escape(describe(options, seed))}</h1>
<p>{lead}</p>{stamp_list(latest_stamp(sections))}</header>
<main>{f'<section class="hero">{heroes[0]}</section>' if heroes else ""}
{f'<section class="cards">{"".join(keys)}</section>' if keys else ""}
<nav aria-label="notebooks"><table>{"".join(map(row, sections))}</table></nav>
{"".join(article(s) for s in sections if s.worth_showing)}</main>
<footer>Every figure and table lies beside this page, in the folder of its notebook; each notebook's stamp is in its
results.json.</footer></body></html>
"""


def describe(options: Options, seed: int) -> str:
    """Return a run in words."""
    faces = "the face world" if options.source == "face_world" else f"real faces ({options.source})"
    return f"profile {options.profile}, {faces}, seed {seed}"


def latest_stamp(sections: list[Section]) -> dict:
    """Return the newest stamp among the results, or {}."""
    stamps = [s.results["stamp"] for s in sections if isinstance(s.results.get("stamp"), dict)]
    return max(stamps, key=lambda stamp: str(stamp.get("time", "")), default={})


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


def row(section: Section) -> str:
    """Return a notebook's line in the overview."""
    kind, word = STATES[section.state]
    took = clock(section.record["seconds"]) if section.record.get("state") == "done" else ""
    title = escape(section.entry.title)
    title = f'<a href="#{quote(section.entry.name)}">{title}</a>' if section.worth_showing else title
    return (f'<tr><td class="number">{escape(section.entry.number)}</td>'
            f'<td>{title}</td><td class="{kind}">{word}</td><td class="time">{took}</td></tr>')  # fmt: skip


def article(section: Section) -> str:
    """Return a notebook's part of the page."""
    kind, word = STATES[section.state]
    head = f'<h2><span class="number">{escape(section.entry.number)}</span> {escape(section.entry.title)}</h2>'
    done = section.record.get("state") == "done"
    facts = [f'<span class="{kind}">{word}</span>']
    facts += [clock(section.record["seconds"])] if done else []
    for path, text in (
        (section.paths.html, "executed notebook"),
        (section.paths.failed_html, "as far as it got"),
    ):
        if path.is_file():
            facts.append(f'<a href="executed/{quote(path.name)}">{text}</a>')
    error = section.record.get("error", "") if section.state in ("failed", "skipped") else ""
    trouble = f'<pre class="error">{escape(error)}</pre>' if error else ""
    summary = f"<p>{escape(str(section.results['summary']))}</p>" if section.results.get("summary") else ""
    figures = "".join(figure(section, item) for item in section.items("figures"))
    tables = "".join(table(section, item) for item in section.items("tables"))
    numbers = [(n, v) for headline in (True, False) for n, v in section.numbers(headline)]
    cells = "".join(number_row(*pair) for pair in numbers)
    listing = f"<details><summary>numbers ({len(numbers)})</summary><table>{cells}</table></details>" if numbers else ""
    return (f'<article id="{escape(section.entry.name)}" class="{kind}">{head}<p class="facts">'
            f'{" &middot; ".join(facts)}</p>{trouble}{summary}<div class="figures">{figures}</div>{tables}{listing}'
            f"</article>")  # fmt: skip


def number_row(name: str, number: dict) -> str:
    """Return one number's line in a notebook's list."""
    value = f"{escape(figures(number.get('value')))} {escape(str(number.get('unit', '')))}"
    note = escape(str(number.get("note", "")))
    return f'<tr><td>{escape(name)}</td><td class="num">{value}</td><td>{note}</td></tr>'


def figure(section: Section, item: dict) -> str:
    """Return one figure with its caption; one that is gone is said to be."""
    caption = f"<figcaption>{escape(str(item.get('caption', '')))}</figcaption>"
    if not (section.paths.results / item["file"]).is_file():
        return f'<figure><p class="error">missing: {escape(item["file"])}</p>{caption}</figure>'
    link, alt = (
        section.link(item),
        escape(str(item.get("alt") or item.get("caption") or item["file"]), quote=True),
    )
    wide = ' class="wide"' if item.get("wide") or item.get("hero") else ""
    if item["file"].lower().endswith(FILMS):
        return f'<figure{wide}><video controls loop muted src="{link}" aria-label="{alt}"></video>{caption}</figure>'
    return f'<figure{wide}><a href="{link}"><img src="{link}" alt="{alt}" loading="lazy"></a>{caption}</figure>'


def table(section: Section, item: dict) -> str:
    """Return a CSV file as a table, its first line as the head."""
    caption = escape(str(item.get("caption", item["file"])))
    try:
        with open(section.paths.results / item["file"], encoding="utf-8", newline="") as file:
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
