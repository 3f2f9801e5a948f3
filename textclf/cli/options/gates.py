"""The options of a gate, and the settings that they add to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.errors import UsageError

if TYPE_CHECKING:
    from semver import Version

    from textclf.data.dataset import ReadOptions
    from textclf.registry.registry import Registry
    from textclf.release.gate import Gate
    from textclf.release.promote import Evidence


def _share(text: str | float) -> float:
    from textclf.release.gate import parse_share

    try:
        return parse_share(str(text))
    except UsageError as error:
        raise typer.BadParameter(f"{error}, such as {error.hint}") from None


Require = Annotated[
    list[str] | None,
    typer.Option(
        metavar="METRIC>=VALUE",
        help="Promote only what has it: 'accuracy>=0.9', 'macro_f1>=0.85', 'f1[spam]>=0.95'; "
        "may be given more than once.",
    ),
]
MaxRegression = Annotated[
    float | None,
    typer.Option(
        parser=_share,
        metavar="SHARE",
        help="Accuracy and macro F1 may be so much below the promoted version's.",
    ),
]
MaxClassRegression = Annotated[
    float | None,
    typer.Option(parser=_share, metavar="SHARE", help="So may the F1 of each class."),
]
Force = Annotated[
    bool, typer.Option("--force", help="Promote all the same; needs -m, and is recorded.")
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="FILE", help="Score both versions on these rows, not by their records."
    ),
]


def gate_of(
    context: typer.Context,
    require: list[str] | None,
    max_regression: float | None,
    max_class_regression: float | None,
) -> Gate:
    """The gate of the options, joined with that of the settings, which no flag loosens."""
    settings = context.default_map or {}
    limits = (settings.get(name) for name in ("max_regression", "max_class_regression"))
    overall, per_class = (None if limit is None else _share(limit) for limit in limits)
    given = made(require, max_regression, max_class_regression)
    return given.joined(made(settings.get("require"), overall, per_class))


def made(
    require: list[str] | None, overall: float | None = None, per_class: float | None = None
) -> Gate:
    """A gate of requirements as they are typed. Raises UsageError."""
    from textclf.release.gate import Gate, parse_requirement

    return Gate(tuple(map(parse_requirement, require or [])), overall, per_class)


def require_reason(message: str | None, *, force: bool) -> None:
    """Raise UsageError where a gate would be forced without saying why."""
    if force and not message:
        raise UsageError("--force needs a reason, which is kept", hint='--force -m "why"')


def evidence_on(
    registry: Registry, version: Version, gate: Gate, data: Path | None, options: ReadOptions
) -> Evidence:
    """What the version and the promoted one are judged by: the rows given, or their records."""
    from textclf.release.promote import LiveEvidence, RecordedEvidence, find_baseline

    if data is None:
        return RecordedEvidence(registry, version)
    from textclf.data.dataset import read_dataset

    evidence = LiveEvidence(registry, read_dataset(data, options))
    evidence.metrics(version)  # now, where Ctrl-C still ends it at once
    if gate.compares:
        find_baseline(evidence, registry.latest())
    return evidence
