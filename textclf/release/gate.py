"""The conditions that a version must meet to be promoted, and the verdict on them.

Pure functions of metrics, whether these were recorded at training or computed just now. Metrics and
limits are shares between 0 and 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from textclf.errors import UsageError
from textclf.evaluation.train_overlap import NOTABLE_OVERLAP, overlap_warning
from textclf.formatting import suggestion
from textclf.metadata.schema import Metrics
from textclf.metadata.verdict import PASSED, REFUSED, Check, JudgedRows, Verdict
from textclf.release.baseline import Baseline

_OVERALL = ("accuracy", "macro_f1", "weighted_f1")
_PER_CLASS = ("f1", "precision", "recall")
_REGRESSION = ("accuracy", "macro_f1")
"""The metrics that ``max_regression`` limits."""

TRAIN_OVERLAP = "train_overlap"
"""What a check of the rows themselves is about, as `JudgedRows` names it."""

_REQUIREMENT = r"\s*(\w+)(?:\[(.*)\])?\s*(?:>?=)\s*([^\s=>\[\]]+)\s*"
_ROUNDING = 1e-9
"""The slack of comparisons: in floating point 0.90 - 0.89 is more than 0.01."""


class Requirement(msgspec.Struct, frozen=True):
    """The lowest value that a metric may have; ``label`` is set for a metric of one class."""

    metric: str
    label: str | None
    least: float

    @property
    def name(self) -> str:
        """The name of the metric: ``accuracy``, or ``f1[spam]``."""
        return self.metric if self.label is None else f"{self.metric}[{self.label}]"

    def __str__(self) -> str:
        return f"{self.name}>={self.least:.12g}"

    def value_in(self, metrics: Metrics) -> float | None:
        """Return the metric's value; ``None`` if the label was neither given nor predicted."""
        if self.label is None:
            return float(getattr(metrics, self.metric))
        scores = metrics.per_class.get(self.label)
        return None if scores is None else float(getattr(scores, self.metric))


def parse_requirement(text: str) -> Requirement:
    """Parse ``accuracy>=0.9`` or ``f1[spam]>=95%``; ``=`` does as well, which shells leave alone.

    Raises:
        UsageError: the text is not of that form, or there is no such metric.
    """
    match = re.fullmatch(_REQUIREMENT, text, re.DOTALL)
    if not match:
        raise UsageError(
            f"{text!r} is not a requirement: it must have the form metric>=value",
            hint="quote it, because > and [ have a meaning in shells: 'accuracy>=0.9'",
        )
    metric, label, least = match.groups()
    known = _OVERALL if label is None else _PER_CLASS
    if metric not in known:
        names = [*_OVERALL, *(f"{name}[LABEL]" for name in _PER_CLASS)]
        hint = suggestion(metric, names, f"the metrics are {', '.join(names)}")
        raise UsageError(f"{text!r}: there is no metric {metric!r}", hint=hint)
    return Requirement(metric, label, parse_share(least))


def parse_share(text: str) -> float:
    """Parse ``0.9`` or ``90%``. Raises UsageError if it is not between 0 and 1."""
    number = text.removesuffix("%")
    try:
        share = float(number) / (100 if number != text else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"{text!r} is not between 0 and 1", hint="0.9 or 90%")
    return share


class Gate(msgspec.Struct, frozen=True):
    """The conditions that a version must meet.

    Attributes:
        require: the lowest values that metrics may have.
        max_regression: how far accuracy and macro F1 may be below those of the promoted version;
            ``None`` is no limit.
        max_class_regression: how far the F1 of any class may be below that of the promoted version.
        allow_training_rows: whether it may be judged on rows that it was trained on.
    """

    require: tuple[Requirement, ...] = ()
    max_regression: float | None = None
    max_class_regression: float | None = None
    allow_training_rows: bool = False

    def __bool__(self) -> bool:
        return bool(self.require) or self.compares

    @property
    def compares(self) -> bool:
        """Whether the version is also compared with the promoted one."""
        return self.max_regression is not None or self.max_class_regression is not None

    def joined(self, other: Gate) -> Gate:
        """Return a gate with the conditions of both: all requirements, and the stricter limits."""
        return Gate(
            tuple(dict.fromkeys([*self.require, *other.require])),
            _stricter(self.max_regression, other.max_regression),
            _stricter(self.max_class_regression, other.max_class_regression),
            self.allow_training_rows or other.allow_training_rows,
        )


