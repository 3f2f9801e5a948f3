"""Delimiters and headers, given and detected."""

import shlex

import pytest
from data_files import read, refused, rows

from textclf.errors import UsageError
from textclf.formatting import escape_controls


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


@pytest.mark.parametrize("delimiter", ["~", "\x01", "，", "@", ":", "^"])
def test_hint_of_a_delimiter(tmp_path, delimiter):
    """A character that separates every line is named, and as it is named it is taken."""
    lines = ["text,label", "slow delivery,no", "well made,yes", "never again,no"]
    content = "\n".join(lines).replace(",", delimiter)
    _, hint = refused(tmp_path / "a.txt", content)
    option, given = shlex.split(escape_controls(hint))
    assert option == "--delimiter"
    assert rows(read(tmp_path / "a.txt", content, delimiter=given))[0] == ("slow delivery", "no")
    _, hint = refused(
        tmp_path / "a.txt", content.partition("\n")[2] + "\n" + "x,no".replace(",", delimiter)
    )
    assert hint.endswith(" --text-column 1 --label-column 2")


@pytest.mark.parametrize(("separator", "name"), [("::", "the colons"), ("    ", "the blanks")])
def test_hint_of_a_wide_separator(tmp_path, separator, name):
    """More than one character separates no columns: the hint says what to put in its place."""
    lines = ["label,text", "no,slow delivery", "yes,well made", "no,never again"]
    content = "\n".join(lines).replace(",", separator)
    _, hint = refused(tmp_path / "a.txt", content)
    assert hint == f"put a tab in place of {name}"
    _, hint = refused(tmp_path / "a.txt", content.partition("\n")[2])
    assert hint.endswith(", then --text-column 2 --label-column 1")
    assert read(tmp_path / "a.txt", content.replace(separator, "\t")).labels == ("no", "yes", "no")


def test_commas_in_a_file_of_tabs(tmp_path):
    """The ending .tsv is what is expected first, not what has to be."""
    content = "text,label\nslow,no\nfine,yes\n"
    assert rows(read(tmp_path / "a.tsv", content)) == [("slow", "no"), ("fine", "yes")]
    by_position = {"text_column": "1", "label_column": "2"}
    assert len(read(tmp_path / "a.tsv", content.partition("\n")[2], **by_position)) == 2
    both = "text\tlabel\na, b\tx\nc, d\ty\n"
    assert read(tmp_path / "a.tsv", both).texts == ("a, b", "c, d")
