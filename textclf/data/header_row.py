"""Tell whether the header of a file was read as its first row, which would make it a label."""

from collections.abc import Sequence
from itertools import islice

from textclf.data.columns import listed, name_options, position_options
from textclf.data.format import Rows, Source
from textclf.errors import DataError

_DEFAULTS = {"text", "label"}
_FIRST_ROWS = 10
"""Rows among which a header stands, below titles of a file."""

_LONGEST_NAME = 40
_SAMPLE = 100


def require_no_header(rows: Rows, names: Sequence[str], source: Source) -> None:
    """Refuse rows of which one reads like the names of the columns.

    Args:
        rows: what was read by the positions of the columns.
        names: the cells of the first record.
        source: the file, with the positions.

    Raises:
        DataError: a row reads like a header.
    """
    at, positions = _find_header(rows), source.columns.positions
    if at is None or positions is None:
        return
    text, label = rows.texts[at].strip(), rows.labels[at]
    by_name = names.count(text) == names.count(label) == 1
    place = source.places[rows.places[at] - 1]
    way = name_options(text, label) if by_name or at else position_options(positions)
    way += "" if by_name or at else " --header"
    raise DataError(
        f"{source.name}:{place}: this row reads like the names of the columns: "
        f"{listed(names if not at else (text, label))}",
        hint=f"{way} if they are; --no-header if it is a row of data; if only this file of several "
        "has a header, delete that line",
    )


def _find_header(rows: Rows) -> int | None:
    """Return a row that reads like names, and that is the only one of its label.

    That is one with the names that are the default, or a first row unlike the others: every other
    label has different texts, or most texts have several words.
    """
    for at in range(min(_FIRST_ROWS, len(rows.texts))):
        if {rows.texts[at].casefold(), rows.labels[at].casefold()} == _DEFAULTS:
            return at if _is_alone(rows, at) else None
    if not rows.texts or not _is_alone(rows, 0):
        return None
    text, label = rows.texts[0].strip(), rows.labels[0]
    if {text.casefold(), label.casefold()} & _DEFAULTS or _others_vary(rows, label):
        return 0
    single_words = text.isidentifier() and label.isidentifier()
    return 0 if single_words and _mostly_several_words(rows) else None


def _is_alone(rows: Rows, at: int) -> bool:
    """Tell whether a row could be names, and no other row but itself has its label."""
    text, label = rows.texts[at], rows.labels[at]
    return all(_is_name(cell) for cell in (text, label)) and not any(
        other_label == label and other != text
        for other, other_label in zip(rows.texts, rows.labels, strict=True)
    )


def _is_name(cell: str) -> bool:
    return len(cell) <= _LONGEST_NAME and any(map(str.isalpha, cell))


def _others_vary(rows: Rows, label: str) -> bool:
    """Tell whether there are other labels, and each of them has at least two different texts."""
    unvaried: dict[str, str] = {}
    varied = set[str]()
    for text, other in zip(rows.texts, rows.labels, strict=True):
        if other not in varied and other != label and unvaried.setdefault(other, text) != text:
            del unvaried[other]
            varied.add(other)
    return bool(varied) and not unvaried


def _mostly_several_words(rows: Rows) -> bool:
    sample = list(islice(rows.texts, 1, _SAMPLE))
    return sum(len(text.split()) > 1 for text in sample) > len(sample) / 2
