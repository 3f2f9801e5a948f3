"""The bytes of a data file → UTF-8: decompression, byte-order marks, encodings."""

import codecs
import contextlib
import errno
import gzip
import io
import re
import zlib
from typing import Final

from textclf.data.likely_encoding import utf_16_without_mark
from textclf.data.other_files import refuse_other_files
from textclf.errors import DataError
from textclf.files import LARGEST, read_to_end
from textclf.formatting import excerpt, plural

_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARKS = {  # UTF-32 first: its mark starts with that of UTF-16
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
UNDECODED: Final = re.compile("[\udc80-\udcff]")
"""Bytes that are not text in the encoding, as they stand in a decoded text."""

_ALWAYS_ALLOWED = 1 << 26
"""Bytes that a file of any size may decompress to."""

_MOST_RATIO = 200
"""How many times its size a larger file may decompress to; text has 3 to 30."""


HEAD_BYTES: Final = 1 << 18
"""Bytes from which the way that a file is written is told."""

_MOST_CONTROLS = 0.02
"""The share of control characters from which on bytes that are not UTF-8 are no text."""

_MOST_NULLS = 0.1
"""The share of null bytes from which on it is no text in any encoding of single bytes."""

_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class NotTextError(Exception):
    """Bytes that are not text in their encoding.

    Attributes:
        line: the line of the first of them.
        reason: what is wrong with it.
        codec: the encoding, by Python's name.
    """

    def __init__(self, line: int, reason: str, codec: str) -> None:
        self.line, self.reason, self.codec = line, reason, codec


def decompress(raw: bytes, name: str, *, is_text: bool = False) -> bytes:
    """Return the bytes, decompressed if they are gzip's.

    Args:
        raw: all of the file.
        name: the file as the user knows it.
        is_text: whether all of the file is one text.

    Raises:
        DataError: they are damaged, no data set, or far too many.
    """
    refuse_other_files(raw, name, is_text=is_text)
    if raw.startswith(_GZIP):
        data = _gunzip(raw, name)
        refuse_other_files(data, name, is_text=is_text)
        return data
    if name.lower().endswith(".gz"):
        raise DataError(
            f"{name} is not compressed by gzip, although its name ends in .gz",
            hint="rename it without .gz",
        )
    return raw


def most_unpacked(size: int) -> int:
    """Return how many bytes a compressed file of this size may have unpacked."""
    return min(LARGEST, max(_ALWAYS_ALLOWED, size * _MOST_RATIO))


def is_gzip(head: bytes) -> bool:
    """Whether a file begins like one that is compressed by gzip."""
    return head.startswith(_GZIP)


def codec_of(head: bytes, encoding: str | None) -> str:
    """Return the encoding of a text that begins so, by Python's name, which skips any mark."""
    codec = encoding or marked_encoding(head) or "utf-8"
    return "utf-8-sig" if codec.lower().replace("_", "-") in ("utf-8", "utf8") else codec


def _gunzip(raw: bytes, name: str) -> bytes:
    most = most_unpacked(len(raw))
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            return read_to_end(file, most)
    except (EOFError, OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            raise DataError(
                f"{name} is not a data set: unpacked, {error.strerror}, "
                f"{most / len(raw):,.0f} times its size"
            ) from None
        raise DataError(
            f"{name} is damaged: {excerpt(error)}", hint="download or compress it again"
        ) from None


def to_utf8(data: bytes, encoding: str | None) -> bytes:
    """Return the same text in UTF-8 without a byte-order mark.

    Args:
        data: the text's bytes.
        encoding: by Python's name; None is UTF-8, or what a byte-order mark says.

    Raises:
        NotTextError: the bytes do not fit the encoding.
    """
    codec = encoding or marked_encoding(data) or "utf-8"
    if codec == "utf-8" and utf_16_without_mark(data):
        raise NotTextError(1, "null bytes, as in UTF-16", codec)
    try:
        text = data.decode(codec)
        if codec != "utf-8":
            data = text.encode()
    except UnicodeDecodeError as error:
        line = 1
        with contextlib.suppress(UnicodeError):  # odd codecs cannot ignore
            line += data[: error.start].decode(codec, "ignore").count("\n")
        reason = not_in(codec, chr(data[error.start])) if error.start < len(data) else "cut off"
        raise NotTextError(line, reason, codec) from None
    except UnicodeError:  # from odd codecs, and of half surrogate pairs
        raise NotTextError(1, f"not {codec.upper()}", codec) from None
    return data.removeprefix("\ufeff".encode())


def is_binary(data: bytes) -> bool:
    """Tell whether a file begins like no text in UTF-8 or in any encoding of single bytes."""
    head = data[:HEAD_BYTES]
    if head.count(0) > _MOST_NULLS * len(head):
        return True
    if len(_CONTROLS.findall(head)) <= _MOST_CONTROLS * len(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # its last character may be cut off
    except UnicodeDecodeError:
        return True
    return False


def not_text_at_all(name: str) -> DataError:
    """Return the error for a file that is binary."""
    return DataError(f"{name} is not text, but binary data")


def is_utf_8(encoding: str) -> bool:
    """Whether an encoding is UTF-8, by any of its names."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def misread_character(data: bytes, encoding: str | None) -> tuple[str, str] | None:
    """Return a character of UTF-8 and what it becomes, where UTF-8 is read in another encoding.

    Args:
        data: how a file begins, or all of it; a few lines may be in another encoding.
        encoding: the encoding that was asked for; ``None`` if none was.

    Returns:
        The first character beyond ASCII, as it is in UTF-8 and as it is read; ``None`` if the bytes
        are not UTF-8, only ASCII, or asked for as UTF-8.
    """
    if encoding is None or data.isascii() or is_utf_8(encoding):
        return None
    kept = keep_undecoded(data, "utf-8")
    if kept is None:
        return None
    text = UNDECODED.sub("", kept.decode("utf-8", "surrogateescape"))
    character = next((c for c in text if not c.isascii()), None)
    return (
        None if character is None else (character, character.encode().decode(encoding, "replace"))
    )


def not_in(codec: str, byte: str) -> str:
    """Return the reason for which a byte, decoded or not, makes a row unusable."""
    return f"byte 0x{ord(byte) & 0xFF:02x} is not {codec.upper()}"


def keep_undecoded(data: bytes, codec: str) -> bytes | None:
    """Return the same text in UTF-8, with the bytes that are not text in it left as they are.

    They are decoded as Python decodes file names (``surrogateescape``), and their rows are bad
    ones. Where they are more than a few it is another encoding: fewer lines with characters beyond
    ASCII are whole than are not.

    Args:
        data: the text's bytes.
        codec: its encoding, by Python's name.

    Returns:
        The text; ``None`` if the encoding is another one.
    """
    try:
        text = data.decode(codec, "surrogateescape")
        kept = text.encode("utf-8", "surrogateescape")
    except UnicodeError:
        return None
    beyond_ascii = [line for line in text.split("\n") if not line.isascii()]
    undecoded = sum(UNDECODED.search(line) is not None for line in beyond_ascii)
    return None if undecoded > len(beyond_ascii) / 2 else kept.removeprefix("\ufeff".encode())


def marked_encoding(data: bytes) -> str | None:
    """Return the encoding that a byte-order mark announces, by Python's name."""
    marks = _BYTE_ORDER_MARKS.items()
    return next((encoding for mark, encoding in marks if data.startswith(mark)), None)


class Replacer:
    """Replaces what cannot be decoded, and counts how often.

    Attributes:
        errors: the name of the error handler for a decoder; there is one at a time.
        count: how often something was replaced so far.
    """

    errors: Final = "textclf.replace"

    def __init__(self) -> None:
        self.count = 0
        codecs.register_error(self.errors, self._replace)

    def _replace(self, error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        self.count += 1
        return "\N{REPLACEMENT CHARACTER}", error.end

    def note(self, encoding: str) -> str | None:
        """Return a sentence on what was replaced, if something was."""
        if not self.count:
            return None
        return (
            f"{plural(self.count, 'place')} in the texts could not be decoded as {encoding} and "
            "became \N{REPLACEMENT CHARACTER}; --encoding names another encoding"
        )
