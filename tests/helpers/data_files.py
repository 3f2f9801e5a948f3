"""Write data files and read them; strategies for texts and labels."""

import csv

import pytest
from effort import cases
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from textclf.data.dataset import OnBadRows, ReadOptions, read_dataset
from textclf.errors import TextclfError

SKIP = OnBadRows.SKIP


characters = st.characters(exclude_categories=["Cs"])


nasty = st.text(st.sampled_from("ab\"', ;|\t\n\r\\\0\ufeffé😀\u2028\x85"))


texts = (st.text(characters) | nasty).filter(str.strip)


labels = texts.map(lambda text: text.replace("\0", "").strip()).filter(bool)


same_folder = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=cases(100, 300),
)


def read(path, content, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_dataset(path, ReadOptions(**options))


def refused(path, content, **options):
    with pytest.raises(TextclfError) as caught:
        read(path, content, **options)
    return str(caught.value), caught.value.hint


def rows(dataset):
    return list(zip(dataset.texts, dataset.labels, strict=True))


def bad(dataset):
    return [(row.where.rpartition(":")[2], row.reason) for row in dataset.bad_rows]


def csv_records(path):
    """The records of a CSV file, read without textclf."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
