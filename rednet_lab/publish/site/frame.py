"""What stands around every page of the site: the bar, the series at the side, previous and next, and the stamp."""

from __future__ import annotations

from html import escape

from rednet_lab.files import clock
from rednet_lab.publish.site.parts import page, stamp_list

FIND = """<form class="find" role="search"><input type="search" placeholder="Search ( / )" aria-label="search the pages"
autocomplete="off"><ol aria-live="polite"></ol></form>"""
SCRIPTS = '<script src="search.js" defer></script><script src="site.js" defer></script>'


class Frame:
    """Makes whole pages; `parts` are the site's notebooks in order, those without a page among them."""

    def __init__(self, parts: list, stamp: dict, with_ledger: bool) -> None:
        self.parts, self.stamp, self.with_ledger = parts, stamp, with_ledger
        self.made = [part for part in parts if part.article]
        self.smoke = stamp.get("profile") == "smoke"

    def page(self, title: str, body: str, name: str) -> str:
        """Return a page that is no notebook: the front, the results, the ledger."""
        if name != "index.html":
            body = f'<div class="layout">{self._side(None)}<main id="content" class="notebook">{body}</main></div>'
        else:
            body = f'<main id="content">{body}</main>'
        title = title if name == "index.html" else f"{title} · RED-Net course"
        stamp = "" if name == "index.html" else stamp_list(self.stamp)  # the front page has it already
        foot = f"<footer>Made from one run; every page works without a network.{stamp}</footer>"
        return page(title, self._bar(name) + body + foot, self.smoke, "site", SCRIPTS)

    def notebook(self, part) -> str:
        """Return a notebook's page."""
        body = (f'<div class="layout">{self._side(part)}<main id="content" class="notebook">{part.article.html}'
                f"{self._turn(part)}</main></div>")  # fmt: skip
        title = f"{part.entry.number} {part.entry.title} · RED-Net course"
        return page(title, self._bar(part.page, code=True) + body + foot(part.run), self.smoke, "site", SCRIPTS)

    def _bar(self, here: str, code: bool = False) -> str:
        """Return the bar above a page."""
        doors = [("results.html", "Results")] + ([("ledger.html", "Ledger")] if self.with_ledger else [])
        links = "".join(f'<a href="{name}"{current(name == here)}>{text}</a>' for name, text in doors)
        button = '<button type="button" class="code">Hide code</button>' if code else ""
        home = '<a class="brand" href="index.html">RED-Net course</a>'
        return (f'<a class="skip" href="#content">to the text</a><div class="bar" role="banner">{home}{links}'
                f'<span class="space"></span>{button}{FIND}</div>')  # fmt: skip

    def _side(self, here) -> str:
        """Return the series as a list, the sections of the page at hand below its name."""
        lines = "".join(self._line(part, here) for part in self.parts)
        return f'<nav class="side" aria-label="The series"><ol>{lines}</ol></nav>'

    def _line(self, part, here) -> str:
        """Return one notebook's line at the side."""
        inside = f'<span class="number">{part.entry.number}</span><span>{escape(part.entry.title)}</span>'
        if not part.article:
            return f'<li><span class="gone" title="{part.why}">{inside}</span></li>'
        sections = ""
        if part is here:
            found = [(name, text) for level, name, text in part.article.headings if level == 2]
            lines = "".join(f'<li><a href="#{name}">{text}</a></li>' for name, text in found)
            sections = f"<ol>{lines}</ol>" if lines else ""
        return f'<li><a href="{part.page}"{current(part is here)}>{inside}</a>{sections}</li>'

    def _turn(self, part) -> str:
        """Return the links to the notebooks before and after."""
        at = self.made.index(part)
        before, after = self.made[at - 1 : at] if at else [], self.made[at + 1 : at + 2]
        links = [
            f'<a class="previous" rel="prev" href="{p.page}"><small>Previous</small>{name_of(p)}</a>' for p in before
        ]
        links += [f'<a class="next" rel="next" href="{p.page}"><small>Next</small>{name_of(p)}</a>' for p in after]
        if not after:
            links.append('<a class="next" href="results.html"><small>Next</small>All results</a>')
        return f'<nav class="turn" aria-label="Previous and next">{"".join(links)}</nav>'


def name_of(part) -> str:
    """Return a notebook's number and title."""
    return f"{part.entry.number} · {escape(part.entry.title)}"


def current(is_here: bool) -> str:
    """Return the attribute that marks where one is."""
    return ' aria-current="page"' if is_here else ""


def foot(run: dict) -> str:
    """Return a page's foot from what the runner noted in the notebook: its stamp and how long it took."""
    took = f" in {clock(run['seconds'])}" if run.get("seconds") else ""
    return f"<footer>This notebook was executed{took}.{stamp_list(run.get('stamp') or {})}</footer>"


def alone(title: str, html: str, run: dict) -> str:
    """Return a notebook as one page by itself, as the runner leaves it in a run folder."""
    body = f'<p class="back"><a href="../index.html">the run</a></p><main class="notebook">{html}</main>{foot(run)}'
    return page(title, body, (run.get("stamp") or {}).get("profile") == "smoke", "alone")
