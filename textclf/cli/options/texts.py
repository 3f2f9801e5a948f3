"""Texts to label: from arguments, a file, or a stream that may be slow and endless."""

from __future__ import annotations

import io
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.cli.options.settings import is_typed
from textclf.cli.output import render
from textclf.errors import DataError, UsageError
from textclf.formatting import plural

if TYPE_CHECKING:
    import typer

    from textclf.cli.options.reading import ReadingOptions
    from textclf.data.table import TextTable

_HEAD_BYTES = 1 << 18
"""Bytes from which it is told what a file is."""

_BLOCK_BYTES = 1 << 20
"""Bytes read and labelled at a time; less where the stream has less ready."""

_BATCH_LINES = 10_000
"""Lines in a batch at most: an answer takes more memory than a short line."""

_LONGEST_LINE = 1 << 28
"""Characters in a line at most: a longer one is not a text, and might never end."""


class TextSource:
    """Where texts come from, opened but not read."""

    def __init__(self, texts: list[str], stream: Any, name: str) -> None:
        self._texts, self._stream, self.name = texts, stream, name
        self._opened = ExitStack()

    @property
    def from_arguments(self) -> bool:
        """Whether the texts were given as arguments."""
        return self._stream is None

    def close(self) -> None:
        """Close what was opened on the stream, but not the stream itself."""
        self._opened.close()

    def table(
        self, context: typer.Context, reading: ReadingOptions, *, quiet: bool
    ) -> TextTable | None:
        """Return the table that the texts are a column of; ``None`` if each line is a text.

        It is a table, whatever its name and its first bytes say, if an option was typed that only a
        table needs.

        Args:
            context: of the command.
            reading: how the table is written.
            quiet: whether nothing is said of how it is read.

        Raises:
            DataError: it is neither a table nor text, or has no such column.
        """
        if self._stream is None:
            return None
        named = ("text_column", "label_column", "delimiter", "header")
        table = self._table(reading, is_table=any(is_typed(context, name) for name in named))
        for note in table.notes if table and not quiet else ():
            render.progress(f"{self.name}: {note}")
        return table

    def _table(self, reading: ReadingOptions, *, is_table: bool) -> TextTable | None:
        from textclf.data.dataset import misread_warning
        from textclf.data.table import open_table, require_text, table_format, unpacked

        options = reading.read_options()
        packed = self._stream
        self._stream, row_of = unpacked(packed, self.name, options.sheet)
        if self._stream is not packed:
            self._opened.callback(self._stream.close)
        if row_of:
            sheet = replace(options, delimiter=",", encoding=None)
            return open_table(self._stream, self.name, None, sheet, row_of)
        head = self._stream.peek()
        if warning := misread_warning(head, self.name, options.encoding):
            render.warning(warning)
        format_ = table_format(head, self.name, options.text_column)
        if format_ or is_table:
            filled = io.BufferedReader(self._stream, _HEAD_BYTES)  # a pipe may have little ready
            self._opened.callback(filled.detach)
            return open_table(filled, self.name, format_, options)
        require_text(head, self.name, options.encoding)
        if _names_column(head, options.text_column):
            render.warning(
                f'the first line of {self.name} names a column "{options.text_column}", but every '
                "line is read as a text; to read the column of a table: --text-column "
                f"{shlex.quote(options.text_column)}"
            )
        return None

    def batches(self, encoding: str | None) -> Iterable[list[str]]:
        """Yield the texts: those given as arguments, or the lines as soon as they are ready."""
        if self._stream is None:
            return [_arguments(self._texts)] if self._texts else []
        return _lines(self._stream, encoding)


@contextmanager
def open_texts(texts: list[str], file: Path | None) -> Iterator[TextSource]:
    """Open texts from arguments, a file or stdin.

    Raises:
        UsageError: there is more than one source, or none.
        DataError: the file cannot be read.
    """
    from_stdin = texts == ["-"] or (not texts and not file)
    if texts and file:
        raise UsageError("texts as arguments and --file exclude each other")
    if texts and not from_stdin:
        yield TextSource(texts, None, "arguments")
        return
    if texts and sys.stdin is None:
        raise UsageError(
            "- is stdin, and it is closed", hint="name a file, or pipe the texts to it"
        )
    if not file and (sys.stdin is None or (not texts and sys.stdin.isatty())):
        raise UsageError(
            "no texts to label", hint='textclf predict "this is great", or --file FILE, or a pipe'
        )
    with (
        _open(None if from_stdin else file) as stream,
        closing(TextSource([], stream, str(file) if file else "stdin")) as source,
    ):
        yield source


def _names_column(head: bytes, column: str) -> bool:
    """Whether the first line is that of a table whose name does not say that it is one."""
    cells = re.split(r"[,;\t|]", head.partition(b"\n")[0].decode("utf-8-sig", "replace"))
    return len(cells) > 1 and column.casefold() in {cell.strip(' "\r').casefold() for cell in cells}


