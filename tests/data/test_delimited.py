"""The rows of delimited text, good and bad."""

import csv
import io

import pytest
from data_files import SKIP, bad, labels, read, refused, rows, same_folder, texts
from hypothesis import given
from hypothesis import strategies as st

BY_POSITION = {"text_column": "1", "label_column": "2"}


def test_line_numbers(tmp_path):
    """A row stands on the physical line it starts on, whatever is quoted before it."""
    content = 'text,label\n"two\nlines",a\n\n"lone\rreturn\r",b\nplain,c\n'
    dataset = read(tmp_path / "a.csv", content)
    assert dataset.texts == ("two\nlines", "lone\rreturn\r", "plain")
    assert list(dataset.places) == [2, 5, 6]
    assert dataset.where(2) == f"{(tmp_path / 'a.csv').as_posix()}:6"


def test_texts_are_exact_and_labels_stripped(tmp_path):
    """Texts keep their white space, labels lose it, and nan and NULL are labels like any other."""
    content = "text,label\n  a ,x \nb, nan\nc,NULL\nd,None\n\0e,NA\n"
    dataset = read(tmp_path / "a.csv", content)
    assert dataset.texts == ("  a ", "b", "c", "d", "\0e")
    assert dataset.labels == ("x", "nan", "NULL", "None", "NA")
    assert dataset.label_counts == {"NA": 1, "NULL": 1, "None": 1, "nan": 1, "x": 1}


def test_labels_without_null(tmp_path):
    """NumPy cuts a label at its null characters, so none may have one."""
    dataset = read(tmp_path / "a.csv", "text,label\nx,a\0\ny,a\nz,b\0\n", on_bad_rows=SKIP)
    assert rows(dataset) == [("y", "a")]
    assert bad(dataset) == [(n, "a null character in the label") for n in "24"]


def test_long_text(tmp_path):
    """A text of megabytes is one text, also as the first record of a file, and on many lines."""
    content = "text,label\n" + "x" * 5_000_000 + ",a\n"
    assert len(read(tmp_path / "a.csv", content).texts[0]) == 5_000_000
    lines = "many lines\n" * 10_000
    content = f'"{lines}",a\nb,c\n'
    assert read(tmp_path / "a.csv", content, **BY_POSITION).texts == (lines, "b")


def test_bad_csv_rows(tmp_path):
    """Each row that cannot be used has its line and a short reason; empty extra cells are fine."""
    content = "text,label\na,x,,\nb,\n  ,x\nc\nd,x,more\ne,x\n,y\n"
    dataset = read(tmp_path / "a.csv", content, on_bad_rows=SKIP)
    assert rows(dataset) == [("a", "x"), ("e", "x")]
    assert bad(dataset) == [
        ("3", "no label"),
        ("4", "empty text"),
        ("5", "1 column, the header names 2"),
        ("6", "3 columns, the header names 2"),
        ("8", "empty text"),
    ]


IN_USE = 'said ""quoted"" and'


def test_text_after_closing_quote(tmp_path):
    """Where quotes are in use, a malformed row is one bad row, and the next line is read."""
    content = f'text,label\n"a"b,x\nc,y\n"{IN_USE}",y\n'
    dataset = read(tmp_path / "a.csv", content, on_bad_rows=SKIP)
    assert rows(dataset) == [("c", "y"), (IN_USE.replace('""', '"'), "y")]
    assert bad(dataset) == [("2", "malformed quoting: text after a closing quote")]


def test_a_carriage_return_outside_quotes(tmp_path):
    """It might end the row or be part of the text: one bad row, and the next line is read."""
    dataset = read(tmp_path / "a.csv", "text,label\na\rb,x\nc,y\n", on_bad_rows=SKIP)
    assert rows(dataset) == [("c", "y")]
    assert bad(dataset) == [("2", "malformed quoting: a carriage return outside quotes")]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_unclosed_quote(tmp_path, end):
    """Where quotes are in use, one that is never closed costs its row, and says where it is."""
    content = f'text,label\na,x\n"b,x\nc,y\n"{IN_USE}",y\ne,y' + end
    dataset = read(tmp_path / "a.csv", content, on_bad_rows=SKIP)
    assert rows(dataset) == [("a", "x"), ("c", "y"), ('said "quoted" and', "y"), ("e", "y")]
    assert bad(dataset) == [("3", "malformed quoting: text after a closing quote")]
    content = f'text,label\n"{IN_USE}",y\na,x\n"b,x\nc,y\ne,y' + end
    dataset = read(tmp_path / "a.csv", content, on_bad_rows=SKIP)
    assert rows(dataset)[1:] == [("a", "x"), ("c", "y"), ("e", "y")]
    reason = (
        "malformed quoting: the quote opened on line 4 is never closed, "
        "the rest of the file (3 lines) would be one text"
    )
    assert bad(dataset) == [("4", reason)]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "@"])
