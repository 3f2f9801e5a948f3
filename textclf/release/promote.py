"""Promote a version through a gate: the evidence it is judged by, and the record of the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec
from semver import Version

from textclf.errors import GateRefused, TextclfError
from textclf.evaluation.train_overlap import train_overlap
from textclf.formatting import first_few
from textclf.metadata.channels import LATEST
from textclf.metadata.schema import Metadata, Metrics
from textclf.metadata.verdict import FORCED, PASSED, JudgedRows, Verdict
from textclf.registry.event_log import EventKind
from textclf.registry.promotion import Promotion
from textclf.registry.registry import Registry
from textclf.release.baseline import Baseline
from textclf.release.gate import TRAIN_OVERLAP, Gate, judge

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset

_NAMED = 3
"""Unmet conditions that a message names; the log has all."""


class Evidence(Protocol):
    """Metrics of versions, all on the same rows."""

    def rows(self, version: Version) -> JudgedRows:
        """Return which rows these are, and how many of them a version was trained on."""
        ...

    def metrics(self, version: Version) -> Metrics:
        """Return the metrics of a version. Raises TextclfError if it has none on these rows."""
        ...


class RecordedEvidence:
    """The metrics recorded when versions were trained, as far as they are on the same test rows."""

    def __init__(self, registry: Registry, version: Version) -> None:
        self._registry = registry
        self._test = registry.metadata(version).test

    def rows(self, version: Version) -> JudgedRows:
        """Return the test rows of the version; the overlap is that of its own training rows."""
        test = self._registry.metadata(version).test
        return JudgedRows(
            test.rows,
            test.rows_sha256,
            scored=False,
            path=test.path,
            sha256=test.sha256,
            train_overlap=test.train_overlap,
        )

    def metrics(self, version: Version) -> Metrics:
        """Return the recorded metrics. Raises TextclfError if they are on other rows."""
        test = self._registry.metadata(version).test
        if test.rows_sha256 != self._test.rows_sha256:
            raise TextclfError(
                f"{version} was tested on different rows",
                hint="--data FILE scores both versions on the same rows",
            )
        return test.metrics


class LiveEvidence:
    """The metrics of versions that are scored on the rows of a data set when they are needed."""

    def __init__(self, registry: Registry, data: Dataset) -> None:
        self._registry = registry
        self._data = data
        self._metrics: dict[Version, Metrics] = {}
        self._labels: dict[Version, Sequence[str]] = {}

    def add(self, version: Version, metrics: Metrics) -> None:
        """Take over the metrics of a version that was scored on these rows elsewhere."""
        self._metrics[version] = metrics

    def rows(self, version: Version) -> JudgedRows:
        """Return the rows of the data set, and how many of them the version was trained on."""
        return judged_rows(self._data, self._registry.metadata(version))

    def labels(self, version: Version) -> Sequence[str]:
        """Open a version and label the rows, once. Raises TextclfError if it cannot be used."""
        if version not in self._labels:
            from textclf.prediction.predictor import Predictor

            predictor = Predictor.load(self._registry, version)
            self._labels[version] = predictor.label(self._data.texts)
        return self._labels[version]

    def metrics(self, version: Version) -> Metrics:
        """Return the metrics of a version. Raises TextclfError if it cannot be used here."""
        if version not in self._metrics:
            from textclf.evaluation.metrics import measure

            self._metrics[version] = measure(self._data.labels, self.labels(version))
        return self._metrics[version]


def gather_evidence(
    registry: Registry, version: Version, gate: Gate, rows: Dataset | None, channel: str
) -> Evidence:
    """Return what a version and the promoted one are judged by.

    Args:
        registry: where they are.
        version: the version that is to be promoted.
        gate: the conditions.
        rows: the rows on which both are scored now; ``None``: what was recorded of them is used.
        channel: the channel in which it is to be promoted.
    """
    if rows is None:
        return RecordedEvidence(registry, version)
    evidence = LiveEvidence(registry, rows)
    evidence.metrics(version)  # scores them now, where Ctrl-C still ends it at once
    if gate.compares:
        find_baseline(evidence, registry.promoted(channel))
    return evidence


def judged_rows(data: Dataset, metadata: Metadata) -> JudgedRows:
    """Return what a verdict records of the rows that a version was scored on."""
    [overlap] = train_overlap(data, metadata.sketch)
    return JudgedRows(
        len(data),
        data.rows_sha256,
        scored=True,
        path=data.path,
        sha256=data.sha256,
        train_overlap=overlap,
    )


def find_baseline(evidence: Evidence, promoted: Version | None) -> Baseline:
    """Return the promoted version on the rows of the evidence, or why it has no metrics on them."""
    if promoted is None:
        return Baseline()
    try:
        return Baseline(str(promoted), evidence.metrics(promoted))
    except TextclfError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return Baseline(str(promoted), unavailable_reason=f"{error}{hint}")


def promote_through_gate(  # noqa: PLR0913 - what is promoted, through which gate, and why
    registry: Registry,
    version: Version,
    gate: Gate,
    evidence: Evidence,
    *,
    message: str | None = None,
    force: bool = False,
    channel: str = LATEST,
) -> Promotion:
    """Promote a version if it passes the gate, and record the verdict in the log.

    The version is compared with the one that is promoted at that moment, so that a promotion by
    another process in between does not slip past the gate. A version that is promoted already is
    not judged again.

    Raises:
        GateRefused: it does not pass and is not forced; the registry's events record that.
        NoSuchVersion, IntegrityError: as `Registry.promote`.
    """

    def judge_against(promoted: Version | None) -> Verdict:
        metrics, baseline = evidence.metrics(version), find_baseline(evidence, promoted)
        verdict = judge(gate, metrics, baseline, evidence.rows(version))
        if verdict.verdict == PASSED:
            return verdict
        if force:
            return msgspec.structs.replace(verdict, verdict=FORCED)
        detail = msgspec.to_builtins(verdict)
        registry.events.append_event(EventKind.REFUSED, version, message=message, detail=detail)
        hint = f'textclf promote {version} --force -m "why" promotes it anyway'
        if all(check.metric == TRAIN_OVERLAP for check in verdict.failed):
            hint = (
                "judge it by rows that it was not trained on, under the same conditions: "
                f"textclf promote {version} --data FILE"
            )
        raise refusal(f"{version} is not promoted", verdict, hint=hint)

    judge_ = judge_against if gate else None
    return registry.promote(version, message=message, judge=judge_, channel=channel)


def refusal(what: str, verdict: Verdict, *, hint: str | None = None) -> GateRefused:
    """Return the error that names the conditions that are not met."""
    reasons = first_few([str(check.reason) for check in verdict.failed], _NAMED)
    return GateRefused(f"{what}: {'; '.join(reasons)}", hint=hint, verdict=verdict)
