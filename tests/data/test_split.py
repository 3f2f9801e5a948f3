"""The split into training and test rows: what stays the same while a data set grows."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from paths import TRAIN

from textclf.data.dataset import Dataset, read_dataset
from textclf.data.split import split_by_text
from textclf.errors import DataError

texts = st.integers(0, 50).map(str)
rows = st.lists(st.tuples(texts, st.sampled_from("abc")), max_size=40)
shares = st.floats(0.05, 0.95)


def dataset(pairs):
    """Return rows as a data set."""
    text, label = zip(*pairs, strict=True) if pairs else ((), ())
    return Dataset("a.csv", "csv", "0" * 64, text, label, range(1, len(pairs) + 1), ())


def sides(pairs, share, seed=0):
    """Return the pairs of the training rows and of the test rows."""
    try:
        parts = split_by_text(dataset(pairs), share, seed)
    except DataError:
        assume(False)
        raise
    return [list(zip(part.texts, part.labels, strict=True)) for part in parts]


@given(rows, rows, shares, st.randoms())
def test_a_test_row_stays_one(before, added, share, random):
    """While rows are added, anywhere and in any order, no test row becomes a training row."""
    _, test = sides(before, share)
    grown = before + added
    random.shuffle(grown)
    train, _ = sides(grown, share)
    assert {text for text, _ in test}.isdisjoint(text for text, _ in train)


@given(rows, shares, st.integers(0, 2**32 - 1))
def test_every_row_is_on_one_side(pairs, share, seed):
    """Each row is kept once, in order; rows with the same text are together."""
    train, test = sides(pairs + pairs[:5], share, seed)
    assert {text for text, _ in test}.isdisjoint(text for text, _ in train)
    assert sorted(train + test) == sorted(pairs + pairs[:5])
    kept = iter(pairs + pairs[:5])
    assert all(any(pair == row for row in kept) for pair in train)


@given(rows, shares)
def test_a_label_whose_texts_are_its_own_is_trained_on(pairs, share):
    """No label is lost to the test rows, unless its texts have other labels as well."""
    labels = defaultdict(set)
    for text, label in pairs:
        labels[text].add(label)
    train, _ = sides(pairs, share)
    own = {label for text, label in pairs if all(len(labels[t]) == 1 for t in labels)}
    assert own <= {label for _, label in train}


@given(rows, shares, st.randoms())
def test_the_order_of_the_rows_does_not_matter(pairs, share, random):
    """The same rows in another order are split in the same way."""
    train, test = sides(pairs, share)
    shuffled = list(pairs)
    random.shuffle(shuffled)
    again = sides(shuffled, share)
    assert [sorted(train), sorted(test)] == list(map(sorted, again))


def test_labels_keep_their_shares():
    """Of each label about the share is split off; another seed splits in another way."""
    data = read_dataset(TRAIN)
    train, test = split_by_text(data, 0.25, 3)
    assert len(test) == pytest.approx(len(data) / 4, rel=0.1)
    for label, count in test.label_counts.items():
        assert count == pytest.approx(data.label_counts[label] / 4, rel=0.2)
    assert train.where(0) == data.where(data.texts.index(train.texts[0]))
    assert split_by_text(data, 0.25, 4)[1].rows_sha256 != test.rows_sha256


def test_the_split_never_changes():
    """The rows that the first version split off are those that every later one splits off."""
    _, test = split_by_text(dataset([(f"text {n}", "ab"[n % 2]) for n in range(20)]), 0.3, 7)
    assert [text[5:] for text in test.texts] == ["1", "2", "4", "6", "7", "12", "19"]


def test_what_was_left_out_belongs_to_the_training_rows():
    """Rows that could not be used are counted once."""
    data = dataset([(f"t{n}", "a") for n in range(50)])
    train, test = split_by_text(replace(data, bad_rows=("bad",), left_out={"x": 1}), 0.5, 0)
    assert (train.bad_rows, train.left_out) == (("bad",), {"x": 1})
    assert (test.bad_rows, test.left_out) == ((), {})


@pytest.mark.parametrize(("share", "which"), [(1e-9, "none"), (1 - 1e-9, "all but")])
def test_an_empty_part_is_refused(share, which):
    """A share that leaves no test row is refused; one row of each label is always trained on."""
    data = dataset([("a", "x"), ("b", "x"), ("c", "y")])
    if which == "none":
        with pytest.raises(DataError, match=r"of its 3 texts none would be among them"):
            split_by_text(data, share, 0)
    else:
        assert set(split_by_text(data, share, 0)[0].labels) == {"x", "y"}
