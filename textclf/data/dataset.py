"""Read labelled data: a file or a folder becomes a `Dataset` with its fingerprints."""

import contextlib
import difflib
import enum
import errno
import gzip
import hashlib
import io
import os
import shlex
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePath
from typing import Final

from textclf.data import parquet, readers
from textclf.data.readers import Columns, Rows, counted, excerpt
from textclf.errors import DataError, UsageError
from textclf.files import LARGEST, read_bytes, read_to_end

FORMATS: Final = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".ft": "fasttext",
}
_GZIP = b"\x1f\x8b"
_OTHER_ARCHIVES = {
    b"PK\x03\x04": ("a zip archive or an Office document", "unzip -p"),
    b"BZh": ("compressed by bzip2", "bzip2 -dc"),
    b"\xfd7zXZ\x00": ("compressed by xz", "xz -dc"),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "zstd -dc"),
}
_BYTE_ORDER_MARKS = {  # UTF-32 first: its mark starts with that of UTF-16
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_SMALL = 1 << 26  # bytes that any file may unpack to
_MOST_UNPACKED = 200  # times its size, of a larger one: text has 3 to 30
_CHUNK = 10_000  # rows hashed at a time
_EXAMPLES = 5


class OnBadRows(enum.StrEnum):
    """What to do about rows that cannot be used."""

    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class ReadOptions:
    r"""How a data set is written, as far as its user has to say.

    Attributes:
        text_column: a name; or, in a file without a header, a position counted from 1.
        label_column: likewise.
        delimiter: of columns; found if None. ``tab`` and ``\t`` stand for a tab.
        encoding: by Python's name; None is UTF-8, or what a byte-order mark says.
        on_bad_rows: fail and name them, or leave them out.
    """

    text_column: str = "text"
    label_column: str = "label"
    delimiter: str | None = None
    encoding: str | None = None
    on_bad_rows: OnBadRows = OnBadRows.FAIL


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used: where it starts (``train.csv:17``) and why."""

    where: str
    reason: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled texts, in the order of their file.

    Attributes:
        path: as given, with ``/``.
        format: ``csv``, ``jsonl``, ``parquet``, ``fasttext`` or ``folder``.
        sha256: of the file's bytes; of a folder, over the sorted names and contents of its files.
        texts: exactly as written.
        labels: of the texts, stripped.
        places: the line (Parquet: the row; a folder: the file) of each text; see `where`.
        bad_rows: the rows left out.
    """

    path: str
    format: str
    sha256: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    places: Sequence[int] | Sequence[str]
    bad_rows: tuple[BadRow, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def where(self, row: int) -> str:
        """Return where a row stands: ``data/train.csv:17``."""
        return _where(self.path, self.places[row])

    @property
    def label_counts(self) -> dict[str, int]:
        """Number of rows of each label, sorted by label."""
        return dict(sorted(Counter(self.labels).items()))

    @cached_property
    def rows_sha256(self) -> str:
        """Digest of the rows themselves, however they are stored."""
        digest = hashlib.sha256()
        pairs = zip(self.texts, self.labels, strict=True)
        while chunk := list(islice(pairs, _CHUNK)):
            # The lengths make it unambiguous where a text or a label ends.
            framed = [f"{len(text)} {len(label)}\n{text}{label}" for text, label in chunk]
            digest.update("".join(framed).encode())
        return digest.hexdigest()


def read_dataset(path: Path, options: ReadOptions = ReadOptions()) -> Dataset:
    """Read labelled data from a file, or from a folder that holds a folder per label.

    To list all bad rows, read with `OnBadRows.SKIP`.

    Raises:
        DataError: it cannot be read, or no row of it is usable, or some are not and not to be
            skipped.
    """
    path = Path(path)
    _check_options(options)
    name = _shown(path.as_posix())
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where it may not look
        return _read_folder(path, name, options)
    raw = _read_bytes(path)
    sha256 = hashlib.sha256(raw).hexdigest()
    data = _unpack(raw, name)
    del raw
    format_, rows = _parse(data, name, options)
    if not rows.texts and not rows.bad:
        raise DataError(f"{name} holds no rows")
    bad = tuple(BadRow(_where(name, line), reason) for line, reason in rows.bad)
    texts, labels = tuple(rows.texts), tuple(rows.labels)
    dataset = Dataset(name, format_, sha256, texts, labels, rows.lines, bad)
    return _checked(dataset, options.on_bad_rows)


def _checked(dataset: Dataset, on_bad_rows: OnBadRows) -> Dataset:
    if dataset.bad_rows and (on_bad_rows is OnBadRows.FAIL or not dataset.texts):
        raise _bad_rows_error(dataset.path, dataset.bad_rows, usable=len(dataset))
    return dataset


def _bad_rows_error(name: str, bad_rows: Sequence[BadRow], usable: int) -> DataError:
    details = [f"{row.where}: {row.reason}" for row in bad_rows[:_EXAMPLES]]
    if len(bad_rows) > _EXAMPLES:
        details.append(f"and {len(bad_rows) - _EXAMPLES:,} more")
    hint = f"--on-bad-rows skip goes on with the other {counted(usable, 'row')}"
    if not usable:
        hint = "no row is usable: are --text-column, --label-column and --delimiter right?"
    message = f"{counted(len(bad_rows), 'bad row')} in {name}"
    return DataError(message, hint=hint, details=details)


def _where(name: str, place: int | str) -> str:
    return f"{name}/{place}" if isinstance(place, str) else f"{name}:{place}"


def _shown(name: str) -> str:
    """Return a name that can be printed and stored, though its bytes be not UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()


def _check_options(options: ReadOptions) -> None:
    delimiter = options.delimiter
    if delimiter is not None and (
        len(_delimiter(delimiter)) != 1 or delimiter in '"\r\n' or delimiter != _shown(delimiter)
    ):
        raise UsageError(
            f'"{excerpt(delimiter)}" cannot be a delimiter, which is one character and no quote',
            hint="--delimiter tab, or ';', or '|'",
        )
    if options.encoding is None:
        return
    try:
        b"  ".decode(options.encoding)
    except (LookupError, ValueError) as error:
        if isinstance(error, UnicodeError) and not isinstance(error, UnicodeEncodeError):
            return  # the encoding is known; these two bytes need not be text in it
        raise UsageError(
            f'there is no encoding "{excerpt(options.encoding)}"',
            hint="--encoding takes utf-8, cp1252, latin-1, utf-16 and the like",
        ) from None


def _delimiter(delimiter: str) -> str:
    return "\t" if delimiter in ("tab", "\\t") else delimiter


# --- from a path to text --------------------------------------------------------------------------


def _read_bytes(path: Path) -> bytes:
    name = _shown(path.as_posix())
    try:
        data = read_bytes(path)
    except FileNotFoundError:
        raise DataError(f"there is no file {name}", hint=_similar_names(path)) from None
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}") from None
    except ValueError as error:  # a null character in the name
        raise DataError(f"{excerpt(name)} cannot be read: {error}") from None
    if not data:
        raise DataError(f"{name} is empty")
    return data


def _similar_names(path: Path) -> str | None:
    try:
        names = sorted(_shown(name) for name in os.listdir(path.parent))  # noqa: PTH208 - names only
    except OSError:
        return f"there is no folder {_shown(path.parent.as_posix())} either"
    longer = [name for name in names if name.startswith(path.name)]
    close = list(dict.fromkeys(longer + difflib.get_close_matches(path.name, names)))[:3]
    near = [_shown((path.parent / name).as_posix()) for name in close]
    return f"did you mean {' or '.join(near)}?" if near else None


def _unpack(raw: bytes, name: str) -> bytes:
    """Return the bytes, gunzipped where they are gzip's."""
    for magic, (what, command) in _OTHER_ARCHIVES.items():
        if raw.startswith(magic):
            raise DataError(
                f"{name} is {what}", hint=f"unpack it: {command} {shlex.quote(name)} > …"
            )
    if not raw.startswith(_GZIP):
        if name.lower().endswith(".gz"):
            raise DataError(
                f"{name} is not compressed by gzip, as its name says",
                hint="give it a name without .gz",
            )
        return raw
    most = min(LARGEST, max(_SMALL, len(raw) * _MOST_UNPACKED))
    try:
        with gzip.open(io.BytesIO(raw)) as packed:
            return read_to_end(packed, most)
    except (EOFError, OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            raise DataError(
                f"{name} is no data set: unpacked, {error.strerror}, "
                f"{most / len(raw):,.0f} times its size"
            ) from None
        raise DataError(
            f"{name} is damaged: gzip says {excerpt(str(error))}", hint="fetch or pack it again"
        ) from None


class _NotTextError(Exception):
    """Bytes that are no text in their encoding."""

    def __init__(self, line: int, reason: str, hint: str | None) -> None:
        self.line, self.reason, self.hint = line, reason, hint


def _to_utf8(data: bytes, encoding: str | None) -> bytes:
    """Return the same text in UTF-8 without a byte-order mark.

    Raises:
        _NotTextError: the bytes do not fit the encoding.
    """
    found = encoding or _marked_encoding(data) or _check_null_bytes(data)
    try:
        text = data.decode(found)
        if found != "utf-8":
            data = text.encode()
    except UnicodeDecodeError as error:
        line = 1
        with contextlib.suppress(UnicodeError):  # odd codecs cannot ignore
            line += data[: error.start].decode(found, "ignore").count("\n")
        byte = f"byte 0x{data[error.start]:02x}" if error.start < len(data) else "the end"
        hint = None if encoding else _other_encoding(data)
        raise _NotTextError(line, f"{byte} is not {found.upper()}", hint) from None
    except UnicodeError:  # from odd codecs, and of half surrogate pairs
        raise _NotTextError(1, f"not {found.upper()}", None) from None
    return data.removeprefix("\ufeff".encode())


def _marked_encoding(data: bytes) -> str | None:
    marks = _BYTE_ORDER_MARKS.items()
    return next((encoding for mark, encoding in marks if data.startswith(mark)), None)


def _check_null_bytes(data: bytes) -> str:
    """Return UTF-8, the default, unless every other byte is null, as in UTF-16 without a mark."""
    head = data[:1000]
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        bytes_ = head[start::2]
        if bytes_.count(0) > len(bytes_) * 0.4 and head[1 - start :: 2].count(0) == 0:
            raise _NotTextError(1, "null bytes, as in UTF-16", f"--encoding {encoding}")
    return "utf-8"


def _other_encoding(data: bytes) -> str | None:
    if b"\0" in data:
        return None  # a picture or a program, not text
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "--encoding latin-1"
    return "--encoding cp1252"


# --- from text to rows ----------------------------------------------------------------------------


def _parse(data: bytes, name: str, options: ReadOptions) -> tuple[str, Rows]:
    """Return the format, by the ending of the name or by the first line, and the rows."""
    columns = Columns(options.text_column, options.label_column)
    ending = PurePath(name.lower().removesuffix(".gz")).suffix
    format_ = FORMATS.get(ending)
    if format_ == "parquet" or (format_ is None and data.startswith(parquet.MAGIC)):
        return "parquet", parquet.read_parquet(data, name, columns)
    try:
        data = _to_utf8(data, options.encoding)
    except _NotTextError as problem:
        where = _where(name, problem.line)
        raise DataError(f"{where}: {problem.reason}", hint=problem.hint) from None
    if not data.strip():
        raise DataError(f"{name} is empty")
    if ending == ".json" and data.lstrip().startswith(b"["):
        target = PurePath(name.removesuffix(".gz")).with_suffix(".jsonl")
        raise DataError(
            f"{name} is one JSON list, not a JSON object a line",
            hint=f"jq -c '.[]' {shlex.quote(name)} > {shlex.quote(str(target))}",
        )
    format_ = format_ or _format_of(data)
    if format_ == "jsonl":
        return format_, readers.read_jsonl(data, name, columns)
    if format_ == "fasttext":
        return format_, readers.read_fasttext(data)
    tabs = "\t" if ending in (".tsv", ".tab") else None
    delimiter = _delimiter(options.delimiter) if options.delimiter else tabs
    return "csv", readers.read_delimited(data, name, columns, delimiter)


def _format_of(data: bytes) -> str:
    start = data.lstrip()[: len(readers.FASTTEXT_PREFIX)]
    if start == readers.FASTTEXT_PREFIX.encode():
        return "fasttext"
    return "jsonl" if start.startswith(b"{") else "csv"


# --- folders --------------------------------------------------------------------------------------


def _read_folder(path: Path, name: str, options: ReadOptions) -> Dataset:
    """Read each file in each folder as one text, labelled by the name of its folder."""
    digest = hashlib.sha256()
    rows, bad, places = Rows(), list[BadRow](), list[str]()
    for file in _class_files(path, name):
        place = f"{file.parent.name}/{file.name}"
        raw = _read_file_of_folder(file)
        digest.update(os.fsencode(place) + b"\0" + hashlib.sha256(raw).digest())
        shown = _shown(place)
        try:
            text = _to_utf8(_unpack(raw, f"{name}/{shown}"), options.encoding).decode()
        except _NotTextError as problem:
            bad.append(BadRow(f"{name}/{shown}:{problem.line}", problem.reason))
            continue
        rows.add(0, text, _shown(file.parent.name))
        if rows.bad:
            bad.append(BadRow(f"{name}/{shown}", rows.bad.pop()[1]))
        else:
            places.append(shown)
    if not places and not bad:
        raise DataError(f"the folders in {name} hold no files")
    texts, labels = tuple(rows.texts), tuple(rows.labels)
    sha256 = digest.hexdigest()
    dataset = Dataset(name, "folder", sha256, texts, labels, tuple(places), tuple(bad))
    return _checked(dataset, options.on_bad_rows)


def _class_files(path: Path, name: str) -> list[Path]:
    """Return the files of all class folders, sorted by name."""
    folders = _entries(path)
    if not folders:
        raise DataError(f"{name} is an empty folder", hint="it needs one folder per label")
    for entry in folders:
        if not os.path.isdir(entry):  # noqa: PTH112 - as above
            raise DataError(
                f"{name} is a folder, but {_shown(entry.name)} in it is not: what is its label?",
                hint="give a file, or a folder that holds nothing but one folder per label",
            )
    files = [file for folder in folders for file in _entries(folder)]
    for file in files:
        if not os.path.isfile(file):  # noqa: PTH113 - as above
            raise DataError(
                f"{_shown(file.as_posix())} is not a file, as all in a label's folder should be"
            )
    return files


def _entries(folder: Path) -> list[Path]:
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"{_shown(folder.as_posix())} cannot be read: {error.strerror}") from None
    return sorted(entries, key=lambda entry: os.fsencode(entry.name))


def _read_file_of_folder(file: Path) -> bytes:
    try:
        return read_bytes(file)
    except OSError as error:
        raise DataError(f"{_shown(file.as_posix())} cannot be read: {error.strerror}") from None
