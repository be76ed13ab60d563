"""What to make of an executed notebook: the errors in it, and one HTML page that needs no network.

The page is nbconvert's, without what its template fetches from elsewhere. TeX becomes MathML, which browsers draw.
"""

from __future__ import annotations

import copy
import logging
import re

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
DISK = re.compile(r"\[(?:Errno (?:28|30|122)|WinError 112)\]")  # full, read-only, over its quota
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
LOG = logging.getLogger("rednet.export")

# --------------------------------------------------------------------------------------------------------- errors


def errors_in(notebook: dict) -> list[str]:
    """Return the tracebacks of all errors in cells' outputs and inside Output widgets.

    An error in an `interact` callback or in `with output:` ends up in the widget's state only: the cell has no
    error, and nbclient raises nothing.
    """
    number, found = 0, []
    for cell in notebook["cells"]:
        number += is_lesson(cell)
        found += [(output, f"in code cell {number}") for output in cell.get("outputs", [])]
    state = notebook["metadata"].get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for model in state.values():
        if model.get("model_name") == "OutputModel":
            held = model.get("state", {}).get("outputs", [])
            found += [(output, "inside a widget's callback or Output") for output in held]
    return [_traceback(*each) for each in found if each[0].get("output_type") == "error"]


def is_lesson(cell: dict) -> bool:
    """Tell a code cell that the reader counts from prose and from the injected one."""
    return cell["cell_type"] == "code" and "injected-parameters" not in cell["metadata"].get("tags", [])


def _traceback(output: dict, where: str) -> str:
    """Return one error with its traceback, without terminal colours."""
    told = f"{output.get('ename')}: {output.get('evalue')} ({where})"
    if DISK.match(str(output.get("evalue"))):
        return told  # no fault of the code: where it happened to strike says nothing
    return f"{told}\n{COLOURS.sub('', chr(10).join(output.get('traceback', [])))}".rstrip()


# ------------------------------------------------------------------------------------------------------- the page

TEMPLATE = """{%- extends 'index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_css -%}<style>
body { max-width: 72rem; margin: 0 auto; padding: 1rem 1.25rem 3rem; }
math[display=block] { margin: 1rem 0; overflow-x: auto; } img { max-width: 100%; height: auto; }
.course { color: #5b6675; font: .85rem system-ui, sans-serif; } .course b { font-weight: 500; color: #1c2430; }
</style>{%- endblock -%}
{%- block body_header -%}{{ super() }}<p class="course"><a href="../index.html">the run</a></p>{%- endblock -%}
{%- block input -%}{%- if 'solution' in cell.metadata.get('tags', []) -%}
<details><summary>A solution: try first</summary>
{{ super() }}</details>{%- else -%}{{ super() }}{%- endif -%}{%- endblock -%}
{%- block body_footer -%}<p class="course">{{ nb.metadata.course_foot | escape_html }}</p>{{ super() }}{%- endblock -%}
{%- macro picture(output, kind, data) -%}<div class="jp-RenderedImage jp-OutputArea-output"><img loading="lazy"
alt="{{ ((output.metadata.get(kind) or {}).get('alt') or 'made by the code above') | escape_html }}"
src="data:{{ kind }};base64,{{ data }}"></div>{%- endmacro -%}
{%- block data_svg scoped -%}{{ picture(output, 'image/svg+xml', output.data['image/svg+xml'] | text_base64) }}
{%- endblock -%}
{%- block data_png scoped -%}{{ picture(output, 'image/png', output.data['image/png'] | escape_html) }}
{%- endblock -%}
{%- block data_jpg scoped -%}{{ picture(output, 'image/jpeg', output.data['image/jpeg'] | escape_html) }}
{%- endblock -%}
"""


def to_html(notebook, title: str, foot: str = "") -> str:
    """Return an executed notebook as one HTML page, whole in itself; `foot` is the line below it, plain text."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    from rednet_lab.tex import formula, markdown_filter

    notebook, pictures = copy.deepcopy(notebook), {}
    notebook.metadata.pop("widgets", None)
    notebook.metadata.update(title=title, course_foot=foot)
    for cell in notebook.cells:
        pictures.update(cell.get("attachments", {}))
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)  # live only with a kernel
            if latex := output.get("data", {}).get("text/latex"):
                output["data"].setdefault("text/html", formula(latex.strip().strip("$"), block=True))
    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"course.html.j2": TEMPLATE})], template_file="course.html.j2", log=LOG,
        filters={"markdown2html": markdown_filter(pictures), "clean_html": lambda code: code},  # Pygments escaped it
    )  # fmt: skip
    return exporter.from_notebook_node(notebook)[0]
