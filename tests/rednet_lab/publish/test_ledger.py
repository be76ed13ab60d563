"""The ledger: complete, without orphans, its words and intervals from files alone; a wrong file is named."""

import importlib
import inspect
import json
from dataclasses import fields, is_dataclass, replace
from operator import attrgetter
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rednet_lab.experiments import Intervals, board, effect, endpoints
from rednet_lab.experiments.intervals import read_parts
from rednet_lab.names import EVIDENCE, ROOT
from rednet_lab.publish.ledger import tables, words
from rednet_lab.publish.ledger.entries import LedgerEntry, LedgerError, in_source, load, problems
from rednet_lab.publish.ledger.tables import Table, link, markdown, without_links
from rednet_lab.workbench.profiles import PROFILES

ENTRIES = load()
IDS = [entry.id for entry in ENTRIES]
PUBLISHED = ROOT / EVIDENCE


def numbered(prefix, count):
    return {f"{prefix}{i}" for i in range(1, count + 1)}


def of(kind, prefix):
    return {entry.id for entry in ENTRIES if entry.kind == kind and entry.id.startswith(prefix)}


# ------------------------------------------------------------------------------------------------------- the entries


def test_every_equation_table_figure_and_claim_is_there_once():
    assert len(set(IDS)) == len(IDS)
    assert of("equation", "J-") == numbered("J-E", 14) and of("equation", "E-") == numbered("E-E", 9)
    assert of("table", "J-") == numbered("J-T", 9) and of("table", "E-") == numbered("E-T", 4)
    assert of("figure", "J-") == numbered("J-F", 9) and of("figure", "E-") == numbered("E-F", 9)
    assert of("claim", "") == numbered("C", 14)


@pytest.mark.parametrize("section, count", [("M1", 38), ("M2", 13), ("M4", 7)])
def test_every_reading_is_there_once(section, count):
    assert of("reading", section) == {f"{section}.{i:02}" for i in range(1, count + 1)}


def test_hyper_parameters_of_both_papers_are_there():
    assert len(of("hyper-parameter", "J-H-")) >= 40 and len(of("hyper-parameter", "E-H-")) >= 15
    named = {entry.setting for entry in ENTRIES}
    assert {"stage1.train.rate", "stage1.train.momentum", "stage1.train.ratio", "net.radius", "net.sigma"} <= named
    assert {"net.dropout", "hidden", "identity_units", "stage3.frames", "stage3.batch", "eccv.steps"} <= named


def default_of(link):
    """The value of "package/module.py::NAME", "::Class.field", "::Class.method.argument" or "::OBJECT.attribute"."""
    path, _, name = link.partition("::")
    found = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    for part in name.split("."):
        if is_dataclass(found) and isinstance(found, type):
            defaults = {field.name: field.default for field in fields(found)}
            found = defaults[part] if part in defaults else getattr(found, part)
        elif inspect.isfunction(found):
            found = inspect.signature(found).parameters[part].default
        else:
            found = getattr(found, part)
    return found


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.default], ids=lambda entry: entry.id)
def test_the_codes_default_is_the_papers_value(entry):
    assert entry.value is not None and default_of(entry.default) == entry.value


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.setting], ids=lambda entry: entry.id)
def test_profile_full_has_the_papers_value(entry):
    found = attrgetter(entry.setting)(PROFILES["full"])  # raises for a setting that no profile has
    assert entry.value is None or found == entry.value


def test_nothing_measured_is_written_by_hand():
    """`here` comes from files: an entry has no field for a result, an interval or a status."""
    assert not {"status", "ours", "effect", "seeds", "low", "high"} & {f.name for f in fields(LedgerEntry)}


# --------------------------------------------------------------------------------------------------------- no orphans


def test_no_orphans():
    assert problems(ENTRIES, tables.open_ledger().parts, PUBLISHED) == []


GOOD = LedgerEntry(
    id="J-E5",
    kind="equation",
    paper="journal",
    where="3.2",
    says="A loss.",
    code=("rednet_core/losses.py::detection_loss",),
    tests=("tests/rednet_core/test_losses.py::test_detection_loss_is_eq_5_by_a_loop",),
    notebooks=("20_maps_and_losses",),
    results=("quick/20_maps_and_losses/results.json#numbers.lambda_untrained",),
)


