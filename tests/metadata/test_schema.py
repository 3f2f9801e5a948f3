import json
import re

import msgspec
import pytest
import registries
from hypothesis import given
from hypothesis import strategies as st

from textclf.errors import IntegrityError
from textclf.metadata.schema import PIPELINE_SCHEMA, Metadata, Summary, decode, encode

NASTY = [
    "[\n  1,\n  2\n]",
    '"], "version": "9.9.9", "x": [',
    "[1, 2]",
    "back\\slash \\n \\",
    "line\nbreak\ttab\r\0\x1b[31m",
    "“ü” 😀 \u2028 \u202e",
    "",
]
CONTRACT = [
    "version", "saved_at", "best_params", "best_cv_accuracy", "test_accuracy", "schema", "task",
    "bump", "artifact", "data", "test", "search", "environment", "code", "message", "seconds",
]  # fmt: skip

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(NASTY)
finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def refused(data, kind=Metadata):
    with pytest.raises(IntegrityError) as caught:
        decode(data, kind, name="models/1.0.0/metadata.json")
    return str(caught.value), caught.value.hint


@given(message=st.none() | texts, params=st.dictionaries(texts, values, max_size=4),
       labels=st.dictionaries(texts, st.integers(0, 10**9), max_size=4),
       score=st.floats(0, 1))  # fmt: skip
def test_what_is_written_is_read(message, params, labels, score):
    """Whatever a message, a parameter or a label holds: the file gives the same metadata back."""
    made = registries.metadata()
    made = msgspec.structs.replace(
        made,
        message=message,
        best_params=params,
        best_cv_accuracy=score,
        data=msgspec.structs.replace(made.data, labels=labels),
    )
    assert decode(encode(made), Metadata, name="x") == made


@given(values)
def test_pretty_is_the_same_json(value):
    """Indenting changes no value, whatever the strings look like."""
    assert json.loads(encode(value)) == value


def test_the_fields_are_the_contract_s_in_its_order():
    """The file starts with the five fields that the field's guides have, and has all the others."""
    fields = json.loads(encode(registries.metadata()))
    assert list(fields) == [*CONTRACT, "files", "threshold", "pipeline", "abstain_unknown"]
    assert list(fields["bump"]) == ["requested", "applied", "reasons", "base"]
    assert list(fields["artifact"]) == ["file", "sha256", "bytes"]
    assert {"path", "sha256", "rows", "labels", "sketch"} <= fields["data"].keys()
    assert {"path", "split", "sha256", "rows", "metrics"} <= fields["test"].keys()
    assert {"accuracy", "macro_f1", "weighted_f1", "per_class", "confusion"} <= (
        fields["test"]["metrics"].keys()
    )
    assert list(fields["search"]) == [
        "space", "scoring", "folds", "seed", "candidates", "method", "sample", "neighbourhood_of"
    ]  # fmt: skip
    assert {"params", "mean", "std", "fold_scores", "fit_seconds"} <= (
        fields["search"]["candidates"][0].keys()
    )
    assert {"python", "platform", "libraries"} <= fields["environment"].keys()
    assert {"textclf", "git_commit", "dirty"} <= fields["code"].keys()


def test_a_list_of_numbers_stays_on_one_line():
    """People read the confusion matrix and the fold scores as rows; the rest is indented."""
    lines = encode(registries.metadata()).decode().splitlines()
    stripped = [line.strip() for line in lines]
    assert "[1, 1]," in stripped
    assert "[0, 2]" in stripped
    assert '"fold_scores": [0.6, 0.8],' in stripped
    assert '"C": [0.1, 1.0]' in stripped
    assert lines[:2] == ["{", '  "version": "1.0.0",']


def test_numbers_of_all_forms_stay_on_one_line():
    """Signs, exponents and large numbers are numbers; null and text are not."""
    assert encode([1, -2, 0.5, 1e-9, -1e300]) == b"[1, -2, 0.5, 1e-9, -1e300]\n"
    assert json.loads(encode([1, None, 2])) == [1, None, 2]


