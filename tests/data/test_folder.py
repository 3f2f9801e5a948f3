"""Folders that hold a folder for each label."""

import gzip

import pytest
from data_files import SKIP, rows

from textclf.data.dataset import ReadOptions, read_dataset
from textclf.errors import DataError
from textclf.files import LARGEST


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


def test_pages_in_a_folder_are_texts(tmp_path):
    """A web page is no data set, but may be a text of one."""
    page = b"<!doctype html><html>good</html>"
    path = folder(tmp_path, pos__a_html=page, neg__b_xml=b"<?xml version='1.0'?><a>bad</a>")
    assert [label for _, label in rows(read_dataset(path))] == ["neg", "pos"]


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
    """A folder that holds anything but folders of texts that can be read is refused."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty folder"):
        read_dataset(tmp_path / "empty")
    path = folder(tmp_path, pos__a=b"x", readme=b"y")
    with pytest.raises(DataError, match="readme"):
        read_dataset(path)
    (path / "readme").unlink()
    with (path / "pos" / "a").open("r+b") as file:
        file.truncate(LARGEST + 1)  # which takes no room
    with pytest.raises(DataError, match="pos/a cannot be read: it has more than 4 GB"):
        read_dataset(path)
    (path / "pos" / "a").unlink()
    with pytest.raises(DataError, match="contain no files"):
        read_dataset(path)
    (path / "pos" / "sub").mkdir()
    with pytest.raises(DataError, match="sub is not a file"):
        read_dataset(path)