@pytest.fixture
def results(tmp_path):
    """A folder of runs with one number, one table and one figure."""
    folder = tmp_path / "quick" / "20_maps_and_losses"
    folder.mkdir(parents=True)
    (folder / "balance.csv").write_text("a\n1\n")
    content = {"numbers": {"lambda_untrained": {"value": 1.0, "label": "lambda", "unit": ""}}}
    content |= {"tables": [{"file": "balance.csv"}], "figures": [{"file": "targets.png"}]}
    (folder / "results.json").write_text(json.dumps(content))
    return tmp_path


def problems_with(folder, **changes):
    return problems([replace(GOOD, **changes)], [], folder)


def test_a_whole_entry_has_no_problem(results):
    assert problems_with(results) == []
    assert problems_with(results, results=("quick/20_maps_and_losses/results.json#tables.balance",)) == []


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"code": ()}, "has no code"),
        ({"tests": ()}, "has no test"),
        ({"code": ("rednet_core/loss.py",)}, "code rednet_core/loss.py is not there"),
        ({"code": ("rednet_core/losses.py::detection_los",)}, "is not there"),
        ({"code": ("rednet_core/rednet.py::RedNet.forwards",)}, "is not there"),
        ({"code": ("rednet_core/rednet.py::NetConfig.radiuss",)}, "is not there"),
        ({"default": "rednet_core/batches.py::Clips.__init__.framess"}, "is not there"),
        ({"tests": ("tests/rednet_core/test_losses.py::test_nothing",)}, "test_nothing is not there"),
        ({"tests": ("tests/rednet_core/test_losses.py",)}, "test tests/rednet_core/test_losses.py is not there"),
        ({"notebooks": ("21_maps",)}, "notebook 21_maps is not there"),
        ({"results": ("quick/20_maps_and_losses/results.json#numbers.lambda",)}, "numbers.lambda is not there"),
        ({"results": ("quick/21_maps/results.json#numbers.lambda_untrained",)}, "is not there"),
        ({"results": ("quick/20_maps_and_losses/results.json#figures.targets",)}, "is not there"),  # listed, no file
        ({"not_attempted": "for a reason"}, "is not attempted, yet has code, tests, notebooks, results"),
        ({"claims": ("C2",)}, "claim C2 is not in the ledger"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_orphan_is_found(results, changes, said):
    found = problems_with(results, **changes)
    assert len(found) == 1 and found[0].startswith("J-E5: ") and said in found[0]


def test_objects_are_found_wherever_python_defines_them(tmp_path):
    (tmp_path / "m.py").write_text("A, B = 1, 2\nclass C:\n    d: int = 3\n    def e(self, f=4): pass\nG: int = 5\n")
    there = ["m.py", "m.py::A", "m.py::B", "m.py::C", "m.py::C.d", "m.py::C.e", "m.py::C.e.f", "m.py::G"]
    assert all(in_source(link, tmp_path) for link in there)
    absent = ["D", "C.A", "d", "e", "f", "C.e.g", "C.G"]
    assert not any(in_source(f"m.py::{name}", tmp_path) for name in absent)


# ----------------------------------------------------------------------------------------------------- entries' files


@pytest.mark.parametrize(
    "text, said",
    [
        ("- a", "names with values"),
        ("kind: [", "not readable as YAML"),
        (
            "kind: equation\npaper: journal\nentries: [{id: X, where: a}]",
            "missing 1 required .* 'says'",
        ),
        ("kind: equation\npaper: journal\nentries: [{id: X, where: 3.2, says: b}]", "where must be a text"),
        ("kind: equation\npaper: journal\nentries: [{id: X, where: a, says: b, code: c}]", "code must be a list"),
        ("kind: equations\npaper: journal\nentries: [{id: X, where: a, says: b}]", "known: claim, equation"),
        (
            "kind: equation\npaper: journal\nentries: [{id: X, where: a, says: b, status: c}]",
            "unexpected .* 'status'",
        ),
        ("kind: equation\npaper: ECCV\nentries: [{id: X, where: a, says: b}, {id: X, where: a, says: b}]", "twice: X"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, text, said):
    (tmp_path / "some.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(LedgerError, match=said) as caught:
        load(tmp_path)
    assert "some.yaml" in str(caught.value) or str(tmp_path) in str(caught.value)


# ---------------------------------------------------------------------------------------------------- the intervals

PART = {
    "claim": "C2",
    "part": "common, error",
    "paper": {"without": 6.05, "with": 5.71, "unit": "%"},
    "ours": {"without": 7.1, "with": 6.6, "effect": -0.5, "low": -0.7, "high": -0.3, "unit": "%"},
    "wanted": "lower",
    "seeds": [0, 1, 2],
    "source": "face_world",
    "profile": "quick",
    "note": "a note",
}


def with_ours(effect, low, high, **more):
    return {**PART, "ours": {**PART["ours"], "effect": effect, "low": low, "high": high}, **more}


WORSE = with_ours(0.4, 0.1, 0.6, part="challenging, error")
UNSURE = with_ours(-0.1, -0.4, 0.2, part="failures")


def write(folder, *parts, run="quick", notebook="72_recurrent_steps"):
    file = folder / run / notebook / "intervals.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"stamp": {}, "intervals": list(parts)}), encoding="utf-8")
    return folder


def test_parts_are_read_with_where_they_come_from(tmp_path):
    (part,) = read_parts(write(tmp_path, PART) / "quick", tmp_path / "quick-udacity")
    assert (part.claim, part.part, part.seeds, part.note) == ("C2", "common, error", (0, 1, 2), "a note")
    assert (part.run, part.notebook) == ("quick", "72_recurrent_steps")
    assert read_parts(tmp_path / "full") == []


def test_a_smoke_run_never_counts(tmp_path):
    assert read_parts(write(tmp_path, {**PART, "profile": "smoke"}) / "quick") == []


def test_of_the_same_part_the_one_with_most_seeds_counts(tmp_path):
    write(tmp_path, {**PART, "seeds": [0, 1, 2]}, run="quick")
    write(tmp_path, {**PART, "seeds": [1, 2, 3, 4]}, run="quick-seed1")
    write(tmp_path, {**PART, "seeds": [3, 4, 5, 6]}, run="quick-seed3")
    write(tmp_path, {**PART, "source": "udacity"}, run="quick-udacity")
    runs = ("quick", "quick-seed1", "quick-seed3", "quick-udacity")
    found = read_parts(*(tmp_path / run for run in runs))
    assert [(p.run, p.source) for p in found] == [("quick-seed1", "face_world"), ("quick-udacity", "udacity")]


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"claim": "two"}, "claim must be C1"),
        ({"part": ""}, "part, source and profile must be texts"),
        ({"wanted": "better"}, "known: lower, higher"),
        ({"word": "supported"}, "known: claim, note"),
        ({"ours": None}, "needs finite without, with, effect, low and high"),
        ({"ours": {"effect": 1, "low": 0, "high": 2, "without": 3}}, "needs finite without, with"),
        ({"ours": {"effect": float("nan"), "low": 0, "high": 1}}, "needs finite"),
        ({"ours": {"effect": 1, "low": 2, "high": 1}}, "low not above high"),
    ],
)
def test_an_interval_that_is_none_is_refused(tmp_path, wrong, said):
    with pytest.raises(LedgerError, match=said) as caught:
        read_parts(write(tmp_path, {**PART, **wrong}) / "quick")
    assert "intervals.json" in str(caught.value)


