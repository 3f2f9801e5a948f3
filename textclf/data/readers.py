"""Parse the UTF-8 bytes of a data file into texts, labels and the line each row starts on.

One public function per format. A row that cannot be used is noted with its reason, so that whoever
asked decides what becomes of it; only a file that makes no sense as a whole raises `DataError`.
"""

import csv
import difflib
import io
import json
import re
import shlex
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final, NamedTuple, NoReturn

from textclf.errors import DataError

DELIMITERS: Final = (",", "\t", ";", "|")
FASTTEXT_PREFIX: Final = "__label__"

_SAMPLE = 1 << 16  # bytes looked at to find out how a file is written
_REGULAR = 0.9  # share of records with the same number of columns that makes a table
_LONGEST = 2**31 - 1  # csv's default would refuse a text of more than 128 KB
_MOST_MALFORMED = 100  # in the sample: enough to know
_MOST_READ_AGAIN = 5  # times the file, resuming after malformed quotes


@dataclass(frozen=True)
class Columns:
    """The two columns asked for, each by its name or by its position counted from 1."""

    text: str = "text"
    label: str = "label"

    @property
    def positions(self) -> tuple[int, int] | None:
        """Indices of text and label where both are positions: the file then has no header."""
        text, label = _position(self.text), _position(self.label)
        return None if text is None or label is None else (text, label)


@dataclass
class Rows:
    """What was read: usable rows in parallel sequences, and the others with their reason."""

    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    lines: "array[int]" = field(default_factory=lambda: array("I"))
    bad: list[tuple[int, str]] = field(default_factory=list)
    # Label as written → stripped: one string per label in memory, and the quick way to a good row.
    known: dict[str, str] = field(default_factory=dict)

    def add(self, line: int, text: str | None, label: str | None) -> None:
        """Keep a row, or note what it lacks."""
        stripped = label.strip() if label is not None else ""
        if not stripped:
            self.bad.append((line, "no label"))
        elif "\0" in stripped:  # NumPy takes it for the end
            self.bad.append((line, "a null character in the label"))
        elif text is None:
            self.bad.append((line, "no text"))
        elif not text or text.isspace():
            self.bad.append((line, "empty text"))
        else:
            self.texts.append(text)
            self.labels.append(self.known.setdefault(label or "", stripped))
            self.lines.append(line)


def excerpt(text: str, limit: int = 60) -> str:
    """Return the start of a text as one printable line."""
    start = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in start)


