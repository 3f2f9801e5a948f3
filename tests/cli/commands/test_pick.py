"""The texts worth labelling next: `textclf pick`."""

import csv
import io
import json
import re

import polars as pl
import pytest
from workbooks import xlsx

from textclf.data.near_duplicates import distinct_words, without_near_duplicates

WORDS = ["great", "awful", "train", "parcel", "lovely", "broken", "the", "meeting", "sad", "of"]
UNCLEAR = "great awful train"


def texts(number):
    """Return texts of a few words, some of which are near-duplicates of others."""
    return [
        " ".join(WORDS[(n * step) % 10] for step in (1, 3, 7, 11)) + f" {n % 60}" * (n % 2)
        for n in range(number)
    ]


def records(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def margins(project, cli):
    """Return a function that gives the margins of texts, as they are labelled one by one."""

    def call(lines):
        (project / "lines.txt").write_text("".join(f"{line}\n" for line in lines))
        answer = json.loads(cli("predict", "--file", "lines.txt", "--json").out)
        ranked = [list(one["scores"].values()) for one in answer["predictions"]]
        return [scores[0] - scores[1] for scores in ranked]

    return call


def test_the_texts_with_the_smallest_margins_are_picked_near_duplicates_once(margins, cli):
    """Of many lines those are picked that a sort of all of them would have first."""
    lines = texts(300)
    order = sorted(range(300), key=dict(enumerate(margins(lines))).__getitem__)
    words = [distinct_words(re.sub(r"\d+", "0", lines[n])) for n in order]
    expected = [order[i] for i in without_near_duplicates(words)][:4]
    done = cli("pick", "lines.txt", "--n", "4")
    assert [row["where"] for row in records(done.out)] == [f"lines.txt:{n + 1}" for n in expected]
    assert [row["text"] for row in records(done.out)] == [lines[n] for n in expected]
    assert cli("pick", "lines.txt", "--n", "4").out == done.out
    assert cli("pick", "-", "--n", "4", stdin="\n".join(lines).encode()).out == done.out.replace(
        "lines.txt", "stdin"
    )


def test_the_answer_has_the_label_that_predict_gives(margins, cli):
    """The label, its score and its margin are those of predict, in CSV and in JSON."""
    [margin] = margins([UNCLEAR])
    [row] = records(cli("pick", "lines.txt").out)
    answer = json.loads(cli("pick", "lines.txt", "--json").out)
    [picked] = answer["picked"]
    [predicted] = json.loads(cli("predict", UNCLEAR, "--json").out)["predictions"]
    assert {name: str(value) for name, value in picked.items()} == row
    assert (picked["predicted"], picked["score"]) == (predicted["label"], predicted["score"])
    assert picked["margin"] == pytest.approx(margin)
    assert answer["version"] == "1.0.1"


TABLES = {
    "commas": ("t.csv", b"id,text\n1,great\n2,great awful train\n", 3),
    "a title, and several lines": ("t.csv", b'May\n\nid;text\n1;"great\nday"\n2;awful train\n', 6),
    "JSON Lines": ("t.jsonl", b'{"id": "1", "text": ""}\n\n{"id": "2", "text": "awful"}\n', 3),
    "a JSON list": ("t.json", b'[{"id": "1", "text": ""},\n{"id": "2", "text": "awful"}]', 2),
    "a workbook": ("t.xlsx", xlsx({"S": [["id", "text"], ["1", ""], ["2", "awful"]]}), 3),
    "cells of lines": (
        "t.xlsx",
        xlsx({"S": [["id", "text"], ["1", "a\nb\nc"], ["2", "awful"]]}),
        3,
    ),
}
"""Tables of which the second row is picked, with the line on which it starts."""


@pytest.mark.parametrize(("name", "content", "line"), TABLES.values(), ids=TABLES)
def test_a_picked_row_keeps_its_columns_and_has_its_place(project, cli, name, content, line):
    """Tables of all formats become CSV with their columns, and the lines of the rows.

    Those of a workbook are the rows of its sheet, whatever lines its cells have.
    """
    (project / name).write_bytes(content)
    rows = records(cli("pick", name).out)
    by_id = {row["id"]: row for row in rows}
    assert by_id["2"]["where"] == f"{name}:{line}"
    assert list(by_id["2"]) == ["id", "text", "predicted", "score", "margin", "where"]
    assert "" not in {row["text"] for row in rows}


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_picked_rows_are_written_in_the_format_of_the_name(project, cli, ending):
    """The name of the output says its format; every format holds the same rows."""
    (project / "t.tsv").write_text(f"1\t{UNCLEAR}\t2\n2\tawful parcel\t1\n")
    options = ["t.tsv", "--text-column", "2", "--label-column", "3"]
    assert cli("pick", *options, "-o", f"out.{ending}").code == 0
    read = {
        "csv": pl.read_csv,
        "tsv": lambda path: pl.read_csv(path, separator="\t"),
        "jsonl": pl.read_ndjson,
        "parquet": pl.read_parquet,
    }[ending](project / f"out.{ending}")
    assert read.columns == ["1", "2", "3", "predicted", "score", "margin", "where"]
    assert sorted(read["where"]) == ["t.tsv:1", "t.tsv:2"]
    assert cli("pick", *options, "-o", f"out.{ending}").code == 2, "it exists"
    assert cli("pick", *options, "-o", "t.tsv", "--force").code == 2, "it is read"


def test_how_many_there_are_is_told(project, cli):
    """Fewer texts than asked for, and rows left out, are told of; none is an error."""
    (project / "t.txt").write_text("Great day 1\ngreat, day 22\n\n \n")
    done = cli("pick", "t.txt")
    assert len(records(done.out)) == 1
    assert "no more than 1 text, near-duplicates" in done.err
    assert cli("pick", "t.txt", "--n", "9" * 20).out == done.out
    (project / "t.txt").write_text("\n \n")
    assert (cli("pick", "t.txt", "-o", "o.csv").code, (project / "o.csv").exists()) == (4, False)
    assert cli("pick", "absent.txt").code == 4
    (project / "t.csv").write_text("text,n\n" + "great,1\n" * 200 + "too,many,cells\n")
    assert "left out 1 row that cannot be read: t.csv:202: " in cli("pick", "t.csv").err