def test_a_file_that_is_none_is_named(tmp_path):
    write(tmp_path)
    (tmp_path / "quick" / "72_recurrent_steps" / "intervals.json").write_text("{half", encoding="utf-8")
    with pytest.raises(LedgerError, match="run its notebook again"):
        read_parts(tmp_path / "quick")


def test_effects_in_common_units_point_to_where_the_paper_wants_them(tmp_path):
    (part,) = read_parts(write(tmp_path, PART) / "quick")
    assert part.relative("ours") == pytest.approx((100 * 0.5 / 7.1, 100 * 0.3 / 7.1, 100 * 0.7 / 7.1))
    assert part.relative("paper") == pytest.approx((100 * 0.34 / 6.05,))
    assert (
        replace(part, wanted="about").relative("ours") is None and replace(part, paper=None).relative("paper") is None
    )


def test_what_the_ablations_write_is_read(tmp_path):
    """The producer's own file, from its own statistics: one part with an interval, one computed; no words."""
    random = np.random.default_rng(0)
    first = 6 + random.normal(0, 1, (3, 200))
    second, clusters = first - 0.5 + random.normal(0, 0.2, (3, 200)), np.arange(200) // 4
    notebook = SimpleNamespace(folder=tmp_path / "quick" / "72_recurrent_steps", stamp={})
    kept = Intervals(notebook, "face_world", "quick", [0, 1, 2])
    kept.add("C2", "error", effect(first, second, clusters), "lower", (6.05, 5.71))
    kept.computed("C11", "parameters", (117, 14.8), (138.4, 14.7), "lower", "M")
    found = {part.claim: part for part in read_parts(tmp_path / "quick")}
    assert found["C2"].ours["low"] < -0.5 < found["C2"].ours["high"] and found["C2"].paper["with"] == 5.71
    assert found["C11"].relative("ours")[0] == pytest.approx(89.378, abs=1e-3)
    assert tables.measured(found["C11"]) == "138 → 14.7 M, −124" and not found["C11"].seeds
    text = (notebook.folder / "intervals.json").read_text(encoding="utf-8")
    assert "C2" in text and not [word for word in tables.MEANINGS if word in text]
    assert list(kept.table()["claim"]) == ["C2", "C11"] and "3 training seed(s)" in kept.why()
    said = kept.why().splitlines()[1:]  # what the bench says of the same claims, and of no other
    assert [line.split()[0] for line in said] == ["C2", "C11"] and "reproduced" in said[1]
    with pytest.raises(ValueError, match="smaller"):
        kept.add("C2", "error", effect(first, second, clusters), "smaller")


