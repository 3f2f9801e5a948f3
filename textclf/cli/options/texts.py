"""Texts without labels: from arguments, a file, or a stream that may be slow and endless."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from textclf.cli.output import render
from textclf.errors import DataError, UsageError

_AT_ONCE = 1 << 20
"""Bytes read and labelled at a time; less where the stream has less ready."""

_LINES = 10_000
"""Labelled at a time at most: an answer takes more memory than a short line."""

_LONGEST = 1 << 28
"""Characters of one text; a line that goes on is no text, and may never end."""

_TELL_EVERY = 5.0
"""Seconds."""

_HALVES = re.compile("[\ud800-\udfff]")
"""Of surrogate pairs: what no text can hold, though a few odd encodings can say it."""


@contextmanager
def unlabelled(
    texts: list[str], file: Path | None, encoding: str | None
) -> Iterator[Iterable[list[str]]]:
    """Lists of texts, from the one place that was named: arguments, a file, or else stdin.

    Raises:
        UsageError: two places were named, or none and nothing is piped.
        DataError: the file cannot be read.
    """
    from_stdin = texts == ["-"] or (not texts and not file)
    if texts and file:
        raise UsageError("texts and --file exclude each other")
    if texts and not from_stdin:
        yield [_arguments(texts)]
        return
    if not file and (sys.stdin is None or (not texts and sys.stdin.isatty())):
        raise UsageError(
            "nothing to label", hint='textclf predict "this is great", or --file FILE, or a pipe'
        )
    with _opened(None if from_stdin else file) as stream:
        yield _lines(stream, _Decoder(encoding))


def _arguments(texts: list[str]) -> list[str]:
    """The texts; bytes that are not UTF-8 come from the system as lone surrogates."""
    shown = [text.encode("utf-8", "surrogateescape").decode(errors="replace") for text in texts]
    if shown != texts:
        render.warning("some texts hold bytes that are not UTF-8; they were replaced")
    return shown


@contextmanager
def _opened(file: Path | None) -> Iterator[Any]:
    if file is None:
        yield sys.stdin.buffer
        return
    import gzip
    import zlib

    from textclf.files import open_binary

    try:
        with (
            open_binary(file) as raw,
            gzip.open(raw) if file.suffix == ".gz" else nullcontext(raw) as stream,
        ):
            yield stream
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{file} is not a whole gzip file: {error}") from None
    except OSError as error:
        if error.filename is None:
            raise
        raise DataError(f"cannot read {file}: {error.strerror}") from None


def _lines(stream: Any, decoder: _Decoder) -> Iterator[list[str]]:
    """The lines of a stream, as many at a time as are ready: a slow stream is answered at once."""
    rest: list[str] = []  # pieces of a line that goes on, joined once
    length = 0
    while block := _ready(stream):
        first, *more = decoder.decode(block).split("\n")
        rest.append(first)
        length += len(first)
        if length > _LONGEST:
            raise DataError(
                f"a line has more than {_LONGEST:,} characters", hint="are these texts, one a line?"
            )
        if more:
            *whole, last = ["".join(rest), *more]
            rest, length = [last], len(last)
            for begin in range(0, len(whole), _LINES):
                yield [line.removesuffix("\r") for line in whole[begin : begin + _LINES]]
    rest.append(decoder.decode(b"", final=True))
    if any(rest):
        yield ["".join(rest).removesuffix("\r")]
    decoder.tell()


def _ready(stream: Any) -> bytes:
    """The next bytes: as many as can be had without waiting, but not none before the end."""
    block: bytes = stream.read1(_AT_ONCE)
    more = block
    while more and len(block) < _AT_ONCE and _has_more(stream):
        more = stream.read1(_AT_ONCE - len(block))
        block += more
    return block


def _has_more(stream: Any) -> bool:
    import select

    try:
        return bool(select.select([stream], [], [], 0)[0])
    except (OSError, ValueError):  # no stream of the system's, or one that cannot be asked
        return False


class Progress:
    """Tells on stderr every few seconds how many texts were labelled."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._texts = 0
        self._start = self._told = time.monotonic()

    def watch(self, batches: Iterable[list[str]]) -> Iterator[list[str]]:
        """The same batches; what was asked for again has been labelled."""
        for batch in batches:
            yield batch
            self._texts += len(batch)
            if not self._quiet and time.monotonic() - self._told >= _TELL_EVERY:
                self._tell()

    def end(self) -> None:
        """Tell the number of all, if something was told before."""
        if self._told != self._start:
            self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        speed = self._texts / (self._told - self._start)
        render.progress(f"{self._texts:,} texts labelled, {speed:,.0f} a second")


class _Decoder:
    """Decodes a stream block by block; counts what it has to replace."""

    def __init__(self, encoding: str | None) -> None:
        import codecs

        self._name, self._replaced = encoding or "UTF-8", 0
        codecs.register_error("textclf.replace", self._replace)
        try:
            b"  ".decode(self._name, "replace")  # refuses what makes no text of bytes: base64
            factory = codecs.getincrementaldecoder(encoding or "utf-8-sig")
            self._decoder = factory(errors="textclf.replace")
        except (LookupError, ValueError):
            raise UsageError(
                f"no encoding is called {encoding!r}", hint="--encoding cp1252, latin-1, utf-16, …"
            ) from None

    def decode(self, block: bytes, *, final: bool = False) -> str:
        """The text of the next bytes. Raises DataError where nothing can be replaced."""
        try:
            text: str = self._decoder.decode(block, final)
        except UnicodeError as error:  # such as a missing byte-order mark
            raise DataError(f"the texts are not {self._name}: {error}") from None
        whole, halves = _HALVES.subn("\N{REPLACEMENT CHARACTER}", text)
        self._replaced += halves
        return whole

    def tell(self) -> None:
        """Warn, if something had to be replaced."""
        if self._replaced:
            places = "1 place" if self._replaced == 1 else f"{self._replaced} places"
            render.warning(
                f"in {places} the texts are not {self._name} and hold a "
                "\N{REPLACEMENT CHARACTER} now; --encoding names another encoding"
            )

    def _replace(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        self._replaced += 1
        return "\N{REPLACEMENT CHARACTER}", error.end
