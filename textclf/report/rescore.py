"""Report on a version with other rows than those it was tested on."""

from __future__ import annotations

import msgspec

from textclf.artifact.unpickler import load_pipeline
from textclf.data.dataset import Dataset
from textclf.errors import IntegrityError
from textclf.evaluation.metrics import measure
from textclf.evaluation.scored_rows import ScoredRows
from textclf.metadata.schema import Metadata, TestRecord
from textclf.report.gather import gather
from textclf.report.subject import Subject


def rescored_subject(
    metadata: Metadata, model: bytes, rows: Dataset, *, name: str, texts: bool
) -> Subject:
    """Return a version as if it had been tested on other rows.

    Args:
        metadata: of the version.
        model: the contents of its model file.
        rows: the labelled rows to score.
        name: of the model file, for messages.
        texts: whether the report may show texts of the rows.

    Raises:
        IntegrityError: the model is damaged or does not work with the libraries installed here.
    """
    pipeline = load_pipeline(model, name=name)
    try:
        scored = ScoredRows.from_pipeline(pipeline, rows)
    except (AttributeError, TypeError, ValueError, IndexError) as error:
        raise IntegrityError(
            f"version {metadata.version} cannot be used with the libraries installed here: {error}",
            hint=f"textclf versions show {metadata.version} lists those it was made with",
        ) from error
    test = TestRecord(
        rows=len(rows),
        rows_sha256=rows.rows_sha256,
        metrics=measure(rows.labels, scored.predicted),
        path=rows.path,
        sha256=rows.sha256,
        skipped_rows=len(rows.bad_rows),
    )
    rescored = msgspec.structs.replace(metadata, test=test)
    return Subject(rescored, gather(scored, texts=texts), rescored=True)