def counted(number: int, noun: str) -> str:
    """Return the number with its noun, in the plural where it is one: ``3 columns``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


# --- delimited text -------------------------------------------------------------------------------


class _Dialect(NamedTuple):
    delimiter: str
    quote: str | None  # None: quote characters are ordinary ones

    def reader(self, lines: Iterable[str], *, strict: bool = True) -> Any:
        if self.quote is None:
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, strict=strict)


class _Layout(NamedTuple):
    text: int
    label: int
    width: int
    norm: str  # what sets the width, for the reason of a row that has another


class _Start(NamedTuple):
    """A place in the data: so many lines, so many bytes come before it."""

    lines: int
    offset: int

    def forward(self, data: bytes, lines: int) -> "_Start":
        """Return the place that many physical lines on, the end at most."""
        offset = self.offset
        for _ in range(lines):
            end = data.find(b"\n", offset)
            offset = len(data) if end < 0 else end + 1
        return _Start(self.lines + lines, offset)


@dataclass(frozen=True)
class _Reading:
    """The first records of a file as one dialect has them; a malformed one has no cells."""

    dialect: _Dialect
    records: list[list[str]]
    width: int
    share: float  # of the records that have this width

    @property
    def regular(self) -> bool:
        return self.width > 1 and self.share >= _REGULAR


def read_delimited(data: bytes, name: str, columns: Columns, delimiter: str | None) -> Rows:
    """Read delimited text; the delimiter and the quote character are found where not given.

    Raises:
        DataError: the columns cannot be told apart, or are not those asked for.
    """
    csv.field_size_limit(_LONGEST)
    data = _with_line_feeds(data)
    readings = _readings(data, (delimiter,) if delimiter else DELIMITERS)
    if columns.positions is None:
        dialect, layout = _with_header(readings, name, columns)
        start = _after_header(data, dialect)
    else:
        dialect, layout = _without_header(readings, name, columns.positions)
        start = _Start(0, 0)
    if dialect.delimiter == "\t" and dialect.quote and dialect.quote.encode() in data:
        return _read_tabs(data, name, start, dialect, layout)
    return _read_body(data, name, start, dialect, layout)


def _read_tabs(data: bytes, name: str, start: _Start, dialect: _Dialect, layout: _Layout) -> Rows:
    """Read tab-separated text, whose quotes often do not quote: then they are ordinary characters.

    That is so where they are malformed, or join lines that are each a record of their own, unless
    more rows are usable with them.
    """
    plain = _Dialect("\t", None)
    try:
        rows = _read_body(data, name, start, dialect, layout)
    except DataError:
        return _read_body(data, name, start, plain, layout)
    malformed = any(reason.startswith("malformed") for _, reason in rows.bad)
    if not malformed and not _joins_records(data, start, rows):
        return rows
    unquoted = _read_body(data, name, start, plain, layout)
    return unquoted if len(unquoted.bad) <= len(rows.bad) else rows


def _joins_records(data: bytes, start: _Start, rows: Rows) -> bool:
    """Tell whether records span lines although each line has as many tabs as any other."""
    lines = data.count(b"\n", start.offset) + (not data.endswith(b"\n"))
    if len(rows.texts) + len(rows.bad) == lines:
        return False
    tabs = {line.count("\t") for line in _lines(data) if line.strip("\r\n")}
    return len(tabs) == 1


def _read_body(data: bytes, name: str, start: _Start, dialect: _Dialect, layout: _Layout) -> Rows:
    """Read all records; after a malformed one go on at the next physical line."""
    rows = Rows()
    budget = _MOST_READ_AGAIN * (data.count(b"\n") + 1)
    while start.offset < len(data):
        reader = dialect.reader(_lines(data, start.offset))
        line, error = _take(reader, start.lines, layout, rows)
        if error is None:
            break
        budget -= start.lines + reader.line_num - line
        if budget < 0:
            raise DataError(
                f"{name}:{line}: the quotes make no sense, from here or before: too many are "
                "opened and never closed",
                hint=f"write each {dialect.quote} inside a quoted text twice",
            )
        failed = start.forward(data, line - start.lines - 1)
        rows.bad.append((line, _malformed(error, data, failed, dialect)))
        start = failed.forward(data, 1)
    return rows


def _take(reader: Any, before: int, layout: _Layout, rows: Rows) -> tuple[int, str | None]:
    """Take records to the end, or to the first malformed one: its line and what csv says of it.

    This loop is all that a good row goes through: it does its checks in place.
    """
    text_at, label_at, width, _ = layout
    known_label = rows.known.get
    add_text, add_label, add_line = rows.texts.append, rows.labels.append, rows.lines.append
    line = before + 1
    try:
        for row in reader:
            if (
                len(row) == width
                and (label := known_label(row[label_at]))
                and (text := row[text_at])
                and not text.isspace()
            ):
                add_text(text)
                add_label(label)
                add_line(line)
            elif row:
                _take_other(row, line, layout, rows)
            line = before + reader.line_num + 1
    except csv.Error as error:
        return line, str(error)
    return line, None


def _take_other(row: list[str], line: int, layout: _Layout, rows: Rows) -> None:
    """Take a row that has a new label, another width than most, or something missing."""
    while len(row) > layout.width and not row[-1].strip():
        row.pop()
    if len(row) > layout.width or len(row) <= max(layout.text, layout.label):
        rows.bad.append((line, f"{counted(len(row), 'column')}, {layout.norm}"))
    else:
        rows.add(line, row[layout.text], row[layout.label])


def _malformed(error: str, data: bytes, start: _Start, dialect: _Dialect) -> str:
    """Return the reason for a record that starts here and that csv gave up on."""
    if "end of data" in error:
        last = start.lines + data.count(b"\n", start.offset) + (not data.endswith(b"\n"))
        record = next(dialect.reader(_lines(data, start.offset), strict=False))
        opened = last - record[-1].count("\n") + data.endswith(b"\n")
        rest = counted(last - opened + 1, "line")
        return (
            f"malformed quoting: the quote opened on line {opened} is never closed, "
            f"the rest of the file ({rest}) would be one text"
        )
    if "new-line" in error:
        return "malformed quoting: a carriage return outside quotes"
    if "field limit" in error:
        return "a text of more than 2 GB"
    return "malformed quoting: text after a closing quote"


def _lines(data: bytes, offset: int = 0) -> Iterator[str]:
    """Iterate over physical lines; lone carriage returns stay inside them."""
    stream = io.BytesIO(data)  # shares the memory of `data`
    stream.seek(offset)
    return io.TextIOWrapper(stream, encoding="utf-8", newline="\n")


def _with_line_feeds(data: bytes) -> bytes:
    """Return data whose lines end in line feeds; old Macs wrote carriage returns alone."""
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def _after_header(data: bytes, dialect: _Dialect) -> _Start:
    reader = dialect.reader(_lines(data))
    next(row for row in reader if row)
    return _Start(0, 0).forward(data, reader.line_num)


# --- how a delimited file is written --------------------------------------------------------------


def _readings(data: bytes, delimiters: Sequence[str]) -> list[_Reading]:
    """Read the start of the data by each delimiter, with the quote character that suits it."""
    end = data.find(b"\n", _SAMPLE) + 1
    head = data[:end] if end else data
    readings = [_with_best_quote(head, delimiter, len(data)) for delimiter in delimiters]
    if len(head) < len(data) and not any(reading.records for reading in readings):
        readings = [_with_best_quote(data, delimiter, len(data)) for delimiter in delimiters]
    return readings


def _with_best_quote(head: bytes, delimiter: str, size: int) -> _Reading:
    """Read with ``"``, or with ``'`` where that opens more cells and makes a better table."""
    double, single = (_reading(head, _Dialect(delimiter, quote), size) for quote in "\"'")
    opened = [len(re.findall(_opening(delimiter, quote), head)) for quote in "\"'"]
    likelier = opened[1] > opened[0] and single.regular and single.share > double.share
    return single if likelier and delimiter != "'" else double


