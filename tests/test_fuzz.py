"""The targets of fuzz.py with inputs made by hypothesis: broken files, torn JSON, odd commands."""

import contextlib
import json

import fuzz as fuzz_targets
import pytest
from effort import cases
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

quick = settings(deadline=None, max_examples=cases(30, 60), suppress_health_check=list(HealthCheck))

NASTY = [
    "\0", "\x1b]0;x\x07", "\x9b31m", "\u202e", "\u2028", "\ufeff", "\r", "\n", "\t", '"', "'", ",",
    ";", "[", "]", "{", "}", "=", ".", "#", "[[space]]\n", "[/x]", "nan", "NaN", "inf", "1e999",
    "-1", "9" * 5000, "null", "true", "e\u0301\u0301", "\u05d0\u05d1", "__label__", "\\ud800",
]  # fmt: skip
pieces = st.sampled_from([word.encode() for word in NASTY] + [b"\xff", b"\x80", b"\xed\xa0\x80"])
places = st.tuples(st.floats(0, 1), st.integers(0, 20), pieces | st.binary(max_size=6))


@st.composite
def mutated(draw, seeds):
    """A seed with a few places written over."""
    data = draw(st.sampled_from(seeds))
    for at, length, piece in draw(st.lists(places, min_size=1, max_size=4)):
        start = int(at * len(data))
        data = data[:start] + piece + data[start + length :]
    return data


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(NASTY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
words = st.sampled_from(
    [
        *(
            "train",
            "check",
            "predict",
            "evaluate",
            "versions",
            "list",
            "show",
            "compare",
            "promote",
        ),
        *("rollback", "history", "verify", "latest", "previous", "1.0.0", "v1.0.1", "data.csv"),
        *("--json", "-q", "--models", "--version", "--text-column", "--delimiter", "--encoding"),
        *("--grid", "--cv", "--seed", "--jobs", "--test", "--test-size", "--bump", "--sample"),
        *("--top-k", "--format", "csv", "--file", "-m", "--repair", "--help", "--", "2", "0.5"),
        *NASTY,
    ]
)


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory):
    """Return the targets, with the current folder prepared for them."""
    with contextlib.chdir(tmp_path_factory.mktemp("project")):
        fuzz_targets.prepare()
        yield fuzz_targets


@pytest.mark.parametrize("name", ["readers", "texts", "space", "settings", "command"])
@quick
@given(data=st.data())
def test_torn_input(fuzz, name, data):
    """Bytes that were something right once are a value or a sentence."""
    target = fuzz.TARGETS[name]
    target.run(data.draw(mutated(target.seeds) | st.binary(max_size=60)))


@pytest.mark.parametrize("name", ["metadata", "record"])
@quick
@given(data=st.data())
def test_json_with_other_values(fuzz, name, data):
    """Any value of what a registry holds may be another."""
    document = json.loads(fuzz.seeds(name)[-1])
    inner, key = document, data.draw(st.sampled_from(list(document)))
    while isinstance(inner[key], dict | list) and inner[key] and data.draw(st.booleans()):
        inner = inner[key]
        key = data.draw(
            st.sampled_from(list(inner)) if isinstance(inner, dict) else st.just(len(inner) - 1)
        )
    inner[key] = data.draw(anything)
    fuzz.TARGETS[name].run(json.dumps(document).encode())


@quick
@given(st.lists(words, max_size=8))
@example(["train", "train", "train"])
def test_any_words(fuzz, chosen):
    """Any words after `textclf` do what they say or get a sentence."""
    fuzz.TARGETS["command"].run("\0".join(chosen).encode())
