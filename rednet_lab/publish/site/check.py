"""Is a folder of pages whole? Links and anchors resolve, nothing is fetched from elsewhere, no TeX is left raw."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

MOST_BYTES = 60_000_000
FETCHING = {  # what a browser fetches by itself: tag -> attributes
    "script": ("src",), "link": ("href",), "img": ("src", "srcset"), "iframe": ("src",), "video": ("src", "poster"),
    "audio": ("src",), "source": ("src", "srcset"), "object": ("data",), "embed": ("src",), "use": ("href",),
}  # fmt: skip
STYLED = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])(?:https?:)?//[^"')\s]+""")
SCRIPTED = re.compile(r"""(?:import|fetch|importScripts|\.src\s*=)\s*\(?\s*["'`](?:https?:)?//[^"'`]+""")
RAW_TEX = re.compile(
    r"\$\$.+?\$\$|(?<![\w$])\$(?![\s\d])[^$\n]{1,200}?(?<!\s)\$(?!\w)|\\(?:frac|sum|theta|ell|mathrm|begin)\b"
)
UNDRAWN = re.compile(r'<code class="tex"[^>]*>([^<]*)')
SAFE = ("#", "data:", "mailto:", "javascript:")


class Page(HTMLParser):
    """What one page links to, fetches, and calls its places; and its words, code aside."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links, self.fetched, self.ids, self.words, self.problems = [], [], [], [], []
        self.inside: list[str] = []
        self.formulas = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        told = {name: value or "" for name, value in attributes}
        self.formulas += tag == "math"
        self.ids += [told[name] for name in ("id",) if told.get(name)]
        self.fetched += [told[name] for name in FETCHING.get(tag, ()) if told.get(name)]
        self.links += [told["href"]] if tag == "a" and told.get("href") else []
        if tag == "img" and not told.get("alt"):
            self.problems.append("a picture has no alt text")
        if STYLED.search(told.get("style", "")):
            self.problems.append(f"a style fetches {told['style']}")
        if tag in ("script", "style", "code", "pre"):
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.words.append(data)
        elif self.inside[-1] in ("style", "script"):
            pattern = STYLED if self.inside[-1] == "style" else SCRIPTED
            self.problems += [f"a {self.inside[-1]} fetches {found[:80]}" for found in pattern.findall(data)]


def problems_of(html: str, page: Page | None = None) -> list[str]:
    """Return what is wrong with a page by itself: addresses elsewhere, raw TeX, pictures without alt text."""
    page = page or Page(html)
    found = list(page.problems)
    found += [f"fetches {address[:100]}" for address in page.fetched if re.match(r"[a-z]+:(?!,)|//", address)
              and not address.startswith(SAFE)]  # fmt: skip
    found += [f"raw TeX: {tex[:100]}" for tex in RAW_TEX.findall("".join(page.words))]
    found += [f"TeX that could not be drawn: {tex[:100]}" for tex in UNDRAWN.findall(html)]
    found += [f"two places are called {name}" for name in sorted({i for i in page.ids if page.ids.count(i) > 1})]
    return found


def check(folder: Path, most: int = MOST_BYTES) -> list[str]:
    """Return all problems of a folder of pages, each with the page it is on."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in files if path.suffix == ".html"}
    found = [] if pages else [f"{folder}: no pages"]
    for path, page in pages.items():
        name = path.relative_to(folder).as_posix()
        found += [f"{name}: {problem}" for problem in problems_of(path.read_text(encoding="utf-8"), page)]
        for address in dict.fromkeys([*page.links, *page.fetched]):
            if trouble := _unresolved(address, path, folder, pages):
                found.append(f"{name}: {address[:100]} {trouble}")
    size = sum(path.stat().st_size for path in files)
    return found + ([f"{size / 1e6:.0f} MB, more than {most / 1e6:.0f}"] if size > most else [])


def _unresolved(address: str, path: Path, folder: Path, pages: dict[Path, Page]) -> str:
    """Return what is wrong with a relative address on a page, or an empty text."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_relative_to(folder.resolve()) and target != path:
        return "leads out of the folder"
    if not target.is_file():
        return "is not there"
    page = next((pages[p] for p in pages if p.resolve() == target.resolve()), None)
    if parts.fragment and page is not None and unquote(parts.fragment) not in page.ids:
        return "names a place that is not there"
    return ""
