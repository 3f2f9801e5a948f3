"""The model card: metadata for tools, and Markdown that no text can break."""

import re

import msgspec
import pytest
import reports
import yaml
from effort import cases
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from textclf.report.card import card

HOSTILE = [
    '"\n---\nlicense: mit\n',
    "# a: &x *x !!python/object:os.system",
    "| cell | <script>alert(1)</script>",
    "`code` ``more`` [link](javascript:alert(1)) ![x](y)",
    "\\", "\u2028\u2029\u0085\ufeff", "😀\ud800\x00\x1b", "", " ", "`", "|", "x" * 500,
]  # fmt: skip
TEXT = {"type": "string", "minLength": 1}
RESULT = {
    "task": {"type": TEXT, "name": TEXT},
    "dataset": {"type": TEXT, "name": TEXT, "split": TEXT, "revision": TEXT},
    "metrics": [{"type": TEXT, "name": TEXT, "value": {"type": "number"}, "args": {}}],
}
HEAD = {
    "license": {"enum": ["unknown"]},
    "library_name": {"enum": ["sklearn"]},
    "pipeline_tag": {"enum": ["text-classification"]},
    "tags": [TEXT],
    "metrics": [TEXT],
    "model-index": [{"name": TEXT, "results": [RESULT]}],
}
"""The fields of https://github.com/huggingface/hub-docs/blob/main/modelcard.md that a card has."""
texts = st.sampled_from(HOSTILE) | st.text(max_size=30)


def parts(text):
    """The YAML as values, and the Markdown."""
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


@pytest.fixture(scope="module")
def make():
    def call(*labels, **changes):
        return reports.subject(labels or ("neg", "pos"), **changes)

    return call


def test_the_head_holds_what_the_ecosystem_reads(make):
    """Library, task, tags and results are there; license and language are left to people."""
    head, _ = parts(card(make()).decode())
    assert head["library_name"] == "sklearn"
    assert head["pipeline_tag"] == "text-classification"
    assert head["license"] == "unknown"
    assert "language" not in head
    [model] = head["model-index"]
    [result] = model["results"]
    assert model["name"] == "text classifier 1.0.0"
    assert result["task"] == {"type": "text-classification", "name": "Text Classification"}
    assert result["dataset"]["name"] == "data/test.csv"
    assert [(m["type"], m["value"]) for m in result["metrics"]] == [
        ("accuracy", 0.9), ("f1", 0.9), ("f1", 0.9),
    ]  # fmt: skip


def schema(fields):
    """Return a JSON schema of an object with just these fields, some of which may be missing."""
    if isinstance(fields, list):
        return {"type": "array", "items": schema(fields[0]), "minItems": 1}
    if not fields or isinstance(fields.get("type"), str) or "enum" in fields:
        return fields
    properties = {name: schema(inner) for name, inner in fields.items()}
    required = [name for name in fields if name != "args"]
    return {"properties": properties, "required": required, "additionalProperties": False}


@pytest.mark.parametrize("text", HOSTILE)
def test_the_head_has_the_fields_that_the_hub_documents(make, text):
    """Whatever a path holds; ``make mlflow-test`` asks the parser of the Hub itself."""
    made = make()
    test = msgspec.structs.replace(made.metadata.test, path=f"p{text}")
    metadata = msgspec.structs.replace(made.metadata, test=test)
    head, _ = parts(card(type(made)(metadata, None)).decode())
    Draft202012Validator(schema(HEAD)).validate(head)


def test_the_sections_are_those_of_a_model_card(make):
    """Model, uses and limits, training data, evaluation and environment, in order."""
    _, body = parts(card(make(message="fewer false alarms")).decode())
    assert re.findall("^#+ .*", body, re.MULTILINE) == [
        "# Text classifier 1.0.0", "## Uses and limits", "## Training data", "## Evaluation",
        "## Environment",
    ]  # fmt: skip
    assert "Reason: fewer false alarms" in body
    assert "| `neg` | 20 |" in body
    assert "Expected calibration error" in body


def test_without_report_data_the_card_has_the_numbers_of_the_metadata(make):
    """Without report data a card says nothing about probabilities."""
    made = make()
    _, body = parts(card(type(made)(made.metadata, None)).decode())
    assert "calibration" not in body
    assert "Macro F1" in body


def test_a_split_is_named_as_one(make):
    """The card names the file that the test rows were split off."""
    made = make()
    test = msgspec.structs.replace(made.metadata.test, path=None, sha256=None, split=0.2)
    metadata = msgspec.structs.replace(made.metadata, test=test)
    head, _ = parts(card(type(made)(metadata, None)).decode())
    dataset = head["model-index"][0]["results"][0]["dataset"]
    assert dataset["name"] == "a 20% split of data/train.csv"
    assert dataset["revision"] == "t" * 64


@settings(max_examples=cases(20, 60), deadline=None)
@given(label=texts, message=texts, path=texts, value=texts)
@example(label="", message="`", path="", value="| cell | <script>alert(1)</script>")
def test_whatever_a_text_holds_the_card_keeps_its_form(make, label, message, path, value):
    """Texts change no line of the head, no heading, no row or column of a table, and no HTML."""

    def lines(label, message, path, value):
        made = make(f"a{label}", "b", message=f"m{message}")
        metadata = msgspec.structs.replace(
            made.metadata,
            best_params={"classifier": value},
            test=msgspec.structs.replace(made.metadata.test, path=f"p{path}"),
        )
        return card(type(made)(metadata, made.data)).decode()

    def form(text):
        head, body = parts(text)
        cells = [re.sub(r"\\\|", "", line).count("|") for line in body.splitlines()]
        return sorted(head), list(map(bool, body.splitlines())), cells

    hostile, tame = lines(label, message, path, value), lines("", "", "", "")
    assert form(hostile) == form(tame)
    outside = re.sub(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", parts(hostile)[1], flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<[a-z!/]", outside)


def test_the_yaml_gives_the_name_of_the_test_file_back(make):
    """Any printable path comes back as it was."""
    for path in ("data/ü 汉字 😀.csv", 'a"b\\c: #d.csv', "x\u2028y"):
        made = make()
        test = msgspec.structs.replace(made.metadata.test, path=path)
        metadata = msgspec.structs.replace(made.metadata, test=test)
        head, _ = parts(card(type(made)(metadata, None)).decode())
        assert head["model-index"][0]["results"][0]["dataset"]["name"] == path
