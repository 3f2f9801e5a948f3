"""Add the rows of a file to a data set, those that it does not have yet."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from textclf.data.dataset import Dataset
from textclf.data.split import take_rows
from textclf.formatting import plural

_NAMED = 3
"""The most files of joined rows that are named, but for a single one more."""


@dataclass(frozen=True)
class Joined:
    """A data set with the rows that were added to it.

    Attributes:
        rows: all rows, those added at the end.
        added: how many were added.
        repeated: how many were left out because the data set has them.
        tested: how many were left out because their texts are those of test rows.
    """

    rows: Dataset
    added: int
    repeated: int
    tested: int

    @property
    def note(self) -> str:
        """A sentence on how many rows were added, and on those that were left out."""
        reasons = (
            (self.repeated, "there already"),
            (self.tested, "with the text of a test row"),
        )
        left_out = ", ".join(f"{count:,} {reason}" for count, reason in reasons if count)
        return f"{plural(self.added, 'new row')}{'; left out: ' if left_out else ''}{left_out}"


def join(rows: Dataset, more: Dataset, tested: Collection[str] = ()) -> Joined:
    """Return rows with those of another data set after them that are new.

    A row is left out if the data set has its text with the same label, and if its text is one of
    ``tested``, the texts of test rows that have a file of their own. What is repeated within one
    data set stays as it is.
    """
    known = set(zip(rows.texts, rows.labels, strict=True))
    repeated = [pair in known for pair in zip(more.texts, more.labels, strict=True)]
    in_test = [text in tested for text in more.texts]
    new = take_rows(more, [n for n in range(len(more)) if not (repeated[n] or in_test[n])])
    counts = (
        len(new),
        sum(repeated),
        sum(b and not a for a, b in zip(repeated, in_test, strict=True)),
    )
    if not len(new):
        return Joined(rows, *counts)
    joined = replace(
        rows,
        sha256=sha256(f"{rows.sha256} {more.sha256}".encode()).hexdigest(),
        texts=(*rows.texts, *new.texts),
        labels=(*rows.labels, *new.labels),
        places=[*_places(rows), *_places(new)],
        bad_rows=(*rows.bad_rows, *more.bad_rows),
    )
    return Joined(joined, *counts)


def joined_path(paths: Sequence[str]) -> str:
    """Return what rows of several files are called."""
    more = [f"{len(paths) - _NAMED} more files"] if len(paths) > _NAMED + 1 else paths[_NAMED:]
    return " + ".join([*paths[:_NAMED], *more])


def _places(rows: Dataset) -> Iterator[tuple[str, int | str]]:
    """Yield the file of each row, and the place in it."""
    for place in rows.places:
        yield place if isinstance(place, tuple) else (rows.path, place)
