"""Markdown cells to HTML: mathematics as MathML, headings with addresses, links that hold between the pages."""

from __future__ import annotations

import re
from html import escape
from posixpath import join, normpath

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from rednet_lab.publish.colab import address
from rednet_lab.tex import formula

TAGS = re.compile(r"<[^>]+>")
MENTION = re.compile(r"\bnotebooks? \d\d(?:(?:, | and | or | to )\d\d)*\b")


class Prose(IPythonRenderer):
    """Renders the Markdown of one notebook; keeps its headings as (level, id, text).

    `pages` are the notebooks that have a page beside this one, by name: links to them hold. `folder` is where the text
    lies in the repository: its links to other files lead to the repository's address, where that is known.
    """

    def __init__(
        self, headings: list[tuple[int, str, str]], pages: tuple[str, ...], attachments: dict | None = None,
        folder: str = "notebooks",
    ) -> None:  # fmt: skip
        super().__init__(escape=False, attachments=attachments)
        self.headings, self.pages, self.folder = headings, pages, folder

    def render(self, source: str) -> str:
        """Return the HTML of a Markdown text."""
        return MarkdownWithMath(renderer=self).render(source)

    def block_math(self, body: str) -> str:
        return formula(body, block=True)

    def inline_math(self, body: str) -> str:
        return formula(body)

    def latex_environment(self, name: str, body: str) -> str:
        return formula(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)

    def heading(self, text: str, level: int, **_) -> str:
        words = TAGS.sub("", text).strip()
        base = re.sub(r"[^\w\- ]", "", words.lower()).strip().replace(" ", "-") or "section"  # GitHub's own way
        taken = {identity for _, identity, _ in self.headings}
        identity = next(name for n in range(1, 10_000) if (name := f"{base}-{n}" if n > 1 else base) not in taken)
        self.headings.append((level, identity, words))
        here = f'<a class="here" href="#{identity}" aria-label="link to this section">#</a>'
        return f'<h{level} id="{identity}">{text} {here}</h{level}>\n'

    def table(self, text: str) -> str:
        text = re.sub(r"<thead>\s*<tr>\s*(<th[^>]*>\s*</th>\s*)+</tr>\s*</thead>", "", text)  # the head says nothing
        return f'<div class="table"><table>{text}</table></div>\n'

    def text(self, text: str) -> str:
        """Plain words; numbers of other notebooks ("notebooks 30, 34 and 36") are links to them."""
        found = {page.split("_", 1)[0]: page for page in self.pages}

        def linked(number: re.Match) -> str:
            page = found.get(number[0])
            return f'<a href="{page}.html">{number[0]}</a>' if page else number[0]

        return MENTION.sub(lambda mention: re.sub(r"\d\d", linked, mention[0]), super().text(text))

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """A link; one to a notebook leads to its page, one to another file into the repository, or it is none."""
        if re.match(r"[a-z]+:|#", url):
            return super().link(text, url, title)
        target, _, anchor = url.partition("#")
        name = target.rsplit("/", 1)[-1].removesuffix(".ipynb")
        if target.endswith(".ipynb") and name in self.pages:
            return super().link(text, f"{name}.html" + (f"#{anchor}" if anchor else ""), title)
        if repository := address():
            return super().link(text, f"{repository}/blob/main/{normpath(join(self.folder, url))}", title)
        return f'<span class="file" title="{escape(url, quote=True)}">{text}</span>'
