"""Encodings, byte-order marks and compression."""

import gzip
import io
import pickle
import tarfile
import zipfile

import pytest
from data_files import SKIP, bad, read, refused, rows

from textclf.data.dataset import misread_warning
from textclf.errors import UsageError


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_mark(tmp_path, encoding):
    """It says how a file is encoded, as --encoding may, and is no part of the first column."""
    content = "text,label\r\ngrün,x\r\n".encode(encoding)
    for given in (None, encoding):
        assert rows(read(tmp_path / "a.csv", content, encoding=given)) == [("grün", "x")]


RUSSIAN = ["отличный товар, рекомендую", "ужасное качество", "сломалось через день"]
CHINESE = ["这个手机的质量非常好，我很满意", "物流太慢了，第一次就退货", "客服态度很差，不会再买"]
TAIWANESE = ["這個手機的品質非常好，我很滿意", "物流太慢了，包裝也壞了", "客服態度很差，不會再買"]
KOREAN = ["정말 좋은 제품입니다", "다시는 사지 않겠습니다", "배송이 너무 늦었어요"]
JAPANESE = ["とても良い商品です", "すぐに壊れました、残念です", "配送が遅かったです"]
GREEK = ["πολύ καλό προϊόν", "κακή ποιότητα", "δεν το συνιστώ σε κανέναν"]
FRENCH = ["très bon café", "déçu à l'époque", "je ne suis pas content du résultat"]
GERMAN = ["Größe passt überhaupt nicht", "schöne Farbe", "Lieferung war verspätet"]
POLISH = ["bardzo ładny, dziękuję", "zły żółw", "nie polecam, jakość jest słaba"]


@pytest.mark.parametrize(
    ("encoding", "sentences"),
    [
        *((encoding, RUSSIAN) for encoding in ("cp1251", "koi8-r", "cp866", "iso8859-5")),
        *((encoding, JAPANESE) for encoding in ("shift-jis", "euc-jp")),
        *((encoding, FRENCH) for encoding in ("mac-roman", "cp1252", "latin-1", "cp850")),
        *((encoding, POLISH) for encoding in ("cp1250", "iso8859-2")),
        *((encoding, GREEK) for encoding in ("cp1253", "iso8859-7")),
        *((f"utf-16-{order}", text) for order in ("le", "be") for text in (RUSSIAN, CHINESE)),
        *(("gbk", CHINESE), ("big5", TAIWANESE), ("euc-kr", KOREAN), ("cp1252", GERMAN)),
        *((f"utf-16-{order}", ["plain", "ascii", "text"]) for order in ("le", "be")),
    ],
)
def test_likely_encodings(tmp_path, encoding, sentences):
    """A wrong encoding is refused with a line in each likely one, and one of them is right."""
    lines = [f'"{text}",{n % 2}\n' for n, text in enumerate(sentences * 5)]
    content = "".join(["text,label\n", *lines]).encode(encoding)
    message, hint = refused(tmp_path / "a.csv", content)
    shown = dict(line.strip().split(": ", 1) for line in message.splitlines()[1:])
    assert 1 <= len(shown) <= 4
    written = content.decode(encoding)
    right = [name for name, line in shown.items() if line.strip("…") in written]
    assert all(name in hint for name in shown)
    assert len(shown) > 1 or hint == f"--encoding {right[0]}"
    readings = [read(tmp_path / "a.csv", content, encoding=name) for name in right]
    assert any(reading.texts == tuple(sentences * 5) for reading in readings)


def test_likely_encodings_of_a_large_file(tmp_path):
    """A beginning of a large file tells them; the rest takes no time."""
    content = "".join(f"{text} {n},x\n" for n in range(1000) for text in RUSSIAN).encode("cp1251")
    assert "cp1251" in refused(tmp_path / "a.csv", b"text,label\n" + content)[1]


def test_bytes_of_no_encoding(tmp_path):
    """Where no encoding is likely none is named, and it is binary; an unknown one is refused."""
    path = tmp_path / "a.csv"
    for content in (bytes(range(1, 256)) * 9, b"\0\1\2\xff" * 99):
        message, hint = refused(path, content)
        assert "is not text, but binary data" in message
        assert hint is None
    for unknown in ("utf-99", "rot13", "a\0"):
        with pytest.raises(UsageError, match="there is no encoding"):
            read(path, content, encoding=unknown)
    assert "not UTF-7" in refused(path, b"+2AA-", encoding="utf-7")[0]


@pytest.mark.parametrize(
    ("name", "row", "encoding"),
    [
        ("a.csv", "{},x\n", None),
        ("a.tsv", "{}\tx\n", "utf-8"),
        ("a.jsonl", '{{"text": "{}", "label": "x"}}\n', None),
        ("a.ft", "__label__x {}\n", None),
        ("a.csv", "{},x\n", "gbk"),
    ],
)
def test_a_few_bad_bytes(tmp_path, name, row, encoding):
    """A few bytes that are not text make bad rows, named by line, and ruin no other row."""
    header = {"csv": "text,label\n", "tsv": "text\tlabel\n"}.get(name[2:], "")
    codec = encoding or "utf-8"
    good = [row.format(text) for text in ("étage", "plain", "über", "é")]
    content = "".join([header, *good]).encode(codec).replace(b"plain", b"pla\xff")
    line = 2 + bool(header)
    reason = f"byte 0xff is not {codec.upper()}"
    assert f"{name}:{line}: {reason}" in refused(tmp_path / name, content, encoding=encoding)[0]
    dataset = read(tmp_path / name, content, encoding=encoding, on_bad_rows=SKIP)
    assert dataset.texts == ("étage", "über", "é")
    assert bad(dataset) == [(str(line), reason)]


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
        ("a.tar", bytes(257) + b"ustar" + bytes(250), "a tar archive"),
    ],
)
def test_unusable_files(tmp_path, name, content, words):
    """Files that hold nothing, or not what they seem to, are refused in a sentence."""
    assert words in refused(tmp_path / name, content)[0]


