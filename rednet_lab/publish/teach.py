"""Workshops from one source, teach/paths.yaml: guides, a question sheet with answers, and slides.

Guides and sheets are made pages (`python -m rednet_lab.publish readme`). Slides are nbconvert's, of cells that are
tagged for it, with reveal.js beside them: `python -m rednet_lab.publish.teach 60 FOLDER --reveal WHEEL_OR_FOLDER`.
What a path costs a laptop is measured: `python -m rednet_lab.publish.teach 60 FOLDER --measure` (not on Windows).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import yaml

from rednet_lab.files import figures, read_json, write_json, write_text
from rednet_lab.names import EVIDENCE, ROOT
from rednet_lab.series import SERIES
from rednet_lab.tex import markdown_filter

MADE = "Made of `teach/paths.yaml` by `python -m rednet_lab.publish readme`: edit nothing here."
REVEAL = (
    "no reveal.js: a wheel that holds it is got by `pip download --no-deps sphinx-revealjs`; then say --reveal WHEEL"
)
TEMPLATE = """{%- extends 'reveal/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block footer_js -%}<script src="reveal.js/dist/reveal.js"></script><script>Reveal.initialize({hash: true})</script>
{%- endblock -%}"""
MEASURED = Path("teach", "measured.json")  # by path and step: CPU seconds and GB, of `measure`
TITLES = {entry.name: f"{entry.number} {entry.title}" for entry in SERIES}


def source(root: Path = ROOT) -> dict:
    """Return teach/paths.yaml; raise ValueError for steps, minutes and notebooks that do not fit each other."""
    plan = yaml.safe_load((root / "teach" / "paths.yaml").read_text(encoding="utf-8"))
    for minutes, steps in plan["paths"].items():
        unknown = [name for name in steps if plan["steps"].get(name, {}).get("notebook") not in TITLES]
        if unknown or sum(steps.values()) != minutes:
            raise ValueError(f"teach/paths.yaml: path {minutes} takes {sum(steps.values())} min; not known: {unknown}")
    return plan


def expected(step: dict, root: Path) -> str:
    """Return the number that a step's notebook ends with, from the evidence."""
    numbers = read_json(root / EVIDENCE / "quick" / step["notebook"] / "results.json", {}).get("numbers", {})
    found = numbers.get(step["number"])
    return f"{figures(found['value'])} {found['unit']} ({found['label']})" if found else "not published yet"


def title(step: dict) -> str:
    """Return the link to a step's notebook."""
    return f"[{TITLES[step['notebook']]}](../notebooks/{step['notebook']}.ipynb)"


def costs(minutes: int, root: Path) -> list[str]:
    """Return what a path was measured to take, as lines of Markdown; none where it was not measured."""
    lines = []
    for state, taken in read_json(root / MEASURED, {}).get(str(minutes), {}).items():
        cpu, memory = sum(step["cpu"] for step in taken.values()) / 60, max(step["memory"] for step in taken.values())
        each = ", ".join(f"{name} {step['cpu']:.0f} s" for name, step in taken.items())
        lines.append(f"- {state}: {cpu:.1f} minutes of CPU in all ({each}), {memory:.1f} GB at most")
    return ["**It takes**, as measured (more CPU where other programs run, too):", "", *lines, ""] if lines else []


def guide(plan: dict, minutes: int, root: Path) -> str:
    """Return the guide of a path as Markdown."""
    lines, clock = [f"# A workshop of {minutes} minutes", "", MADE, "", *costs(minutes, root)], 0
    for name, long in plan["paths"][minutes].items():
        step = plan["steps"][name]
        lines += [f"## {clock} to {clock + long} min: {title(step)}", "", f"**Goal.** {step['goal']}", ""]
        lines += [f"**Show.** {'; '.join(step['sections'])}.", "", f"**Where people fall.** {step['pitfall']}", ""]
        lines += [f"**Number to expect** (profile quick, the committed evidence): {expected(step, root)}.", ""]
        lines += [f"**When it breaks.** {step['stuck']}", "", "**Discuss.**", ""]
        for ask in step["ask"]:
            lines += [f"- {ask['q']}", f"  <details><summary>Answer</summary>{ask['a']}</details>"]
        lines.append("")
        clock += long
    return "\n".join(lines)


def sheet(plan: dict, answers: bool) -> str:
    """Return the question sheet of all steps, or its answers."""
    lines = [f"# {'Answers' if answers else 'Questions'}", "", MADE]
    for step in plan["steps"].values():
        lines += ["", f"## {title(step)}", ""]
        lines += [f"{n}. {ask['q']}" + f" **{ask['a']}**" * answers for n, ask in enumerate(step["ask"], 1)]
    return "\n".join(lines) + "\n"


def written(root: Path = ROOT) -> dict[Path, str]:
    """Return the made pages of teach/ as they should be now."""
    if not (root / "teach" / "paths.yaml").is_file():
        return {}
    plan, folder = source(root), root / "teach"
    pages = {folder / f"path-{minutes}.md": guide(plan, minutes, root) for minutes in plan["paths"]}
    return pages | {folder / "questions.md": sheet(plan, False), folder / "answers.md": sheet(plan, True)}


def measure(minutes: int, to: Path, profile: str = "quick", root: Path = ROOT) -> dict:
    """Run a path's notebooks one after another and return what each took, where nothing was made before or all was.

    The folder takes cache and results: an empty one is a fresh laptop, the same again one with a kit. Of each step: CPU
    seconds of all processes and GB of the largest. Raises ValueError where a notebook fails.
    """
    found, plan = {}, source(root)
    own = os.environ | {"REDNET_CACHE": str(to / "cache"), "PYTHONPATH": str(root)}
    for step in plan["paths"][minutes]:
        command = [sys.executable, "-m", "rednet_lab.runner", "--profile", profile, "--out", str(to), "--no-needs"]
        command += ["--force", "--jobs", "1", "--only", plan["steps"][step]["notebook"]]
        _, status, used = os.wait4(subprocess.Popen(command, cwd=root, env=own).pid, 0)
        if status:
            raise ValueError(f"{plan['steps'][step]['notebook']} failed: see {to}")
        unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
        found[step] = {"cpu": round(used.ru_utime + used.ru_stime, 1), "memory": round(used.ru_maxrss * unit / 1e9, 2)}
    return found


# ------------------------------------------------------------------------------------------------------------ slides


def tagged(notebook, sections: list[str]) -> list:
    """Return the cells of a notebook that are shown: its title, and below the headings named what is not a set-up."""
    shown, on = [], False
    for n, cell in enumerate(notebook.cells):
        text = "" if cell.cell_type == "code" else cell.source.lstrip("# ")
        heading = cell.cell_type == "markdown" and cell.source.startswith("#")
        on = any(text.startswith(section) for section in sections) if heading else on
        hidden = "solution" in cell.metadata.get("tags", []) or cell.get("id", "").startswith(("links-", "answer-"))
        if n == 0:
            cell.source = cell.source.partition("| | |")[0]
        elif not on or hidden:
            continue
        task = "exercise" in cell.metadata.get("tags", [])
        seen = any(kind.startswith("image/") for out in cell.get("outputs", []) for kind in out.get("data", {}))
        if cell.cell_type == "code" and not task:
            if not cell.get("outputs"):
                continue
            cell.metadata["tags"] = ["remove_input"]
        own = cell.cell_type == "markdown" or seen or task  # a slide of its own; what is printed joins the one before
        cell.metadata["slideshow"] = {"slide_type": "slide" if n == 0 else "subslide" if own else "-"}
        shown.append(cell)
    return shown


def slides(minutes: int, to: Path, reveal: Path | None, root: Path = ROOT) -> Path:
    """Write the slides of a path into a folder, whole in itself; raise ValueError where reveal.js is missing."""
    import nbformat
    from jinja2 import DictLoader
    from nbconvert import SlidesExporter
    from nbconvert.preprocessors import TagRemovePreprocessor

    plan, deck = source(root), nbformat.v4.new_notebook()
    for name in plan["paths"].get(minutes) or ():
        step = plan["steps"][name]
        ran = root / EVIDENCE / "quick" / "snapshots" / f"{step['notebook']}.ipynb"
        file = ran if ran.is_file() else root / "notebooks" / f"{step['notebook']}.ipynb"
        deck.cells += tagged(nbformat.read(file, as_version=4), step["sections"])
    if not deck.cells:
        raise ValueError(f"no path of {minutes} minutes, there are {', '.join(map(str, plan['paths']))}")
    copy_reveal(reveal, to / "reveal.js")
    exporter = SlidesExporter(
        extra_loaders=[DictLoader({"course.html.j2": TEMPLATE})],
        template_file="course.html.j2",
        filters={"markdown2html": markdown_filter()},
    )
    exporter.reveal_url_prefix, exporter.reveal_theme = "reveal.js", "white"
    exporter.register_preprocessor(TagRemovePreprocessor(remove_input_tags={"remove_input"}), enabled=True)
    write_text(to / f"slides-{minutes}.html", exporter.from_notebook_node(deck)[0])
    return to / f"slides-{minutes}.html"


def copy_reveal(found: Path | None, to: Path) -> None:
    """Copy reveal.js's own files from a folder or a wheel; nothing is fetched."""
    with tempfile.TemporaryDirectory() as folder:
        if found and found.is_file():
            with zipfile.ZipFile(found) as archive:
                archive.extractall(folder, [name for name in archive.namelist() if "/dist/" in name])
            found = Path(folder)
        script = next(iter(sorted(found.rglob("dist/reveal.js"))) if found and found.is_dir() else iter(()), None)
        if script is None:
            raise ValueError(REVEAL)
        shutil.copytree(script.parent, to / "dist", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.map"))


def main(arguments: list[str] | None = None) -> int:
    """Write the slides of a path."""
    parser = argparse.ArgumentParser(prog="python -m rednet_lab.publish.teach", description=__doc__.splitlines()[0])
    parser.add_argument("minutes", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reveal", type=Path, help="a wheel or folder with reveal.js's dist/")
    parser.add_argument("--measure", action="store_true", help="run the path and write down what it takes, no slides")
    args = parser.parse_args(arguments)
    try:
        if args.measure:
            state = "with a kit" if (args.folder / "cache").is_dir() else "with nothing made before"
            path, taken = str(args.minutes), {state: measure(args.minutes, args.folder.resolve())}
            before = read_json(ROOT / MEASURED, {})
            write_json(ROOT / MEASURED, before | {path: before.get(path, {}) | taken})
        print(ROOT / MEASURED if args.measure else slides(args.minutes, args.folder, args.reveal))
    except ValueError as error:
        print(f"Nothing done. {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
