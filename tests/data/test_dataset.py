import csv
import gzip
import hashlib
import io
import json
import os
import sys
from pathlib import Path

import polars as pl
import pytest
from effort import cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textclf.data.dataset import OnBadRows, ReadOptions, read_dataset
from textclf.errors import DataError, TextclfError, UsageError

SKIP = OnBadRows.SKIP


def read(path, content, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_dataset(path, ReadOptions(**options))


def refused(path, content, **options):
    with pytest.raises(TextclfError) as caught:
        read(path, content, **options)
    return str(caught.value), caught.value.hint


def rows(dataset):
    return list(zip(dataset.texts, dataset.labels, strict=True))


# --- formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", "text,label\ngood,pos\nbad,neg\n", "csv"),
        ("a.tsv", "text\tlabel\ngood\tpos\nbad\tneg\n", "csv"),
        ("a.tab", "label\ttext\r\npos\tgood\r\nneg\tbad\r\n", "csv"),
        ("a.CSV", "id;label;text\n1;pos;good\n2;neg;bad", "csv"),
        ("a.txt", "text|label\ngood|pos\nbad|neg\n", "csv"),
        ("a", "text,label\rgood,pos\rbad,neg\r", "csv"),
        ("a.jsonl", '{"text":"good","label":"pos"}\n\n{"label":"neg","text":"bad"}\n', "jsonl"),
        ("a.ndjson", '{"text":"good","label":"pos"}\r\n{"label":"neg","text":"bad"}', "jsonl"),
        ("a.json", '{"text":"good","label":"pos"}\n{"label":"neg","text":"bad"}\n', "jsonl"),
        ("a.txt", '\n{"text":"good","label":"pos"}\n{"label":"neg","text":"bad"}\n', "jsonl"),
        ("a.ft", "__label__pos good\n__label__neg bad\n", "fasttext"),
        ("a.txt", "\n__label__pos good\r\n__label__neg\tbad\r\n", "fasttext"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_each_format(tmp_path, name, content, kind, pack):
    """The format comes from the ending or the first line, and gzip is seen by its first bytes."""
    dataset = read(tmp_path / name, pack(content.encode()))
    assert rows(dataset) == [("good", "pos"), ("bad", "neg")]
    assert dataset.format == kind


def test_gz_ending_is_stripped(tmp_path):
    """The format of `a.ft.gz` is that of `a.ft`."""
    assert (
        read(tmp_path / "a.ft.gz", gzip.compress(b"__label__a b\n", mtime=0)).format == "fasttext"
    )


def test_parquet(tmp_path):
    """Parquet's numbers and truth values are labels as JSON writes them; rows count from 1."""
    frame = pl.DataFrame({"text": ["a", "b", None, " "], "label": [1, 2, 3, 4], "x": [0, 0, 0, 0]})
    frame.write_parquet(tmp_path / "a.parquet")
    dataset = read_dataset(tmp_path / "a.parquet", ReadOptions(on_bad_rows=SKIP))
    assert rows(dataset) == [("a", "1"), ("b", "2")]
    assert [row.reason for row in dataset.bad_rows] == ["no text", "empty text"]
    assert dataset.where(1).endswith("a.parquet:2")
    frame = pl.DataFrame({"text": ["a", "b", "c"], "label": [True, None, False]})
    frame.write_parquet(tmp_path / "b")
    dataset = read_dataset(tmp_path / "b", ReadOptions(on_bad_rows=SKIP))
    assert (dataset.format, dataset.labels) == ("parquet", ("true", "false"))


def test_parquet_refused(tmp_path, monkeypatch):
    """What is no Parquet, lacks the column or holds dates is refused; so is all without polars."""
    path = tmp_path / "a.parquet"
    assert "not a Parquet file" in refused(path, "text,label\n")[0]
    pl.DataFrame({"text": ["a"], "day": ["b"]}).write_parquet(path)
    assert "its columns are text, day" in refused(path, path.read_bytes())[0]
    pl.DataFrame({"text": ["a"], "label": [b"b"]}).write_parquet(path)
    assert "holds Binary" in refused(path, path.read_bytes())[0]
    monkeypatch.setitem(sys.modules, "polars", None)
    message, hint = refused(path, path.read_bytes())
    assert "needs polars" in message
    assert hint == "pip install '.[parquet]'"


def test_damaged_parquet(tmp_path, capfd):
    """What polars makes of a damaged file, down to the end of its process, is one sentence."""
    path = tmp_path / "a.parquet"
    pl.DataFrame({"text": ["a", "b"] * 9, "label": ["x", "y"] * 9}).write_parquet(path)
    whole = path.read_bytes()
    for at in range(4, len(whole) - 12, 97):
        path.write_bytes(whole[:at] + b"\xff" * 5 + whole[at + 5 :])
        try:
            assert len(read_dataset(path, ReadOptions(on_bad_rows=SKIP))) <= 18
        except DataError as error:
            assert error.message.startswith(path.as_posix())  # noqa: PT017 - either is right
    assert "not a complete one" in refused(path, whole[:-1])[0]
    assert "no column" in refused(path, whole, text_column="\udce9")[0]
    assert capfd.readouterr() == ("", "")


def test_polars_breaks_down(tmp_path, monkeypatch):
    """A process that ends without an answer is a damaged file, not a damaged textclf."""
    monkeypatch.setattr("textclf.data.parquet.sys.executable", "/bin/false")
    assert "polars broke down" in refused(tmp_path / "a", b"PAR1PAR1")[0]


def test_json_list_is_refused(tmp_path):
    """A `.json` file that is one list is refused with the command that makes lines of it."""
    message, hint = refused(tmp_path / "data.json", '[{"text": "a", "label": "b"}]')
    assert "is a JSON list, not one JSON object per line" in message
    assert hint.startswith("jq -c '.[]'")
    assert hint.endswith("data.jsonl")


# --- folders --------------------------------------------------------------------------------------


def folder(tmp_path, **files):
    for name, content in files.items():
        path = tmp_path / "data" / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "data"


def test_folder(tmp_path):
    """Each file is one text, whole, labelled by its folder; hidden files are none."""
    path = folder(
        tmp_path,
        pos__b_txt=b"fine\r\nand\rso\n",
        pos__a_gz=gzip.compress(b"good", mtime=0),
        neg__c=b"bad",
        _hidden=b"x",
        neg___hidden=b"x",
    )
    dataset = read_dataset(path)
    assert rows(dataset) == [("bad", "neg"), ("good", "pos"), ("fine\r\nand\rso\n", "pos")]
    assert dataset.where(2) == f"{path.as_posix()}/pos/b.txt"
    before = dataset.sha256
    (path / "neg" / "c").rename(path / "neg" / "d")
    assert read_dataset(path).sha256 != before


def test_folder_with_bad_files(tmp_path):
    """An undecodable or empty file in a folder is a bad row."""
    path = folder(tmp_path, a__1=b"x", a__2=b"\xf4", b__1=b" \n", b__2=b"y")
    dataset = read_dataset(path, ReadOptions(on_bad_rows=SKIP))
    assert dataset.texts == ("x", "y")
    assert [(r.where.removeprefix(f"{path}/"), r.reason) for r in dataset.bad_rows] == [
        ("a/2:1", "byte 0xf4 is not UTF-8"),
        ("b/1", "empty text"),
    ]


def test_folder_refused(tmp_path):
    """A folder without class folders, with files beside them or folders in them, is refused."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty folder"):
        read_dataset(tmp_path / "empty")
    path = folder(tmp_path, pos__a=b"x", readme=b"y")
    with pytest.raises(DataError, match="readme"):
        read_dataset(path)
    (path / "readme").unlink()
    (path / "pos" / "sub").mkdir()
    with pytest.raises(DataError, match="sub is not a file"):
        read_dataset(path)


# --- delimited text -------------------------------------------------------------------------------


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
    """A text of megabytes is one text."""
    content = "text,label\n" + "x" * 5_000_000 + ",a\n"
    assert len(read(tmp_path / "a.csv", content).texts[0]) == 5_000_000


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
    message, hint = refused(path, "text,label\nx,y\n", label_column="text")
    assert "same column" in message
    message, _ = refused(path, "x,y\nz,y\n", text_column="1", label_column="3")
    assert "no column 3" in message


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


# --- bad rows -------------------------------------------------------------------------------------


def bad(dataset):
    return [(row.where.rpartition(":")[2], row.reason) for row in dataset.bad_rows]


def test_bad_csv_rows(tmp_path):
    """Each row that cannot be used has its line and a short reason; empty extra cells are fine."""
    content = "text,label\na,x,,\nb,\n  ,x\nc\nd,x,more\ne,x\n,,\n"
    dataset = read(tmp_path / "a.csv", content, on_bad_rows=SKIP)
    assert rows(dataset) == [("a", "x"), ("e", "x")]
    assert bad(dataset) == [
        ("3", "no label"),
        ("4", "empty text"),
        ("5", "1 column, the header names 2"),
        ("6", "3 columns, the header names 2"),
        ("8", "no label"),
    ]


def test_bad_rows_fail(tmp_path):
    """By default bad rows fail: the first five are named, then how many more, and the way on."""
    path = tmp_path / "a.csv"
    message, hint = refused(path, "text,label\nok,x\n" + "a,\n" * 7)
    lines = message.splitlines()
    assert lines[0] == f"7 bad rows in {path.as_posix()}"
    assert lines[1] == f"  {path.as_posix()}:3: no label"
    assert len(lines) == 7
    assert lines[-1] == "  and 2 more"
    assert hint.startswith("--on-bad-rows skip")


def test_text_after_closing_quote(tmp_path):
    """A malformed row is one bad row, and the next line is read."""
    dataset = read(tmp_path / "a.csv", 'text,label\n"a"b,x\nc,y\n', on_bad_rows=SKIP)
    assert rows(dataset) == [("c", "y")]
    assert bad(dataset) == [("2", "malformed quoting: text after a closing quote")]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_unclosed_quote(tmp_path, end):
    """A quote that is never closed costs one row, not the rest of the file, and says where."""
    content = 'text,label\na,x\n"b,x\nc,y\n"d\nd",y\ne,y' + end
    dataset = read(tmp_path / "a.csv", content.replace('"d\nd"', "dd"), on_bad_rows=SKIP)
    assert rows(dataset) == [("a", "x"), ("c", "y"), ("dd", "y"), ("e", "y")]
    reason = (
        "malformed quoting: the quote opened on line 3 is never closed, "
        "the rest of the file (4 lines) would be one text"
    )
    assert bad(dataset) == [("3", reason)]
    second = read(tmp_path / "b.csv", 'text,label\n"a\na","x\nb,y\n', on_bad_rows=SKIP)
    assert "opened on line 3 " in second.bad_rows[0].reason
    assert ("b", "y") in rows(second)


def test_hopeless_quotes(tmp_path):
    """Quotes that open on each line and never close end in an error, not in endless reading."""
    message, _ = refused(tmp_path / "a.csv", "text,label\n" + 'x","a\n' * 3000, on_bad_rows=SKIP)
    assert "never closed" in message


def test_quotes_that_break_the_header(tmp_path):
    """A malformed first line names no columns; the error says so, and how to go on."""
    message, hint = refused(tmp_path / "a.csv", '"a"b,c\n' + "d,e\n" * 20)
    assert message.endswith(
        "a.csv:1: malformed quoting in the first line, which should name the columns"
    )
    assert "--text-column 1 --label-column 2" in hint
    content = 'a\t"b\n"c"\td\n'
    assert 'its columns are a, "b' in refused(tmp_path / "a.tsv", content)[0]
    dataset = read(tmp_path / "a.tsv", content, text_column="1", label_column="2")
    assert rows(dataset) == [("a", '"b'), ('"c"', "d")]


def test_tabs_with_stray_quotes(tmp_path):
    """Quotes that only stand in the texts of a tab-separated file are kept as they are."""
    content = 'text\tlabel\n"a" b\tx\n"c\td\n"e"\tx\nf"\tx\n'
    dataset = read(tmp_path / "a.tsv", content)
    assert dataset.texts == ('"a" b', '"c', '"e"', 'f"')


def test_tabs_with_real_quotes(tmp_path):
    """Well-formed quotes in a tab-separated file quote."""
    content = 'text\tlabel\n"a\nb"\tx\n"c ""d"""\ty\n'
    assert read(tmp_path / "a.tsv", content).texts == ("a\nb", 'c "d"')


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


def test_bad_fasttext_lines(tmp_path):
    """A fastText line needs one label, at its start, and a text."""
    content = (
        "__label__a x\n__label__a\nno label\n__label__a __label__b x\n__label__ x\nx __label__a"
    )
    dataset = read(tmp_path / "a.ft", content, on_bad_rows=SKIP)
    assert rows(dataset) == [("x", "a")]
    assert bad(dataset) == [
        ("2", "no text"),
        ("3", "no label"),
        ("4", "two labels"),
        ("5", "no label"),
        ("6", "no label at the start"),
    ]


# --- bytes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_mark(tmp_path, encoding):
    """A byte-order mark says how the file is encoded, and is no part of the first column."""
    content = "text,label\r\ngrün,x\r\n".encode(encoding)
    assert rows(read(tmp_path / "a.csv", content)) == [("grün", "x")]


def test_encoding(tmp_path):
    """A wrong encoding names file, line, byte and the way out, which works."""
    path = tmp_path / "a.csv"
    content = "text,label\na,x\ngrün,x\n".encode("cp1252")
    message, hint = refused(path, content)
    assert message == f"{path.as_posix()}:3: byte 0xfc is not UTF-8"
    assert hint == "--encoding cp1252"
    assert read(path, content, encoding="cp1252").texts == ("a", "grün")
    assert refused(path, b"text,label\n\x81,x\n")[1] == "--encoding latin-1"
    assert refused(path, "text,label\na,x\n".encode("utf-16-le"))[1] == "--encoding utf-16-le"
    assert refused(path, "text,label\na,x\n".encode("utf-16-be"))[1] == "--encoding utf-16-be"
    for unknown in ("utf-99", "rot13", "a\0"):
        with pytest.raises(UsageError, match="there is no encoding"):
            read(path, content, encoding=unknown)
    assert "not UTF-7" in refused(path, b"+2AA-", encoding="utf-7")[0]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n \n", "is empty"),
        ("a.csv", b"text,label\n", "contains no rows"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("a.csv.gz", gzip.compress(b"text,label\n" * 50, mtime=0)[:-9], "is damaged"),
        ("a.csv.gz", gzip.compress(b"text,label\n", mtime=0) + b"more", "is damaged"),
        ("a.csv.gz", b"PK\x03\x04abc", "a zip archive"),
        ("a.csv", b"PK\x03\x04abc", "a zip archive"),
        ("a.csv.gz", b"text,label\na,b\n", "not compressed by gzip"),
        ("a.csv.xz", b"\xfd7zXZ\x00", "compressed by xz"),
    ],
)
def test_unusable_files(tmp_path, name, content, words):
    """Files that hold nothing, or not what they seem to, are refused in a sentence."""
    assert words in refused(tmp_path / name, content)[0]


def test_missing_file(tmp_path):
    """A file that is not there suggests the names beside it."""
    (tmp_path / "train.csv.gz").touch()
    with pytest.raises(DataError, match="there is no file") as caught:
        read_dataset(tmp_path / "train.csv")
    assert caught.value.hint == f"did you mean {tmp_path.as_posix()}/train.csv.gz?"
    with pytest.raises(DataError) as caught:
        read_dataset(tmp_path / "no" / "train.csv")
    assert "no folder" in caught.value.hint
    with pytest.raises(DataError, match="cannot be read"):
        read_dataset(Path("a\0b"))
    with pytest.raises(DataError, match="File name too long"):
        read_dataset(tmp_path / ("a" * 5000))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path):
    """A file one may not read says so."""
    path = tmp_path / "a.csv"
    path.touch(0)
    with pytest.raises(DataError, match="Permission denied"):
        read_dataset(path)


