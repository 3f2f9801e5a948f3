"""The exports of labelling tools, in each of the shapes that they write."""

import csv
import io
import json

import polars as pl
import pytest
from data_files import SKIP, bad, read, refused, rows

from textclf.data.dataset import ReadOptions, read_dataset
from textclf.errors import DataError

HASHES = {"_input_hash": 1, "_task_hash": 2}
OPTIONS = [{"id": "POS", "text": "Positive"}, {"id": "NEG", "text": "Negative"}]


def choice(text, accept, answer="accept"):
    return {"text": text, "options": OPTIONS, "accept": accept, "answer": answer, **HASHES}


def task(text, *annotations, **fields):
    """Return a task of Label Studio with the choices of each annotator."""
    made = [
        {"result": [{"from_name": "mood", "type": "choices", "value": {"choices": chosen}}]}
        for chosen in annotations
    ]
    return {"id": 1, "data": {"text": text}, "annotations": made, "predictions": [], **fields}


def minimal(text, mood):
    """Return a row of Label Studio's JSON-MIN or CSV."""
    own = {"id": 1, "annotator": 1, "annotation_id": 1, "lead_time": 2.5}
    return {"text": text, "mood": mood, **own}


def argilla(text, *responses, status="completed", suggestion="neg"):
    return {
        "id": "1",
        "status": status,
        "fields": {"text": text},
        "suggestions": {"mood": {"value": suggestion, "score": 0.9}},
        "responses": {"mood": [{"value": label, "user_id": "u"} for label in responses]},
    }


def flat_argilla(text, labels, states):
    return {
        "id": "1",
        "status": "completed",
        "text": text,
        "mood.suggestion": "neg",
        "mood.responses": labels,
        "mood.responses.status": states,
    }


def feedback(text, *answers):
    given = [{"user_id": None, "value": v, "status": s} for v, s in answers]
    return {"text": text, "label": given, "label-suggestion": "neg"}


def old_argilla(text, annotation, status="Validated"):
    prediction = [{"label": "neg", "score": 0.7}]
    return {
        "text": None,
        "inputs": {"text": text},
        "prediction": prediction,
        "annotation": annotation,
        "multi_label": False,
        "status": status,
    }


GOOD = [("a", "POS"), ("b", "NEG")]

EXPORTS = {
    "Prodigy, decisions": (
        "Prodigy",
        [
            *({"text": t, "label": w, "answer": "accept", **HASHES} for t, w in GOOD),
            {"text": "c", "label": "POS", "answer": "reject", **HASHES},
            {"text": "d", "label": "POS", "answer": "ignore", **HASHES},
        ],
        {"rejected": 1, "ignored": 1},
    ),
    "Prodigy, choices": (
        "Prodigy",
        [*(choice(t, [w]) for t, w in GOOD), choice("c", ["POS"], "reject")],
        {"rejected": 1},
    ),
    "doccano": (
        "doccano",
        [
            *({"id": 1, "data": t, "label": [w]} for t, w in GOOD),
            {"id": 3, "data": "c", "label": []},
        ],
        {"not labelled": 1},
    ),
    "doccano, users": (
        "doccano",
        [
            *({"text": t, "annotations": [{"label": w, "user": 1}], "meta": {}} for t, w in GOOD),
            {"text": "c", "annotations": [], "meta": {}},
        ],
        {"not labelled": 1},
    ),
    "Label Studio": (
        "Label Studio",
        [
            *(task(t, [w]) for t, w in GOOD),
            task("c"),
            task("d", annotations=[{"was_cancelled": True, "result": []}]),
        ],
        {"not labelled": 1, "skipped": 1},
    ),
    "Label Studio, minimal": (
        "Label Studio",
        [*(minimal(t, w) for t, w in GOOD), minimal("c", "")],
        {"not labelled": 1},
    ),
    "Argilla": (
        "Argilla",
        [*(argilla(t, w) for t, w in GOOD), argilla("c"), argilla("d", "POS", status="discarded")],
        {"not labelled": 1, "discarded": 1},
    ),
    "Argilla, columns": (
        "Argilla",
        [
            *(flat_argilla(t, ["other", w], ["draft", "submitted"]) for t, w in GOOD),
            flat_argilla("c", ["POS"], ["discarded"]),
        ],
        {"not labelled": 1},
    ),
    "Argilla, feedback": (
        "Argilla",
        [
            *(feedback(t, (w, "submitted")) for t, w in GOOD),
            feedback("c", ("POS", "discarded")),
        ],
        {"not labelled": 1},
    ),
    "Argilla 1": (
        "Argilla",
        [
            *(old_argilla(t, w) for t, w in GOOD),
            old_argilla("c", None, "Default"),
            old_argilla("d", "POS", "Discarded"),
        ],
        {"not labelled": 1, "discarded": 1},
    ),
}