def archive(kind, *members):
    """Return an archive of files with these names."""
    stream = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(stream, "w") as packed:
            for member in members:
                packed.writestr(member, "text,label\n")
    else:
        with tarfile.open(fileobj=stream, mode=kind) as packed:
            for member in members:
                packed.addfile(tarfile.TarInfo(member))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "kind", "words", "way"),
    [
        ("a.zip", "zip", "a zip archive of train.csv, test.csv", "unzip"),
        ("a.tar", "w", "a tar archive of train.csv, test.csv", "tar xf"),
        ("a.tar.gz", "w:gz", "a tar archive of train.csv, test.csv", "tar xf"),
        ("a.csv", "w:gz", "a tar archive of train.csv, test.csv", "tar xf"),
    ],
)
def test_archives(tmp_path, name, kind, words, way):
    """An archive is refused with the names in it and the command that unpacks it."""
    content = archive(kind, "train.csv", "test.csv")
    for options in ({}, {"text_column": "1", "label_column": "2"}):
        message, hint = refused(tmp_path / name, content, **options)
        assert words in message
    assert hint.startswith(f"{way} {(tmp_path / name).as_posix()}")
    assert "a, b, c, d, …" in refused(tmp_path / name, archive(kind, *"abcdef"))[0]
    assert "archive" in refused(tmp_path / name, content[:400] if kind == "zip" else content)[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"SQLite format 3\0", "an SQLite database"),
        (bytes(range(256)) * 9, "not text, but binary data"),
        (b"%PDF-1.5\n%\xe2\xe3\xcf\xd3", "a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "before 2007, or one with a password"),
        (b"ARROW1\0\0", "Arrow"),
        (pickle.dumps(["a"]), "a Python pickle"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (b"<!DOCTYPE html>\n<html>", "a web page"),
        (b'\n<Table border="1">\n<tr><th>text</th>', "a table in HTML"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "an XML document"),
        (b"\xff\xff\xff\xff\x10\0\0\0", "an Arrow stream"),
        (archive("zip", "Index/Document.iwa"), "a document of Apple's"),
        (archive("zip", "[Content_Types].xml", "word/document.xml"), "an Office document"),
    ],
)
def test_files_of_other_kinds(tmp_path, content, words):
    """What is known to be no data set is called by its name, gzipped or not."""
    assert words in refused(tmp_path / "a.csv", content)[0]
    assert words in refused(tmp_path / "a.csv.gz", gzip.compress(content))[0]


@pytest.mark.parametrize(
    ("content", "encoding", "warned"),
    [
        ("café".encode(), "cp1252", True),
        ("café".encode(), "latin-1", True),
        ("café,x\nthé,y\npassé".encode() + b"\ncaf\xe9", "cp1252", True),
        ("café".encode(), "utf-8", False),
        ("café".encode(), "UTF8", False),
        (b"cafe", "cp1252", False),
        ("café".encode("cp1252"), "cp1252", False),
        ("хорошо".encode("cp1251"), "cp1251", False),
        ("хорошо".encode("utf-16-le"), "utf-16-le", False),
    ],
)
def test_utf_8_in_another_encoding_is_told(content, encoding, warned):
    """Text in UTF-8 that is to be read in another encoding is warned of, with what it becomes."""
    warning = misread_warning(content, "a.csv", encoding)
    assert bool(warning) is warned
    if warned:
        assert 'has "Ã©" in place of "é"; leave out --encoding' in warning


def test_a_data_set_carries_the_warning(tmp_path):
    """What is read in the encoding asked for is told to be UTF-8, also where a row is not."""
    content = 'text,label\n"café",x\nb,y\n'.encode()
    dataset = read(tmp_path / "a.csv", content, encoding="cp1252")
    assert dataset.texts[0] == "cafÃ©"
    assert dataset.reading_warnings == [misread_warning(content, dataset.path, "cp1252")]
    assert read(tmp_path / "a.csv", content).reading_warnings == []


def test_a_byte_order_mark_against_the_encoding_asked_for(tmp_path):
    """A file that begins with the mark of UTF-8 is in no other encoding."""
    content = "text,label\na,x\n".encode("utf-8-sig")
    message, hint = refused(tmp_path / "a.csv", content, encoding="cp1252")
    assert message.endswith("byte-order mark of UTF-8, but --encoding is cp1252")
    assert hint == "leave out --encoding"
    assert rows(read(tmp_path / "a.csv", content, encoding="utf-8")) == [("a", "x")]