def test_digests(tmp_path):
    """The file's digest is that of its bytes; the rows' depends on nothing but the rows."""
    content = gzip.compress(b"text,label\na,b\n", mtime=0)
    packed = read(tmp_path / "a.csv.gz", content)
    assert packed.sha256 == hashlib.sha256(content).hexdigest()
    json_lines = read(tmp_path / "a.jsonl", '{"text":"a","label":"b"}')
    assert packed.rows_sha256 == json_lines.rows_sha256
    assert packed.sha256 != json_lines.sha256
    other = read(tmp_path / "b.csv", "text,label\nab,b\n")
    assert other.rows_sha256 != read(tmp_path / "c.csv", "text,label\na,bb\n").rows_sha256


# --- properties -----------------------------------------------------------------------------------

characters = st.characters(exclude_categories=["Cs"])
nasty = st.text(st.sampled_from("ab\"', ;|\t\n\r\\\0\ufeffé😀\u2028\x85"))
texts = (st.text(characters) | nasty).filter(str.strip)
labels = texts.map(lambda text: text.replace("\0", "").strip()).filter(bool)
same_folder = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=cases(100, 300),
)


def ambiguous(written, delimiter):
    """Tell whether quoted tabs and line breaks look like rows of a file without quoting."""
    return delimiter == "\t" and any(
        "\t" in text and "\n" in text for row in written for text in row
    )


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


