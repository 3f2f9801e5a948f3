"""A fitted pipeline as bytes, the same bytes each time."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import joblib
from sklearn.pipeline import Pipeline

from textclf.metadata.schema import ARTIFACT, FileRecord


def to_bytes(pipeline: Pipeline) -> bytes:
    """Serialise with joblib, uncompressed; equal pipelines give equal bytes."""
    _canonicalize(pipeline)
    return dump(pipeline)


def dump(model: Any) -> bytes:
    """Serialise with joblib, uncompressed, as it is."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def _canonicalize(pipeline: Pipeline) -> None:
    """Remove what differs from run to run or slows down loading without changing the model."""
    for _, vectorizer in pipeline.named_steps["features"].transformer_list:
        vectorizer.__dict__.pop("_stop_words_id", None)  # a memory address
        vocabulary = vectorizer.vocabulary_  # after max_features its values are NumPy integers
        vectorizer.vocabulary_ = {str(term): int(index) for term, index in vocabulary.items()}


def describe(data: bytes, file: str = ARTIFACT) -> FileRecord:
    """Return the record of a file for the metadata: its name, digest and size."""
    return FileRecord(file, hashlib.sha256(data).hexdigest(), len(data))
