"""A fitted pipeline as bytes, the same bytes each time."""

from __future__ import annotations

import hashlib
import io
import pickle  # to write
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import Any

from joblib.numpy_pickle import NumpyPickler
from sklearn.pipeline import Pipeline

from textclf.metadata.schema import ARTIFACT, FileRecord

_BATCH = 1000
"""Items of a dictionary that pickle writes between two marks."""

_FRAME = 1 << 16
"""Bytes from which on a frame of a pickle ends before the next item."""

_BEFORE, _AFTER = 12, 3
"""Bytes of a pickled tuple before its items, and after them."""


def to_bytes(pipeline: Pipeline) -> bytes:
    """Serialise with joblib, uncompressed; equal pipelines give equal bytes."""
    _canonicalize(pipeline)
    return dump(pipeline)


def dump(model: Any) -> bytes:
    """Serialise as ``joblib.dump`` does, uncompressed, as it is."""
    buffer = io.BytesIO()
    _Pickler(buffer).dump(model)
    return buffer.getvalue()


class _Pickler(NumpyPickler):  # type: ignore[misc]  # joblib has no types
    """joblib's pickler, with the same output.

    It is in Python, and takes ten times as long for the items of a vocabulary as pickle's own in C.
    """

    def _batch_setitems(self, items: Iterable[tuple[Any, Any]], *rest: Any) -> None:
        everything = list(items)
        for start in range(0, len(everything), _BATCH):
            batch = everything[start : start + _BATCH]
            content = self._pickled_terms(*zip(*batch, strict=True))
            if content is None:
                super()._batch_setitems(batch, *rest)
            else:
                self._write_items(content, chain.from_iterable(batch))

    def _pickled_terms(self, terms: Sequence[Any], numbers: Sequence[Any]) -> bytes | None:
        """Pickle terms and their numbers by turns; ``None`` if they are not a vocabulary's.

        A term that was written before would be referred to.
        """
        if (
            len(terms) == 1
            or {*map(type, terms)} != {str}
            or {*map(type, numbers)} != {int}
            or not 0 <= min(numbers) <= max(numbers) < 1 << 31
            or not self.memo.keys().isdisjoint(map(id, terms))
        ):
            return None
        items = tuple(chain.from_iterable(zip(terms, numbers, strict=True)))
        content = pickle.dumps(items, self.proto)[_BEFORE:-_AFTER]
        if len(content) >= _FRAME:
            return None
        self.memo.update(zip(map(id, terms), enumerate(terms, len(self.memo)), strict=True))
        return content

    def _write_items(self, content: bytes, items: Iterable[str | int]) -> None:
        """Write pickled items; a frame ends before the first item that begins beyond its size."""
        self.write(pickle.MARK)
        room = _FRAME - self.framer.current_frame.tell()
        if len(content) > room:
            begins = accumulate(map(_size, items), initial=0)
            split = next(begin for begin in begins if begin >= room)
            self.write(content[:split])
            if split < len(content):
                self.framer.commit_frame()
                self.write(content[split:])
        else:
            self.write(content)
        self.write(pickle.SETITEMS)


def _size(item: str | int) -> int:
    """Return the number of bytes of a pickled term or of its number."""
    if isinstance(item, str):
        encoded = len(item.encode("utf-8", "surrogatepass"))
        return encoded + (3 if encoded < 1 << 8 else 6)
    return 2 if item < 1 << 8 else 3 if item < 1 << 16 else 5


def _canonicalize(pipeline: Pipeline) -> None:
    """Remove what differs from run to run or slows down loading without changing the model."""
    for _, vectorizer in pipeline.named_steps["features"].transformer_list:
        vectorizer.__dict__.pop("_stop_words_id", None)  # a memory address
        vocabulary = vectorizer.vocabulary_
        if not {*map(type, vocabulary)} | {*map(type, vocabulary.values())} <= {str, int}:
            # after max_features its values are NumPy integers
            vectorizer.vocabulary_ = {str(term): int(index) for term, index in vocabulary.items()}


def describe(data: bytes, file: str = ARTIFACT) -> FileRecord:
    """Return the record of a file for the metadata: its name, digest and size."""
    return FileRecord(file, hashlib.sha256(data).hexdigest(), len(data))
