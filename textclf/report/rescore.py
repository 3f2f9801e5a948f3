"""Report on a version with other rows than those it was tested on."""

from __future__ import annotations

import msgspec
from semver import Version

from textclf.artifact.unpickler import load_pipeline
from textclf.data.dataset import Dataset
from textclf.errors import IntegrityError
from textclf.evaluation.metrics import measure
from textclf.evaluation.scored_rows import ScoredRows
from textclf.metadata.schema import TestRecord
from textclf.registry.registry import Registry
from textclf.report.gather import gather
from textclf.report.subject import Subject


def rescored(registry: Registry, version: Version, rows: Dataset, *, texts: bool) -> Subject:
    """A published version, as if it had been tested on these rows.

    Raises:
        NoSuchVersion: it is not published.
        IntegrityError: its model is not what was published, or does not work with the libraries
            installed here.
    """
    model = load_pipeline(registry.artifact(version), name=registry.locate(version))
    try:
        scored = ScoredRows.from_pipeline(model, rows)
    except (AttributeError, TypeError, ValueError, IndexError) as error:
        raise IntegrityError(
            f"version {version} cannot be used with the libraries installed here: {error}",
            hint=f"textclf versions show {version} lists those it was made with",
        ) from error
    record = TestRecord(
        rows=len(rows),
        rows_sha256=rows.rows_sha256,
        metrics=measure(rows.labels, scored.predicted),
        path=rows.path,
        sha256=rows.sha256,
        skipped_rows=len(rows.bad_rows),
    )
    metadata = msgspec.structs.replace(registry.metadata(version), test=record)
    return Subject(metadata, gather(scored, texts=texts), rescored=True)
