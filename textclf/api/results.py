"""What functions of the API return beyond the values of the core, to be read in a notebook too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from textclf.evaluation.metadata_diff import Comparison
from textclf.evaluation.paired import PairedComparison
from textclf.formatting import percent, points
from textclf.metadata.schema import Metadata
from textclf.metadata.verdict import Verdict
from textclf.registry.promotion import Promotion
from textclf.release.baseline import BaselineDelta
from textclf.release.publication import JobSummary, ReleaseResult


@dataclass(frozen=True)
class TrainResult:
    """What came of a training, or of publishing a pipeline.

    Attributes:
        version: the number of the new version; ``None`` if nothing has changed since the base
            version, or in a dry run.
        planned: in a dry run, the number that it would get.
        reasons: why it has that number, or none.
        job: the size of the training; ``None`` if a pipeline was published.
        metadata: all that is recorded of the version; ``None`` if none was published. In a dry run
            of `publish`, what would be recorded.
        path: the location of its model file.
        delta: how it differs from the version promoted before, on the same test rows; ``None`` if
            there was none.
        promotion: what its promotion did; ``None`` if it was not promoted.
        gate: how it came through the gate; ``None`` if there was none.
    """

    version: str | None
    planned: str | None
    reasons: Sequence[str]
    job: JobSummary | None
    metadata: Metadata | None
    path: str | None
    delta: BaselineDelta | None
    promotion: Promotion | None
    gate: Verdict | None

    @classmethod
    def from_release(cls, result: ReleaseResult) -> TrainResult:
        """Return the result of a release."""
        published = result.published
        return cls(
            published.version if published else None,
            None if published or not result.plan.version else str(result.plan.version),
            result.plan.bump.reasons,
            result.job,
            published or result.tested,
            result.path,
            result.delta,
            result.promotion,
            result.verdict,
        )

    @property
    def promoted(self) -> bool:
        """Whether the version was promoted."""
        return self.promotion is not None

    def __repr__(self) -> str:
        """Return the version and how good it is, on one line."""
        if self.version is None:
            return f"<TrainResult: {self._unpublished} ({'; '.join(self.reasons)})>"
        *facts, (_, outcome) = self._facts()
        known = ", ".join([outcome, *(f"{name} {value}" for name, value in facts if value)])
        return f"<TrainResult {self.version}: {known}>"

    def _repr_html_(self) -> str:
        """Return a small table, for notebooks."""
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
            for name, value in [("version", self.version or self._unpublished), *self._facts()]
        )
        return f"<table>{rows}</table>"

    @property
    def _unpublished(self) -> str:
        return f"would be {self.planned}" if self.planned else "no new version"

    def _facts(self) -> list[tuple[str, str]]:
        if self.metadata is None:
            return [("because", "; ".join(self.reasons))]
        metrics = self.metadata.test.metrics
        facts = [
            ("accuracy", percent(metrics.accuracy)),
            ("macro F1", percent(metrics.macro_f1)),
            ("test rows", f"{self.metadata.test.rows:,}"),
        ]
        if self.delta and self.delta.metrics:
            changes = (f"{d.name} {points(d.delta)}" for d in self.delta.metrics)
            facts.append((f"against {self.delta.against}", ", ".join(changes)))
        outcome = "refused by the gate" if self.gate else "not promoted"
        if self.planned:
            outcome = "not published"
        return [*facts, ("promotion", "promoted" if self.promoted else outcome)]


@dataclass(frozen=True)
class CompareResult:
    """What differs between two versions.

    Attributes:
        recorded: the differences of what is recorded of them.
        scored: the comparison on the same rows, if rows were given.
    """

    recorded: Comparison
    scored: PairedComparison | None = None
