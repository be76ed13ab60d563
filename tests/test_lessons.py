"""The notebooks as lessons: each exercise has a hint and an answer, each question asked beforehand is answered."""

import ast
import json
import re

import pytest

from rednet_lab.exercises import NAMES, load
from rednet_lab.names import ROOT
from rednet_lab.publish.cells import neighbours
from rednet_lab.series import PARTS, SERIES

CELLS = {
    entry.name: [
        (cell["id"], cell["cell_type"], "".join(cell["source"]))
        for cell in json.loads((ROOT / "notebooks" / f"{entry.name}.ipynb").read_text(encoding="utf-8"))["cells"]
    ]
    for entry in SERIES
}
PATH = [number for title, numbers in PARTS.items() if not title.startswith("Appendix") for number in numbers.split()]
names = pytest.mark.parametrize("name", CELLS)
TRAINS = re.compile(r"\b([Tt]rain (?!others)|lab\.(demo|stage)|Variant\()")
FOLDED = r"<details><summary>{}[^<]*</summary>.{{20,}}</details>"
WORDS = (ROOT / "teach" / "words.md").read_text(encoding="utf-8")
QUOTED = r"\"[^\"]*\"|"
THEIRS = (
    QUOTED
    + r"^>.*$|<code>.*?</code>|`[^`]*`|(authors'|released|source|your) (released )?code|Facial Keypoints|code TEXT"
)
SPOKEN = re.compile(r'> ?(\*\*|"|Table|ECCV|Journal|The authors)')  # how the papers' voice begins


def exercises(name):
    """Return the exercises at a notebook's end, one text each."""
    text = next(source for _, _, source in reversed(CELLS[name]) if "### Exercises" in source)
    return re.split(r"^\d+\. ", text.partition("### Exercises")[2], flags=re.M)[1:]


@names
def test_every_exercise_has_a_hint_and_a_folded_answer(name):
    for text in exercises(name):
        assert re.search(FOLDED.format("Hint"), text), text[:80]
        assert re.search(FOLDED.format("Answer"), text), text[:80]


@names
def test_an_exercise_that_trains_says_how_long(name):
    for text in exercises(name):
        if TRAINS.search(text.partition("<details>")[0]):
            assert re.search(r"minute|second|hour|short", text), text[:80]


@names
def test_every_question_asked_beforehand_is_answered_where_it_was_asked(name):
    for (_, kind, source), (_, _, after) in zip(CELLS[name], CELLS[name][1:], strict=False):
        if kind == "markdown" and re.search(r"(?i)\*(predict|think|before you (run|look))|, guess:\*", source):
            assert re.search(FOLDED.format("Answer"), after), source[-200:]


@names
def test_calls_in_exercises_name_what_there_is(name):
    from rednet_lab.experiments import variants
    from rednet_lab.workbench.lab import Lab

    for text in exercises(name):
        assert all(hasattr(Lab, method) for method in re.findall(r"\blab\.(\w+)\(", text))
        for call in re.findall(r"Variant\(.*?\)(?=[)`<.,]|$)", text):
            if "..." not in call:
                assert isinstance(eval(call, vars(variants)), variants.Variant), call  # our own text


@names
def test_quoted_blocks_are_the_papers_voice(name):
    for _, kind, source in CELLS[name]:
        blocks = re.findall(r"(?:^>.*\n?)+", source, re.M) if kind == "markdown" else []
        assert [block[:60] for block in blocks if not SPOKEN.match(block)] == []


def test_the_path_has_key_points_and_leads_from_each_notebook_to_the_next():
    for name, cells in CELLS.items():
        points = [source for _, _, source in cells if "### Key points" in source]
        if name[:2] in PATH:
            assert points and 3 <= len(re.findall(r"^- ", points[0].partition("### Key points")[2], re.M)) <= 5, name
    steps = list(neighbours())
    assert sorted(entry.name for entry, *_ in steps) == sorted(CELLS)
    for entry, _, before, after in steps:
        first, last = CELLS[entry.name][1], CELLS[entry.name][-1]
        assert first[0] == "links-top" and "![" in first[2] and last[0] == "links-end"
        assert all(f"({other.name}.ipynb)" in first[2] for other in (before, after) if other)
        for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", first[2]):
            assert (ROOT / "notebooks" / picture).is_file()


def test_a_notebook_that_is_named_is_there():
    pages = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "teach").glob("*.*"),
        *ROOT.glob("notebooks/*.ipynb"),
    ]
    named = {
        (page.name, number)
        for page in pages
        for several in re.findall(r"[Nn]otebooks? (\d\d(?:(?:, | and | to )\d\d)*)\b", page.read_text(encoding="utf-8"))
        for number in re.findall(r"\d\d", several)
    }
    assert len(named) > 50
    assert sorted(named - {(page, entry.number) for page, _ in named for entry in SERIES}) == []


def test_words_and_symbols_say_where_each_comes_from():
    numbers = {number for row in re.findall(r"^\|.*\| ([\d, ]+) \|$", WORDS, re.M) for number in row.split(", ")}
    assert numbers and numbers <= {entry.number for entry in SERIES}


def refused():
    """Return the pattern of the words that the glossary's last column has instead of its own."""
    rows = re.findall(r"^\| \*\*.*\| ([^|]*) \|$", WORDS, re.M)
    return re.compile(rf"\b({'|'.join(word for row in rows for word in row.split(', ') if word)})s?\b", re.I)


def ours(kind, source):
    """Return what a cell says to a reader in our own words: prose, or the words of a code cell's texts and comments."""
    if kind == "code":
        texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
        source = "\n".join([*(t for t in texts if isinstance(t, str) and " " in t), *re.findall("#.*", source)])
        return re.sub(THEIRS.removeprefix(QUOTED), "", source, flags=re.M)
    return re.sub(THEIRS, "", source, flags=re.M)


@names
def test_one_word_for_one_thing(name):
    cells = [cell for cell in CELLS[name] if not cell[0].startswith(("links-", "fetch-"))]
    assert [(key, found[0]) for key, *cell in cells for found in refused().finditer(ours(*cell))] == []


def test_hints_guides_and_sheets_keep_to_the_same_words():
    texts = [hint for exercise in NAMES for hint in load(exercise).wrong]
    texts.append((ROOT / "teach" / "paths.yaml").read_text(encoding="utf-8"))
    assert [found[0] for text in texts for found in refused().finditer(text)] == []


def test_the_glossary_refuses_what_it_says():
    prose = 'The code is cut. "a 2-bit code"\n> the code\nthe authors\' code'
    assert refused().findall(ours("markdown", prose)) == ["code"]
    cell = 'x = "a mean shape"  # its Codes\ncode["mean_shape"] = 1'
    assert refused().findall(ours("code", cell)) == ["mean shape", "Code"]
