"""The site's search: one entry for each section of each page, in a script that a page can load from a folder."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

UNREAD = {
    "script",
    "style",
    "pre",
    "math",
    "summary",
    "button",
    "svg",
    "table",
}  # numbers are found on the results page
VOID = {"img", "br", "hr", "input", "meta", "link", "source", "wbr", "col"}
HEADINGS = {"h1", "h2", "h3"}


class Reader(HTMLParser):
    """Reads a page's words into [anchor, heading, text], one for each heading with an address."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sections: list[list[str]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        told = dict(attributes)
        if tag in VOID:
            if tag == "img" and self.sections and "pre" not in self.open:
                self.sections[-1][2] += f" {told.get('alt') or ''} "
            return
        self.open.append("unread" if tag in UNREAD or told.get("class") == "here" else tag)
        if tag in HEADINGS and told.get("id"):
            self.sections.append([told["id"], "", ""])

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.sections and "unread" not in self.open:
            self.sections[-1][1 if HEADINGS & set(self.open) else 2] += data


def entries(page: str, title: str, html: str) -> list[list[str]]:
    """Return a page's sections as [page, title, anchor, heading, text]."""
    squeezed = ([re.sub(r"\s+", " ", part).strip() for part in section] for section in Reader(html).sections)
    return [[page, title, *section] for section in squeezed]


def script(found: list[list[str]]) -> str:
    """Return the index as a script; a folder's page may load a script, and no data."""
    return "window.COURSE = " + json.dumps(found, ensure_ascii=False).replace("</", "<\\/") + ";\n"