def _opening(delimiter: str, quote: str) -> bytes:
    return f"(?:^|\n|{re.escape(delimiter)}){quote}".encode()


def _reading(head: bytes, dialect: _Dialect, size: int) -> _Reading:
    records = list(_sample_records(head, dialect, size))
    widths = Counter(len(record) for record in records if record)
    width, count = max(widths.items(), key=lambda item: item[1], default=(0, 0))
    return _Reading(dialect, records, width, count / len(records) if records else 0.0)


def _sample_records(head: bytes, dialect: _Dialect, size: int) -> Iterator[list[str]]:
    start, malformed = _Start(0, 0), 0
    while start.offset < len(head) and malformed < _MOST_MALFORMED:
        reader = dialect.reader(_lines(head, start.offset))
        done = 0
        try:
            for row in reader:
                if row:
                    yield row
                done = reader.line_num
            break
        except csv.Error as error:
            if len(head) < size and "end of data" in str(error):
                break  # cut off by the sample, as far as one can tell
            malformed += 1
            yield []
            start = start.forward(head, done + 1)


def _with_header(readings: list[_Reading], name: str, columns: Columns) -> tuple[_Dialect, _Layout]:
    """Return the first reading whose first record holds both columns."""
    for reading in readings:
        header = reading.records[0] if reading.records else []
        text, label = _locate(header, columns.text), _locate(header, columns.label)
        if len(text) == 1 and len(label) == 1:
            _refuse_same(name, text[0], label[0])
            named = max(i for i, cell in enumerate(header) if cell.strip())
            width = max(named, *text, *label) + 1
            norm = f"the header names {width}"
            return reading.dialect, _Layout(text[0], label[0], width, norm)
    reading = max(readings, key=lambda reading: _likeness(reading, columns))
    if reading.width < 2 or not (_likeness(reading, columns)[0] or len(readings) == 1):  # noqa: PLR2004 - two columns
        raise _not_separated(name, readings)
    raise _no_such_columns(name, reading.records, columns)


def _likeness(reading: _Reading, columns: Columns) -> tuple[int, float, int]:
    """Order the readings by how much they look like the table that was meant."""
    header = reading.records[0] if reading.records else []
    found = sum(bool(_locate(header, wanted)) for wanted in (columns.text, columns.label))
    return (2 * found if len(header) > 1 else 0) + reading.regular, reading.share, reading.width


def _without_header(
    readings: list[_Reading], name: str, positions: tuple[int, int]
) -> tuple[_Dialect, _Layout]:
    """Return the most regular reading; the width of most records is the one all should have."""
    regular = [reading for reading in readings if reading.regular]
    if len(readings) == 1 and readings[0].width > 1:
        regular = readings
    if not regular:
        raise _not_separated(name, readings)
    best = max(regular, key=lambda reading: (reading.width > max(positions), reading.share))
    if best.width <= max(positions):
        option = "text" if positions[0] == max(positions) else "label"
        raise DataError(
            f"{name} has {best.width} columns, there is no column {max(positions) + 1}",
            hint=f"--{option}-column takes a position from 1 to {best.width}",
        )
    _refuse_same(name, *positions)
    return best.dialect, _Layout(*positions, best.width, f"most rows have {best.width}")


