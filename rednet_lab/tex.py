"""TeX to MathML, which every browser draws without a script or a font of ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from xml.etree import ElementTree

from latex2mathml.converter import convert

PARTS = {  # how many parts these elements must have; a formula with too few would be drawn as an error
    "mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3, "mroot": 2,
}  # fmt: skip
OTHER_NAMES = re.compile(r"\\(begin|end)\{(?:aligned|split)\}")  # the converter knows these by one name
OPENING, CLOSING = {"(", "[", "{"}, {")", "]", "}"}


class TexError(ValueError):
    """TeX that cannot be turned into MathML; the text says which and why."""


def mathml(tex: str, block: bool = False) -> str:
    """Return a formula as a <math> element; raises TexError for TeX that is unknown or incomplete."""
    try:
        known = OTHER_NAMES.sub(r"\\\1{align*}", tex.strip())
        text = convert(known, display="block" if block else "inline")
        tree = ElementTree.fromstring(text.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', ""))
    except Exception as error:  # the converter has many errors of its own, and passes some TeX through as it is
        raise TexError(f"{tex!r}: {type(error).__name__} {error}".strip()) from error
    if r"\begin" in tex and tree.find(".//mtable") is None:
        raise TexError(f"{tex!r}: an environment that is not known")
    for element in tree.iter():
        if "\\" in (element.text or ""):
            raise TexError(f"{tex!r}: {element.text} is not known")
        if len(element) != PARTS.get(element.tag, len(element)):
            raise TexError(f"{tex!r}: something is missing in a {element.tag[1:]}")
    _mend(tree)
    tree.set("alttext", tex.strip())
    return ElementTree.tostring(tree, encoding="unicode")


def _mend(parent: ElementTree.Element) -> None:
    """Set what the converter leaves out: which signs are operators, which bars stay small, and the space around log."""
    for index, child in reversed(list(enumerate(parent))):
        _mend(child)
        if child.tag == "mi" and child.text in (";", ":", "!"):
            child.tag = "mo"
        if child.tag == "mo" and child.text in ("\u2016", "|") and not child.get("stretchy"):
            child.set("stretchy", "false")  # a bar with an index grows alone, and its partner not
        if child.tag == "mi" and len(child.text or "") > 1 and child.text.isascii() and parent.tag == "mrow":
            before, after = parent[index - 1] if index else None, parent[index + 1] if index + 1 < len(parent) else None
            if after is not None and after.text not in OPENING:
                parent.insert(index + 1, ElementTree.Element("mspace", width="0.167em"))
            if before is not None and (before.tag not in ("mo", "mspace") or before.text in CLOSING):
                parent.insert(index, ElementTree.Element("mspace", width="0.167em"))


def formula(tex: str, block: bool = False) -> str:
    """Return a formula for a page: MathML, or the TeX itself where that fails, so that nothing is lost."""
    try:
        return mathml(tex, block)
    except TexError as error:
        return f'<code class="tex" title="{escape(str(error), quote=True)}">{escape(tex.strip())}</code>'


def markdown_filter(pictures: dict | None = None) -> Callable[[str], str]:
    """Return nbconvert's way from Markdown to HTML, with formulas as MathML; pictures: the cells' attachments."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Prose(IPythonRenderer):
        def block_math(self, body: str) -> str:
            return formula(body, block=True)

        def inline_math(self, body: str) -> str:
            return formula(body)

        def latex_environment(self, name: str, body: str) -> str:
            return formula(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)

    return lambda text: MarkdownWithMath(renderer=Prose(escape=False, attachments=pictures)).render(text)