def _arguments(texts: list[str]) -> list[str]:
    """Return the texts; Python represents bytes that are not UTF-8 as lone surrogates."""
    valid = [text.encode("utf-8", "surrogateescape").decode(errors="replace") for text in texts]
    if valid != texts:
        render.warning("some texts contain bytes that are not UTF-8; they were replaced")
    files = [name for text in valid if (name := _file_named(text))]
    if files:
        is_file = "is the name of a file" if len(files) == 1 else "are names of files"
        render.warning(
            f"{plural(len(files), 'text')} {is_file}, and labelled as written; to label what is in "
            f"the file: --file {shlex.quote(files[0])}"
        )
    return valid


def _file_named(text: str) -> str | None:
    """Return the file that a text is the name of, also as ``@FILE``, if there is one."""
    return next((name for name in (text, text.removeprefix("@")) if _is_file(name)), None)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # too long for a name, or not one
        return False


@contextmanager
def _open(file: Path | None) -> Iterator[Any]:
    if file is None:
        yield sys.stdin.buffer
        return
    import gzip
    import zlib

    from textclf.files import open_binary

    try:
        with open_binary(file) as raw, io.BufferedReader(raw, _HEAD_BYTES) as stream:
            yield stream
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{file} is not a complete gzip file: {error}") from None
    except FileNotFoundError:
        from textclf.data.other_files import no_such_file

        raise no_such_file(file) from None
    except OSError as error:
        if error.filename is None:
            raise
        raise DataError(f"cannot read {file}: {error.strerror}") from None


def _lines(stream: Any, encoding: str | None) -> Iterator[list[str]]:
    """Yield lines as soon as they are ready, so that a slow stream is answered at once."""
    from textclf.data.encoding import marked_encoding

    head = stream.peek()
    marked = marked_encoding(head)
    encoding = encoding or (marked if marked != "utf-8" else None)
    only_returns = b"\n" not in head and b"\r" in head.rstrip(b"\r")  # as old Macs wrote lines
    decoder = _Decoder(encoding, only_returns=only_returns)
    rest: list[str] = []  # of a line that is not complete, joined once
    length = 0
    while block := _ready(stream):
        first, *more = decoder.decode(block).split("\n")
        rest.append(first)
        length += len(first)
        if length > _LONGEST_LINE:
            raise DataError(
                f"a line has more than {_LONGEST_LINE:,} characters", hint="give one text per line"
            )
        if more:
            *complete, last = ["".join(rest), *more]
            rest, length = [last], len(last)
            for begin in range(0, len(complete), _BATCH_LINES):
                yield [line.removesuffix("\r") for line in complete[begin : begin + _BATCH_LINES]]
    rest.append(decoder.decode(b"", final=True))
    if any(rest):
        yield ["".join(rest).removesuffix("\r")]
    decoder.warn()


def _ready(stream: Any) -> bytes:
    """Return the bytes that can be read without waiting; at least one, unless the stream ended."""
    block: bytes = stream.read1(_BLOCK_BYTES)
    more = block
    while more and len(block) < _BLOCK_BYTES and _has_more(stream):
        more = stream.read1(_BLOCK_BYTES - len(block))
        block += more
    return block


def _has_more(stream: Any) -> bool:
    import select

    try:
        return bool(select.select([stream], [], [], 0)[0])
    except (OSError, ValueError):  # not a stream that select understands
        return False


class _Decoder:
    """Decodes a stream block by block; counts what it has to replace."""

    def __init__(self, encoding: str | None, *, only_returns: bool) -> None:
        import codecs

        from textclf.data.encoding import Replacer

        self._only_returns, self._name = only_returns, encoding or "UTF-8"
        self._replaced = Replacer()
        try:
            b"  ".decode(self._name, "replace")  # refuses codecs such as base64
            factory = codecs.getincrementaldecoder(encoding or "utf-8-sig")
            self._decoder = factory(errors=self._replaced.errors)
        except (LookupError, ValueError):
            raise UsageError(
                f"there is no encoding {encoding!r}", hint="--encoding cp1252, latin-1, utf-16, …"
            ) from None

    def decode(self, block: bytes, *, final: bool = False) -> str:
        """The text of the next bytes. Raises DataError where nothing can be replaced."""
        try:
            text: str = self._decoder.decode(block, final)
        except UnicodeError as error:  # such as a missing byte-order mark
            raise DataError(f"the texts are not {self._name}: {error}") from None
        # valid Unicode text cannot hold surrogates, though a few encodings can express them
        valid, surrogates = re.subn("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
        self._replaced.count += surrogates
        return valid.replace("\r", "\n") if self._only_returns else valid

    def warn(self) -> None:
        """Warn if something had to be replaced."""
        if note := self._replaced.note(self._name):
            render.warning(note)
