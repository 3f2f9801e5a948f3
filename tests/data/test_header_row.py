"""Files whose columns are given by position although they have a header."""

import shlex

import pytest
from data_files import SKIP, read, refused, rows

from textclf.errors import UsageError

ROWS = [("slow delivery", "no"), ("well made", "yes"), ("never again", "no"), ("fine", "yes")]
POSITIONS = {"text_column": "1", "label_column": "2"}


def table(*lines):
    return "".join(",".join(cells) + "\n" for cells in lines)


def obeyed(hint):
    """Return the options of a hint, as far as they say how to read the file."""
    words = shlex.split(hint.partition(";")[0])
    options = {"header": True} if "--header" in words else {}
    for column in ("text_column", "label_column"):
        options[column] = words[words.index(f"--{column.replace('_', '-')}") + 1]
    return options


@pytest.mark.parametrize(
    "content",
    [
        table(("review", "sentiment"), *ROWS),
        table(("Text of the review", "Overall mood"), *ROWS),
        table(("text", "class"), *ROWS),
        table(("review", "label"), ("good one", "x"), ("bad one", "y"), ("so so", "x")),
        table(("review", "mood"), ("good one", "x"), ("bad one", "y"), ("so so", "x")),
        table(("text", "label"), *ROWS, ("text", "label"), *ROWS),
        table(("review", "mood"), *ROWS, ("review", "mood"), *ROWS),
        "sep=,\n" + table(("review", "mood"), *ROWS),
        table(("Feedback", ""), ("of", "June"), ("text", "label"), *ROWS),
        table(("text", "text"), *ROWS),
    ],
)
def test_header_read_by_position(tmp_path, content):
    """A row that reads like names is refused, and its hint reads the rows below it."""
    message, hint = refused(tmp_path / "a.csv", content, **POSITIONS)
    assert "reads like the names of the columns" in message
    dataset = read(tmp_path / "a.csv", content, **obeyed(hint), on_bad_rows=SKIP)
    assert set(dataset.labels) in ({"no", "yes"}, {"x", "y"})
    assert not dataset.bad_rows or "the header again" in dataset.bad_rows[0].reason
    taken = read(tmp_path / "a.csv", content, **POSITIONS, header=False, on_bad_rows=SKIP)
    assert len(taken.label_counts) > 2


@pytest.mark.parametrize(
    "content",
    [
        table(*ROWS),
        table(("good", "yes"), ("bad", "no"), ("good", "yes"), ("bad", "no")),
        table(("5", "1"), *ROWS),
        table(("a text that is far too long for the name of a column", "odd"), *ROWS),
        table(("text", "yes"), *ROWS),
        table(("at last", "rare"), ("well", "rarer"), *ROWS),
    ],
)
def test_no_header(tmp_path, content):
    """A first row whose label recurs, or that is no name, is a row like any other."""
    assert len(read(tmp_path / "a.csv", content, **POSITIONS)) == content.count("\n")


def test_header_of_double_names(tmp_path):
    """Where names occur twice, the hint gives positions that keep the header a header."""
    content = table(("text", "text", "label", "label"), *((a, a, b, b) for a, b in ROWS))
    _, hint = refused(tmp_path / "a.csv", content)
    assert hint == "--text-column 1 --label-column 3 --header"
    assert rows(read(tmp_path / "a.csv", content, **obeyed(hint))) == ROWS
    _, hint = refused(tmp_path / "a.csv", content, text_column="1")
    assert hint == "--label-column 3 --header"


def test_names_need_a_header(tmp_path):
    """Without a header there are no names."""
    with pytest.raises(UsageError, match="without a header"):
        read(tmp_path / "a.csv", table(*ROWS), header=False)
