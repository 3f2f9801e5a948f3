"""textclf.check_labels and pick."""

import polars as pl
import pytest
from predictors import published
from sample_data import sample_rows

import textclf
from textclf.errors import UsageError


def test_check_labels_ranks_rows_from_memory(tmp_path):
    """Rows are known by their number; a table or a data set gives the same."""
    texts, labels = sample_rows(200)
    found = textclf.check_labels(texts, labels)
    assert found.judged <= 200
    assert found.rows
    assert all(labels[one.row] != one.predicted for one in found.rows)
    table = pl.DataFrame({"text": texts, "label": labels})
    assert textclf.check_labels(table) == found
    table.write_csv(tmp_path / "a.csv")
    read = textclf.check_labels(textclf.read_dataset(tmp_path / "a.csv"))
    assert [one.score for one in read.rows] == [one.score for one in found.rows]


def test_pick_takes_texts_from_memory(tmp_path):
    """The texts with the smallest margins come first, with their index."""
    rows = sample_rows(200)
    published(tmp_path, rows)
    texts = rows[0][:50]
    picked = textclf.pick(iter(texts), 5, models=tmp_path)
    margins = [one.margin for one in picked]
    assert margins == sorted(margins)
    assert [texts[one.place] for one in picked] == [one.text for one in picked]
    assert textclf.pick([], models=tmp_path) == []
    with pytest.raises(UsageError, match="n=0 is less than 1"):
        textclf.pick(texts, 0, models=tmp_path)
    with pytest.raises(ValueError, match="text at index 1 has half of a surrogate pair"):
        textclf.pick(["a", "b\ud800"], models=tmp_path)
