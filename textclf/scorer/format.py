"""Named flat arrays in one file: the part of the safetensors format that the scorer needs.

``docs/scorer-format.md`` describes it. Reading decodes the head and leaves the data where it is.
The bounds of arrays are checked here, offsets within an array by whoever follows them.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import msgspec

from textclf.errors import IntegrityError

Buffer = bytes | mmap.mmap
"""What a file is read from: slices of either are bytes."""

SIZES = {"F64": 8, "U32": 4, "U8": 1}
"""Bytes of an element."""

_LENGTH = struct.Struct("<Q")
LONGEST_HEAD = 1 << 24
"""Bytes of the head: decoded, it takes 20 times as much memory."""

_ALIGNMENT = 64

_Number = Annotated[int, msgspec.Meta(ge=0, le=1 << 48)]


class _Entry(msgspec.Struct):
    dtype: str
    shape: Annotated[list[_Number], msgspec.Meta(max_length=8)]
    data_offsets: tuple[_Number, _Number]


class Array(NamedTuple):
    """An array in the file: its first byte, its last + 1, and what it is made of."""

    begin: int
    end: int
    dtype: str
    shape: tuple[int, ...]


def pack(
    metadata: Mapping[str, str], arrays: Sequence[tuple[str, str, tuple[int, ...], bytes]]
) -> bytes:
    """Return the file of some arrays.

    Args:
        metadata: the texts of the head.
        arrays: name, dtype, shape and content of each; large elements are written before small
            ones, so that all are aligned.

    Raises:
        ValueError: the head is too long.
    """
    ordered = sorted(arrays, key=lambda array: -SIZES[array[1]])
    head: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name, dtype, shape, content in ordered:
        begin, end = end, end + len(content)
        head[name] = _Entry(dtype, list(shape), (begin, end))
    encoded = msgspec.json.encode(head)
    if len(encoded) > LONGEST_HEAD - _ALIGNMENT:
        raise ValueError("the head is too long")
    encoded += b" " * (-(_LENGTH.size + len(encoded)) % _ALIGNMENT)
    return b"".join([_LENGTH.pack(len(encoded)), encoded, *(array[3] for array in ordered)])


def unpack(buffer: Buffer, name: str) -> tuple[dict[str, str], dict[str, Array]]:
    """Return the texts of the head, and where each array is.

    Args:
        buffer: the content of the file.
        name: the name of the file, for messages.

    Raises:
        IntegrityError: it is not such a file, or truncated, or arrays overlap or leave gaps.
    """
    try:
        (length,) = _LENGTH.unpack_from(buffer)
    except struct.error:
        raise _damaged(name, "it is too short") from None
    start = _LENGTH.size + length
    if length > LONGEST_HEAD or start > len(buffer):
        raise _damaged(name, "its head does not end")
    try:
        raw = msgspec.json.decode(buffer[_LENGTH.size : start], type=dict[str, msgspec.Raw])
        metadata = msgspec.json.decode(raw.pop("__metadata__", b"{}"), type=dict[str, str])
        entries = {key: msgspec.json.decode(text, type=_Entry) for key, text in raw.items()}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(name, f"its head cannot be read: {error}") from None
    arrays = {key: _located(key, entry, start, name) for key, entry in entries.items()}
    end = start
    for array in sorted(arrays.values()):
        if array.begin != end:
            raise _damaged(name, "its arrays overlap or leave holes")
        end = array.end
    if end != len(buffer):
        raise _damaged(name, f"it should have {end:,} bytes and has {len(buffer):,}")
    return metadata, arrays


def _located(key: str, entry: _Entry, start: int, name: str) -> Array:
    begin, end = entry.data_offsets
    size = SIZES.get(entry.dtype)
    if size is None or end - begin != math.prod(entry.shape) * size:
        raise _damaged(name, f"the array {key!r} is not as long as its shape says")
    return Array(start + begin, start + end, entry.dtype, tuple(entry.shape))


def _damaged(name: str, why: str) -> IntegrityError:
    return IntegrityError(f"{name} is damaged: {why}", hint="textclf verify")