@pytest.mark.parametrize("text", NASTY)
def test_text_that_looks_like_a_list_is_left_alone(text):
    """A message with brackets, quotes or line ends comes back letter by letter."""
    made = registries.metadata(message=text, best_params={text: [1, 2]})
    fields = json.loads(encode(made))
    assert fields["message"] == text
    assert fields["best_params"] == {text: [1, 2]}


def test_a_long_list_takes_no_time():
    """A hundred thousand numbers that are not alone in their list are written all the same."""
    value = {"x": [*range(100_000), "end"]}
    assert json.loads(encode(value)) == value


def test_the_file_ends_with_a_line_end():
    """The file is text: one line end at its end."""
    assert re.search(rb"[^\n]\n\Z", encode(registries.metadata()))


@pytest.mark.parametrize("kind", [Metadata, Summary])
def test_a_later_schema_is_refused(kind):
    """A file of a later textclf is not half-understood; the way out is to update."""
    fields = json.loads(encode(registries.metadata())) | {"schema": PIPELINE_SCHEMA + 1}
    message, hint = refused(json.dumps(fields).encode(), kind)
    assert "models/1.0.0/metadata.json was written by a later textclf (schema 3" in message
    assert hint == "update textclf"


def test_a_later_schema_with_other_fields_is_refused_as_such():
    """What a later schema looks like is not judged: only its number is read."""
    message, _ = refused(b'{"schema": 7, "version": {"major": 1}}')
    assert "later textclf (schema 7" in message


@pytest.mark.parametrize("kind", [Metadata, Summary])
@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"null", b"[]", b"\xff\xfe", b"not json", b'{"schema": "1"}', b'{"schema": 1}',
     b'{"schema": 1, "version": "\xff"}', b'{"schema": 1, "x": ' + b"[" * 100_000,
     b'{"schema": 1e400}'],
)  # fmt: skip
def test_a_damaged_file_is_refused_with_a_sentence(kind, data):
    """Whatever is wrong with the bytes, the error names the file and what to do."""
    message, hint = refused(data, kind)
    assert message.startswith("models/1.0.0/metadata.json is damaged: ")
    assert "verify" in hint


@pytest.mark.parametrize("field", CONTRACT)
def test_a_missing_field_is_named(field):
    """The file without one of its fields is damaged, and the message says which."""
    fields = json.loads(encode(registries.metadata()))
    del fields[field]
    message, _ = refused(json.dumps(fields).encode())
    assert f"`{field}`" in message


def test_a_field_of_the_wrong_type_is_named():
    """The message leads to the place of a wrong value."""
    fields = json.loads(encode(registries.metadata()))
    fields["data"]["rows"] = "many"
    message, _ = refused(json.dumps(fields).encode())
    assert "$.data.rows" in message


@given(st.data())
def test_a_truncated_file_is_never_accepted(data):
    """Cut anywhere before its last brace, the file is damaged, not shorter."""
    whole = encode(registries.metadata()).rstrip()
    cut = data.draw(st.integers(0, len(whole) - 1))
    refused(whole[:cut])


def test_a_summary_is_the_head_of_the_same_file():
    """A list of versions reads the same file and gets the same values."""
    made = registries.metadata(message="why")
    summary = decode(encode(made), Summary, name="x")
    assert (summary.version, summary.saved_at, summary.message) == ("1.0.0", made.saved_at, "why")
    assert (summary.best_cv_accuracy, summary.test_accuracy) == (0.7, 0.75)
    assert (summary.data.rows, summary.test.metrics.macro_f1) == (40, 0.75)


def test_fields_of_a_later_minor_change_are_ignored():
    """A field that this textclf does not know is no damage, as long as the schema is known."""
    fields = json.loads(encode(registries.metadata())) | {"signature": "abc"}
    assert decode(json.dumps(fields).encode(), Metadata, name="x") == registries.metadata()


