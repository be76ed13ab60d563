"""An executed notebook as the inside of a page; the runner's own pages and the site are made of it."""

from __future__ import annotations

import ast
import base64
import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import FileSystemLoader
from jinja2.utils import pass_context
from nbconvert import HTMLExporter

from rednet_lab.publish import colab
from rednet_lab.publish.site.frames import aligned
from rednet_lab.publish.site.prose import Prose
from rednet_lab.show.placeholder import without_widgets
from rednet_lab.tex import formula

PICTURES = ("image/svg+xml", "image/png", "image/jpeg")
# What is shown of an output that comes in several forms. No scripts of their own: they look for a notebook.
FORMS = ["text/html", "text/markdown", *PICTURES, "text/latex", "text/plain"]
LONG = 400_000  # characters of a stream that are shown
UNTOLD = "picture made by the code above"


@dataclass
class Article:
    """A notebook's HTML, its headings (level, id, text), and how many live widgets were made to stand still."""

    html: str
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    widgets: int = 0


class Exporter(HTMLExporter):
    """nbconvert with a template of our own, which fetches nothing, and Markdown by Prose."""

    def __init__(self, headings: list, pages: tuple[str, ...]) -> None:
        self.headings, self.pages = headings, pages
        # What nbconvert would say of pictures without alt text is dealt with here.
        super().__init__(extra_loaders=[FileSystemLoader(Path(__file__).parent)], template_file="notebook.j2",
                         log=logging.getLogger("rednet.site"))  # fmt: skip
        self.register_filter("formula", lambda text: formula(text.strip().strip("$"), block=True))

    @property
    def default_config(self):
        """nbconvert's settings, with our order of forms."""
        config = super().default_config
        config.NbConvertBase.display_data_priority = FORMS
        return config

    @pass_context
    def markdown2html(self, context, source: str) -> str:
        """Markdown to HTML; one list of headings for the whole notebook."""
        attachments = context.get("cell", {}).get("attachments", {})
        return Prose(self.headings, self.pages, attachments).render(source)


def article(
    notebook, results: dict | None = None, file_of: Callable[[str], str | None] = lambda name: None,
    pages: tuple[str, ...] = (),
) -> Article:  # fmt: skip
    """Return an executed notebook's HTML, complete in itself; the notebook is left as it is.

    `results` is its results.json, from which pictures and tables get captions and alt texts; `file_of` gives the
    address of one of its figure files, or None to keep the picture that the notebook holds; `pages` are the
    notebooks with pages beside this one.
    """
    notebook, made = copy.deepcopy(notebook), Article("")
    made.widgets = without_widgets(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            _describe(cell, results or {}, file_of)
    made.html, _ = Exporter(made.headings, pages).from_notebook_node(notebook)
    return made


def _describe(cell, results: dict, file_of: Callable[[str], str | None]) -> None:
    """Note in a code cell's metadata what its pictures and tables are of, and whether the cell opens folded."""
    tags = cell.metadata.get("tags", [])
    label = {"parameters": "parameters", "injected-parameters": "parameters of this run"}
    names = [label[tag] for tag in tags if tag in label] + ["fetch the course"] * colab.is_ours(cell)
    cell.metadata["rednet"] = {"label": names[0] if names else "code", "folded": bool(names)}
    shown = [out for out in cell.outputs if is_picture(out)]
    figures = _named(cell.source, ("figure", "pictures"), results.get("figures"), len(shown))
    for output, item in zip(shown, figures, strict=True):
        output.metadata["rednet"] = _picture(output, item, file_of)
    tables = [out for out in cell.outputs if 'class="dataframe"' in out.get("data", {}).get("text/html", "")]
    frames = _named(cell.source, ("table",), results.get("tables"), len(tables))
    for output, item in zip(tables, frames, strict=True):
        output.metadata["rednet"] = {"caption": item.get("caption", "")}
        output.data["text/html"] = aligned(output.data["text/html"])
    for output in cell.outputs:
        if output.output_type == "stream" and len(output.text) > LONG:
            output.text = f"{output.text[:LONG]}\n... ({len(output.text) - LONG} more characters)"


def is_picture(output) -> bool:
    """Tell whether an output is shown as a picture; a player may bring one along and is shown itself."""
    data = output.get("data", {})
    return "text/html" not in data and any(kind in data for kind in PICTURES)


def _named(source: str, methods: tuple[str, ...], items: list | None, count: int) -> list[dict]:
    """Return what of results.json a cell's calls of `methods` name, one for each of `count` outputs.

    `lab.figure(fig, "steps", ...)` names "steps". Where calls and outputs are not as many, none is told, rather
    than a wrong one.
    """
    known = {Path(item["file"]).stem: item for item in items or [] if isinstance(item, dict) and item.get("file")}
    try:
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except SyntaxError:
        calls = []
    found = []
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        names = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if isinstance(call.func, ast.Attribute) and call.func.attr in methods:
            found += [known[name] for name in names[:1] if name in known]
    return found if len(found) == count else [{}] * count


def _picture(output, item: dict, file_of: Callable[[str], str | None]) -> dict:
    """Return a picture's address, alt text and caption."""
    kind = next(kind for kind in PICTURES if kind in output.data)
    about = output.metadata.get(kind) or {}
    told = {"alt": item.get("alt") or about.get("alt") or UNTOLD, "caption": item.get("caption", "")}
    if item and (address := file_of(item["file"])):
        return {"src": address, **told}
    data = output.data[kind]
    data = base64.b64encode(data.encode()).decode() if kind == "image/svg+xml" else "".join(data.split())
    return {"src": f"data:{kind};base64,{data}", "width": about.get("width"), **told}
