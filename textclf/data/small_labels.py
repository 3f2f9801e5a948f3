"""Refuse or leave out labels that have too few rows to be learnt."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from textclf.data.dataset import Dataset, named_counts
from textclf.data.split import take_rows
from textclf.errors import DataError
from textclf.formatting import plural


@dataclass(frozen=True)
class LabelLimits:
    """How many rows a label needs, and what becomes of one that has fewer.

    Attributes:
        min_rows: the least rows of a label, those that will be split off for testing included.
        drop: whether to leave out the rows of other labels; else they are an error.
    """

    min_rows: int = 1
    drop: bool = False


def limit_labels(
    train: Dataset, test: Dataset | None, limits: LabelLimits
) -> tuple[Dataset, Dataset | None]:
    """Return the data sets without the labels that have too few training rows.

    Raises:
        DataError: there are such labels, and they are not to be left out; or no other ones.
    """
    counts = train.label_counts
    small = {label: count for label, count in counts.items() if count < limits.min_rows}
    if not small:
        return train, test
    fewer = f"fewer than {limits.min_rows} rows"
    if len(small) == len(counts):
        raise DataError(f"{train.path}: every label has {fewer}")
    if not limits.drop:
        has = f"{plural(len(small), 'label')} with {fewer}"
        raise DataError(
            f"{train.path} has {has}: {', '.join(named_counts(small))}",
            hint="--drop-small-labels leaves out their rows",
        )
    return without_labels(train, small), test and without_labels(test, small)


def without_labels(rows: Dataset, labels: Collection[str]) -> Dataset:
    """Return the rows of all labels but these, which the data set then names."""
    kept = [row for row, label in enumerate(rows.labels) if label not in labels]
    dropped = {label: count for label, count in rows.label_counts.items() if label in labels}
    return replace(take_rows(rows, kept), dropped_labels={**rows.dropped_labels, **dropped})
