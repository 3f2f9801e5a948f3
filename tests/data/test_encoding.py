"""Encodings, byte-order marks and compression."""

import gzip

import pytest
from data_files import read, refused, rows

from textclf.errors import UsageError


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