# --- columns, and what to say when they are not there ---------------------------------------------


def _position(column: str) -> int | None:
    """Return the index of a column given by its position, counted from 1; None for a name."""
    return int(column) - 1 if re.fullmatch(r"[1-9][0-9]{0,8}", column) else None


def _locate(header: Sequence[str], wanted: str) -> list[int]:
    """Return where a column is: by its very name, by position, or by its name in other case."""
    exact = [i for i, cell in enumerate(header) if cell == wanted]
    if exact:
        return exact
    position = _position(wanted)
    if position is not None:
        return [position] if position < len(header) else []
    folded = wanted.strip().casefold()
    return [i for i, cell in enumerate(header) if folded and cell.strip().casefold() == folded]


def _refuse_same(name: str, text: int, label: int) -> None:
    if text == label:
        raise DataError(
            f"the text and the label of {name} are to come from the same column",
            hint="--text-column and --label-column name two different ones",
        )


def _no_such_columns(name: str, records: list[list[str]], columns: Columns) -> DataError:
    header, body = records[0], [record for record in records[1:] if record]
    if not header:
        return DataError(
            f"{name}:1: malformed quoting in the first line, which is to name the columns",
            hint="mend it; without a header give positions: --text-column 1 --label-column 2",
        )
    guess = _guess([header, *body])
    if columns == Columns() and guess and _like_data(header, body, guess[1]):
        return DataError(
            f'{name}:1: the first line names no columns "text" and "label", '
            f"it reads {_listed(header)}",
            hint=f"no header? give positions: {_options(guess)}",
        )
    return _wrong_name(name, header, columns, _guess(body, len(header)))


def _wrong_name(
    name: str, header: Sequence[str], columns: Columns, guess: tuple[int, int] | None = None
) -> DataError:
    """Return the error for the first column that is not there, or there more than once."""
    hints, problem = [], ""
    for at, (option, wanted) in enumerate((("text", columns.text), ("label", columns.label))):
        found = _locate(header, wanted)
        if len(found) == 1:
            continue
        times = f"has {len(found)} columns" if found else "has no column"
        problem = problem or f'{times} "{excerpt(wanted)}"'
        close = difflib.get_close_matches(wanted, [cell for cell in header if cell.strip()], 1)
        if found:
            hints.append(f"--{option}-column {found[0] + 1}")
        elif close:
            hints.append(f"--{option}-column {shlex.quote(close[0])}")
        elif guess and header[guess[at]].strip():
            hints.append(f"--{option}-column {shlex.quote(header[guess[at]])}")
    hint = " ".join(hints) or "name them by --text-column and --label-column"
    return DataError(f"{name} {problem}; its columns are {_listed(header)}", hint=hint)


def _guess(records: list[list[str]], width: int | None = None) -> tuple[int, int] | None:
    """Guess text and label: the longest cells, and those with the fewest different values."""
    width = len(records[0]) if width is None else width
    columns = list(zip(*(r[:width] for r in records if len(r) >= width), strict=True))
    filled = [i for i, cells in enumerate(columns) if sum(map(bool, cells)) > len(cells) / 2]
    if len(filled) < 2:  # noqa: PLR2004 - a text and a label
        return None
    text = max(filled, key=lambda i: sum(map(len, columns[i])))
    label = min((i for i in filled if i != text), key=lambda i: len(set(columns[i])))
    return text, label


def _like_data(header: list[str], body: list[list[str]], label: int) -> bool:
    """Tell whether a first record is no header: a name is short, and stands there once."""
    recurs = any(len(row) > label and row[label] == header[label] for row in body)
    return recurs or any(len(cell) > 40 or cell.strip().isdecimal() for cell in header)  # noqa: PLR2004 - no name is that long


def _options(guess: tuple[int, int]) -> str:
    return f"--text-column {guess[0] + 1} --label-column {guess[1] + 1}"


def _listed(cells: Sequence[str]) -> str:
    shown = [excerpt(cell, 40) for cell in cells if cell.strip()]
    return ", ".join(shown[:10]) + (", …" if len(shown) > 10 else "")  # noqa: PLR2004 - a line's worth


