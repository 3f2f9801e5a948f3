"""Sheets of Excel and OpenDocument, read by python-calamine in a process of its own."""

import io
import sys

import polars as pl
import pytest
from data_files import SKIP, bad, read, refused, rows
from workbooks import ods, xlsx

from textclf.data.columns import NoLabels
from textclf.data.dataset import read_dataset

TABLE = [["text", "label", "n"], ["good", 1, None], ["bad", True, 0.5]]
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le")


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv", "a"])
def test_a_sheet_is_read(tmp_path, name):
    """The content tells a workbook; whole numbers have no point, truth values are words."""
    dataset = read(tmp_path / name, xlsx({"Data": TABLE, "Empty": []}))
    assert (rows(dataset), dataset.format) == ([("good", "1"), ("bad", "true")], "spreadsheet")


def test_an_open_document_is_read(tmp_path):
    """The same for OpenDocument."""
    content = ods({"Data": [["text", "label"], ["a", "x"]]})
    assert rows(read(tmp_path / "a.ods", content)) == [("a", "x")]


def test_rows_have_the_numbers_of_the_sheet(tmp_path):
    """Blank rows and cells with line breaks do not shift the numbers that are told."""
    table = [[None], ["text", "label"], ["a\nb\nc", "x"], [None, None], ["d", None], ["e", "y"]]
    dataset = read(tmp_path / "a.xlsx", xlsx({"Data": table}), on_bad_rows=SKIP)
    assert rows(dataset) == [("a\nb\nc", "x"), ("e", "y")]
    assert [dataset.where(row).rpartition(":")[2] for row in range(2)] == ["3", "6"]
    assert bad(dataset) == [("5", "no label")]


def test_columns_by_position(tmp_path):
    """A sheet without a header is read by positions."""
    content = xlsx({"Data": [["x", "one text"], ["y", "another"]]})
    dataset = read(tmp_path / "a.xlsx", content, text_column="2", label_column="1")
    assert rows(dataset) == [("one text", "x"), ("another", "y")]


def test_one_of_several_sheets_is_named(tmp_path):
    """Several sheets with cells are listed; --sheet names one, in any case."""
    path, content = tmp_path / "a.xlsx", xlsx({"Read me": [["see Data"]], "Data": TABLE})
    message, hint = refused(path, content)
    assert message.endswith("has 2 sheets with cells: Read me, Data")
    assert hint.startswith("--sheet NAME")
    assert len(read(path, content, sheet="data")) == 2
    assert 'has no sheet "x", but Read me, Data' in refused(path, content, sheet="x")[0]


def test_hidden_sheets_are_read_where_they_are_named(tmp_path):
    """A hidden sheet, such as one with the values of a list, is no choice unless it is named."""
    path = tmp_path / "a.xlsx"
    content = xlsx({"Data": TABLE, "Lists": [["label", "text"], ["x", "a"]]}, hidden=["Lists"])
    assert rows(read(path, content)) == [("good", "1"), ("bad", "true")]
    assert rows(read(path, content, sheet="lists")) == [("a", "x")]


def test_a_merged_cell_stands_in_each_of_its_rows(tmp_path):
    """A label that is merged down its column is that of each row, also beside a merged title."""
    table = [["A title", None], ["label", "text"], ["x", "a"], [None, "b"], ["y", "c"], [None] * 2]
    content = xlsx({"Data": table}, merged=["A1:B1", "A3:A4", "A5:A6", "B5:B6", "D1:D9"])
    assert rows(read(tmp_path / "a.xlsx", content)) == [("a", "x"), ("b", "x"), ("c", "y")]


def test_what_is_not_read_and_headers_go_by_the_rows_of_the_sheet(tmp_path):
    """Titles above the header are told of; cells of several lines shift no number."""
    titles = [[None], ["A title\nof two lines", ""], ["text", "label"]]
    content = xlsx({"Data": [*titles, ["a", "x"], ["b", "y"]]})
    dataset = read(tmp_path / "a.xlsx", content)
    assert list(dataset.notes) == ["the header is on line 3; the lines above it are not read"]
    message, _ = refused(tmp_path / "a.xlsx", content, text_column="1", label_column="2")
    assert "a.xlsx:3: this row reads like the names" in message


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet"])
def test_texts_without_labels_are_told_from_broken_files(tmp_path, name):
    """They may be the data of a competition, beside those to train on."""
    out = io.BytesIO()
    pl.DataFrame({"id": [1, 2], "text": ["a", "b"]}).write_parquet(out)
    content = out.getvalue() if name == "a.parquet" else xlsx({"D": [["id", "text"], ["1", "a"]]})
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NoLabels, match='no column "label"'):
        read_dataset(tmp_path / name)


def test_an_export_in_a_sheet_is_one(tmp_path):
    """The columns of a labelling tool's export are recognised in a sheet, too."""
    table = [["text", "label", "answer"], ["a", "x", "accept"], ["b", "x", "reject"]]
    dataset = read(tmp_path / "a.xlsx", xlsx({"Data": table}))
    assert (rows(dataset), dataset.left_out) == ([("a", "x")], {"rejected": 1})


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: xlsx({"Data": []}), "has no cells"),
        (lambda: xlsx({"Data": [["texts", "label"], ["a", "b"]]}), 'has no column "text"'),
        (lambda: xlsx({"Data": TABLE})[:-30], "an Office document|a zip archive"),
        (lambda: xlsx({"Data": [["text", "label"], ["a" * (1 << 27), "b"]]}), "unpacked, it has"),
        (lambda: ods({}).replace(b"content.xml", b"contenT.xml"), "is a damaged spreadsheet"),
        (lambda: OLD_WORKBOOK, "is a damaged spreadsheet, one with a password"),
    ],
    ids=["empty", "columns", "cut off", "bomb", "no content", "old"],
)
def test_sheets_that_cannot_be_read(tmp_path, make, problem):
    """Each fault is one sentence."""
    message, _ = refused(tmp_path / "a.xlsx", make())
    assert any(part in message for part in problem.split("|"))


def test_without_the_library(tmp_path, monkeypatch):
    """Without python-calamine the message names the extra, and the way around it."""
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    message, hint = refused(tmp_path / "a.xlsx", xlsx({"Data": TABLE}))
    assert message.endswith("needs python-calamine, which is not installed")
    assert (
        hint
        == "pip install '.[excel]' in the checkout of textclf; or export the sheet as CSV in UTF-8"
    )
