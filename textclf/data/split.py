"""Test rows: a file, perhaps one beside the training data, or a part split off it.

Those that are split off stay test rows while the data set grows.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Final, cast

from textclf.data.columns import Columns, NoLabels
from textclf.data.dataset import Dataset, ReadOptions, read_dataset
from textclf.errors import DataError
from textclf.formatting import excerpt, percent, plural

BY_TEXT: Final = "text-hash"
"""The name of `split_by_text` in the metadata."""

_HASH_BYTES: Final = 8


def split_by_text(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Split by a hash of the text: the texts with the lowest hashes are those of the test rows.

    Whether a row is a test row depends on its text, and not on the other rows: a test row stays one
    while rows are added, removed or moved, and all rows with one text are on the same side. Of each
    label about the share becomes test rows, as in a random sample of its texts.

    There is one exception, so that no label is lost: of a label that would have no training row,
    the text with the highest hash is kept for training, unless it has another label, too. Rows that
    are added later never make a test row a training row.

    Args:
        dataset: the rows to split.
        share: the share of the texts that become test rows (0 to 1).
        seed: another one gives another split.

    Returns:
        The training rows and the test rows, in the order of the data set.

    Raises:
        DataError: one of the two parts would be empty.
    """
    tested = _test_texts(dataset, share, seed)
    sides: tuple[list[int], list[int]] = ([], [])
    for row, text in enumerate(dataset.texts):
        sides[text in tested].append(row)
    train, test = sides
    if not train or not test:
        raise DataError(
            f"{percent(share, 0)} of {dataset.path} cannot be split off as test rows: of its "
            f"{plural(len(set(dataset.texts)), 'text')} {'none' if not test else 'all'} would be "
            "among them",
            hint="use more rows, a test file (--test FILE) or another --test-size",
        )
    return take_rows(dataset, train), replace(take_rows(dataset, test), bad_rows=(), left_out={})


def _test_texts(dataset: Dataset, share: float, seed: int) -> set[str]:
    hashes = {text: _hash(text, seed) for text in set(dataset.texts)}
    limit = share * 2 ** (8 * _HASH_BYTES)
    highest: dict[str, str] = {}
    labels: dict[str, set[str]] = {}
    for text, label in zip(dataset.texts, dataset.labels, strict=True):
        if hashes[text] >= hashes[highest.setdefault(label, text)]:
            highest[label] = text
        if hashes[text] < limit:
            labels.setdefault(text, set()).add(label)
    kept = {text for label, text in highest.items() if labels.get(text) == {label}}
    return labels.keys() - kept


def _hash(text: str, seed: int) -> int:
    digest = blake2b(text.encode(), digest_size=_HASH_BYTES, salt=seed.to_bytes(16, "big"))
    return int.from_bytes(digest.digest(), "big")


def take_rows(dataset: Dataset, rows: Sequence[int]) -> Dataset:
    """Return the data set with these of its rows, by their numbers in ascending order."""
    return replace(
        dataset,
        texts=tuple(dataset.texts[row] for row in rows),
        labels=tuple(dataset.labels[row] for row in rows),
        places=cast("Sequence[int]", [dataset.places[row] for row in rows]),
    )


def read_test(
    path: Path, options: ReadOptions, *, named: bool
) -> tuple[Dataset | None, str | None]:
    """Read test data, which has columns of the same names as the training data.

    The data of a competition often comes as ``train.csv`` and a ``test.csv`` without labels, which
    are for the organisers to know.

    Args:
        path: the test data.
        options: how the training data is read.
        named: whether someone has named it; if not, it is beside the training data.

    Returns:
        The data set; or, if nobody has named it and it has no labels, None and a sentence that says
        so.

    Raises:
        DataError: it cannot be read; the details of one that nobody has named say why it is read.
    """
    try:
        return read_dataset(path, options), None
    except DataError as error:
        if isinstance(error, NoLabels) and not named:
            return None, (
                f"{error.message}; so it is not used as test data, although it is beside the "
                "training data: a share of the rows is split off"
            )
        if (
            "-column " in (error.hint or "")
            and Columns(options.text_column, options.label_column).positions is None
        ):
            names = f'"{excerpt(options.text_column)}" and "{excerpt(options.label_column)}"'
            error.hint = f"call its columns {names}, as in the training data"
        if not named:
            why = "it is read as test data because it is beside the training data"
            error.details = (*error.details, f"{why}; --test-size 20% splits test rows off instead")
        raise
