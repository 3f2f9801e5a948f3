"""The physical lines of UTF-8 data."""

import io
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

LINES: Final = range(1, sys.maxsize)
"""The place of each line of a file: its number."""

_SAMPLE_BYTES = 1 << 16
_SWAPPED: Final = bytes.maketrans(b"\r\n", b"\n\r")


class Position(NamedTuple):
    """A place in the data, by the number of lines and of bytes before it."""

    lines: int
    offset: int

    def forward(self, data: bytes, lines: int) -> "Position":
        """Return the place so many physical lines on, or the end of the data."""
        offset = self.offset
        for _ in range(lines):
            end = data.find(b"\n", offset)
            offset = len(data) if end < 0 else end + 1
        return Position(self.lines + lines, offset)


START = Position(0, 0)


def physical_lines(data: bytes, offset: int = 0) -> Iterator[str]:
    """Iterate over lines that end in line feeds; lone carriage returns stay inside them.

    Bytes that are not UTF-8 are decoded as Python decodes file names.
    """
    stream = io.BytesIO(data)  # shares the memory of `data`
    stream.seek(offset)
    return io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="\n")


def with_line_feeds(data: bytes) -> bytes:
    """Return data whose lines end in line feeds; old Macs wrote carriage returns alone."""
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def swap_line_breaks(data: bytes) -> bytes:
    """Return data with line feeds for carriage returns and the reverse."""
    return data.translate(_SWAPPED)


def ends_in_carriage_returns(data: bytes) -> bool:
    """Tell whether records end in carriage returns alone, and line feeds stand in quotes only."""
    head = data[:_SAMPLE_BYTES]
    if b"\r" not in head or b"\r\n" in head:
        return False
    outside_quotes = b"".join(head.split(b'"')[::2])
    return b"\r" in outside_quotes and b"\n" not in outside_quotes.rstrip(b"\n")


def lines_from(data: bytes, position: Position) -> int:
    """Return the number of physical lines from a position to the end."""
    return data.count(b"\n", position.offset) + (not data.endswith(b"\n"))
