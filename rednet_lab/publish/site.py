"""The site: the executed notebooks of a run, the ledger, the results and the API of rednet_core, built by Sphinx.

Sphinx, myst-nb and Furo are the `docs` extra. What is added here is little: the source folder is put together, formulas
become MathML (no script, no network), pictures get their alt texts, docstrings are read as plain text. The module is
the Sphinx extension, too (`setup`).
"""

from __future__ import annotations

import functools
import io
import pkgutil
import posixpath
import re
import shutil
import tempfile
from html import escape
from importlib.util import find_spec
from pathlib import Path

import nbformat

from rednet_lab.files import figures, read_json, write_text
from rednet_lab.names import EVIDENCE, ROOT
from rednet_lab.publish import cells, pages
from rednet_lab.publish.evidence import WIDGET
from rednet_lab.series import SERIES
from rednet_lab.tex import TexError, formula, mathml

NEEDS = ("sphinx", "myst_nb", "furo")
LINK = re.compile(r"(?<!!)\[([^\]\n]*)\]\(([^)\s]+)\)")
MENTION = re.compile(r"(?<!\[)\bnotebooks? \d\d(?:(?:, | and | or | to )\d\d)*\b(?!\])")
CSS = """math[display=block] { margin: 1rem 0; overflow-x: auto } .cell_output img { max-width: 100%; height: auto }
article table { font-size: .85em } .table-wrapper td { vertical-align: top }"""
SETTINGS = {
    "project": "RED-Net course",
    "html_title": "RED-Net course",
    "html_theme": "furo",
    "extensions": ["myst_nb", "sphinx.ext.autodoc", "rednet_lab.publish.site"],
    "nb_execution_mode": "off",
    "nb_merge_streams": True,
    "myst_enable_extensions": ["dollarmath", "amsmath", "colon_fence"],
    "html_math_renderer": "mathml",
    "html_static_path": ["_static"],
    "html_css_files": ["course.css"],
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_search_summary": False,  # a page opened from a file may not fetch others
    "html_show_copyright": False,
    "autodoc_default_options": {"members": True, "member-order": "bysource"},
    "autodoc_preserve_defaults": True,
    "python_maximum_signature_line_length": 88,
    "suppress_warnings": ["myst.header"],  # a notebook may begin a section at any level
}


class SiteError(ValueError):
    """A site that cannot be built; the text says why."""


def build(run: Path, to: Path, root: Path = ROOT) -> list[str]:
    """Build the site of a run in the folder `to` (replaced); return what is wrong with it, a line each."""
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        raise SiteError(f"{', '.join(missing)} not installed: python3 go.py site does it, or pip install '.[docs]'")
    if to.exists() and not (to / "searchindex.js").is_file() and any(to.iterdir()):
        raise SiteError(f"{to} holds something else than a site; name another folder with --to")
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    warnings = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, docutils_namespace(), patch_docutils():
        source, made = Path(folder) / "source", Path(folder) / "html"
        write_source(run, source, root)
        Sphinx(source, None, made, Path(folder) / "trees", "html", SETTINGS, None, warnings).build()
        for left in (".buildinfo", "objects.inv"):
            (made / left).unlink(missing_ok=True)
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(made, to)
        told = re.sub(r"\x1b\[[\d;]*m", "", warnings.getvalue()).replace(f"{source}/", "")
    return [line for line in told.splitlines() if line.strip()]


# -------------------------------------------------------------------------------------------------------- the source


