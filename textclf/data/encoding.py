"""The bytes of a data file → UTF-8: decompression, byte-order marks, encodings."""

import contextlib
import errno
import gzip
import io
import zlib

from textclf.errors import DataError
from textclf.files import LARGEST, read_to_end
from textclf.formatting import excerpt

_GZIP = b"\x1f\x8b"
_OTHER_ARCHIVES = {
    b"PK\x03\x04": "a zip archive or an Office document",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\x00": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
}
_BYTE_ORDER_MARKS = {  # UTF-32 first: its mark starts with that of UTF-16
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_ALWAYS_ALLOWED = 1 << 26
"""Bytes that a file of any size may decompress to."""

_MOST_RATIO = 200
"""How many times its size a larger file may decompress to; text has 3 to 30."""


class NotTextError(Exception):
    """Bytes that are not text in their encoding."""

    def __init__(self, line: int, reason: str, hint: str | None) -> None:
        self.line, self.reason, self.hint = line, reason, hint


def decompress(raw: bytes, name: str) -> bytes:
    """Return the bytes, decompressed if they are gzip's.

    Raises:
        DataError: they are damaged, compressed by another program, or far too many.
    """
    for signature, kind in _OTHER_ARCHIVES.items():
        if raw.startswith(signature):
            raise DataError(f"{name} is {kind}", hint="unpack it, or compress it by gzip instead")
    if raw.startswith(_GZIP):
        return _gunzip(raw, name)
    if name.lower().endswith(".gz"):
        raise DataError(
            f"{name} is not compressed by gzip, although its name ends in .gz",
            hint="rename it without .gz",
        )
    return raw


def _gunzip(raw: bytes, name: str) -> bytes:
    most = min(LARGEST, max(_ALWAYS_ALLOWED, len(raw) * _MOST_RATIO))
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
    codec = encoding or _marked_encoding(data) or _default_encoding(data)
    try:
        text = data.decode(codec)
        if codec != "utf-8":
            data = text.encode()
    except UnicodeDecodeError as error:
        line = 1
        with contextlib.suppress(UnicodeError):  # odd codecs cannot ignore
            line += data[: error.start].decode(codec, "ignore").count("\n")
        byte = f"byte 0x{data[error.start]:02x}" if error.start < len(data) else "the end"
        hint = None if encoding else _likely_encoding(data)
        raise NotTextError(line, f"{byte} is not {codec.upper()}", hint) from None
    except UnicodeError:  # from odd codecs, and of half surrogate pairs
        raise NotTextError(1, f"not {codec.upper()}", None) from None
    return data.removeprefix("\ufeff".encode())


def _marked_encoding(data: bytes) -> str | None:
    marks = _BYTE_ORDER_MARKS.items()
    return next((encoding for mark, encoding in marks if data.startswith(mark)), None)


def _default_encoding(data: bytes) -> str:
    """Return UTF-8, unless every other byte is null, as in UTF-16 without a mark."""
    head = data[:1000]
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        bytes_ = head[start::2]
        if bytes_.count(0) > len(bytes_) * 0.4 and head[1 - start :: 2].count(0) == 0:
            raise NotTextError(1, "null bytes, as in UTF-16", f"--encoding {encoding}")
    return "utf-8"


def _likely_encoding(data: bytes) -> str | None:
    if b"\0" in data:
        return None  # a picture or a program, not text
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "--encoding latin-1"
    return "--encoding cp1252"
