"""The encodings that the bytes of a file may be in, each with a line of the text to judge it by."""

import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

from textclf.formatting import excerpt

_IN_USE: Final = (
    *("cp1252", "cp1251", "koi8-r", "gb18030", "big5", "cp949", "cp932", "euc-jp", "cp1250"),
    *("iso8859-2", "cp1253", "iso8859-7", "cp1254", "cp1255", "cp1256", "cp874", "cp866"),
    *("cp850", "mac-roman", "cp1257", "iso8859-5"),
)
"""Encodings that data sets are found in; of several that give the same text, the first is named."""

_UTF_16: Final = ("utf-16-le", "utf-16-be")
_SAMPLE_BYTES = 1 << 16
_MOST_NAMED = 4
_MOST_DISORDER = 0.2
"""The share of characters that do not belong together from which on it is another encoding."""

_DISORDER_MARGIN = 0.12
_COHERENCE_MARGIN = 0.5
_LEAD_IN = 12
"""Characters shown before the first one that depends on the encoding."""


class LikelyEncoding(NamedTuple):
    """An encoding by Python's name, and how a line of the file reads in it."""

    name: str
    line: str


def utf_16_without_mark(data: bytes) -> str | None:
    """Return the byte order, by Python's name, of UTF-16 that no byte-order mark announces."""
    head = data[: _SAMPLE_BYTES & ~1]
    return next((name for name in _UTF_16 if _is_utf_16(head, name)), None)


def _is_utf_16(head: bytes, name: str) -> bool:
    """Tell whether line breaks and spaces take two bytes, and all characters are ones in use."""
    high_bytes = head[1::2] if name == "utf-16-le" else head[::2]
    nulls = high_bytes.count(0)
    if nulls <= head.count(0) / 2:  # the low byte of a few characters is null, such as of \u4e00
        return False
    text = head[: len(head) & ~1].decode(name, "replace").removeprefix("\ufeff")
    odd = sum(map(_is_odd, text))
    breaks = text.count("\n") + text.count("\r")
    return odd <= len(text) / 100 and breaks > (head.count(b"\n") + head.count(b"\r")) / 2


def _is_odd(character: str) -> bool:
    category = unicodedata.category(character)
    return category in ("Cn", "Co", "Cs") or (category == "Cc" and character not in "\t\r\n")


def likely_encodings(data: bytes) -> list[LikelyEncoding]:
    """Return the encodings that a text may be in, the likeliest first; none if it is not text."""
    name = utf_16_without_mark(data)
    if name:
        return [LikelyEncoding(name, _first_foreign_line(data, name))]
    sample = _distinctive_lines(data)
    if b"\0" in data or not sample:
        return []
    names = _detect(b"\n".join(sample))
    line = max(sample, key=lambda line: len({_decode(line, name) for name in names}), default=b"")
    different = {_decode(line, name): name for name in reversed(names)}  # the likeliest of equals
    return [
        LikelyEncoding(name, _from_first_foreign(_decode(line, name)))
        for name in names
        if different[_decode(line, name)] == name
    ]


def _first_foreign_line(data: bytes, name: str) -> str:
    lines = data[:_SAMPLE_BYTES].decode(name, "ignore").splitlines()
    return excerpt(next((line for line in lines if not line.isascii()), lines[0]))


def _distinctive_lines(data: bytes) -> list[bytes]:
    """Return different lines that are not ASCII, up to the size of the sample."""
    lines = dict[bytes, None]()
    size = 0
    for line in data.splitlines():
        if not line.isascii() and line not in lines:
            lines[line] = None
            size += len(line)
        if size > _SAMPLE_BYTES:
            break
    return list(lines)


def _detect(sample: bytes) -> list[str]:
    from charset_normalizer import from_bytes  # only needed where something is wrong

    found = from_bytes(
        sample, cp_isolation=list(_IN_USE), threshold=_MOST_DISORDER, preemptive_behaviour=False
    )
    least = min((match.chaos for match in found), default=0.0)
    ordered = [match for match in found if match.chaos <= least + _DISORDER_MARGIN]
    most = max((match.coherence for match in ordered), default=0.0)
    likely = [
        (-round(match.coherence, 1), _IN_USE.index(name), name)
        for match in ordered
        if match.coherence >= most * _COHERENCE_MARGIN
        for name in [_common_name(match.could_be_from_charset)]
    ]
    return [name for _, _, name in sorted(likely)[:_MOST_NAMED]]


def _common_name(aliases: Sequence[str]) -> str:
    """Return that of several encodings with the same result which is most in use."""
    return min((name.replace("_", "-") for name in aliases), key=_IN_USE.index)


def _decode(line: bytes, name: str) -> str:
    return line.decode(name, "replace").rstrip("\r")


def _from_first_foreign(line: str) -> str:
    first = next((i for i, c in enumerate(line) if not c.isascii()), 0)
    return excerpt(line if first < _LEAD_IN * 2 else "…" + line[first - _LEAD_IN :])
