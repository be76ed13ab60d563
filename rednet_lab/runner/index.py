"""The page of a run: one HTML file with relative links that shows each notebook's state, figures, tables, numbers."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import quote

from rednet_lab.files import clock, read_json, write_text
from rednet_lab.publish.site.parts import Shown, cards, describe, evidence, heroes, latest_stamp, page, stamp_list
from rednet_lab.runner import state
from rednet_lab.runner.course import Course, Job, Options, make_jobs

STATES = {
    "up-to-date": ("ok", "done"), "stale": ("old", "done, but with other code or parameters than now"),
    "failed": ("bad", "failed"), "skipped": ("bad", "not run"), "interrupted": ("bad", "running or interrupted"),
    "never": ("none", "not run yet"), "missing": ("none", "no such notebook here"),
    "broken": ("bad", "a parameters cell is wrong, or what it needs is missing"),
}  # fmt: skip


def write_index(folder: Path, course: Course, options: Options, seed: int) -> Path:
    """Write the page of one run folder from what lies in it, and return its path."""
    shown = [Section(job) for job in make_jobs(course, options, list(course.series), seed)]
    page = state.page_of(folder)
    write_text(page, render(folder.name, options, seed, shown))
    return page


class Section(Shown):
    """What the page shows of one notebook; results only of a run that succeeded."""

    def __init__(self, job: Job) -> None:
        self.paths, self.record = state.Paths(job), state.record_of(job)
        results = read_json(self.paths.results_file, {}) if self.record.get("state") == "done" else {}
        super().__init__(job.entry, self.paths.results, results, job.entry.name)
        self.state = state.state_to_show(job)

    @property
    def worth_showing(self) -> bool:
        """Tell whether there is more to say of the notebook than its line in the overview."""
        return self.state not in ("never", "missing")


def render(name: str, options: Options, seed: int, sections: list[Section]) -> str:
    """Return the whole page."""
    good = sum(s.state == "up-to-date" for s in sections)
    bad = [s for s in sections if STATES[s.state][0] == "bad"]
    seconds = sum(s.record.get("seconds", 0) for s in sections if s.record.get("state") == "done")
    lead = f"{good} of {len(sections)} notebooks done, {clock(seconds)} of work"
    old = sum(s.state == "stale" for s in sections)
    lead += f"; {old} made with other code or parameters than now" if old else ""
    lead += f"; <strong>{len(bad)} failed or not run</strong>" if bad else ""
    body = f"""<header><p class="kicker">RED-Net course &middot; run <code>{escape(name)}</code></p>
<h1>Recurrent face alignment, {escape(describe(options.profile, options.source, seed))}</h1>
<p>{lead}</p>{stamp_list(latest_stamp(sections))}</header>
<main>{heroes(sections)}{cards(sections)}
<nav class="overview" aria-label="notebooks"><table>{"".join(map(row, sections))}</table></nav>
{"".join(article(s) for s in sections if s.worth_showing)}</main>
<footer>Every figure and table lies beside this page, in the folder of its notebook; each notebook's stamp is in its
results.json.</footer>"""
    return page(f"RED-Net course: {name}", body, smoke=options.profile == "smoke")


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
    return (f'<article id="{escape(section.entry.name)}" class="{kind}">{head}<p class="facts">'
            f'{" &middot; ".join(facts)}</p>{trouble}{evidence(section)}</article>')  # fmt: skip
