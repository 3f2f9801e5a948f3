"""The options of a gate, the settings they add to, and the answer of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.output import render
from textclf.cli.output.document import Code, Sentence, Table, sentence
from textclf.errors import UsageError

if TYPE_CHECKING:
    from semver import Version

    from textclf.data.dataset import ReadOptions
    from textclf.metadata.verdict import Check, Verdict
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
    from textclf.release.promote import Recorded, Scored, before

    if data is None:
        return Recorded(registry, version)
    from textclf.data.dataset import read_dataset

    found = Scored(registry, read_dataset(data, options))
    found.of(version)  # now, where Ctrl-C still ends it at once
    if gate.compares:
        before(found, registry.latest())
    return found


def blocks(verdict: Verdict) -> list[Sentence | Table]:
    """A verdict: on which rows, against which version, and each condition."""
    on = verdict.on
    rows = render.counted(on.rows, "row")
    how = f"gate {verdict.verdict}: {'scored' if on.scored else 'as recorded'} on {rows}"
    where = (" of ", Code(on.path)) if on.path else ()
    against = f"; promoted is {verdict.against}" if verdict.against else "; nothing is promoted"
    return [
        sentence(how, *where, against),
        table(verdict),
    ]


def table(verdict: Verdict, title: str | None = None) -> Table:
    """What was required, and what is."""
    compared = any(check.before is not None for check in verdict.checks)
    numbers = [*(["promoted"] if compared else []), "this", "at least"]
    return Table(
        ["rule", "metric", *numbers, ""],
        [_row(check, compared=compared) for check in verdict.checks],
        right=numbers,
        title=title,
    )


def _row(check: Check, *, compared: bool) -> list[object]:
    numbers = [*([check.before] if compared else []), check.value, check.least]
    return [
        Code(check.rule),
        Code(check.metric),
        *("–" if number is None else f"{number:.4f}" for number in numbers),
        "ok" if check.passed else "no",
    ]
