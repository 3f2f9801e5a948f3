"""The job of a training: which rows are trained and tested on."""

from dataclasses import replace

import pytest
from paths import TRAIN
from sklearn.model_selection import train_test_split

from textclf.data.dataset import ReadOptions, read_dataset
from textclf.errors import DataError
from textclf.search.space import SpaceSource, parse_space
from textclf.training.job import SearchSettings, prepare

SPACE = parse_space(SpaceSource("grid", "[features.word]\n[classifier.ComplementNB]"))


def test_without_test_data_a_share_is_split_off():
    """The split holds every row once and follows the seed."""
    options = ReadOptions()
    rows = read_dataset(TRAIN, options)
    job = prepare(rows, None, 0.25, options, SearchSettings(SPACE, seed=3))
    again = prepare(rows, None, 0.25, options, SearchSettings(SPACE, seed=3))
    other = prepare(rows, None, 0.25, options, SearchSettings(SPACE, seed=4))
    assert (job.split, job.split_method) == (0.25, "text-hash")
    assert sorted(job.train.texts + job.test.texts) == sorted(rows.texts)
    assert job.test.rows_sha256 == again.test.rows_sha256 != other.test.rows_sha256


def test_the_split_of_older_versions_can_be_made_again():
    """Without a method the rows are those that the seed chose before, stratified by label."""
    options = ReadOptions()
    rows = read_dataset(TRAIN, options)
    job = prepare(rows, None, 0.25, options, SearchSettings(SPACE, seed=3), split_method=None)
    _, tested = train_test_split(rows.texts, test_size=0.25, stratify=rows.labels, random_state=3)
    assert (job.split, job.split_method, sorted(job.test.texts)) == (0.25, None, sorted(tested))


def test_rows_that_cannot_be_split_are_refused(tmp_path):
    """None falls among the test rows, or, as older versions split, a label has only one row."""
    path = tmp_path / "data.csv"
    path.write_text("text,label\na,x\nb,x\nc,x\n")
    options = ReadOptions()
    with pytest.raises(DataError, match=r"1% of .* cannot be split off"):
        prepare(read_dataset(path, options), None, 0.01, options, SearchSettings(SPACE))
    path.write_text("text,label\na,x\nb,x\nc,y\n")
    rows, settings = read_dataset(path, options), SearchSettings(SPACE)
    with pytest.raises(DataError, match="cannot be split as it was: The least populated"):
        prepare(rows, None, 0.5, options, settings, split_method=None)


def test_a_label_that_is_a_text_is_refused():
    """A label of thousands of characters is a wrong column, not a class."""
    rows = read_dataset(TRAIN)
    rows = replace(rows, labels=("x" * 2000, *rows.labels[1:]))
    with pytest.raises(DataError, match="a label of 2,000 characters: 'xxx") as caught:
        prepare(rows, None, 0.2, ReadOptions(), SearchSettings(SPACE))
    assert caught.value.hint == "check --label-column"


def test_a_sample_is_only_taken_of_more_rows():
    """A limit above the number of rows changes neither the search nor the recipe."""
    rows = read_dataset(TRAIN)
    whole, small, large = (
        prepare(rows, rows, 0.2, ReadOptions(), SearchSettings(SPACE, sample=sample))
        for sample in (None, 100, 100_000)
    )
    assert (whole.sample_size, small.sample_size, large.sample_size) == (None, 100, None)
    assert whole.recipe() == large.recipe() != small.recipe()
