"""JSON Lines."""

import json

import pytest
from data_files import SKIP, bad, labels, read, refused, rows, same_folder, texts
from hypothesis import given
from hypothesis import strategies as st

ROWS = [("a", "x"), ("b", "y")]
RECORDS = [{"text": t, "label": w} for t, w in ROWS]
ONE, TWO = map(json.dumps, RECORDS)
DOCUMENTS = {
    "a list": json.dumps(RECORDS),
    "an indented list": json.dumps(RECORDS, indent=2),
    "a list on lines": f"[\n{ONE},\n{TWO}\n]\n",
    "objects in a row": ONE + TWO,
    "indented objects": "\n".join(json.dumps(record, indent=1) for record in RECORDS),
    "lines with commas": f"{ONE},\n{TWO},\n",
    "a list in an object": json.dumps({"data": RECORDS, "version": 1}),
    "pandas, columns": json.dumps({"text": {"0": "a", "1": "b"}, "label": {"0": "x", "1": "y"}}),
    "pandas, index": json.dumps({"0": RECORDS[0], "1": RECORDS[1]}),
    "pandas, split": json.dumps(
        {"columns": ["text", "label"], "index": [0, 1], "data": [["a", "x"], ["b", "y"]]}
    ),
    "pandas, table": json.dumps({"schema": {"fields": []}, "data": RECORDS}),
    "datasets, columns": json.dumps({"text": ["a", "b"], "label": ["x", "y"]}),
    "datasets, viewer": json.dumps(
        {"features": [{"name": "text"}], "rows": [{"row_idx": 0, "row": one} for one in RECORDS]}
    ),
}


@pytest.mark.parametrize("content", DOCUMENTS.values(), ids=DOCUMENTS)
@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_documents(tmp_path, content, ending):
    """Objects are read from lists, and from the tables that pandas and datasets write."""
    assert rows(read(tmp_path / f"a.{ending}", content)) == ROWS


@pytest.mark.parametrize(
    ("record", "hint"),
    [
        (lambda text, label: {"id": 7, "data": {"text": text}, "meta": {"label": label}}, "data."),
        (lambda text, label: {"text": text, "label": {"label": label, "by": 7}}, "label."),
        (lambda text, label: {"prompt": text, "completion": label}, "prompt --label"),
        (lambda text, label: [text, label], "1 --label-column 2"),
    ],
    ids=["objects", "an object for a label", "other names", "lists"],
)
def test_values_are_found_wherever_they_are(tmp_path, record, hint):
    """Values in inner objects go by paths, those of lists by positions; the hint names them."""
    pairs = [(f"text {n}", "xy"[n % 2]) for n in range(12)]
    content = json.dumps([record(*pair) for pair in pairs])
    given = refused(tmp_path / "a.json", content)[1]
    assert hint in given
    words = given.replace("--", "").replace("-column", "_column").split()
    options = dict(zip(words[::2], words[1::2], strict=True))
    assert rows(read(tmp_path / "a.json", content, **options)) == pairs


def test_several_lists_are_not_one_table(tmp_path):
    """Lists for training and for testing in one document are refused, and not joined."""
    content = json.dumps({"train": RECORDS, "test": RECORDS})
    message, hint = refused(tmp_path / "a.json", content)
    assert "a.json holds 2 lists of objects: train, test" in message
    assert hint == "write each to a file of its own"


def test_places_in_a_document(tmp_path):
    """A row of a list is named by the line on which it starts."""
    dataset = read(tmp_path / "a.json", json.dumps(RECORDS, indent=2))
    assert [dataset.where(row).rpartition(":")[2] for row in range(2)] == ["2", "6"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (f"[{ONE},\n{TWO}", "a.json:2: invalid JSON: The list is not closed"),
        (f"[{ONE},\n{TWO[:-1]}\n]", "a.json:3: invalid JSON: Expecting ',' delimiter"),
        (f"[{ONE}]\n[{TWO}]", "a.json:2: invalid JSON: Text after the end of the list"),
        ("[" * 100_000, "a.json: invalid JSON: nested too deeply"),
        ("[1, 2]", "a.json:1: not a JSON object"),
        ("[]", "a.json contains no rows"),
    ],
)
def test_a_document_that_is_not_json(tmp_path, content, problem):
    """A damaged document is refused as a whole, with the line."""
    assert problem in refused(tmp_path / "a.json", content)[0]


def test_bad_json_rows(tmp_path):
    """JSON scalars are taken as written; each other line has its reason."""
    lines = [
        '{"text": 1.50, "label": 1}',
        '{"text": "a", "label": true}',
        "{'text': 1}",
        "[1]",
        '{"text": "a"}',
        '{"text": null, "label": "x"}',
        '{"text": ["a"], "label": "x"}',
        '{"text": "a", "label": {}}',
        '{"text": "\\ud800", "label": "x"}',
        '{"text": NaN, "label": "x"}',
        '{"text": "\\ud83d\\ude00", "label": "1e5"}',
        "[" * 100_000,
    ]
    dataset = read(tmp_path / "a.jsonl", "\n".join(lines), on_bad_rows=SKIP)
    assert rows(dataset) == [("1.50", "1"), ("a", "true"), ("😀", "1e5")]
    reasons = dict(bad(dataset))
    assert reasons.pop("3").startswith("invalid JSON: Expecting property name")
    assert reasons.pop("12") == "invalid JSON: nested too deeply"
    assert reasons == {
        "4": "not a JSON object",
        "5": "no label",
        "6": "no text",
        "7": "the text is a list",
        "8": "the label is an object",
        "9": "the text contains an unpaired surrogate",
        "10": "invalid JSON: NaN",
    }


def test_json_keys(tmp_path):
    """Keys that are not there are an error that lists those that are; case may differ."""
    path = tmp_path / "a.jsonl"
    message, hint = refused(path, '{"texts": "a", "label": "b"}\n')
    assert "its columns are texts, label" in message
    assert hint == "--text-column texts"
    assert rows(read(path, '{"Text": "a", "label": "b"}\n')) == [("a", "b")]
    assert rows(read(path, '{"2": "a", "1": "b"}', text_column="2", label_column="1"))


@same_folder
@given(st.lists(st.tuples(texts, labels), min_size=1), st.booleans())
def test_json_round_trip(tmp_path, written, ascii_only):
    """What json.dumps writes, a line each, is read back exactly."""
    lines = [json.dumps({"text": t, "label": w}, ensure_ascii=ascii_only) for t, w in written]
    assert rows(read(tmp_path / "a.jsonl", "\n".join(lines))) == written
