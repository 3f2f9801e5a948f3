"""The compiled model: one text → decision values, scores and label.

A scorer is data only and is read in place, so that opening takes the same time for any size.
Nothing here imports NumPy or scikit-learn. ``docs/scorer-format.md`` describes the file.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated, Literal
from zlib import crc32

import msgspec

from textclf.errors import IntegrityError
from textclf.scorer.format import Array, Buffer, unpack
from textclf.scorer.ngrams import Block, analyzer

SCORER = "scorer.safetensors"
"""The name of the file in a version's folder."""

FORMAT, SCHEMA = "textclf-scorer", 2
"""What a file says of itself: its format, and the highest schema that is read here."""

MOST_IN_SLOT = 1_000
"""N-grams in a slot of the index at most: a lookup compares them all. Models have a dozen."""

TOO_MANY_IN_SLOT = f"more than {MOST_IN_SLOT:,} n-grams are in one slot of its index"

_PAIR = struct.Struct("<II")


class Settings(msgspec.Struct, frozen=True):
    """The scorer's settings, as the file names them.

    Attributes:
        labels: in the order of the scores.
        outputs: the number of decision values of a text; it may be 1 for two labels.
        intercept: the decision values of a text without known n-grams.
        link: how decision values become scores.
        scale: what ``softmax`` multiplies decision values with.
        blocks: the kinds of n-grams.
        threshold: the score below which there is no label.
        unicode: the version of the Unicode database of the Python that wrote the file.
        abstain_unknown: the share of known n-grams below which there is no label; see
            `Scorer.count_known`.
    """

    labels: Annotated[list[str], msgspec.Meta(min_length=2)]
    outputs: Annotated[int, msgspec.Meta(ge=1)]
    intercept: list[float]
    link: Literal["softmax", "logistic", "clip", "none"]
    scale: Annotated[float, msgspec.Meta(gt=0)]
    blocks: Annotated[list[Block], msgspec.Meta(min_length=1, max_length=3)]
    threshold: float | None = None
    unicode: str = ""
    abstain_unknown: float | msgspec.UnsetType = msgspec.UNSET

    @property
    def schema(self) -> int:
        """The lowest schema whose readers give no text another label than is meant."""
        return 1 if self.abstain_unknown is msgspec.UNSET else 2


class Table:
    """The n-grams of a block, each with a row: its idf, then a weight for each output."""

    def __init__(self, buffer: Buffer, arrays: Sequence[Array], name: str) -> None:
        rows, starts, ends, text = arrays
        self.arrays = rows, starts, ends, text
        self.count = rows.shape[0]
        self.buffer, self._name = buffer, name
        self._rows, self._starts, self._ends, self._text = (array.begin for array in arrays)
        self._mask = starts.shape[0] - 2
        self._size = text.shape[0]
        self._row = struct.Struct(f"<{rows.shape[1]}d")

    def row(self, gram: bytes) -> tuple[float, ...] | None:
        """Return the row of an n-gram in UTF-8, or None if it is not in the table."""
        buffer, text = self.buffer, self._text
        slot = crc32(gram) & self._mask
        first, last = _PAIR.unpack_from(buffer, self._starts + 4 * slot)
        if last > self.count:
            raise damaged(self._name, "its index leads out of it")
        if last - first > MOST_IN_SLOT:
            raise damaged(self._name, TOO_MANY_IN_SLOT)
        for number in range(first, last):
            begin, end = _PAIR.unpack_from(buffer, self._ends + 4 * number)
            if end - begin == len(gram) and buffer[text + begin : text + end] == gram:
                if end > self._size:
                    raise damaged(self._name, "an n-gram lies outside of its table")
                return self._row.unpack_from(buffer, self._rows + number * self._row.size)
        return None


class Scorer:
    """A compiled model.

    Attributes:
        settings: the settings of the model.
        labels: in the order of the scores.
        score_type: ``probability``, or ``decision`` if the classifier has no probabilities.
        tables: a table of n-grams for each block.
    """

    def __init__(self, buffer: Buffer, *, name: str) -> None:
        """Open a scorer.

        Args:
            buffer: the content of the file, as a memory map or bytes.
            name: the name of the file, for messages.

        Raises:
            IntegrityError: it is damaged or not a scorer.
        """
        self.name, self.buffer = name, buffer
        metadata, arrays = unpack(buffer, name)
        self.settings = settings = _settings(metadata, name)
        self.labels = settings.labels
        self.score_type = "decision" if settings.link == "none" else "probability"
        self.tables = [
            _table(buffer, arrays, n, settings, name) for n in range(len(settings.blocks))
        ]
        try:
            self.analyzers = [analyzer(block) for block in settings.blocks]
        except ValueError as error:
            raise damaged(name, f"its token pattern: {error}") from None

    def decide(self, text: str) -> list[float]:
        """Return the decision values of a text."""
        values = self.settings.intercept
        for block, analyze, table in zip(
            self.settings.blocks, self.analyzers, self.tables, strict=True
        ):
            known, norm = weighted_ngrams(Counter(analyze(text)), block, table)
            sums = [0.0] * len(values)
            for _, value, row in known:
                sums = [total + value * weight for total, weight in zip(sums, row[1:])]  # noqa: B905
            values = [value + total / norm for value, total in zip(values, sums, strict=True)]
        return self._finite(values)

    def count_known(self, text: str) -> tuple[int, int]:
        """Return how many n-grams of a text are known, and how many there are.

        Every occurrence counts, in the blocks of `known_blocks`.
        """
        known = total = 0
        for number in known_blocks(self.settings.blocks):
            table = self.tables[number]
            for gram, count in Counter(self.analyzers[number](text)).items():
                total += count
                if table.row(gram.encode("utf-8", "surrogatepass")) is not None:
                    known += count
        return known, total

    def scores(self, decision: Sequence[float]) -> list[float]:
        """Return a score for each label, from decision values."""
        return self._finite(_LINKS[self.settings.link](decision, self.settings.scale))

    def _finite(self, values: list[float]) -> list[float]:
        if not all(map(math.isfinite, values)):
            raise damaged(self.name, "a score is not a number")
        return values


