"""The interface of a reader: the file it gets, the rows it returns, the format it reads."""

from array import array
from collections import Counter
from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

from textclf.data.columns import Columns
from textclf.data.encoding import UNDECODED, not_in
from textclf.data.lines import LINES

NO_LABEL: Final = "no label"
"""The reason for which a row without a label cannot be used."""

MOST_BAD: Final = 0.01
"""The share of rows that cannot be used up to which the others are used without being asked."""


@dataclass(frozen=True)
class Source:
    """A data file to be read.

    Attributes:
        data: its bytes; of a text format in UTF-8, without a byte-order mark.
        name: the file as the user knows it.
        columns: the columns that hold text and label.
        delimiter: the character between columns, or None to detect it.
        sheet: the name of a sheet, in a workbook with several.
        undecoded: the encoding of the file if some of its bytes are not text in it; they stand in
            `data` as they are (`encoding.keep_undecoded`).
        places: what users know each line by: its number, or that of the row of a sheet it is from.
    """

    data: bytes
    name: str
    columns: Columns
    delimiter: str | None = None
    undecoded: str | None = None
    sheet: str | None = None
    places: Sequence[int] = LINES

    @property
    def ending(self) -> str:
        """The ending of the name in lower case, without ``.gz``."""
        return PurePath(self.name.lower().removesuffix(".gz")).suffix


@dataclass
class Rows:
    """What was read: usable rows in parallel sequences, and why the others are not among them.

    Attributes:
        texts: exactly as written.
        labels: without the white space around them.
        places: the place of each text: a line counted from 1, or a file of a folder.
        bad: place and reason of each row that cannot be used.
        left_out: how many rows the tool that exported them does not train on, by the reason.
        tool: the name of that tool, if the rows are an export of one.
        notes: sentences on what of the file is no row and was not read, such as titles.
        known_labels: labels as written → stripped: one string per label in memory, and the quick
            way to accept a row.
    """

    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    places: MutableSequence[Any] = field(default_factory=lambda: array("I"))
    bad: list[tuple[int | str, str]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    tool: str | None = None
    notes: list[str] = field(default_factory=list)
    known_labels: dict[str, str] = field(default_factory=dict)

    def add(self, place: int | str, text: str | None, label: str | None) -> None:
        """Keep a row, or record what it lacks."""
        stripped = label.strip() if label is not None else ""
        if not stripped:
            self.bad.append((place, NO_LABEL))
        elif "\0" in stripped:  # the end of a string to NumPy
            self.bad.append((place, "a null character in the label"))
        elif text is None:
            self.bad.append((place, "no text"))
        elif not text or text.isspace():
            self.bad.append((place, "empty text"))
        else:
            self.texts.append(text)
            self.labels.append(self.known_labels.setdefault(label or "", stripped))
            self.places.append(place)

    def without_undecoded(self, codec: str) -> "Rows":
        """Return the rows that are text; those with bytes that are not in the codec become bad."""
        kept = Rows(
            places=self.places[:0],
            bad=list(self.bad),
            left_out=self.left_out,
            tool=self.tool,
            notes=self.notes,
        )
        for place, text, label in zip(self.places, self.texts, self.labels, strict=True):
            byte = UNDECODED.search(f"{text}{label}")
            if byte:
                kept.bad.append((place, not_in(codec, byte[0])))
            else:
                kept.add(place, text, label)
        kept.bad.sort()
        return kept


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        name: what it is called in the metadata.
        endings: the endings of its file names, in lower case.
        recognise: whether a file whose ending says nothing begins like one of this format.
        read: reads a file; raises DataError if the file makes no sense as a whole.
        binary: whether the bytes are something other than text.
        unmistakable: whether a file that begins like one of this format is one, however its name
            ends.
    """

    name: str
    endings: tuple[str, ...]
    recognise: Callable[[Source], bool]
    read: Callable[[Source], Rows]
    binary: bool = False
    unmistakable: bool = False