def as_csv(records):
    """Return records as pandas writes them, with nested values as Python shows them."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(records[0]))
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue()


def as_lines(records):
    return "\n".join(map(json.dumps, records))


@pytest.mark.parametrize("write", [as_lines, json.dumps], ids=["lines", "list"])
@pytest.mark.parametrize(("tool", "records", "left_out"), EXPORTS.values(), ids=EXPORTS)
def test_an_export_is_read_as_its_tool_means_it(tmp_path, tool, records, left_out, write):
    """Answers of people are the labels; what was rejected, skipped or not labelled is left out."""
    dataset = read(tmp_path / "export.json", write(records))
    assert rows(dataset) == GOOD
    assert (dataset.tool, dataset.left_out) == (tool, left_out)
    count = sum(left_out.values())
    assert (
        f"is read as an export of {tool}; left out of {2 + count} records: " in dataset.export_note
    )
    assert all(f"{n} {reason}" in dataset.export_note for reason, n in left_out.items())


FLAT = ["Prodigy, decisions", "Label Studio, minimal", "Argilla, columns", "Argilla, feedback"]


@pytest.mark.parametrize("name", FLAT)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_made_of_an_export_is_still_one(tmp_path, name, ending):
    """A CSV or Parquet file with the columns of an export is read in the same way."""
    tool, records, left_out = EXPORTS[name]
    content = as_csv(records).encode()
    if ending == "parquet":
        pl.DataFrame(records).write_parquet(file := io.BytesIO())
        content = file.getvalue()
    dataset = read(tmp_path / f"export.{ending}", content)
    assert (rows(dataset), dataset.tool, dataset.left_out) == (GOOD, tool, left_out)


def test_the_csv_of_doccano(tmp_path):
    """Several labels are joined by # there, which is also a part of a label such as C#."""
    content = "id,data,label\n1,a,x#y\n2,b,c#\n\n3,c,\n"
    dataset = read(tmp_path / "a.csv", content, on_bad_rows=SKIP)
    assert (rows(dataset), dataset.left_out) == ([("b", "c#")], {"not labelled": 1})
    assert bad(dataset) == [("2", "2 labels: x, y")]


def test_an_export_with_malformed_quotes_is_refused(tmp_path):
    """Beyond the beginning, by which it was recognised, the line is named."""
    content = "id,data,label\n" + "1,some text,x\n" * 8000 + '2,"never closed,x\n3,c,y\n'
    message, _ = refused(tmp_path / "a.csv", content)
    assert "a.csv:8002: malformed quoting: the quote opened on line 8002 is never" in message


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (choice("x", ["POS", "NEG"]), "2 labels: POS, NEG"),
        (task("x", ["POS", "NEG"]), "2 labels: POS, NEG"),
        (task("x", ["POS"], ["NEG"]), "the annotators disagree: POS, NEG"),
        (minimal("x", {"choices": ["POS", "NEG"]}), "2 labels: POS, NEG"),
        (argilla("x", "POS", "NEG"), "the annotators disagree: POS, NEG"),
        (argilla("x", ["POS", "NEG"]), "2 labels: POS, NEG"),
        ({"id": 1, "text": "x", "label": ["POS", "NEG"]}, "2 labels: POS, NEG"),
        ({"text": "x", "label": ["POS", "NEG"]}, "2 labels: POS, NEG"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value,
)
def test_several_labels_are_refused(tmp_path, record, reason):
    """A record with several labels, or with annotators who disagree, is a bad row that says so."""
    message, _ = refused(tmp_path / "a.jsonl", as_lines([record, record]))
    assert f"a.jsonl:1: {reason}" in message


def test_annotators_who_agree_make_one_row(tmp_path):
    """The same answer of several annotators is one label."""
    assert rows(read(tmp_path / "a.json", json.dumps([task("x", ["POS"], ["POS"])]))) == [
        ("x", "POS")
    ]


