"""What a new version is measured against: the promoted one, on the new one's test rows."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textclf.errors import TextclfError
from textclf.evaluation.metadata_diff import Delta, class_deltas, metric_deltas
from textclf.metadata.schema import Metrics
from textclf.metadata.sketch import Sketch
from textclf.registry.registry import Registry
from textclf.release.gate import Before
from textclf.release.promote import Scored, before

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset


@dataclass(frozen=True)
class Progress:
    """A new version seen from the promoted one, on the same rows; the worst class first.

    ``seen`` is the share of these rows that the promoted one was trained on (estimated): it looks
    better on them than it is. ``excuse`` says why there are no numbers.
    """

    against: str
    metrics: list[Delta]
    per_class: list[Delta]
    seen: float = 0.0
    excuse: str | None = None


@dataclass(frozen=True)
class Past:
    """The promoted version on the test rows of one that is about to be trained.

    It is scored before the training, which is long, rather than after it, where Ctrl-C or a version
    that cannot be opened would come at a bad moment.
    """

    scored: Scored
    promoted: Before
    seen: float

    @classmethod
    def of(cls, registry: Registry, rows: Dataset) -> Past:
        """Take what is recorded of it, if it was tested on these rows; score it if not."""
        scored, promoted, seen = Scored(registry, rows), None, 0.0
        with contextlib.suppress(TextclfError):  # told when the new version is to be promoted
            promoted = registry.latest()
            if promoted:
                metadata = registry.metadata(promoted)
                seen = Sketch.from_rows(rows.texts, rows.labels).containment_in(
                    metadata.data.sketch
                )
                if metadata.test.rows_sha256 == rows.rows_sha256:
                    scored.add(promoted, metadata.test.metrics)
        return cls(scored, before(scored, promoted), round(seen, 3))

    def progress(self, metrics: Metrics) -> Progress | None:
        """The new version's metrics less the promoted one's; ``None`` if none was promoted."""
        version, was = self.promoted.version, self.promoted.metrics
        if version is None:
            return None
        if was is None:
            return Progress(version, [], [], self.seen, self.promoted.excuse)
        return Progress(version, metric_deltas(was, metrics), class_deltas(was, metrics), self.seen)
