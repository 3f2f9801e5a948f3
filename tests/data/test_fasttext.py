"""The format of fastText."""

import pytest
from data_files import SKIP, bad, read, refused, rows

ROWS = [("slow delivery", "no"), ("well made", "yes"), ("never again", "no")]


@pytest.mark.parametrize(
    "line",
    ["__label__{1} {0}\n", "__label__{1}, {0}\n", "{0} __label__{1}\n", "__label__{1}\t{0}\r\n"],
)
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.ft", "a"])
def test_labels_in_front_or_behind(tmp_path, line, name):
    """The label stands before or after the text, and a comma after it is none of the label."""
    dataset = read(tmp_path / name, "".join(line.format(*row) for row in ROWS))
    assert (dataset.format, rows(dataset)) == ("fasttext", ROWS)


def test_table_with_prefixed_labels(tmp_path):
    """Labels with the prefix that stand in a column of their own make no fastText of a table."""
    content = "".join(f"__label__{label},{text}\n" for text, label in ROWS)
    _, hint = refused(tmp_path / "a.csv", content)
    assert hint == "no header? give positions: --text-column 2 --label-column 1"
    dataset = read(tmp_path / "a.csv", content, text_column="2", label_column="1")
    assert rows(dataset) == [(text, f"__label__{label}") for text, label in ROWS]


@pytest.mark.parametrize(
    "labels", ["__label__a,__label__b", "__label__a __label__b", "__label__a__label__b"]
)
def test_several_labels(tmp_path, labels):
    """A text with several labels is a bad row."""
    content = f"{labels} z\n__label__a x\n__label__b y\nz {labels}\n"
    dataset = read(tmp_path / "a.txt", content, on_bad_rows=SKIP)
    assert rows(dataset) == [("x", "a"), ("y", "b")]
    assert bad(dataset) == [(n, "several labels") for n in "14"]


def test_bad_fasttext_lines(tmp_path):
    """A fastText line needs a label, at its start or its end, and a text."""
    content = "__label__a x\n__label__a\nno label\n__label__ x\nx __label__a y\n"
    dataset = read(tmp_path / "a.ft", content, on_bad_rows=SKIP)
    assert rows(dataset) == [("x", "a")]
    assert bad(dataset) == [
        ("2", "no text"),
        ("3", "no label at the start or the end"),
        ("4", "no label"),
        ("5", "no label at the start or the end"),
    ]
