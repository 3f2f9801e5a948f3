"""Parquet, read by polars in a process of its own."""

import sys
from pathlib import Path

import polars as pl
import pytest
from data_files import SKIP, refused, rows

from textclf.data.dataset import ReadOptions, read_dataset
from textclf.data.parquet import write_parquet
from textclf.errors import DataError


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
    assert hint == "pip install '.[parquet]' in the checkout of textclf"


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
    monkeypatch.setattr("textclf.data.isolated.sys.executable", "/bin/false")
    assert "polars broke down" in refused(tmp_path / "a", b"PAR1PAR1")[0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
@pytest.mark.parametrize("rows", ["", '{"text": "a"}\n'])
def test_a_full_disk_is_an_error_of_the_system(tmp_path, rows):
    """As of any file that cannot be written, whatever library writes it."""
    (tmp_path / "rows.jsonl").write_text(rows)
    with pytest.raises(OSError, match="No space left on device"):
        write_parquet(tmp_path / "rows.jsonl", Path("/dev/full"), ["text"])