@same_folder
@given(st.lists(st.tuples(texts, labels), min_size=1), st.booleans())
def test_json_round_trip(tmp_path, written, ascii_only):
    """What json.dumps writes, a line each, is read back exactly."""
    lines = [json.dumps({"text": t, "label": w}, ensure_ascii=ascii_only) for t, w in written]
    assert rows(read(tmp_path / "a.jsonl", "\n".join(lines))) == written


broken = st.binary() | st.lists(
    st.sampled_from(
        [
            *(bytes([byte]) for byte in b"{}[]:\"',;|@\t\n\r\0 a1\xff\xfe"),
            *(b"text", b"label", b"text,label\n", b"__label__", b"\xef\xbb\xbf", b"PAR1"),
        ]
    )
).map(b"".join)
ENDINGS = ["csv", "tsv", "txt", "jsonl", "json", "ft", "parquet", "csv.gz", "x"]


@same_folder
@given(broken, st.sampled_from(ENDINGS), st.sampled_from(["text", "1"]), st.booleans())
def test_any_bytes(tmp_path, content, ending, text_column, skip):
    """Any bytes as any format give a data set or a DataError with a message."""
    if ending == "csv.gz":
        content = gzip.compress(content, mtime=0)
    options = {"text_column": text_column, "label_column": {"1": "2"}.get(text_column, "label")}
    if skip:
        options["on_bad_rows"] = SKIP
    try:
        dataset = read(tmp_path / f"a.{ending}", content, **options)
    except DataError as error:
        assert str(error).strip()  # noqa: PT017 - either outcome is right
    else:
        assert len(dataset.texts) == len(dataset.labels) == len(dataset.places)
        assert all(text.strip() for text in dataset.texts + dataset.labels)
        assert len(dataset.rows_sha256) == 64
