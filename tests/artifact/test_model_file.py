"""The bytes of a model file against their oracle, joblib.dump."""

import io
import random

import joblib
import numpy as np
import pytest

from textclf.artifact.model_file import dump

LETTERS = "ab é漢\ud800😀"


def terms(count, longest=9, seed=0):
    """Return different terms of one letter and more, of all widths in UTF-8."""
    numbers = random.Random(seed)
    found = {"".join(numbers.choices(LETTERS, k=numbers.randint(1, longest))) for _ in range(count)}
    return [*found, *(f"{number} " for number in range(count))][:count]


def vocabulary(*arguments):
    """Number the terms."""
    return {term: number for number, term in enumerate(terms(*arguments))}


@pytest.mark.parametrize(
    "model",
    [
        *({"vocabulary": vocabulary(size)} for size in (0, 1, 2, 999, 1000, 1001, 2000, 70_000)),
        [vocabulary(3000), np.arange(5.0), vocabulary(5000, 3, 1), {"b": [1, 2]}, "a", "é"],
        [shared := vocabulary(2000), shared, dict(shared), {**vocabulary(500, 1), **shared}],
        {f"{term} {'x' * 300}": number for term, number in vocabulary(1500).items()},
        {"a": 1 << 31, "b": 1 << 16, "c": 255},
        {"a": (1 << 31) - 1, "b": 65_535, "c": -1},
        {"a": np.int64(1), "b": True, "c": 1.0},
        {1: 1, "a": 2},
    ],
    ids=lambda _: "",
)
def test_the_bytes_are_those_of_joblib(model):
    """Vocabularies of any size, terms that occur twice, frames that end anywhere, other values."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    assert dump(model) == buffer.getvalue()


def test_the_bytes_are_those_of_joblib_wherever_a_frame_ends():
    """A frame of pickle ends before, within and after each of a vocabulary's items."""
    for size in range(65_490, 65_540):
        model = ["x" * size, {"a": 70_000, "b": 80_000}]
        buffer = io.BytesIO()
        joblib.dump(model, buffer)
        assert dump(model) == buffer.getvalue()
