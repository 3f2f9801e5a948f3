"""Labels that have too few rows: refused by name, or left out."""

import pytest
from data_files import read

from textclf.data.small_labels import LabelLimits, limit_labels
from textclf.errors import DataError

TRAIN = "text,label\na,x\nb,x\nc,y\nd,y\ne,z\nf,w\n"
TEST = "text,label\ng,x\nh,z\ni,new\n"


@pytest.fixture
def sets(tmp_path):
    return read(tmp_path / "a.csv", TRAIN), read(tmp_path / "b.csv", TEST)


def test_small_labels_are_refused_by_name(sets):
    """A label with fewer rows than asked for is named, with the way on."""
    with pytest.raises(DataError) as caught:
        limit_labels(*sets, LabelLimits(2))
    assert caught.value.message.endswith("2 labels with fewer than 2 rows: w (1 row), z (1 row)")
    assert caught.value.hint.startswith("--drop-small-labels")


def test_small_labels_are_dropped_from_both_sets(sets):
    """Their rows are left out and counted; what is small in the test data alone stays."""
    train, test = limit_labels(*sets, LabelLimits(2, drop=True))
    assert (train.labels, train.dropped_labels) == (("x", "x", "y", "y"), {"w": 1, "z": 1})
    assert (test.labels, test.dropped_labels) == (("x", "new"), {"z": 1})
    assert train.dropped_labels_note.endswith("labels that have too few: w (1 row), z (1 row)")
    assert [train.where(row)[-1] for row in range(4)] == ["2", "3", "4", "5"]


def test_nothing_is_small(sets):
    """By default, and where all labels have enough rows, the data sets stay what they are."""
    assert limit_labels(*sets, LabelLimits()) == sets
    assert limit_labels(sets[0], None, LabelLimits(1, drop=True)) == (sets[0], None)


def test_all_labels_are_small(sets):
    """Where no label would be left, dropping is refused, too."""
    with pytest.raises(DataError, match="every label has fewer than 9 rows"):
        limit_labels(*sets, LabelLimits(9, drop=True))
