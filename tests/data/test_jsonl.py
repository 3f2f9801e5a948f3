"""JSON Lines."""

import json

from data_files import SKIP, bad, labels, read, refused, rows, same_folder, texts
from hypothesis import given
from hypothesis import strategies as st


def test_json_list_is_refused(tmp_path):
    """A `.json` file that is one list is refused with the command that makes lines of it."""
    message, hint = refused(tmp_path / "data.json", '[{"text": "a", "label": "b"}]')
    assert "is a JSON list, not one JSON object per line" in message
    assert hint.startswith("jq -c '.[]'")
    assert hint.endswith("data.jsonl")


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
