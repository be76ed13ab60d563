"""The page of a run: one HTML file with relative links that shows each notebook's state, figures, tables, numbers.

All text comes from notebooks and files that may be anybody's; the template escapes it.
"""

from __future__ import annotations

import csv
from pathlib import Path
from urllib.parse import quote

from rednet_lab.files import clock, figures, read_json, write_text
from rednet_lab.names import USUAL_SOURCE
from rednet_lab.runner import state
from rednet_lab.runner.course import Course, Job, Options, make_jobs

STATES = {
    "up-to-date": ("ok", "done"), "stale": ("old", "done, but with other code, data or parameters than now"),
    "failed": ("bad", "failed"), "skipped": ("bad", "not run"), "interrupted": ("bad", "running or interrupted"),
    "never": ("none", "not run yet"), "missing": ("none", "no such notebook here"),
    "broken": ("bad", "a parameters cell is wrong, or what it needs is missing"),
}  # fmt: skip
CARDS, COURSE_CARDS, ROWS = 8, 3, 200
STAMPED = ("profile", "source", "data", "seed", "device", "threads", "precision", "python", "torch", "numpy", "opencv")
LOOK = """
:root { color-scheme: light dark; --soft: light-dark(#5b6675, #9aa6b5); --line: light-dark(#dfe3e8, #2e3742);
  --ok: light-dark(#18794e, #5fd39a); --old: light-dark(#8a5a00, #e6b450); --bad: light-dark(#b42318, #ff8a7a); }
body { margin: 0 auto; max-width: 68rem; padding: 0 1.25rem 3rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 2rem 0 .5rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin: 0; }
.banner { background: #b42318; color: #fff; text-align: center; font-weight: 700; padding: .8rem; }
.soft, figcaption, .stamp b { color: var(--soft); font-size: .88rem; }
.ok { color: var(--ok); } .old { color: var(--old); } .bad, .error { color: var(--bad); } .none { color: var(--soft); }
.stamp { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1rem; padding: 0; font-size: .85rem; }
.cards, .figures, .overview { margin: 1.5rem 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 1rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem; }
.card, .overview { border: 1px solid var(--line); padding: .8rem 1.1rem; }
.card p { margin: 0; } .value { font-size: 1.9rem; font-weight: 650; }
.table, .overview, pre { overflow: auto; } pre { max-height: 22rem; font-size: .82rem; }
table { border-collapse: collapse; font-size: .9rem; }
td, th { padding: .25rem .8rem .25rem 0; text-align: left; border-top: 1px solid var(--line); }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
article { margin-top: 2.25rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
figure { margin: 0; } .hero, .wide { grid-column: 1 / -1; }
img { display: block; max-width: 100%; height: auto; background: #fff; margin: 0 auto; }
"""
TEMPLATE = """<!doctype html>
{% macro figure(s, item) %}<figure{% if item.wide or item.hero %} class="wide"{% endif %}>
{% if s.has(item) %}<a href="{{ s.link(item) }}"><img src="{{ s.link(item) }}" loading="lazy"
alt="{{ item.alt or item.caption or item.file }}"></a>
{% else %}<p class="error">missing: {{ item.file }}</p>{% endif %}
<figcaption>{{ item.caption or '' }}</figcaption></figure>{% endmacro %}
{% macro table(s, item) %}{% set t = s.table(item) %}
{% if t.error %}<p class="error">{{ item.file }} cannot be shown: {{ t.error }}</p>{% else %}
<p class="soft">{{ item.caption or item.file }}{% if t.more > 0 %} ({{ t.more }} more lines in the file){% endif %}
&middot; <a href="{{ s.link(item) }}">CSV</a></p><div class="table"><table>
<thead><tr>{% for cell in t.head %}<th>{{ cell }}</th>{% endfor %}</tr></thead>
<tbody>{% for line in t.body %}<tr>{% for cell, number in line %}
<td{% if number %} class="num"{% endif %}>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</tbody></table></div>
{% endif %}{% endmacro %}
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>RED-Net course: {{ name }}</title><style>{{ look | safe }}</style></head><body>
{% if options.profile == "smoke" %}
<p class="banner">smoke profile: checks that it runs, the figures mean nothing</p>{% endif %}
<header><p class="soft">RED-Net course &middot; run <code>{{ name }}</code></p>
<h1>Recurrent face alignment, profile {{ options.profile }}, {{ faces }}, seed {{ seed }}</h1>
<p>{{ good }} of {{ sections | length }} notebooks done, {{ took }} of work
{%- if old %}; {{ old }} made with other code, data or parameters than now{% endif %}
{%- if bad %}; <strong>{{ bad }} failed or not run</strong>{% endif %}</p>
<ul class="stamp">{% for key, value in stamp %}<li><b>{{ key }}</b> {{ value }}</li>{% endfor %}</ul></header>
<main>{% if hero %}<div class="hero">{{ figure(*hero) }}</div>{% endif %}
<div class="cards">{% for label, n in cards %}<div class="card"><p>{{ label }}</p>
<p class="value">{{ figures(n.value) }} <small>{{ n.unit or '' }}</small></p>
<p class="soft">{{ n.note or '' }}</p></div>
{% endfor %}</div>
<nav class="overview" aria-label="notebooks"><table>{% for s in sections %}<tr><td class="num">{{ s.entry.number }}</td>
<td>{% if s.shown %}<a href="#{{ s.entry.name }}">{{ s.entry.title }}</a>{% else %}{{ s.entry.title }}{% endif %}</td>
<td class="{{ s.kind }}">{{ s.word }}</td><td class="num">{{ s.took }}</td></tr>{% endfor %}</table></nav>
{% for s in sections if s.shown %}<article id="{{ s.entry.name }}"><h2>{{ s.entry.number }} {{ s.entry.title }}</h2>
<p class="soft"><span class="{{ s.kind }}">{{ s.word }}</span> {{ s.took }}
{% for address, words in s.pages %}&middot; <a href="{{ address }}">{{ words }}</a> {% endfor %}</p>
{% if s.error %}<pre class="error">{{ s.error }}</pre>{% endif %}
<div class="figures">{% for item in s.items("figures") %}{{ figure(s, item) }}{% endfor %}</div>
{% for item in s.items("tables") %}{{ table(s, item) }}{% endfor %}
{% if s.numbers %}<details><summary>numbers ({{ s.numbers | length }})</summary><table>{% for label, n in s.numbers %}
<tr><td>{{ label }}</td><td class="num">{{ figures(n.value) }} {{ n.unit or '' }}</td><td>{{ n.note or '' }}</td></tr>
{% endfor %}</table></details>{% endif %}</article>{% endfor %}</main>
<footer class="soft"><p>Every figure and table lies beside this page, in the folder of its notebook; each notebook's
stamp is in its results.json.</p></footer></body></html>
"""