def test_the_decision_itself_can_be_the_label(tmp_path):
    """--label-column answer learns what Prodigy's users accept and reject; ignored is neither."""
    records = EXPORTS["Prodigy, decisions"][1]
    dataset = read(tmp_path / "a.jsonl", as_lines(records), label_column="answer")
    assert dataset.labels == ("accept", "accept", "reject")
    assert dataset.left_out == {"not labelled": 1}


def test_one_question_needs_no_name_and_several_do(tmp_path):
    """With several questions the message lists them; the one named is read."""
    record = argilla("x", "POS")
    record["responses"]["topic"] = [{"value": "food"}]
    content = json.dumps([record])
    message, hint = refused(tmp_path / "a.json", content)
    assert 'an export of Argilla without a label "label"; it has mood, topic' in message
    assert hint == "--label-column takes one of these names"
    assert read(tmp_path / "a.json", content, label_column="Topic").labels == ("food",)


def test_the_only_text_of_an_export_is_the_hint(tmp_path):
    """Where no text has the name asked for and there is one, the hint is its name."""
    content = json.dumps([argilla("x", "POS")])
    message, hint = refused(tmp_path / "a.json", content, text_column="body")
    assert 'without a text "body"; it has text' in message
    assert hint == "--text-column text"


def test_answers_that_are_no_choices_are_left_aside(tmp_path):
    """A rating or a remark beside the choice of Label Studio is no label."""
    record = task("x", ["POS"])
    record["annotations"][0]["result"].insert(0, {"from_name": "stars", "value": {"rating": 4}})
    assert rows(read(tmp_path / "a.json", json.dumps([record]))) == [("x", "POS")]


@pytest.mark.parametrize(
    ("value", "label"), [("[unclear", "[unclear"), ('{"choices": 4}', "4"), ("4.5", "4.5")]
)
def test_a_label_in_a_table_is_what_is_written(tmp_path, value, label):
    """A number is its digits, and what only begins like a list is a label as it stands."""
    content = as_csv([minimal("x", value)])
    assert rows(read(tmp_path / "a.csv", content)) == [("x", label)]


def test_an_export_without_labels_is_refused(tmp_path):
    """A project that nobody has labelled yet is refused as such."""
    message, _ = refused(tmp_path / "a.jsonl", as_lines([{"id": 1, "data": "a", "label": []}] * 3))
    assert message.endswith("is an export of doccano in which every record is not labelled")


def test_a_record_of_another_kind_is_a_bad_row(tmp_path):
    """What differs from the first records of an export is named, not guessed at."""
    records = [
        *({"id": n, "data": "a", "label": ["x"]} for n in range(200)),
        {"id": 1, "data": "b"},
    ]
    dataset = read(tmp_path / "a.jsonl", as_lines(records))
    assert bad(dataset) == [("201", "not a record as doccano writes it")]


def hugging_face(path, labels, names=("neg", "pos")):
    features = {"label": {"names": list(names), "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    frame = pl.DataFrame({"text": [f"t{n}" for n in range(len(labels))], "label": labels})
    frame.write_parquet(path, metadata=metadata)
    return path


def test_the_class_names_of_hugging_face(tmp_path):
    """Numbers of a ClassLabel become the names in the metadata; -1 is a row without a label."""
    dataset = read_dataset(hugging_face(tmp_path / "a.parquet", [0, 1, -1, 1]))
    assert dataset.labels == ("neg", "pos", "pos")
    assert (dataset.tool, dataset.left_out) == ("Hugging Face", {"not labelled": 1})
    with pytest.raises(DataError, match="every record is not labelled"):
        read_dataset(hugging_face(tmp_path / "b.parquet", [-1, -1]))


def test_a_list_of_one_label_in_parquet(tmp_path):
    """A column of lists is read if each list has one label; a list of texts is refused."""
    pl.DataFrame({"text": ["a"], "label": [["x"]]}).write_parquet(tmp_path / "a.parquet")
    assert rows(read_dataset(tmp_path / "a.parquet")) == [("a", "x")]
    with pytest.raises(DataError, match="holds List"):
        read_dataset(tmp_path / "a.parquet", ReadOptions("label", "text"))


def test_a_plain_table_is_no_export(tmp_path):
    """Columns that tools have, too, do not make an export: nothing is left out without a word."""
    content = "id,text,label,status\n1,a,x,discarded\n2,b,y#z,ok\n"
    dataset = read(tmp_path / "a.csv", content)
    assert (dataset.tool, rows(dataset)) == (None, [("a", "x"), ("b", "y#z")])