def test_intervals_that_the_ledger_does_not_expect_are_told(tmp_path):
    parts = read_parts(write(tmp_path, PART, notebook="20_maps_and_losses") / "quick")
    assert [p for p in problems(ENTRIES, parts, PUBLISHED) if "add it to its notebooks" in p]
    parts = [replace(part, claim="C15") for part in parts]
    assert [p for p in problems(ENTRIES, parts, PUBLISHED) if "no such claim" in p]


# ---------------------------------------------------------------------------------------------------------- the pages


def ledger_of(folder):
    return tables.open_ledger(PUBLISHED, folder / "quick")


def row_of(table, name):
    (row,) = (row for row in table.rows if row[0].split()[0] == name)
    return row


def test_a_run_with_intervals_is_shown_instead_of_the_evidence_and_said(tmp_path):
    own = ledger_of(write(tmp_path, PART))
    assert [part.part for part in own.parts] == ["common, error"] and own.shows == "this run (quick)"
    write(tmp_path, {**PART, "profile": "smoke"})
    assert ledger_of(tmp_path).shows == "the committed evidence" and len(ledger_of(tmp_path).parts) > 1


def test_claims_show_the_benchs_word_and_notebooks_their_intervals_without_one(tmp_path):
    ledger = ledger_of(write(tmp_path, PART, UNSURE, WORSE))
    asked, papers, _, said, notebooks = row_of(words.claims_short(ledger), "**C2**")
    assert "YouTube Faces" in asked and papers == "+11.4 %; 5.7 % matter"
    assert said.startswith(tables.word(ledger.primary("C2").judgement.word)) and without_links(notebooks) == "72"
    assert len(words.claims_short(ledger).rows) == 14  # each primary endpoint, favourable or not
    cells = [row for row in tables.claims_full(ledger).rows if not row[0]]
    assert cells[0][1:5] == ["common, error", "6.05 → 5.71 %", "7.1 → 6.6 %, −0.5 [−0.7, −0.3]",
                             "face world, quick, 3 seeds"]  # fmt: skip


def test_every_word_has_its_meaning_and_no_two_share_a_symbol_and_a_word():
    every = {getattr(endpoints, name) for name in ("SUPPORTED", "NOT_SEEN", "OPPOSITE", "OPEN", "NOT_TESTABLE")}
    every |= {endpoints.REPRODUCED, endpoints.CONTRADICTED, endpoints.WAITING}
    assert every < set(tables.MEANINGS) and len({tables.word(word) for word in tables.MEANINGS}) == len(tables.MEANINGS)