class Section:
    """What the page shows of one notebook; results only of a run that succeeded."""

    def __init__(self, job: Job) -> None:
        self.entry, self.paths, record = job.entry, state.Paths(job), state.record_of(job)
        self.state = state.state_to_show(job)
        self.kind, self.word = STATES[self.state]
        self.done = record.get("state") == "done"
        self.results = read_json(self.paths.results_file, {}) if self.done else {}
        self.seconds = float(record.get("seconds", 0)) if self.done else 0.0
        self.took = clock(self.seconds) if self.done else ""
        self.error = record.get("error", "") if self.state in ("failed", "skipped") else ""
        self.shown = self.state not in ("never", "missing")
        self.experiment = self.entry.number >= "70"  # those before are the course
        found = ((self.paths.html, "executed notebook"), (self.paths.failed_html, "as far as it got"))
        self.pages = [(quote(f"executed/{path.name}"), words) for path, words in found if path.is_file()]
        stamp = self.results.get("stamp")
        self.stamp = stamp if isinstance(stamp, dict) else {}
        pairs = self.results.get("numbers") or {}
        told = [(name, n if isinstance(n, dict) else {"value": n}) for name, n in pairs.items()]
        labelled = [(str(number.get("label", name)), number) for name, number in told]
        self.numbers = sorted(labelled, key=lambda pair: not pair[1].get("headline"))

    def items(self, kind: str) -> list[dict]:
        """Return the figures or tables, as the notebook listed them."""
        return [item for item in self.results.get(kind) or [] if isinstance(item, dict) and item.get("file")]

    def link(self, item: dict) -> str:
        """Return the address of a results file, relative to the page."""
        return quote(f"{self.entry.name}/{item['file']}")

    def has(self, item: dict) -> bool:
        """Tell whether a results file is there."""
        return (self.paths.results / item["file"]).is_file()

    def table(self, item: dict) -> dict:
        """Return a CSV file's head and its first lines as (cell, whether it is a number), or what is wrong with it."""
        try:
            with open(self.paths.results / item["file"], encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            return {"error": str(error)}
        body = [[shortened(cell) for cell in line] for line in rows[1 : ROWS + 1]]
        return {"head": rows[0] if rows else [], "body": body, "more": len(rows) - 1 - ROWS}


def shortened(cell: str) -> tuple[str, bool]:
    """Return a table's cell, a number no longer than it need be, and whether it is one."""
    try:
        number = float(cell)
    except ValueError:
        return cell, False
    return cell.strip() if len(cell) <= 7 else f"{number:.5g}", True


def write_index(folder: Path, course: Course, options: Options, seed: int) -> Path:
    """Write the page of one run folder from what lies in it, and return its path."""
    from jinja2 import Environment

    sections = [Section(job) for job in make_jobs(course, options, list(course.series), seed)]
    # Who speaks for a run: the course's last notebooks first, then the experiments, the ledger's first.
    telling = sorted(reversed(sections), key=lambda s: s.experiment)
    hero = next(((s, item) for s in telling for item in s.items("figures") if item.get("hero")), None)
    cards = [(s.experiment, number) for s in telling for number in s.numbers if number[1].get("headline")]
    first, rest = ([number for experiment, number in cards if experiment == wanted] for wanted in (False, True))
    stamp = max((s.stamp for s in sections), key=lambda stamp: str(stamp.get("time", "")))
    machine = [f"{v} cores" if k == "cpus" else str(v) for k, v in stamp.get("machine", {}).items()]
    facts = {name: stamp.get(name) for name in STAMPED} | {"code": stamp.get("code", "")[:10]}
    facts |= {"machine": ", ".join(machine), "time": stamp.get("time")}
    # The template escapes whatever is put into it.
    text = Environment(autoescape=True, trim_blocks=True).from_string(TEMPLATE).render(
        name=folder.name, options=options, seed=seed, sections=sections, look=LOOK, figures=figures,
        faces="the face world" if options.source == USUAL_SOURCE else f"real faces ({options.source})",
        good=sum(s.state == "up-to-date" for s in sections), old=sum(s.state == "stale" for s in sections),
        bad=sum(s.kind == "bad" for s in sections), took=clock(sum(s.seconds for s in sections)), hero=hero,
        cards=(first[: COURSE_CARDS if rest else CARDS] + rest)[:CARDS],
        stamp=[(name, value) for name, value in facts.items() if value not in (None, "")],
    )  # fmt: skip
    write_text(folder / "index.html", text)
    return folder / "index.html"
