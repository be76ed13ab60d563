"""Errors say where, what and how to mend it, and survive the way back from a worker process."""

import pickle

import pytest

from data_prep.errors import BadItem, DataError


@pytest.mark.parametrize("kind", [DataError, BadItem])
def test_an_error_survives_pickling(kind):
    error = kind("is odd", path="/some/file", field="points", fix="mend it")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind and str(back) == str(error)
    assert (back.problem, back.path, back.field, back.fix) == ("is odd", "/some/file", "points", "mend it")


def test_an_error_says_path_field_and_fix():
    assert str(DataError("is odd", path="p", field="f", fix="mend it")) == "p: [f] is odd Fix: mend it"
    assert str(DataError("is odd")) == "is odd"


def test_a_bad_item_is_a_data_error():
    assert issubclass(BadItem, DataError) and issubclass(DataError, Exception)
