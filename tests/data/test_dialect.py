"""Delimiters and headers, given and detected."""

import pytest
from data_files import read, refused, rows

from textclf.errors import UsageError


def test_no_header(tmp_path):
    """A first line that looks like data gets the positions to give, which then read it."""
    content = "spam,win a prize now\nham,see you at home\nspam,another prize for you\n"
    message, hint = refused(tmp_path / "a.csv", content)
    assert "a.csv:1: the first line does not name the columns" in message
    assert hint == "no header? give positions: --text-column 2 --label-column 1"
    dataset = read(tmp_path / "a.csv", content, text_column="2", label_column="1")
    assert dataset.labels == ("spam", "ham", "spam")
    assert dataset.places[0] == 1


def test_delimiter(tmp_path):
    """A given delimiter is used, `tab` is one; what cannot be one is refused."""
    content = "text@label\na,b@x\n"
    assert rows(read(tmp_path / "a.csv", content, delimiter="@")) == [("a,b", "x")]
    assert rows(read(tmp_path / "a.csv", "text\tlabel\na\tx\n", delimiter="tab")) == [("a", "x")]
    for delimiter in ("", "||", '"', "\n"):
        with pytest.raises(UsageError, match="is not a valid delimiter"):
            read(tmp_path / "a.csv", "x", delimiter=delimiter)


def test_nothing_separates(tmp_path):
    """A file of one column shows how it starts, on one line, and asks for the delimiter."""
    message, hint = refused(tmp_path / "a.csv", "text\x1b\nx\ny\n")
    assert message.endswith(r'nothing separates a text from its label in "text\x1b"')
    assert "--delimiter" in hint
