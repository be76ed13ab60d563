"""The exercises: solutions are right and those of rednet_core, stubs are "to do", each known mistake gets its hint."""

import ast
import json
import re
from dataclasses import replace

import nbformat
import pytest
import torch
from torch import nn

from rednet_core import layers, losses, maps
from rednet_core.eccv import labels
from rednet_core.identity import IdentityClassifier
from rednet_lab.exercises import NAMES, TRIALS, Exercise, check, load, loops, notebooks, outcome, parts, same
from rednet_lab.names import ROOT
from rednet_lab.runner.executed import to_html

MISTAKES = [(name, hint) for name in NAMES for hint in load(name).wrong]


def notebook_of(name):
    path = ROOT / "notebooks" / f"{load(name).notebook}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def test_the_solution_is_right(name):
    assert check(name)(load(name).solution) == "Right."


@pytest.mark.parametrize(("name", "hint"), MISTAKES, ids=lambda value: value[:40])
def test_each_known_mistake_is_told_by_its_own_hint(name, hint):
    assert check(name)(load(name).mistake(hint)) == f"Not yet. {hint}"


def test_each_exercise_knows_six_mistakes_and_all_know_eighty():
    assert min(len(load(name).wrong) for name in NAMES) >= 6 and len(MISTAKES) >= 80


def test_what_is_missing_broken_or_unknown_has_its_answer_too(name):
    judge = check(name)
    assert judge(lambda *given: None).startswith("To do") and judge(lambda *given: ...).startswith("To do")
    assert judge(lambda: None).startswith("Not yet. Your code raises TypeError")

    def shifted(*given):
        result = load(name).solution(*given)
        return [x + 0.37 for x in result] if isinstance(result, tuple | list) else result + 0.37

    assert "none of the mistakes known here" in judge(shifted)
    with pytest.raises(ValueError, match="known: decode_map"):
        check("decode")


def test_another_shape_is_told():
    assert "The shape is (3,), it should be (3, 2)" in check("decode_map")(lambda m, sigma: torch.zeros(3))


def test_a_check_leaves_the_random_numbers_alone(name):
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    check(name)(load(name).solution)
    assert torch.equal(torch.rand(1), wanted)


def test_a_cell_that_was_changed_is_mended():
    path = ROOT / "notebooks" / "30_vgg_encoder_decoder.ipynb"
    whole = json.loads(path.read_text(encoding="utf-8"))  # that notebooks are current is seen in test_pages
    kept = [cell for cell in whole["cells"] if "solution" not in cell["metadata"].get("tags", [])]
    content = {**whole, "cells": kept}
    notebooks.place(content, "pool_unpool")
    assert len(kept) < len(whole["cells"]) and content == whole


def run_cells(name, part):
    """Run one code cell of an exercise, as a notebook does, and return what it printed."""
    space, said = {"torch": torch, "F": nn.functional, "check": check}, []
    source = "".join(next(cell["source"] for cell in notebook_of(name) if cell["id"] == f"{part}-{name}"))
    exec(compile(source, name, "exec"), {**space, "print": lambda *words: said.append(" ".join(words))})
    return said


def test_the_cells_run_as_they_stand(name):
    assert run_cells(name, "exercise") == ["To do: your function returns nothing yet."]
    assert run_cells(name, "solution") == ["The solution: Right."]


def test_the_solution_is_hidden_and_the_stub_does_not_give_it_away(name):
    cells = {cell["id"]: cell for cell in notebook_of(name)}
    hidden, stub = cells[f"solution-{name}"], cells[f"exercise-{name}"]
    assert hidden["metadata"] == {"jupyter": {"source_hidden": True}, "tags": ["solution"]}
    assert stub["metadata"] == {"tags": ["exercise"]} and "SOLUTION" not in "".join(stub["source"] + hidden["source"])
    function = ast.parse("".join(stub["source"])).body[-2]
    assert [type(line) for line in function.body] == [ast.Expr, ast.Return]


