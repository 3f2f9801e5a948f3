"""Read labelled data: a file or a folder becomes a `Dataset` with its fingerprints."""

import enum
import hashlib
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Final

from textclf.data.columns import Columns, NoLabels, position_options
from textclf.data.delimited import DELIMITED
from textclf.data.encoding import (
    NotTextError,
    decompress,
    is_binary,
    is_utf_8,
    keep_undecoded,
    marked_encoding,
    misread_character,
    not_text_at_all,
    to_utf8,
)
from textclf.data.fasttext import FASTTEXT
from textclf.data.folder import read_folder
from textclf.data.format import MOST_BAD, NO_LABEL, Format, Rows, Source
from textclf.data.jsonl import JSONL
from textclf.data.likely_encoding import likely_encodings, utf_16_without_mark
from textclf.data.other_files import no_such_file
from textclf.data.parquet import PARQUET
from textclf.data.records import NOT_LABELLED
from textclf.data.spreadsheet import SPREADSHEET, is_spreadsheet
from textclf.errors import DataError, UsageError
from textclf.files import read_bytes
from textclf.formatting import encodable, excerpt, first_few, plural
from textclf.metadata.schema import BadRow

FORMATS: Final = (PARQUET, SPREADSHEET, FASTTEXT, JSONL, DELIMITED)
"""All formats; the first that recognises a file reads it, if the name does not decide."""

_CHUNK = 10_000
"""Rows that are hashed at a time."""

_MOST_EXAMPLES = 5


