"""Reading a data set, whatever its format."""

import gzip
import hashlib
import os
from pathlib import Path

import pytest
from data_files import SKIP, read, refused, rows, same_folder
from hypothesis import example, given
from hypothesis import strategies as st

from textclf.data.dataset import OnBadRows, read_dataset
from textclf.errors import DataError
from textclf.formatting import plural


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


@pytest.mark.parametrize(
    ("bad_rows", "choice", "usable"),
    [(1, "auto", True), (2, "auto", False), (1, "fail", False), (99, "skip", True)],
)
def test_few_bad_rows_are_left_out(tmp_path, bad_rows, choice, usable):
    """Up to 1% of unusable rows are left out and named; `fail` and `skip` decide otherwise."""
    content = "text,label\n" + "a,\n" * bad_rows + "a,x\n" * (100 - bad_rows)
    path, options = tmp_path / "a.csv", {"on_bad_rows": OnBadRows(choice)}
    if not usable:
        assert refused(path, content, **options)[0].startswith(f"{plural(bad_rows, 'bad row')} in ")
        return
    dataset = read(path, content, **options)
    assert (len(dataset), len(dataset.bad_rows)) == (100 - bad_rows, bad_rows)
    note = f"left out {plural(bad_rows, 'row')} of 100 that cannot be used: {path}:2: no label"
    assert dataset.bad_rows_note.startswith(note)


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
@example(content=b"2", ending="csv", text_column="1", skip=False)  # one cell could be both
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