@pytest.mark.parametrize(
    "texts",
    [
        ['"Best ever', "meh", "never", 'he said best ever"', "fine"],
        ['"Best" ever', "meh", "fine"],
        ["meh", '"Best ever', "fine"],
        ["meh", '"Best ever"', '"Best', "fine"],
    ],
)
def test_stray_quotes(tmp_path, delimiter, texts):
    """Where nothing was quoted, a quotation mark is part of its text and swallows no rows."""
    written = [(text, "xy"[n % 2]) for n, text in enumerate([*texts, "more", "and more"])]
    for header, columns in (("text@label\n", {}), ("", BY_POSITION)):
        lines = [f"{text}@{label}\n" for text, label in written]
        content = "".join([header, *lines]).replace("@", delimiter)
        options = {**columns, "delimiter": delimiter} if delimiter == "@" else columns
        assert rows(read(tmp_path / "a.txt", content, **options)) == written


def test_a_quote_that_swallows_rows(tmp_path):
    """Where quotes are in use, one that joins rows costs its own row and none of the others."""
    content = f'text;label\n"{IN_USE}";x\n"b;x\nc;y\nd";x\n"e\n;e";y\n'
    dataset = read(tmp_path / "a.csv", content, on_bad_rows=SKIP)
    assert rows(dataset) == [('said "quoted" and', "x"), ("c", "y"), ('d"', "x"), ("e\n;e", "y")]
    assert bad(dataset) == [
        ("3", "malformed quoting: the quote on this line joins it with other rows")
    ]


@pytest.mark.parametrize("before", [0, 9999], ids=["at once", "late"])
def test_quotes_after_backslashes(tmp_path, before):
    """Quotes with a backslash before them, as Spark writes, are those of the text; others stay."""
    pairs = [("a plain text", "x")] * before
    pairs += [('"late", \nhe said', "x"), ('C:\\new, "so"', "y"), ("no quotes", "x")] * 2
    quoted = [(text.replace('"', '\\"'), label) for text, label in pairs]
    content = "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in quoted)
    assert rows(read(tmp_path / "a.csv", content + '"ends in \\\\",y\n')) == [
        *pairs,
        ("ends in \\\\", "y"),
    ]


def test_hopeless_quotes(tmp_path):
    """Quotes that open on each line and never close end in an error, not in endless reading."""
    message, _ = refused(tmp_path / "a.csv", "text,label\n" + 'x","a\n' * 3000, on_bad_rows=SKIP)
    assert "never closed" in message


def test_quotes_that_break_the_header(tmp_path):
    """A malformed first line names no columns; the error says so, and how to go on."""
    message, hint = refused(tmp_path / "a.csv", '"text"s,label\n' + '"d,d",e\n' * 20)
    assert message.endswith(
        "a.csv:1: malformed quoting in the first line, which should name the columns"
    )
    assert "--text-column 1 --label-column 2" in hint
    content = 'a\t"b\nc\td\n'
    assert 'its columns are a, "b' in refused(tmp_path / "a.tsv", content)[0]
    dataset = read(tmp_path / "a.tsv", content, text_column="2", label_column="1")
    assert rows(dataset) == [('"b', "a"), ("d", "c")]


def test_tabs_with_stray_quotes(tmp_path):
    """Quotes that only stand in the texts of a tab-separated file are kept as they are."""
    content = 'text\tlabel\n"a" b\tx\n"c\td\n"e"\tx\nf"\tx\n'
    dataset = read(tmp_path / "a.tsv", content)
    assert dataset.texts == ('"a" b', '"c', '"e"', 'f"')


def test_tabs_with_real_quotes(tmp_path):
    """Well-formed quotes in a tab-separated file quote."""
    content = 'text\tlabel\n"a\nb"\tx\n"c ""d"""\ty\n'
    assert read(tmp_path / "a.tsv", content).texts == ("a\nb", 'c "d"')


def ambiguous(written, delimiter):
    """Tell whether cells look like rows of a file in which nothing is quoted, or like a header."""
    cells = [cell for row in written for cell in row]
    return ("text", "label") in written or any(delimiter in c and "\n" in c for c in cells)


@same_folder
@given(st.lists(st.tuples(texts, labels), min_size=1), st.sampled_from(",\t;|"), st.booleans())
def test_csv_round_trip(tmp_path, written, delimiter, given_delimiter):
    """What csv.writer writes is read back exactly."""
    if ambiguous(written, delimiter):
        return
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows([("text", "label"), *written])
    options = {"delimiter": delimiter} if given_delimiter else {}
    assert rows(read(tmp_path / "a.csv", stream.getvalue(), **options)) == written
