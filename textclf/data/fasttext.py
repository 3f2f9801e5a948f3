"""Read the text format of fastText: ``__label__`` and the label, white space, the text."""

from typing import Final

from textclf.data.format import Format, Rows, Source
from textclf.data.lines import physical_lines, with_line_feeds

_PREFIX = "__label__"


def read_fasttext(source: Source) -> Rows:
    """Read a label and a text from each line."""
    rows = Rows()
    for number, line in enumerate(physical_lines(with_line_feeds(source.data)), 1):
        first, *rest = line.rstrip("\r\n").split(maxsplit=1) or [""]
        if not first:
            continue
        label = first.removeprefix(_PREFIX) if first.startswith(_PREFIX) else None
        text = rest[0] if rest else None
        if text and any(word.startswith(_PREFIX) for word in text.split()):
            rows.bad.append((number, "two labels" if label else "no label at the start"))
        else:
            rows.add(number, text, label)
    return rows


def _recognise(source: Source) -> bool:
    return source.data.lstrip().startswith(_PREFIX.encode())


FASTTEXT: Final = Format("fasttext", (".ft",), _recognise, read_fasttext)
