"""Take text and label from records: rows by the names of their columns, or JSON objects."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, Final

from textclf.data.columns import Columns, listed
from textclf.data.exports import Entry, Export, Record, find_export
from textclf.data.format import Rows
from textclf.errors import DataError
from textclf.formatting import excerpt

SAMPLE: Final = 100
"""The number of records whose names are looked at."""

NOT_LABELLED: Final = "not labelled"
"""The reason for which a record that nobody has labelled is left out."""

_DEEPEST = 5
"""Objects within one another whose names are looked at."""

_MOST_LABELS = 3
"""The most labels of one row that a message names."""


@dataclass(frozen=True)
class NotJson:
    """A value that Python writes as JSON although it is none: ``NaN`` or an infinity."""

    name: str


@dataclass(frozen=True)
class Unreadable:
    """What stands in the place of a record that cannot be read, with the reason."""

    reason: str


def read_records(
    records: Iterable[tuple[int, Any]], columns: Columns, file: str, export: Export | None = None
) -> Rows:
    """Read records as the first of them show what they look like.

    Args:
        records: the place of each, and what it holds.
        columns: the columns of text and label.
        file: the name of the file, for messages.
        export: the export that they are; None if only the records can show that.

    Raises:
        DataError: the columns asked for are not there, or there more than once.
    """
    records = iter(records)
    head = list(islice(records, SAMPLE))
    sample = [one for _, one in head if isinstance(one, dict)]
    reader = RecordReader(sample, columns, file, export or find_export(sample))
    for place, record in chain(head, records):
        reader.add(place, record)
    return reader.rows


def paths_in(records: Sequence[Record]) -> tuple[list[str], list[list[Any]]]:
    """Return the paths of the values in some records, such as ``meta.label``, and the values."""
    paths = list(dict.fromkeys(path for record in records for path in _paths(record, _DEEPEST)))
    return paths, [[at_path(record, path) for path in paths] for record in records]


def _paths(record: Record, depth: int) -> Iterator[str]:
    for name, value in record.items():
        if isinstance(value, dict) and depth:
            yield from (f"{name}.{path}" for path in _paths(value, depth - 1))
        else:
            yield name


def at_path(record: Record, path: str) -> Any:
    """Return the value of a record at a path; ``None`` if there is none."""
    if path in record:
        return record[path]
    name, _, rest = path.partition(".")
    inner = record.get(name)
    return at_path(inner, rest) if rest and isinstance(inner, dict) else None


class RecordReader:
    """Reads the records of one file into ``rows``."""

    def __init__(
        self, sample: Sequence[Record], columns: Columns, file: str, export: Export | None
    ) -> None:
        """Raise DataError if records like these do not have the columns asked for."""
        self._export = export
        self.rows = Rows(tool=export.tool if export else None)
        if export:
            entries = [export.entry(record) for record in sample]
            self._columns = _columns_of_export(export, entries, columns, file)
        else:
            names, cells = paths_in(sample)
            self._columns = columns.among(names, file, cells) if names else columns

    def add(self, place: int, record: Any) -> None:
        """Add the row of a record, or why there is none."""
        try:
            text, label, left_out = self._read(record)
        except ValueError as error:
            self.rows.bad.append((place, str(error)))
            return
        if left_out:
            self.rows.left_out[left_out] += 1
        else:
            self.rows.add(place, text, label)

    def text_column(self, sample: Sequence[Record]) -> str:
        """Return which column of some records holds what is the text, as their tool names it."""
        text, texts = self._columns.text, [self.text_of(record) for record in sample]
        names = (name for name in names_in(sample) if [one.get(name) for one in sample] == texts)
        return text if text in names_in(sample) else next(names, text)

    def text_of(self, record: Any) -> str | None:
        """Return the text of a record, labelled or not. Raises ValueError if it is no text."""
        _require_object(record)
        known = self._export and self._export.recognise(record)
        texts = self._export.entry(record).texts if self._export and known else record
        return _as_text(at_path(texts, self._columns.text))

    def _read(self, record: Any) -> tuple[str | None, str | None, str | None]:
        """Return the text, the label, and why the record is left out."""
        _require_object(record)
        text, label = self._columns.text, self._columns.label
        if self._export is None:
            return _as_text(at_path(record, text)), _as_label(at_path(record, label)), None
        if not self._export.recognise(record):
            raise ValueError(f"not a record as {self._export.tool} writes it")
        entry = self._export.entry(record)
        if entry.left_out and label != self._export.decision:
            return None, None, entry.left_out
        answers = entry.answers.get(label, ())
        if not answers:
            return None, None, NOT_LABELLED
        return _as_text(entry.texts.get(text)), _agreed(answers), None


def _require_object(record: Any) -> None:
    if not isinstance(record, dict):
        reason = record.reason if isinstance(record, Unreadable) else "not a JSON object"
        raise ValueError(reason)  # noqa: TRY004 - about the data, not the code


def names_in(records: Iterable[Record]) -> list[str]:
    """Return the names that some records have, in the order in which they occur."""
    return list(dict.fromkeys(name for record in records for name in record))


def _columns_of_export(
    export: Export, entries: Sequence[Entry], columns: Columns, file: str
) -> Columns:
    """Return the text and the question asked for; where there is only one, it needs no name."""
    texts = dict.fromkeys(
        name for entry in entries for name, value in entry.texts.items() if isinstance(value, str)
    )
    text = _choose(list(texts), columns.text, Columns().text)
    questions = dict.fromkeys(name for entry in entries for name in entry.answers if name != text)
    label = _choose(list(questions), columns.label, Columns().label)
    chosen = {"text": (text, texts), "label": (label, questions)}
    for option, wanted in columns.needed.items():
        name, names = chosen[option]
        if name is None:
            raise DataError(
                f'{file} is an export of {export.tool} without a {option} "{excerpt(wanted)}"; '
                + (f"it has {listed(list(names))}" if names else "it has none at all"),
                hint=_naming(option, list(names)),
            )
    return replace(columns, text=str(text), label=str(label))


def _naming(option: str, names: Sequence[str]) -> str | None:
    if len(names) > 1:
        return f"--{option}-column takes one of these names"
    return f"--{option}-column {shlex.quote(names[0])}" if names else None


def _choose(names: list[str], wanted: str, default: str) -> str | None:
    if wanted in names:
        return wanted
    same = [name for name in names if name.casefold() == wanted.strip().casefold()]
    if wanted == default and not same:
        same = names
    return same[0] if len(same) == 1 else None


def _agreed(answers: Sequence[Any]) -> str | None:
    """Return the label that all annotators gave. Raises ValueError if they gave different ones."""
    if all(answer == answers[0] for answer in answers):
        return _as_label(answers[0])
    labels = [_as_label(answer) for answer in answers]
    raise ValueError(f"the annotators disagree: {_named(labels)}")


def _as_label(value: Any) -> str | None:
    """Return a label; a list of one is that one. Raises ValueError if there are several."""
    if not isinstance(value, list):
        return _as_text(value, "label")
    if len(value) > 1:
        raise ValueError(f"{len(value)} labels: {_named(value)}")
    return _as_text(value[0], "label") if value else None


def _named(labels: Sequence[Any]) -> str:
    different = dict.fromkeys(excerpt(label, 40) for label in labels)
    more = ", …" if len(different) > _MOST_LABELS else ""
    return ", ".join(list(different)[:_MOST_LABELS]) + more


def _as_text(value: Any, what: str = "text") -> str | None:
    """Return a text, or a number or a truth value as JSON writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return None
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, NotJson):
        raise ValueError(f"invalid JSON: {value.name}")  # noqa: TRY004 - about the data
    if not isinstance(value, str):
        raise ValueError(f"the {what} is {'a list' if isinstance(value, list) else 'an object'}")  # noqa: TRY004 - as above
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the {what} contains an unpaired surrogate") from None
    return value
