"""Conditions that a version must meet to be promoted, and how it met them.

Pure functions of metrics, whether recorded at training or measured just now. Values are shares
between 0 and 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from textclf.errors import UsageError
from textclf.metadata.schema import Metrics
from textclf.metadata.verdict import PASSED, REFUSED, Check, Rows, Verdict
from textclf.release.baseline import Baseline

_OVERALL = ("accuracy", "macro_f1", "weighted_f1")
_OF_A_CLASS = ("f1", "precision", "recall")
_WATCHED = ("accuracy", "macro_f1")
"""Metrics that ``max_regression`` is about."""

_REQUIREMENT = re.compile(r"\s*(\w+)(?:\[(.*)\])?\s*(?:>?=)\s*([^\s=>\[\]]+)\s*", re.DOTALL)
_ROUNDING = 1e-9
"""0.90 less 0.89 is no more than 0.01, though not to a computer."""


@dataclass(frozen=True)
class Requirement:
    """The least that a metric may be; ``label`` is set for a metric of one class."""

    metric: str
    label: str | None
    least: float

    @property
    def name(self) -> str:
        """``accuracy``, or ``f1[spam]``."""
        return self.metric if self.label is None else f"{self.metric}[{self.label}]"

    def __str__(self) -> str:
        return f"{self.name}>={self.least:.12g}"

    def of(self, metrics: Metrics) -> float | None:
        """The value of this metric; ``None`` where no row has the label, nor was given it."""
        if self.label is None:
            return float(getattr(metrics, self.metric))
        found = metrics.per_class.get(self.label)
        return None if found is None else float(getattr(found, self.metric))


def parse_requirement(text: str) -> Requirement:
    """Read ``accuracy>=0.9``, ``f1[spam]>=95%`` or, without a sign that shells take, ``=``.

    Raises:
        UsageError: it is not of that form, or there is no such metric.
    """
    found = _REQUIREMENT.fullmatch(text)
    if not found:
        raise UsageError(
            f"{text!r} is no requirement: it has the form metric>=value",
            hint="quote it, for a shell takes > and [ for its own: 'accuracy>=0.9' 'f1[spam]>=0.9'",
        )
    metric, label, least = found.groups()
    known = _OVERALL if label is None else _OF_A_CLASS
    if metric not in known:
        raise UsageError(f"{text!r}: no metric is called {metric!r}", hint=_near(metric))
    return Requirement(metric, label, parse_share(least))


def _near(metric: str) -> str:
    known = [*_OVERALL, *(f"{name}[LABEL]" for name in _OF_A_CLASS)]
    near = _closest(metric, known)
    return f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"


def _closest(word: str, known: Iterable[str]) -> str | None:
    import difflib  # rarely needed, and it takes a while

    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


def parse_share(text: str) -> float:
    """Read ``0.9`` or ``90%``. Raises UsageError where it is not between 0 and 1."""
    number = text.removesuffix("%")
    try:
        share = float(number) / (100 if number != text else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"{text!r} is not between 0 and 1", hint="0.9 or 90%")
    return share


@dataclass(frozen=True)
class Gate:
    """What a version must meet.

    Attributes:
        require: the least values of metrics.
        max_regression: how far accuracy and macro F1 may be below those of the promoted version.
        max_class_regression: how far the F1 of any class may be.
    """

    require: tuple[Requirement, ...] = ()
    max_regression: float | None = None
    max_class_regression: float | None = None

    def __bool__(self) -> bool:
        return bool(self.require) or self.compares

    @property
    def compares(self) -> bool:
        """Whether it looks at the promoted version, too."""
        return self.max_regression is not None or self.max_class_regression is not None

    def joined(self, other: Gate) -> Gate:
        """Both at once: all requirements, and the stricter limit of each kind."""
        return Gate(
            tuple(dict.fromkeys([*self.require, *other.require])),
            _stricter(self.max_regression, other.max_regression),
            _stricter(self.max_class_regression, other.max_class_regression),
        )


def _stricter(one: float | None, other: float | None) -> float | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)


def judge(gate: Gate, metrics: Metrics, baseline: Baseline, on: Rows) -> Verdict:
    """Hold a version's metrics against a gate.

    A class that got worse than it may is listed; where none did, the one that came closest is. What
    cannot be judged is not passed.
    """
    checks = [_required(each, metrics) for each in gate.require]
    if gate.compares and baseline.version is not None:
        checks += _regressions(gate, metrics, baseline)
    verdict = PASSED if all(check.passed for check in checks) else REFUSED
    return Verdict(verdict, baseline.version, on, checks)


def _required(requirement: Requirement, metrics: Metrics) -> Check:
    value = requirement.of(metrics)
    reason = None
    if value is None:
        near = _closest(requirement.label or "", metrics.per_class)
        mean = f"; did you mean {near!r}?" if near else ""
        reason = f"no test row has the label {requirement.label!r}{mean}"
    elif value < requirement.least - _ROUNDING:
        reason = f"{requirement.name} is {value:.4f}, under {requirement.least:.12g}"
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
            for metric in _WATCHED:
                value, was = getattr(metrics, metric), getattr(baseline.metrics, metric)
                yield _regression(rule, metric, was, value, limit)
        else:
            yield from _class_regressions(rule, metrics, baseline.metrics, limit)


def _class_regressions(
    rule: str, metrics: Metrics, before: Metrics, limit: float
) -> Iterator[Check]:
    """Of every class that lost too much; else of the one that lost most."""
    checks = [
        _regression(rule, f"f1[{label}]", was.f1, _f1(metrics, label), limit)
        for label, was in before.per_class.items()
    ]
    checks.sort(key=lambda check: (check.value or 0.0) - (check.before or 0.0))
    failed = [check for check in checks if not check.passed]
    yield from failed or checks[:1]


def _f1(metrics: Metrics, label: str) -> float:
    found = metrics.per_class.get(label)
    return found.f1 if found else 0.0


def _regression(rule: str, metric: str, was: float, value: float, limit: float) -> Check:
    passed = value >= was - limit - _ROUNDING
    reason = None if passed else f"{metric} is {value:.4f}, was {was:.4f}: over {limit:.12g} less"
    return Check(rule, metric, was - limit, value, was, passed=passed, reason=reason)
