"""Find the header of a delimited file and the columns that are meant, or say what is missing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from textclf.data.columns import Columns, position_of, require_different
from textclf.data.dialect import Dialect, Sample
from textclf.data.table_errors import no_such_columns, no_such_position, not_separated
from textclf.errors import DataError

_MOST_TITLE_LINES = 20
"""Records above the one that names the columns."""


@dataclass(frozen=True)
class Layout:
    """How a delimited file is written, and where its columns are.

    Attributes:
        dialect: how its cells are told apart.
        first: the cells of its header, or of its first record.
        has_header: whether that record names the columns.
        has_titles: whether there are lines above the header that are not blank.
        lines: the number of lines before its first row.
        indices: where the columns asked for are in a row, the text first.
        width: the number of columns, the first without a name if rows are numbered.
        is_numbered: whether rows begin with their number, which the header does not name, as R
            writes them.
    """

    dialect: Dialect
    first: list[str]
    has_header: bool
    has_titles: bool
    lines: int
    indices: tuple[int, ...]
    width: int
    is_numbered: bool = False

    def notes(self, places: Sequence[int]) -> Iterator[str]:
        """Yield a sentence on the titles above the header, which are not read.

        Args:
            places: what users know each line by.
        """
        if self.has_titles:
            place = places[self.lines - 1]
            yield f"the header is on line {place}; the lines above it are not read"


def find_layout(samples: Sequence[Sample], name: str, columns: Columns) -> Layout:
    """Return how a file is written and where its columns are.

    A table whose labels are not read has its header where training would find it, if it has a
    column of labels, so that both understand a file in the same way.

    Args:
        samples: its first records with each delimiter that it may have, the most likely first.
        name: the name of the file, for messages.
        columns: those that are asked for.

    Raises:
        DataError: the columns cannot be told apart, or are not those asked for.
    """
    for asked in dict.fromkeys((replace(columns, needs_label=True), columns)):
        named = asked.positions is None and columns.header is not False
        if named and (header := _find_header(samples, asked)):
            layout = _below(*header)
            break
    else:
        if columns.positions is None:
            raise _no_header(samples, name, columns)
        layout = _by_position(samples, name, columns, columns.positions)
    if columns.needs_label:
        require_different(name, layout.indices)
    return layout


def _find_header(
    samples: Sequence[Sample], columns: Columns
) -> tuple[Sample, int, list[int]] | None:
    """Return the sample in which the first record, or one of the next, names the columns.

    One of the next ones has at least one of the names exactly.

    Returns:
        The sample, which of its records that is, and the indices of the columns in it.
    """
    samples = sorted(samples, key=_share_of_only_column, reverse=True)
    names = [name for name in columns.needed.values() if position_of(name) is None]
    for at in range(1 + _MOST_TITLE_LINES):
        for sample in samples:
            record = next(islice(sample.records, at, None), [])
            located = columns.locate(record)
            is_certain = any(name in record for name in names)
            if all(len(indices) == 1 for indices in located) and (at == 0 or is_certain):
                return sample, at, [index for [index] in located]
    return None


def _share_of_only_column(sample: Sample) -> float:
    """Return the share of records with one cell, where the header has no more."""
    return sample.share if len(sample.header) == 1 == sample.width else 0.0


def _below(sample: Sample, at: int, indices: Sequence[int]) -> Layout:
    """Return the layout of a table whose header is the record ``at``."""
    header = sample.records[at]
    is_numbered = _is_numbered(len(header), sample.records[at + 1 :], indices)
    return Layout(
        sample.dialect,
        header,
        has_header=True,
        has_titles=any(any(map(str.strip, record)) for record in sample.records[:at]),
        lines=sample.ends[at],
        indices=tuple(index + is_numbered for index in indices),
        width=len(header) + is_numbered,
        is_numbered=is_numbered,
    )


def _is_numbered(width: int, body: list[list[str]], indices: Sequence[int]) -> bool:
    """Tell whether rows begin with their number, which the header does not name, as R writes them.

    Rows that only end in a delimiter are as wide. They have no number in the place of the text or
    the label.
    """
    rows = [record for record in body if record]
    numbers = {record[0] for record in rows if len(record) == width + 1}
    if not rows or len(numbers) < len(rows) or not all(map(str.isdecimal, numbers)):
        return False
    return any(record[-1] for record in rows) or 0 in indices


def _no_header(samples: Sequence[Sample], name: str, columns: Columns) -> DataError:
    """Return the error for a file without a header, or with one that does not name the labels."""
    without_label = columns.needs_label and position_of(columns.text) is None
    if without_label and (header := _find_header(samples, replace(columns, needs_label=False))):
        sample, at, _ = header
        return no_such_columns(name, replace(sample, records=sample.records[at:]), columns)
    best = max(samples, key=lambda sample: sample.likeness(columns))
    likely = best.width > 1 and (best.likeness(columns)[0] or len(samples) == 1)
    if columns.needs_label and not likely:
        return not_separated(name, samples, columns)
    return no_such_columns(name, best, columns)


def _by_position(
    samples: Sequence[Sample], name: str, columns: Columns, positions: tuple[int, ...]
) -> Layout:
    """Return the most regular layout, with a header only if the user says so.

    A table of which only the texts are read may have no other column.
    """
    last = max(positions)
    told = max(position_of(column) or 0 for column in (columns.text, columns.label))
    best = max(samples, key=lambda s: (s.regular, s.width > told, s.share))
    is_table = best.regular or columns.header or len(samples) == 1 or not columns.needs_label
    if not is_table or best.width <= min(last, 1):
        raise not_separated(name, samples, columns)
    if best.width <= last:
        option = list(columns.needed)[positions.index(last)]
        raise no_such_position(name, best, last, option)
    if columns.header and last >= len(best.header):
        raise no_such_columns(name, best, columns)
    if columns.header:
        return _below(best, 0, positions)
    lines = best.start.lines
    return Layout(best.dialect, best.header, False, False, lines, positions, best.width)
