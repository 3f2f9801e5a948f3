"""Read the text format of fastText: ``__label__`` and the label, before or after the text."""

import re
from itertools import islice
from typing import Final

from textclf.data.format import Format, Rows, Source
from textclf.data.lines import physical_lines, with_line_feeds

_PREFIX = "__label__"
_LABELS = rf"{_PREFIX}\S*(?:[\s,]+{_PREFIX}\S*)*"
_LINE = re.compile(rf"\s*(?:({_LABELS})(?:\s+(.*))?|(.*\S)\s+({_LABELS})\s*)", re.DOTALL)
"""The labels and the text after them, or a text and the labels after it."""

_WORD = rf"{_PREFIX}[^\s,;|]+"
_CERTAIN = re.compile(rf"\s*{_WORD}(?:,{_WORD})*,?\s|.*\s{_WORD}\s*$")
"""Such a line is not one of a table."""

_SAMPLE_LINES = 20
_SAMPLE_BYTES = 1 << 16


def read_fasttext(source: Source) -> Rows:
    """Read a label and a text from each line."""
    rows = Rows()
    for number, line in enumerate(physical_lines(with_line_feeds(source.data)), 1):
        if line.strip():
            _add(rows, number, line.rstrip("\r\n"))
    return rows


def _add(rows: Rows, number: int, line: str) -> None:
    match = _LINE.fullmatch(line)
    if match is None:
        rows.bad.append((number, "no label at the start or the end"))
        return
    before, text_after, text_before, after = match.groups()
    text = text_after if before else text_before
    labels = (before or after).split(_PREFIX)[1:]
    if len(labels) > 1 or _PREFIX in (text or ""):
        rows.bad.append((number, "several labels"))
    else:
        rows.add(number, text, labels[0].rstrip(", \t"))


def _recognise(source: Source) -> bool:
    """Tell whether the first line, and most of the next, have a label at their start or end."""
    head = with_line_feeds(source.data[:_SAMPLE_BYTES])
    whole = head if len(source.data) <= _SAMPLE_BYTES else head[: head.rfind(b"\n") + 1] or head
    lines = [line for line in islice(physical_lines(whole), _SAMPLE_LINES) if line.strip()]
    certain = [_CERTAIN.match(line) is not None for line in lines]
    return certain[:1] == [True] and sum(certain) > len(certain) / 2


FASTTEXT: Final = Format("fasttext", (".ft",), _recognise, read_fasttext, unmistakable=True)