def test_tables_and_figures_take_their_word_from_their_claims(tmp_path):
    ledger = ledger_of(write(tmp_path, PART))
    by_id = {entry.id: entry for entry in ENTRIES}
    assert ledger.status(by_id["J-T7"]) == ledger.primary("C4").judgement.word
    mixed = replace(by_id["J-T6"], claims=("C11", "C2"))
    assert ledger.status(mixed) == "see its claims"
    assert ledger.status(by_id["J-E5"]) == "built and tested"
    assert ledger.status(by_id["M4.03"]) == "not attempted"


def test_the_page_of_what_can_be_said_names_every_claim_and_its_hours():
    page = (ROOT / "figures" / "what_can_be_said.md").read_text(encoding="utf-8")
    assert all(f"| C{n} |" in page and f"C{n} (" in page for n in range(1, 15))
    assert "| C12 | boxes off by 10 % |" in page and "shown, and never decides" in page


def test_figures_of_ours_are_those_of_the_files(results):
    def text():
        return markdown(tables.listing(tables.Ledger([GOOD], [], [], results), [GOOD]), "figures/ledger")

    assert "lambda: 1](../evidence/quick/20_maps_and_losses/results.json)" in text()
    file = results / "quick" / "20_maps_and_losses" / "results.json"
    file.write_text(file.read_text().replace("1.0", "2.5"))
    assert "lambda: 2.5](" in text()


def test_every_entry_is_on_the_page_of_its_kind():
    for entry in ENTRIES:
        page = (ROOT / tables.page_of(entry.kind)).read_text(encoding="utf-8")
        assert f"| {entry.id} | {entry.where}" in page and entry.says.replace("|", "\\|") in page


def test_cells_are_written_safely_and_links_from_where_they_stand():
    cell = f"x | y\n{link('`c`', 'figures/q/r.json')} e_p* f* [0, 1] (/x)"
    assert "x \\| y<br>[`c`](q/r.json) e_p* f* [0, 1] (/x)" in markdown(Table("T", ("a",), [[cell]]), "figures")
    assert "[`c`](figures/q/r.json)" in markdown(Table("", ("a",), [[cell]]))
    assert "[r [m]](../../README.md)" in markdown(Table("", ("a",), [[link("r [m]", "README.md")]]), "figures/ledger")


def test_coverage_counts_what_is_there():
    rows = tables.coverage(tables.Ledger(ENTRIES, board.rows(), [], PUBLISHED)).rows
    assert sum(int(row[2]) for row in rows) == len(ENTRIES)
    assert all(int(cell) <= int(row[2]) for row in rows for cell in row[3:])
    none = tables.coverage(tables.Ledger([replace(GOOD, code=(), tests=(), notebooks=())], [], [], PUBLISHED)).rows
    assert none[0][3:6] == ["0", "0", "0"]


# ---------------------------------------------------------------------------------------------- browsing and plots


def test_the_forest_has_a_row_a_part_and_points_to_where_the_paper_wants_it(tmp_path):
    wide = with_ours(-3.0, -9.0, 0.5, part="wide")
    parts = read_parts(write(tmp_path, PART, WORSE, wide) / "quick")
    figure = tables.forest(parts)
    (ax,) = figure.axes
    labels = [f"{part.claim}: {tables.named(part)}" for part in parts]
    assert [text.get_text() for text in ax.get_yticklabels()] == labels
    places = {
        (round(float(line.get_xdata()[0]), 2), line.get_marker()) for line in ax.lines if len(line.get_xdata()) == 1
    }
    assert (round(100 * 0.5 / 7.1, 2), "o") in places  # ours: better
    assert (round(-100 * 0.4 / 7.1, 2), "o") in places  # ours: worse
    assert (round(100 * 0.34 / 6.05, 2), "|") in places  # the paper's
    assert (tables.LIMIT, ">") in places  # cut, and said so
    assert ax.get_xlim() == (-tables.LIMIT, tables.LIMIT)
    plt.close(figure)


def test_plots_of_nothing_are_plots_too():
    figure = tables.forest([])
    assert "nothing yet" in [text.get_text() for text in figure.axes[0].texts]
    plt.close(figure)