def test_the_recipe_survives_the_file():
    """What a version is compared by does not change on its way through the file."""
    made = registries.metadata()
    assert decode(encode(made), Metadata, name="x").recipe() == made.recipe()
    assert made.recipe().classifiers == {"LinearSVC"}
    assert made.recipe().features == {"word"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("test.metrics.confusion.labels", []),
        ("test.metrics.confusion.matrix", [[1]]),
        ("test.metrics.per_class", {}),
        ("test.path", None),
        ("search.space", [{"features": {"word": {}}}]),
        ("search", None),
        ("test.rows", 5),
        ("test.metrics.confusion.matrix", [[2, 1], [0, 2]]),
        ("files", [{"file": "text_classifier.joblib", "sha256": "0", "bytes": 1}]),
        (
            "files",
            [{"file": name, "sha256": "0", "bytes": 1} for name in ("page.html", "Page.html")],
        ),
        ("files", [{"file": "metadata.json.sig", "sha256": "0", "bytes": 1}]),
        ("data.sketch.hashes", "é"),
        ("data.sketch.hashes", "AAAA"),
        ("data.sketch.distinct", -1),
        ("data.sketch.distinct", 10**400),
    ],
    ids=repr,
)
def test_what_does_not_fit_together_is_damaged(path, value):
    """Fields of the right type, but not as textclf writes them, are refused on reading."""
    document = json.loads(encode(registries.metadata()))
    *parents, name = path.split(".")
    inner = document
    for parent in parents:
        inner = inner[parent]
    assert name in inner
    inner[name] = value
    message, _ = refused(json.dumps(document).encode())
    assert "is damaged" in message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("saved_at", "yesterday"),
        ("saved_at", "2026-13-99"),
        ("best_cv_accuracy", 1.5),
        ("best_cv_accuracy", -0.1),
        ("test_accuracy", 90),
        ("threshold", 2),
        ("abstain_unknown", 2),
        ("artifact.bytes", -1),
        ("data.rows", -1),
        ("data.rows", 2**60),
        ("data.labels.neg", -1),
        ("data.skipped_rows", -1),
        ("test.skipped_rows", -1),
        ("test.split", 1.5),
        ("test.metrics.accuracy", 1.01),
        ("test.metrics.macro_f1", -1),
        ("test.metrics.weighted_f1", 2),
        ("test.metrics.per_class.neg.f1", 7),
        ("test.metrics.per_class.neg.precision", -1),
        ("test.metrics.per_class.neg.support", -2),
        ("search.folds", 1),
        ("search.seed", -1),
        ("search.method", "guess"),
        ("search.sample", -1),
        ("search.candidates", []),
        ("search.space", []),
        ("seconds.read", -1),
    ],
    ids=repr,
)
def test_a_value_out_of_range_is_damage_and_named(path, value):
    """Shares lie between 0 and 1, counts are not negative, times are times, and lists not empty."""
    document = json.loads(encode(registries.metadata()))
    *parents, name = path.split(".")
    inner = document
    for parent in parents:
        inner = inner[parent]
    inner[name] = value
    message, _ = refused(json.dumps(document).encode())
    assert path.split(".")[0] in message
    assert re.search(r"Expected .* at `\$\.[\w.\[\]]+`", message)


def test_an_empty_list_of_alternatives_is_damage():
    """A search space without a value for a parameter has no candidates to train again."""
    document = json.loads(encode(registries.metadata()))
    document["search"]["space"][0]["classifier"]["LinearSVC"]["C"] = []
    message, _ = refused(json.dumps(document).encode())
    assert "length >= 1 - at `$.search.space" in message


def test_a_file_that_is_far_too_large_is_not_read():
    """Whatever is in it."""
    with pytest.raises(IntegrityError, match=r"metadata\.json has more than 64 MB"):
        decode(bytes((64 << 20) + 1), Metadata, name="metadata.json")