def parse_gate(
    require: Iterable[str] | str = (),
    max_regression: float | None = None,
    max_class_regression: float | None = None,
    *,
    allow_training_rows: bool = False,
) -> Gate:
    """Return a gate whose requirements are as they are typed. Raises UsageError."""
    listed = [require] if isinstance(require, str) else require
    requirements = tuple(map(parse_requirement, listed))
    return Gate(requirements, max_regression, max_class_regression, allow_training_rows)


def _stricter(one: float | None, other: float | None) -> float | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)


def judge(gate: Gate, metrics: Metrics, baseline: Baseline, on: JudgedRows) -> Verdict:
    """Judge a version by its metrics.

    All classes whose F1 fell too far are listed; if there are none, the one that fell furthest is.
    A condition that cannot be judged is not met. On rows that the version was trained on nothing
    can be judged, unless the gate allows them.

    Args:
        gate: the conditions.
        metrics: of the version.
        baseline: the promoted version on the same rows.
        on: these rows, for the record.
    """
    checks = [*_check_overlap(gate, on)]
    checks += [_check_requirement(requirement, metrics) for requirement in gate.require]
    if gate.compares and baseline.version is not None:
        checks += _regressions(gate, metrics, baseline)
    verdict = PASSED if all(check.passed for check in checks) else REFUSED
    return Verdict(verdict, baseline.version, on, checks)


def _check_overlap(gate: Gate, on: JudgedRows) -> Iterator[Check]:
    share = on.train_overlap
    rule, reason = f"{TRAIN_OVERLAP}<={NOTABLE_OVERLAP}", overlap_warning("it", share)
    if reason is None:
        return
    if gate.allow_training_rows:
        rule, reason = f"{TRAIN_OVERLAP} allowed", None
    yield Check(rule, TRAIN_OVERLAP, None, share, None, passed=reason is None, reason=reason)


def _check_requirement(requirement: Requirement, metrics: Metrics) -> Check:
    value = requirement.value_in(metrics)
    reason = None
    if value is None:
        hint = suggestion(str(requirement.label), metrics.per_class, "")
        reason = f"no test row has the label {requirement.label!r}{'; ' * bool(hint)}{hint}"
    elif value < requirement.least - _ROUNDING:
        reason = f"{requirement.name} is {value:.4f}, below {requirement.least:.12g}"
    return Check(
        rule=str(requirement),
        metric=requirement.name,
        least=requirement.least,
        value=value,
        before=None,
        passed=reason is None,
        reason=reason,
    )


def _regressions(gate: Gate, metrics: Metrics, baseline: Baseline) -> Iterator[Check]:
    limits = [
        ("max-regression", gate.max_regression),
        ("max-class-regression", gate.max_class_regression),
    ]
    for name, limit in limits:
        if limit is None:
            continue
        rule = f"{name} {limit:.12g}"
        if baseline.metrics is None:
            metric = "accuracy" if name == "max-regression" else "f1"
            reason = f"{rule} cannot be judged: {baseline.unavailable_reason}"
            yield Check(rule, metric, None, None, None, passed=False, reason=reason)
        elif name == "max-regression":
            for metric in _REGRESSION:
                value, was = getattr(metrics, metric), getattr(baseline.metrics, metric)
                yield _regression(rule, metric, was, value, limit)
        else:
            yield from _class_regressions(rule, metrics, baseline.metrics, limit)


def _class_regressions(
    rule: str, metrics: Metrics, before: Metrics, limit: float
) -> Iterator[Check]:
    """Yield the checks of all classes that fell too far, or else of the one that fell furthest."""
    checks = [
        _regression(rule, f"f1[{label}]", was.f1, _f1(metrics, label), limit)
        for label, was in before.per_class.items()
    ]
    checks.sort(key=lambda check: (check.value or 0.0) - (check.before or 0.0))
    failed = [check for check in checks if not check.passed]
    yield from failed or checks[:1]


def _f1(metrics: Metrics, label: str) -> float:
    scores = metrics.per_class.get(label)
    return scores.f1 if scores else 0.0


def _regression(rule: str, metric: str, was: float, value: float, limit: float) -> Check:
    passed = value >= was - limit - _ROUNDING
    reason = None
    if not passed:
        reason = f"{metric} is {value:.4f}, more than {limit:.12g} below {was:.4f}"
    return Check(rule, metric, was - limit, value, was, passed=passed, reason=reason)