def known_blocks(blocks: Sequence[Block]) -> list[int]:
    """Return the numbers of the blocks whose n-grams tell whether a text is like those of training.

    Words tell more than pieces of words, most of which any text has. A block of kind ``char`` is
    there for texts whose words are not separated by spaces: then all blocks count.
    """
    kinds = [block.kind for block in blocks]
    words = [number for number, kind in enumerate(kinds) if kind == "word"]
    return words if words and "char" not in kinds else list(range(len(kinds)))


def weighted_ngrams(
    counts: Counter[str], block: Block, table: Table
) -> tuple[list[tuple[str, float, tuple[float, ...]]], float]:
    """Return the known n-grams of a text with value and row, and the norm to divide values by."""
    known = []
    for gram, count in counts.items():
        row = table.row(gram.encode("utf-8", "surrogatepass"))
        if row is not None:
            times = 1 if block.binary else count
            weight = 1.0 + math.log(times) if block.sublinear_tf else times
            known.append((gram, weight * row[0], row))
    values = [value for _, value, _ in known]
    if block.norm is None or not known:
        return known, 1.0
    norm = sum(map(abs, values)) if block.norm == "l1" else math.sqrt(sum(v * v for v in values))
    return known, norm or 1.0


def both(decision: Sequence[float]) -> Sequence[float]:
    """Return decision values with one for each label."""
    return decision if len(decision) > 1 else (-decision[0], decision[0])


def label_index(decision: Sequence[float]) -> int:
    """Return the index of the label with the highest value, the first of equal ones."""
    if len(decision) == 1:
        return int(decision[0] > 0)
    return max(range(len(decision)), key=decision.__getitem__)


def _softmax(decision: Sequence[float], scale: float) -> list[float]:
    values = [scale * value for value in both(decision)]
    highest = max(values)
    powers = [math.exp(value - highest) for value in values]
    total = sum(powers)
    return [power / total for power in powers]


def _shares(decision: Sequence[float], squash: Callable[[float], float]) -> list[float]:
    parts = [squash(value) for value in decision]
    if len(parts) == 1:
        return [1.0 - parts[0], parts[0]]
    total = sum(parts)
    return [part / total for part in parts] if total else [1 / len(parts)] * len(parts)


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value)) if value > -700 else math.exp(value)  # noqa: PLR2004 - no overflow


def _clipped(value: float) -> float:
    return (min(1.0, max(-1.0, value)) + 1.0) / 2.0


_LINKS: dict[str, Callable[[Sequence[float], float], list[float]]] = {
    "softmax": _softmax,
    "logistic": lambda decision, _: _shares(decision, _sigmoid),
    "clip": lambda decision, _: _shares(decision, _clipped),
    "none": lambda decision, _: list(both(decision)),
}


def _settings(metadata: dict[str, str], name: str) -> Settings:
    if metadata.get("format") != FORMAT:
        raise damaged(name, "it is not a scorer")
    if metadata.get("schema") not in {str(number + 1) for number in range(SCHEMA)}:
        raise IntegrityError(
            f"{name} was written by a later textclf (schema {metadata.get('schema')}; "
            f"this one reads up to {SCHEMA})",
            hint="update textclf",
        )
    try:
        settings = msgspec.json.decode(metadata.get("scorer", ""), type=Settings)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise damaged(name, f"its settings: {error}") from None
    expected = {len(settings.labels)} | ({1} if len(settings.labels) == 2 else set())  # noqa: PLR2004
    if settings.outputs not in expected or len(settings.intercept) != settings.outputs:
        raise damaged(name, "labels and outputs do not match")
    if len(set(settings.labels)) < len(settings.labels):
        raise damaged(name, "a label is there twice")
    if any(block.ngram_range[0] > block.ngram_range[1] for block in settings.blocks):
        raise damaged(name, "an n-gram range is empty")
    return settings


def _table(
    buffer: Buffer, arrays: dict[str, Array], number: int, settings: Settings, name: str
) -> Table:
    try:
        rows, starts, ends, text = parts = [
            arrays[f"{number}.{part}"] for part in ("rows", "starts", "ends", "text")
        ]
    except KeyError as error:
        raise damaged(name, f"the array {error} is missing") from None
    if [part.dtype for part in parts] != ["F64", "U32", "U32", "U8"]:
        raise damaged(name, "an array has another type")
    count, width = rows.shape if len(rows.shape) == 2 else (0, 0)  # noqa: PLR2004
    slots = starts.shape[0] - 1 if starts.shape else 0
    consistent = (
        count > 0
        and width == 1 + settings.outputs
        and len(starts.shape) == len(text.shape) == 1
        and ends.shape == (count + 1,)
        and slots > 0
        and slots & (slots - 1) == 0
    )
    if not consistent:
        raise damaged(name, "its arrays do not fit each other")
    return Table(buffer, parts, name)


def damaged(name: str, why: str) -> IntegrityError:
    """Return the error about a scorer that cannot be used."""
    return IntegrityError(f"{name} is damaged: {why}", hint="textclf verify")
