"""Promotion through a gate: what a version is judged by, and what is written down of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec
from semver import Version

from textclf.errors import GateRefused, TextclfError
from textclf.metadata.schema import Metrics
from textclf.metadata.verdict import FORCED, PASSED, Rows, Verdict
from textclf.registry.registry import Promotion, Registry
from textclf.release.gate import Before, Gate, judge

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset

_NAMED = 3
"""Unmet conditions that a message has; the log has all."""


class Evidence(Protocol):
    """Metrics of versions, all on the same rows."""

    @property
    def rows(self) -> Rows:
        """Which rows."""
        ...

    def of(self, version: Version) -> Metrics:
        """The metrics of a version. Raises TextclfError where it has none on these rows."""
        ...


class Recorded:
    """What was recorded when versions were trained, if it was on the test rows of a given one."""

    def __init__(self, registry: Registry, version: Version) -> None:
        self._registry = registry
        test = registry.metadata(version).test
        self.rows = Rows(
            test.rows, test.rows_sha256, scored=False, path=test.path, sha256=test.sha256
        )

    def of(self, version: Version) -> Metrics:
        """As recorded. Raises TextclfError where it was tested on other rows."""
        test = self._registry.metadata(version).test
        if test.rows_sha256 != self.rows.rows_sha256:
            raise TextclfError(
                f"{version} was tested on other rows", hint="--data FILE scores both on the same"
            )
        return test.metrics


class Scored:
    """Versions scored on the rows of a data set, each once, when it is asked for."""

    def __init__(self, registry: Registry, data: Dataset) -> None:
        self._registry = registry
        self._data = data
        self._found: dict[Version, Metrics] = {}
        self.rows = rows_of(data)

    def add(self, version: Version, metrics: Metrics) -> None:
        """Take the metrics of a version on these rows from elsewhere."""
        self._found[version] = metrics

    def of(self, version: Version) -> Metrics:
        """Open a version and score it. Raises TextclfError where it cannot be used here."""
        if version not in self._found:
            from textclf.evaluation.metrics import measure
            from textclf.prediction.predictor import Predictor

            predictor = Predictor.load(self._registry, version)
            self._found[version] = measure(self._data.labels, predictor.label(self._data.texts))
        return self._found[version]


def rows_of(data: Dataset) -> Rows:
    """What the log says of rows that versions were scored on."""
    return Rows(len(data), data.rows_sha256, scored=True, path=data.path, sha256=data.sha256)


def promote(  # noqa: PLR0913 - what is promoted, through what, and why
    registry: Registry,
    version: Version,
    gate: Gate,
    evidence: Evidence,
    *,
    message: str | None = None,
    force: bool = False,
) -> Promotion:
    """Promote a version if it passes the gate; write the verdict into the log.

    It is compared with the version that is promoted at that moment, so a rival's promotion in
    between does not slip past the gate. What is promoted already is not judged again.

    Raises:
        GateRefused: it does not pass, and is not forced. That is noted among the registry's events.
        NoSuchVersion, IntegrityError: as `Registry.promote`.
    """

    def judged(promoted: Version | None) -> Verdict:
        verdict = judge(gate, evidence.of(version), before(evidence, promoted), evidence.rows)
        if verdict.verdict == PASSED:
            return verdict
        if force:
            return msgspec.structs.replace(verdict, verdict=FORCED)
        detail = msgspec.to_builtins(verdict)
        registry.append_event("refused", version, message=message, detail=detail)
        raise refused(f"{version} is not promoted", verdict)

    return registry.promote(version, message=message, judge=judged if gate else None)


def before(evidence: Evidence, promoted: Version | None) -> Before:
    """The promoted version on the rows of the evidence, or why it cannot be had."""
    if promoted is None:
        return Before()
    try:
        return Before(str(promoted), evidence.of(promoted))
    except TextclfError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return Before(str(promoted), excuse=f"{error}{hint}")


def refused(what: str, verdict: Verdict) -> GateRefused:
    """The error that says which conditions are not met."""
    reasons = [str(check.reason) for check in verdict.failed]
    more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    return GateRefused(f"{what}: {'; '.join(reasons[:_NAMED])}{more}", verdict=verdict)