def test_a_page_folds_the_solution_and_nothing_else():
    cells = [nbformat.v4.new_code_cell("a = 1"), nbformat.v4.new_code_cell("b = 2", metadata={"tags": ["solution"]})]
    page = to_html(nbformat.v4.new_notebook(cells=cells), "page")
    assert page.count("<details>") == 1 and page.index("A solution: try first") > page.index('<span class="n">a</span>')


def test_nbgrader_gets_each_solution_between_its_markers_and_a_graded_check():
    found = {}
    for place in {load(name).notebook for name in NAMES}:
        notebook = nbformat.reads(notebooks.graded(place), as_version=4)
        nbformat.validate(notebook)
        for cell in (cell for cell in notebook.cells if "nbgrader" in cell.metadata):
            facts = cell.metadata.nbgrader  # as nbgrader's schema 3 has them: these keys and types, and no other
            kinds = {key: type(value) for key, value in facts.items() if key != "points"}
            flags = dict.fromkeys(("grade", "locked", "solution", "task"), bool)
            assert kinds == {"schema_version": int, "grade_id": str, **flags} and facts.schema_version == 3
            assert ("points" in facts) == facts.grade == facts.locked != facts.solution
            assert re.fullmatch(r"[\w-]+", facts.grade_id) and facts.grade_id not in found
            found[facts.grade_id] = cell.source
    assert len(found) == 2 * len(NAMES)
    for name in NAMES:
        task, test = found[f"exercise-{name}"], found[f"solution-{name}"]
        space = {"torch": torch, "F": nn.functional, "check": check}
        exec(task, space)
        exec(test, space)  # the solution passes its check; without what stands between the markers it does not
        exec(notebooks.MARKED.sub(notebooks.STUB, task), space)
        with pytest.raises(AssertionError):
            exec(test, space)


# ------------------------------------------------------------------------------- the solutions are rednet_core's


def result(name, trial=0):
    """Return a master's solution and its inputs, for one trial."""
    master = load(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trial)
        given = master.inputs()
    return outcome(master, master.solution, trial), given


def test_decoding_is_the_cores():
    points, (heat, sigma) = result("decode_map")
    assert torch.allclose(points, maps.decode(heat[None], sigma)[0], atol=0.1)  # the core also minds the border


def test_the_loss_is_the_cores():
    loss, (logits, target, mask, weight) = result("weighted_loss")
    assert torch.allclose(loss, losses.detection_loss(logits, target, mask, weight))


def test_pooling_is_the_cores():
    (top, _, back), (x,) = result("pool_unpool")
    pooled, switches = layers.pool(x[None])
    assert torch.equal(pooled[0], top) and torch.equal(layers.unpool(pooled, switches)[0], back)


def test_labels_are_the_cores():
    drawn, (response, side) = result("label_map")
    centres, there = labels.cluster_centres(labels.merge(response[None]), 4)
    assert torch.equal(drawn, labels.label_map(centres, there, 16, side)[0]) and not there.all()


def test_the_lstm_is_torchs():
    h, (v, w_x, w_h, b_x, b_h) = result("lstm_clip")
    lstm = nn.LSTM(6, 5, batch_first=True)
    own = {"weight_ih_l0": w_x, "weight_hh_l0": w_h, "bias_ih_l0": b_x, "bias_hh_l0": b_h}
    lstm.load_state_dict(own)
    assert same(h, lstm(v)[0])


def test_the_identity_loss_is_the_cores():
    loss, (e_i, squeeze, weight, bias, who) = result("identity_loss")
    head = IdentityClassifier(6, 7, units=8).eval()
    head.squeeze.weight.data, head.squeeze.bias.data = squeeze[..., None, None], torch.zeros(8)
    head.classify.weight.data, head.classify.bias.data = weight, bias
    assert same(loss, nn.functional.cross_entropy(head(e_i), who, ignore_index=-1))


def test_every_master_is_listed():
    found = {name for module in (parts, loops) for name, value in vars(module).items() if isinstance(value, Exercise)}
    assert found == set(NAMES) and TRIALS >= 2


def test_an_edit_of_what_the_solution_does_not_hold_is_an_error():
    master = replace(load("decode_map"), wrong={"no": "nothing like this => x"})
    with pytest.raises(ValueError, match="nothing like this"):
        master.mistake("no")
