"""The columns of text and label, by name and by position."""

import csv
import shlex

import pytest
from data_files import read, refused, rows


@pytest.mark.parametrize(
    ("header", "options"),
    [
        ("body,kind", {"text_column": "body", "label_column": "kind"}),
        (" Text ,LABEL", {}),
        ("a,b", {"text_column": "1", "label_column": "b"}),
        ("2,1", {"text_column": "2", "label_column": "b"}),
    ],
)
def test_columns(tmp_path, header, options):
    """Columns go by exact name, then by position, then by name in other case."""
    if options.get("text_column") == "2":
        header = header.replace("1", "b")
    assert rows(read(tmp_path / "a.csv", f"{header}\nx,y\n", **options)) == [("x", "y")]


def test_wrong_column_names(tmp_path):
    """A missing or double column lists those that exist and says what to type."""
    path = tmp_path / "a.csv"
    message, hint = refused(path, "texts,label\nx,y\n", label_column="label")
    assert "its columns are texts, label" in message
    assert hint == "--text-column texts"
    message, hint = refused(path, "text,text,label\nx,y,z\n")
    assert 'has 2 columns "text"' in message
    assert hint == "--text-column 1"
    assert refused(path, "text,day\nx,y\n")[1] == "name it by --label-column"
    assert refused(path, "text\nx\n")[1] is None, "there is none to name"
    message, hint = refused(path, "text,label\nx,y\n", label_column="text")
    assert "same column" in message
    message, _ = refused(path, "x,y\nz,y\n", text_column="1", label_column="3")
    assert "no column 3" in message
    assert refused(path, "Text,TEXT,label\nx,y,z\n")[1] == "--text-column Text"


@pytest.mark.parametrize(
    ("columns", "hint"),
    [
        ({"id": "0123456", "kind": "xyxyxyx"}, "--label-column kind"),
        ({"id": "0123456"}, "name it by --label-column"),
        ({"source": "ababaab", "kind": "xyzxyzx"}, "name it by --label-column"),
    ],
)
def test_a_column_of_labels_is_named_where_only_one_can_be_meant(tmp_path, columns, hint):
    """A column that repeats no value, such as an identifier, is none, nor is one of several."""
    lines = zip(*columns.values(), (f"a longer text {n}" for n in range(7)), strict=True)
    content = "\n".join(map(",".join, [[*columns, "text"], *lines]))
    assert refused(tmp_path / "a.csv", content)[1] == hint
    assert refused(tmp_path / "b.csv", f"A title\n\n{content}")[1] == hint


def test_objects_have_no_positions(tmp_path):
    """A position names no key of an object: the keys are listed, and none is taken for it."""
    content = "".join(f'{{"id": {n}, "text": "text {n}", "kind": "{n % 2}"}}\n' for n in range(9))
    message, hint = refused(tmp_path / "a.jsonl", content, text_column="1", label_column="3")
    assert 'has no column "1"; its columns are id, text, kind' in message
    assert hint == "--text-column text --label-column kind"


def test_a_column_for_each_label(tmp_path):
    """Labels in columns of 0 and 1 are refused as such; one of them can be learned."""
    content = "id,comment,toxic,clean\n" + "".join(
        f"{n},text {n},{n % 2},{1 - n % 2}\n" for n in range(9)
    )
    message, hint = refused(tmp_path / "a.csv", content, text_column="comment")
    assert "a column of 0 and 1 for each of several labels: toxic, clean" in message
    assert hint == "--label-column toxic learns one of them"
    assert (
        read(tmp_path / "a.csv", content, text_column="comment", label_column="toxic").labels[1]
        == "1"
    )


COMMENTS = [(f"a comment, number {n}", "ham" if n % 3 else "spam") for n in range(12)]


@pytest.mark.parametrize(
    ("header", "row", "delimiter", "hint"),
    [
        pytest.param(
            ("Timestamp", "What did you think of our service? (please be honest)", "Kind"),
            lambda text, label: ("2024/01/02", text, label),
            ",",
            "--text-column 'What did you think of our service? (please be honest)' "
            "--label-column Kind",
            id="a question",
        ),
        pytest.param(
            ("Free text\n(verbatim)", "Kind of\ncomment"),
            lambda text, label: (text, label),
            ",",
            "--text-column 'Free text (verbatim)' --label-column 'Kind of comment'",
            id="line breaks",
        ),
        pytest.param(
            ("text", "note", "label_1", "label_2"),
            lambda text, label: (text, "" if label == "ham" else "x", label, ""),
            ",",
            "--label-column label_1",
            id="mostly empty columns",
        ),
        pytest.param(
            ("0", "1"),
            lambda text, label: (text, label),
            ",",
            "--text-column 0 --label-column 1",
            id="numbers for names",
        ),
        pytest.param(
            ("id", "Text", "Label"),
            lambda text, label: ("7", text, label),
            "^",
            "--delimiter '^'",
            id="another delimiter",
        ),
    ],
)
def test_hints_lead_to_the_rows(tmp_path, header, row, delimiter, hint):
    """The columns or the delimiter that a hint names give the rows, and no row is lost or added."""
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([header, *(row(*pair) for pair in COMMENTS)])
    content = path.read_bytes()
    assert refused(path, content)[1] == hint
    words = shlex.split(hint.replace("--", ""))
    options = {
        name.replace("-", "_"): value for name, value in zip(words[::2], words[1::2], strict=True)
    }
    assert rows(read(path, content, **options)) == COMMENTS


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("".join(f"{n}: a comment, number {n}\n" for n in range(12)), "name them by"),
        ('"text,label"\n' + '"a comment,spam"\n' * 3, "take off the quotes that are around"),
    ],
    ids=["no labels", "whole lines in quotes"],
)
def test_hints_guess_no_columns_that_are_none(tmp_path, content, hint):
    """A column in which no value recurs is not guessed to be that of the labels."""
    assert refused(tmp_path / "a.csv", content)[1].startswith(hint)


def test_a_title_is_not_the_first_row(tmp_path):
    """Where titles stand above other names than those asked for, no positions are told."""
    rest = "".join(f"c{n},comment {n},{'xy'[n % 2]}\n" for n in range(12))
    content = f"Report,,\nof May,,\nid,Comment,Kind\n{rest}"
    message, hint = refused(tmp_path / "a.csv", content)
    assert 'no column "text"; its columns are Report' in message
    assert hint is None
    named = read(tmp_path / "a.csv", content, text_column="Comment", label_column="Kind")
    assert len(named) == 12
