"""The options of a gate, and the settings that they add to."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from textclf.cli.options.options import parse_share
from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.release.gate import Gate


AllowTrainingRows = Annotated[
    bool,
    typer.Option(
        "--allow-training-rows",
        help="Judge even if more than 5% of the rows are in its training data; it is recorded.",
    ),
]


@dataclass(eq=False, repr=False)
class GateConditions:
    """The conditions under which a version is promoted."""

    panel: ClassVar = "Gate"

    require: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC>=VALUE",
            help="Promote only if a metric is at least this: 'accuracy>=0.9', 'f1[spam]>=95%'; "
            "repeatable.",
        ),
    ] = None
    max_regression: Annotated[
        float | None,
        typer.Option(
            parser=parse_share,
            metavar="SHARE",
            help="How far accuracy and macro F1 may be below those of the promoted version, "
            "such as 1%.",
        ),
    ] = None
    max_class_regression: Annotated[
        float | None,
        typer.Option(
            parser=parse_share,
            metavar="SHARE",
            help="How far the F1 of any class may be below that of the promoted version, "
            "such as 2%.",
        ),
    ] = None
    allow_training_rows: AllowTrainingRows = False

    def gate(self, context: typer.Context) -> "Gate":
        """Return the gate of the options, joined with that of the settings: no limit loosens it."""
        from textclf.release.gate import parse_gate

        settings = context.default_map or {}
        limits = (settings.get(name) for name in ("max_regression", "max_class_regression"))
        overall, per_class = (None if limit is None else parse_share(limit) for limit in limits)
        given = parse_gate(
            self.require or (),
            self.max_regression,
            self.max_class_regression,
            allow_training_rows=self.allow_training_rows,
        )
        return given.joined(parse_gate(settings.get("require") or (), overall, per_class))


@dataclass(eq=False, repr=False)
class GateOptions(GateConditions):
    """The conditions under which a version is promoted, and the way past them."""

    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Promote even if the gate refuses; needs -m, and is recorded."
        ),
    ] = False

    def require_reason(self, message: str | None) -> None:
        """Raise UsageError if a refusal would be overridden without a reason."""
        if self.force and not message:
            raise UsageError("--force needs a reason, which is recorded", hint='--force -m "why"')