def _not_separated(name: str, readings: list[_Reading]) -> DataError:
    """Return the error for a file in which no delimiter makes columns, with a way to go on."""
    lines = [_joined(reading) for reading in readings]
    sample = next((each for each in lines if each), [""])
    message = f'{name}:1: nothing separates a text from its label in "{excerpt(sample[0])}"'
    separator = _separator(sample)
    if separator:
        guess = _guess([line.split(separator) for line in sample]) or (0, 1)
        return DataError(message, hint=f"--delimiter {shlex.quote(separator)} {_options(guess)}")
    words = {line.split(maxsplit=1)[0] for line in sample if line.strip()}
    if len(words) > len(sample) / 2:
        return DataError(message, hint="--delimiter gives the character that does")
    stem = PurePath(name.removesuffix(".gz")).stem + ".tsv"
    cat = "zcat" if name.endswith(".gz") else "cat"
    return DataError(
        message,
        hint="is the first word the label? "
        f"{cat} {shlex.quote(name)} | sed 's/ /\\t/' > {shlex.quote(stem)}",
    )


def _joined(reading: _Reading) -> list[str]:
    return [reading.dialect.delimiter.join(record) for record in reading.records if record]


def _separator(lines: list[str]) -> str | None:
    """Return a character that stands exactly once on every line, if there is one."""
    if len(lines) < 3:  # noqa: PLR2004 - too few to tell
        return None
    candidates = [c for c in lines[0] if not c.isalnum() and c not in " .,!?\"'"]
    return next((c for c in candidates if all(line.count(c) == 1 for line in lines)), None)


# --- the other formats ----------------------------------------------------------------------------


def read_jsonl(data: bytes, name: str, columns: Columns) -> Rows:
    """Read one JSON object a line; numbers and truth values become text as they are written.

    Raises:
        DataError: no object has the keys asked for.
    """
    decode = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_no_json).decode
    data = _with_line_feeds(data)
    keys = _json_keys(data, name, columns, decode)
    rows = Rows()
    for number, line in enumerate(_lines(data), 1):
        if line.isspace():
            continue
        try:
            text, label = _json_pair(decode(line), keys)
        except json.JSONDecodeError as error:
            rows.bad.append((number, f"invalid JSON: {error.msg} at column {error.colno}"))
        except RecursionError:
            rows.bad.append((number, "invalid JSON: nested too deeply"))
        except ValueError as error:
            rows.bad.append((number, str(error)))
        else:
            rows.add(number, text, label)
    return rows


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"invalid JSON: {constant}")


def _json_pair(row: Any, keys: Columns) -> tuple[str | None, str | None]:
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of the data, not of the code
    return _json_text(row.get(keys.text), "text"), _json_text(row.get(keys.label), "label")


def _json_text(value: Any, what: str) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"the {what} is {'a list' if isinstance(value, list) else 'an object'}")  # noqa: TRY004 - as above
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the {what} holds half a surrogate pair") from None
    return value


def _json_keys(data: bytes, name: str, columns: Columns, decode: Any) -> Columns:
    """Return the keys of text and label as the first objects write them."""
    seen: dict[str, None] = {}
    for line, _ in zip(_lines(data), range(100), strict=False):
        try:
            row = decode(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            seen.update(dict.fromkeys(row))
    keys = list(seen)
    return as_named(keys, name, columns) if keys else columns


def as_named(names: list[str], name: str, columns: Columns) -> Columns:
    """Return the columns by their exact names, where a number is a name as well.

    Raises:
        DataError: one of them is not there, or there more than once.
    """
    text, label = (
        [i for i in _locate(names, w) if _position(w) is None or names[i] == w]
        for w in (columns.text, columns.label)
    )
    if len(text) != 1 or len(label) != 1:
        raise _wrong_name(name, names, columns)
    _refuse_same(name, text[0], label[0])
    return Columns(names[text[0]], names[label[0]])


def read_fasttext(data: bytes) -> Rows:
    """Read fastText's lines: ``__label__`` and the label, white space, the text."""
    rows = Rows()
    for number, line in enumerate(_lines(_with_line_feeds(data)), 1):
        first, *rest = line.rstrip("\r\n").split(maxsplit=1) or [""]
        if not first:
            continue
        label = first.removeprefix(FASTTEXT_PREFIX) if first.startswith(FASTTEXT_PREFIX) else None
        text = rest[0] if rest else None
        if text and any(word.startswith(FASTTEXT_PREFIX) for word in text.split()):
            rows.bad.append((number, "two labels" if label else "no label at the start"))
        else:
            rows.add(number, text, label)
    return rows