def write_source(run: Path, to: Path, root: Path) -> None:
    """Write what Sphinx reads: the same folders as in the checkout, notebooks of the run in their place."""
    copies = {entry.name: file for entry in SERIES for folder in ("executed", pages.SNAPSHOTS)
              if (file := run / folder / f"{entry.name}.ipynb").is_file()}  # fmt: skip
    if not copies:
        raise SiteError(f"{run}: no executed notebooks in it. Make some with: python3 go.py run")
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
             for path in [root / "figures" / "README.md", *sorted((root / "figures" / "ledger").glob("*.md"))]
             if path.is_file()}  # fmt: skip
    known = {*texts, *(f"notebooks/{name}.ipynb" for name in copies)}
    for name, file in copies.items():
        notebook = nbformat.read(file, as_version=4)
        prepare(notebook, read_json(run / name / "results.json", {}), known)
        write_text(to / "notebooks" / f"{name}.ipynb", nbformat.writes(notebook))
    for path, text in texts.items():
        write_text(to / path, relinked(text, posixpath.dirname(path), known))
    modules = ["rednet_core", *(m.name for m in pkgutil.walk_packages([str(root / "rednet_core")], "rednet_core."))]
    for name in modules:
        write_text(to / "api" / f"{name}.rst", f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n")
    listed = "\n".join(f"api/{name}" for name in modules)
    about = "# The API of rednet_core\n\nMade from its docstrings."
    write_text(to / "api.md", f"{about}\n\n```{{toctree}}\n{listed}\n```\n")
    write_text(to / "results.md", results_page(run, to))
    write_text(to / "index.md", index(run, root, copies, texts))
    write_text(to / "_static" / "course.css", CSS)


def described(run: Path, root: Path = ROOT) -> str:
    """Say what a site shows: a run of the reader's own or the committed evidence, and what it was made with."""
    stamps = [found["stamp"] for path in run.glob("*/results.json") if (found := read_json(path, {})).get("stamp")]
    stamp = max(stamps, key=lambda one: str(one.get("time")), default={})
    own = not run.resolve().is_relative_to((root / EVIDENCE).resolve())
    what = f"a run of yours, `{run.name}`" if own else f"the committed evidence, `{EVIDENCE}/{run.name}`"
    told = ", ".join(f"{name} {stamp[name]}" for name in ("profile", "source", "seed", "device", "torch", "time")
                     if stamp.get(name) not in (None, ""))  # fmt: skip
    smoke = " **Profile smoke checks that everything runs; its figures mean nothing.**"
    return f"These pages show {what} ({told}).{smoke if stamp.get('profile') == 'smoke' else ''}"


def index(run: Path, root: Path, copies: dict, texts: dict) -> str:
    """Return the front page: what is shown, the run's main figure, and the way to everything."""

    def toctree(caption: str, names: list[str]) -> str:
        return "```{toctree}\n:maxdepth: 1\n:caption: " + caption + "\n" + "\n".join(names) + "\n```\n" if names else ""

    parts = {title: [f"notebooks/{e.name}" for e in some if e.name in copies] for title, some in pages.parts().items()}
    ledger = [path for path in texts if "/ledger/" in path]
    front = [f"The committed evidence <{path}>" for path in texts if path not in ledger]
    about = "A recurrent encoder-decoder network for face alignment in video (IJCV 2018, ECCV 2016): a course."
    groups = {**parts, "Results": ["All figures <results>", *front], "The ledger": ledger, "API": ["api"]}
    text = "\n".join(toctree(caption, names) for caption, names in groups.items())
    return f"# RED-Net\n\n{about}\n\n{described(run, root)}\n\n{text}"


def results_page(run: Path, to: Path) -> str:
    """Return a page with every figure and number of a run; the figures are copied beside it."""
    parts = ["# All figures", described(run)]
    for entry in SERIES:
        results = read_json(run / entry.name / "results.json", {})
        shown = [item for item in results.get("figures", []) if (run / entry.name / item["file"]).is_file()]
        numbers = results.get("numbers", {})
        if not shown and not numbers:
            continue
        parts.append(f"## {entry.number} {entry.title}")
        for item in shown:
            place = f"results/{entry.name}/{item['file']}"
            (to / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(run / entry.name / item["file"], to / place)
            alt, caption = " ".join(item.get("alt", "").split()), literal(item.get("caption", ""))
            parts.append(f":::{{figure}} {place}\n:alt: {alt}\n:loading: lazy\n\n{caption}\n:::")
        told = ((literal(n.get("label", name)), figures(n["value"]), n.get("unit", "")) for name, n in numbers.items())
        rows = [f"| {label} | {value} {unit} |" for label, value, unit in told]
        parts.append("\n".join(["| | |", "|---|---|", *rows]) if rows else "")
    return "\n\n".join(parts) + "\n"


def literal(text: str) -> str:
    """Return a text as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_$|\[\]])", r"\\\1", escape(text, quote=False))


def relinked(text: str, folder: str, known: set[str]) -> str:
    """Return Markdown whose links hold on the site: to pages there, else into the repository, else only their text."""

    def link(found: re.Match) -> str:
        words, target = found.groups()
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        path, _, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(folder, path))
        page = f"notebooks/{posixpath.basename(path)}" if path.endswith(".ipynb") else path
        if page in known:
            return f"[{words}]({posixpath.relpath(page, folder)}{'#' * bool(anchor)}{anchor})"
        return f"[{words}]({cells.address()}/blob/main/{path})" if cells.address() else words

    return LINK.sub(link, text)


# ------------------------------------------------------------------------------------------------------ one notebook


def prepare(notebook, results: dict, known: set[str]) -> None:
    """Make an executed notebook fit for a page, in place: links, folded set-up cells, alt texts, no live widgets."""
    pages_of = {posixpath.basename(path)[:2]: posixpath.basename(path) for path in known if path.endswith(".ipynb")}

    def mention(found: re.Match) -> str:
        return re.sub(r"\d\d", lambda n: f"[{n[0]}]({pages_of[n[0]]})" if n[0] in pages_of else n[0], found[0])

    notebook.metadata.pop("widgets", None)
    notebook.metadata.setdefault("language_info", {"name": "python"})
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = MENTION.sub(mention, relinked(cell.source, "notebooks", known))
            continue
        tags = cell.metadata.setdefault("tags", [])
        if {"parameters", "injected-parameters", "solution"} & set(tags) or cell.get("id") == cells.FETCHES:
            tags.append("hide-input")
        shown = [out for out in cell.get("outputs", []) if any(k.startswith("image/") for k in out.get("data", {}))]
        places = [(cell.source.find(f'"{Path(item["file"]).stem}"'), item) for item in results.get("figures", [])]
        told = [item for place, item in sorted(places, key=lambda each: each[0]) if place >= 0]
        told = told if len(told) == len(shown) else [{}] * len(shown)
        for output, item in zip(shown, told, strict=True):
            kinds = [output.metadata.get(kind) or {} for kind in output.data]
            alt = item.get("alt") or next((k["alt"] for k in kinds if k.get("alt")), "made by the code above")
            cell.metadata["mystnb"] = {"image": {"alt": alt}}  # myst-nb knows one text a cell
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)


# ------------------------------------------------------------------------------------------------ as Sphinx extension


def setup(app) -> dict:
    """Register MathML as Sphinx's way to draw formulas, and the reading of docstrings."""
    inline, block = (functools.partial(_drawn, block=block) for block in (False, True))
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.connect("autodoc-process-docstring", _docstring)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _drawn(writer, node, block: bool) -> None:
    from docutils.nodes import SkipNode
    from sphinx.util import logging

    try:
        mathml(node.astext(), block)
    except TexError as error:
        logging.getLogger(__name__).warning("formula: %s", error, location=node)
    text = formula(node.astext(), block)
    writer.body.append(f"<div>{text}</div>" if block else text)
    raise SkipNode


def _docstring(app, what, name, thing, options, lines: list[str]) -> None:
    lines[:] = plain_rst(lines)


def plain_rst(lines: list[str]) -> list[str]:
    """Return a docstring in plain English as reStructuredText: `code` is code, an indented block stands as typed."""
    made, listed, block = [], False, False
    for line in lines:
        indented = line.startswith(" ") and not listed
        item = re.match(r"\s*- ", line) is not None
        if indented and not block:
            made += ["", "::", ""]
        elif line.strip() and not indented and (block or (item and not listed)):
            made.append("")
        block = indented or (block and not line.strip())
        listed = item or (listed and bool(line.strip()))
        made.append(line if block else _escaped(line))
    return [*made, ""]


def _escaped(line: str) -> str:
    pieces = re.split(r"(`+[^`]+`+)", line)
    return "".join(
        f"``{piece.strip('`')}``" if piece.startswith("`") else re.sub(r"([*|\\]|_(?=\W|$))", r"\\\1", piece)
        for piece in pieces
    )
