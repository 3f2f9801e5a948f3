"""The files for readers of a version that is being trained: gathered first, written with it."""

from __future__ import annotations

from textclf.evaluation.scored_rows import ScoredRows
from textclf.metadata.schema import Metadata
from textclf.report.evidence import Evidence
from textclf.report.files import files
from textclf.report.gather import gather


class Publication:
    """Sees the test of a training, and makes the pages once the version has its number."""

    def __init__(self, *, texts: bool) -> None:
        self._texts = texts
        self._evidence: Evidence | None = None

    def see(self, scored: ScoredRows) -> None:
        """Gather what the pages show; the model and the rows are not kept."""
        self._evidence = gather(scored, texts=self._texts)

    def pages(self, metadata: Metadata) -> dict[str, bytes]:
        """For ``Registry.publish``; there are none where no test was seen."""
        return files(metadata, self._evidence) if self._evidence else {}
