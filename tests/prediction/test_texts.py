"""What may be given to a predictor as texts, and what is said about anything else."""

import array
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from predictors import predictor

TEXTS = ["this is great", "terrible, broke at once", ""]


class Series:
    """A column of a table, which like that of pandas has no truth value."""

    def __iter__(self):
        return iter(TEXTS)

    def __len__(self):
        return len(TEXTS)

    def __bool__(self):
        raise ValueError("The truth value of a Series is ambiguous.")


@pytest.fixture(scope="module")
def model(sample):
    return predictor(sample, "LinearSVC")[0]


@pytest.mark.parametrize(
    "make",
    [
        list, tuple, iter, np.array, pl.Series,
        lambda texts: np.array(texts, dtype=object),
        lambda texts: (text for text in texts),
        lambda texts: dict.fromkeys(texts).keys(),
        lambda _: Series(),
    ],
)  # fmt: skip
def test_any_iterable_of_texts_is_labelled(model, make):
    """Lists, arrays, columns and generators give a prediction for each text, in their order."""
    expected = model.predict(TEXTS)
    assert model.predict(make(TEXTS)) == expected
    assert {type(prediction.text) for prediction in model.predict(make(TEXTS))} == {str}
    assert model.label(make(TEXTS)) == [prediction.label for prediction in expected]


def test_nothing_to_label_gives_no_predictions(model):
    """Also where what holds no texts has no truth value."""
    for empty in ([], (), np.array([]), pl.Series([], dtype=pl.String), iter(())):
        assert model.predict(empty) == []
    assert model.label([]) == []


@pytest.mark.parametrize("text", ["great", np.str_("great")])
def test_a_str_is_one_text(model, text):
    """It is not taken for a list of letters."""
    assert model.predict(text) == model.predict(["great"])[0]
    assert model.label(text) == model.label(["great"])[0]
    assert model.explain(text).prediction == model.predict("great")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (None, "not None"),
        (5, "not of type int"),
        (b"great", "not of type bytes"),
        (bytearray(b"great"), "not of type bytearray"),
        (np.array("great"), "not of type ndarray"),
        (pl.DataFrame({"text": TEXTS}), "not of type DataFrame; give one column of it"),
        (SimpleNamespace(columns=["text"]), "give one column"),
        ({"great": "what it maps to would be ignored"}, "not of type dict"),
        (array.array("i", [1]), "index 0 is of type int"),
        (["great", None], "index 1 is None"),
        (["great", float("nan")], "index 1 is of type float"),
        (["a b " * 40_000, None], "index 1 is None"),
        ([["great"]], "index 0 is of type list"),
        (np.array([["great"]]), "index 0 is of type ndarray"),
        (["great", b"bad"], "index 1 is of type bytes"),
    ],
)
def test_what_is_no_text_is_named_by_its_index(model, texts, message):
    """A TypeError says what it is, before anything is labelled."""
    for method in (model.predict, model.label):
        with pytest.raises(TypeError, match=message):
            method(texts)


@pytest.mark.parametrize("text", [None, 5, b"great", ["great"]])
def test_only_a_str_is_explained(model, text):
    """An explanation is that of one text."""
    with pytest.raises(TypeError, match="a text is a str"):
        model.explain(text)


def test_predictions_become_a_table_in_one_call(model):
    """A list of predictions is what a DataFrame is made of, with a column for each field."""
    frame = pl.DataFrame(model.predict(TEXTS))
    assert frame.columns == ["text", "label", "score", "scores", "known"]
    assert frame["text"].to_list() == TEXTS