class OnBadRows(enum.StrEnum):
    """What to do about rows that cannot be used."""

    AUTO = "auto"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class ReadOptions:
    r"""How a data set is written, as far as its user has to say.

    Attributes:
        text_column: a name; or, in a file without a header, a position counted from 1.
        label_column: likewise.
        delimiter: the character between columns, detected if None. ``tab`` and ``\t`` are a tab,
            ``\x01`` is that character.
        encoding: by Python's name; None is UTF-8, or what a byte-order mark says.
        header: whether the first row names the columns; None: it does unless both are positions.
        sheet: the name of a sheet, in a workbook with several.
        on_bad_rows: fail and name them, or leave them out; ``auto`` leaves out up to 1% of the
            rows.
    """

    text_column: str = "text"
    label_column: str = "label"
    delimiter: str | None = None
    encoding: str | None = None
    on_bad_rows: OnBadRows = OnBadRows.AUTO
    header: bool | None = None
    sheet: str | None = None

    def columns(self, *, needs_label: bool = True) -> Columns:
        """Return the columns asked for. Raises UsageError if they need a header that is not there.

        Args:
            needs_label: whether the labels are read, too.
        """
        columns = Columns(self.text_column, self.label_column, self.header, needs_label)
        if self.header is False and columns.positions is None:
            raise UsageError(
                "without a header the columns are given by their positions",
                hint=position_options(range(len(columns.needed))),
            )
        return columns

    def as_recorded(self) -> dict[str, str | None]:
        """Return the options as the metadata of a version have them."""
        options = asdict(self).items()
        return {name: None if value is None else str(value) for name, value in options}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled texts, in the order of their file.

    Attributes:
        path: as given, with ``/``.
        format: ``csv``, ``jsonl``, ``parquet``, ``spreadsheet``, ``fasttext``, ``folder``.
        sha256: of the file's bytes; of a folder, over the sorted names and contents of its files.
        texts: exactly as written.
        labels: the labels of the texts, without the white space around them.
        places: the line (Parquet: the row; a folder: the file) of each text; see `where`. If rows
            of several files were joined, with the path of each.
        bad_rows: the rows left out because they cannot be used.
        tool: the labelling tool whose export it is, if it is one.
        left_out: how many rows that tool does not train on, by the reason.
        notes: sentences on what of the file is no row and was not read, such as titles.
        misread: a warning if it is UTF-8 and was read in another encoding, as asked for.
        dropped_labels: the labels whose rows were left out, with their number.
    """

    path: str
    format: str
    sha256: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    places: Sequence[int] | Sequence[str] | Sequence[tuple[str, int | str]]
    bad_rows: tuple[BadRow, ...]
    tool: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    misread: str | None = None
    dropped_labels: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)

    def where(self, row: int) -> str:
        """Return where a row starts: ``data/train.csv:17``."""
        return _where(self.path, self.places[row])

    @property
    def label_counts(self) -> dict[str, int]:
        """The number of rows of each label, sorted by label."""
        return dict(sorted(Counter(self.labels).items()))

    def leaves_out_bad_rows(self, policy: "OnBadRows") -> bool:
        """Whether rows that cannot be used are left out; ``auto`` leaves out a few."""
        few = len(self.bad_rows) <= MOST_BAD * (len(self) + len(self.bad_rows))
        return policy is OnBadRows.SKIP or (policy is OnBadRows.AUTO and few)

    @property
    def reading_notes(self) -> list[str]:
        """Sentences on what the file is read as, and on what of it is not read."""
        export = [self.export_note] if self.export_note else []
        return export + [f"{self.path}: {note}" for note in self.notes]

    @property
    def reading_warnings(self) -> list[str]:
        """Sentences on a doubtful encoding, and on rows that were left out."""
        warnings = (self.misread, self.bad_rows_note, self.dropped_labels_note)
        return [warning for warning in warnings if warning]

    @property
    def export_note(self) -> str | None:
        """A sentence on the tool whose export it is, and on the records that were left out."""
        if self.tool is None:
            return None
        count = sum(self.left_out.values())
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(self.left_out.items()))
        left_out = f"; left out of {len(self) + count:,} records: {reasons}" if count else ""
        return f"{self.path} is read as an export of {self.tool}{left_out}"

    @property
    def bad_rows_note(self) -> str | None:
        """A sentence on the rows that were left out because they cannot be used."""
        if not self.bad_rows:
            return None
        count = f"{plural(len(self.bad_rows), 'row')} of {len(self) + len(self.bad_rows):,}"
        return f"left out {count} that cannot be used: {'; '.join(_named_rows(self.bad_rows))}"

    @property
    def dropped_labels_note(self) -> str | None:
        """A sentence on the labels whose rows were left out."""
        if not self.dropped_labels:
            return None
        rows = plural(sum(self.dropped_labels.values()), "row")
        named = ", ".join(named_counts(self.dropped_labels))
        return f"left out {rows} of {self.path} with labels that have too few: {named}"

    @cached_property
    def rows_sha256(self) -> str:
        """The digest of the rows, which does not depend on how they are stored."""
        digest = hashlib.sha256()
        pairs = zip(self.texts, self.labels, strict=True)
        while chunk := list(islice(pairs, _CHUNK)):
            # The lengths make it unambiguous where a text or a label ends.
            framed = [f"{len(text)} {len(label)}\n{text}{label}" for text, label in chunk]
            digest.update("".join(framed).encode())
        return digest.hexdigest()


def named_counts(counts: Mapping[str, int]) -> list[str]:
    """Return the first labels of some, each with its number of rows, for a message."""
    named = [f"{excerpt(label, 40)} ({plural(n, 'row')})" for label, n in counts.items()]
    return first_few(named, _MOST_EXAMPLES)


def _named_rows(bad_rows: Sequence[BadRow]) -> list[str]:
    return first_few([f"{row.where}: {row.reason}" for row in bad_rows], _MOST_EXAMPLES)


def read_dataset(path: Path, options: ReadOptions = ReadOptions()) -> Dataset:
    """Read labelled data from a file, or from a folder that holds a folder per label.

    To list all bad rows, read with `OnBadRows.SKIP`.

    Raises:
        DataError: it cannot be read, or no row of it is usable, or some are not and not to be
            skipped.
        UsageError: an option makes no sense.
    """
    path = Path(path)
    check_encoding(options.encoding)
    delimiter = parse_delimiter(options.delimiter)
    name = encodable(path.as_posix())
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where it may not look
        rows, sha256 = read_folder(path, name, options.encoding)
        return dataset_from_rows(name, "folder", sha256, rows, options.on_bad_rows)
    raw = _read_bytes(path, name)
    sha256 = hashlib.sha256(raw).hexdigest()
    columns = options.columns()
    data = raw if is_spreadsheet(raw) else decompress(raw, name)
    source = Source(data, name, columns, delimiter, sheet=options.sheet)
    del raw, data
    format_, rows, misread = _parse(source, options.encoding)
    dataset = dataset_from_rows(name, format_, sha256, rows, options.on_bad_rows)
    return replace(dataset, misread=misread)


def _parse(source: Source, encoding: str | None) -> tuple[str, Rows, str | None]:
    """Return the format, by the ending of the name if the content is text, and the rows.

    Returns:
        The name of the format, the rows, and a warning if the encoding is not that of the file.
    """
    format_ = _recognised(source, binary=True) or next(
        (format_ for format_ in FORMATS if source.ending in format_.endings), None
    )
    if format_ is not None and format_.binary:
        return format_.name, format_.read(source), None
    misread = misread_warning(source.data, source.name, encoding)
    source = decode(source, encoding)
    certain = (one for one in FORMATS if one.unmistakable and one.recognise(source))
    format_ = next(certain, format_) or _recognised(source, binary=False) or DELIMITED
    rows = format_.read(source)
    if source.undecoded:
        rows = rows.without_undecoded(source.undecoded)
    return format_.name, rows, misread


def _recognised(source: Source, *, binary: bool) -> Format | None:
    formats = (format_ for format_ in FORMATS if format_.binary is binary)
    return next((format_ for format_ in formats if format_.recognise(source)), None)


def misread_warning(data: bytes, name: str, encoding: str | None) -> str | None:
    """Return a warning if bytes are UTF-8 and are to be read in another encoding."""
    character = misread_character(data, encoding)
    if character is None:
        return None
    return (
        f'{name} looks like UTF-8; read as {encoding}, it has "{character[1]}" in place of '
        f'"{character[0]}"; leave out --encoding'
    )


def decode(source: Source, encoding: str | None) -> Source:
    """Return the source in UTF-8.

    Raises:
        DataError: it is empty, or no text in this encoding; likely ones are named.
    """
    if encoding and marked_encoding(source.data) == "utf-8" and not is_utf_8(encoding):
        raise DataError(
            f"{source.name} begins with the byte-order mark of UTF-8, but --encoding is {encoding}",
            hint="leave out --encoding",
        )
    undecoded = None
    try:
        data = to_utf8(source.data, encoding)
    except NotTextError as problem:
        kept = keep_undecoded(source.data, problem.codec)
        if kept is None or utf_16_without_mark(source.data):
            raise _not_text(source, problem, guess=encoding is None) from None
        data, undecoded = kept, problem.codec
    if not data.strip():
        raise DataError(f"{source.name} is empty")
    return replace(source, data=data, undecoded=undecoded)


def _not_text(source: Source, problem: NotTextError, *, guess: bool) -> DataError:
    likely = likely_encodings(source.data) if guess else []
    if guess and not likely and is_binary(source.data):
        return not_text_at_all(source.name)
    names = [encoding.name for encoding in likely]
    hint = f"--encoding {names[0]}" if names else None
    if len(names) > 1:
        options = " or ".join(f"--encoding {name}" for name in names)
        hint = f"{options}, whichever makes the line above readable"
    details = [f"{encoding.name}: {encoding.line}" for encoding in likely]
    message = f"{_where(source.name, problem.line)}: {problem.reason}"
    return DataError(message, details=details, hint=hint)


def dataset_from_rows(
    name: str, format_: str, sha256: str | None, rows: Rows, on_bad_rows: OnBadRows
) -> Dataset:
    """Return the data set that rows make.

    Args:
        name: what it is called.
        format_: the format it was read from.
        sha256: the digest of what it was read from; ``None``: that of the rows.
        rows: the rows.
        on_bad_rows: what to do about those that cannot be used.

    Raises:
        DataError: no row is usable, or some are not and not to be skipped.
    """
    if not rows.texts and not rows.bad:
        raise _no_rows_error(name, rows)
    bad_rows = tuple(BadRow(_where(name, place), reason) for place, reason in rows.bad)
    texts, labels = tuple(rows.texts), tuple(rows.labels)
    dataset = Dataset(
        name,
        format_,
        sha256 or "",
        texts,
        labels,
        rows.places,
        bad_rows,
        rows.tool,
        rows.left_out,
        tuple(rows.notes),
    )
    if sha256 is None:
        dataset = replace(dataset, sha256=dataset.rows_sha256)
    if not texts or not (dataset.leaves_out_bad_rows(on_bad_rows) or not bad_rows):
        raise _bad_rows_error(name, bad_rows, usable=len(texts))
    return dataset


def _no_rows_error(name: str, rows: Rows) -> DataError:
    if not rows.left_out:
        return DataError(f"{name} contains no rows")
    reasons = " or ".join(sorted(rows.left_out))
    error = NoLabels if list(rows.left_out) == [NOT_LABELLED] else DataError
    return error(f"{name} is an export of {rows.tool} in which every record is {reasons}")


def _bad_rows_error(name: str, bad_rows: Sequence[BadRow], usable: int) -> DataError:
    details = _named_rows(bad_rows)
    if not usable and {row.reason for row in bad_rows} == {NO_LABEL}:
        return NoLabels(f"no row of {name} has a label", hint="is --label-column right?")
    hint = f"--on-bad-rows skip goes on with the other {plural(usable, 'row')}"
    if not usable:
        hint = "no row is usable: are --text-column, --label-column and --delimiter right?"
    return DataError(f"{plural(len(bad_rows), 'bad row')} in {name}", hint=hint, details=details)


def _where(name: str, place: int | str | tuple[str, int | str]) -> str:
    if isinstance(place, tuple):
        return _where(*place)
    return f"{name}/{place}" if isinstance(place, str) else f"{name}:{place}"


def parse_delimiter(given: str | None) -> str | None:
    """Return the character that an option names. Raises UsageError if it cannot separate cells."""
    escape = re.fullmatch(r"\\x([0-9a-fA-F]{2})", given or "")
    delimiter = chr(int(escape[1], 16)) if escape else given
    delimiter = "\t" if given in ("tab", "\\t") else delimiter
    if delimiter is not None and (
        len(delimiter) != 1 or delimiter in '"\r\n' or delimiter != encodable(delimiter)
    ):
        raise UsageError(
            f'"{excerpt(given)}" is not a valid delimiter: it takes one character, not a quote',
            hint="put a tab in place of the characters that separate columns"
            if len(delimiter) > 1
            else "--delimiter tab, or ';', or '|'",
        )
    return delimiter


def check_encoding(encoding: str | None) -> None:
    """Raise UsageError if Python knows no encoding of this name."""
    try:
        b"  ".decode(encoding or "utf-8")
    except (LookupError, ValueError) as error:
        if isinstance(error, UnicodeError) and not isinstance(error, UnicodeEncodeError):
            return  # the encoding is known; these two bytes need not be text in it
        raise UsageError(
            f'there is no encoding "{excerpt(encoding)}"',
            hint="--encoding takes utf-8, cp1252, latin-1, utf-16 and the like",
        ) from None


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        data = read_bytes(path)
    except FileNotFoundError:
        raise no_such_file(path) from None
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}") from None
    if not data:
        raise DataError(f"{name} is empty")
    return data
