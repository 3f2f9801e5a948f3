"""The options that say who is told of promotions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from textclf.cli.options.settings import is_typed
from textclf.cli.output import render

if TYPE_CHECKING:
    from textclf.registry.registry import Registry


@dataclass(frozen=True)
class NotifyOptions:
    """Who is told of promotions."""

    panel: ClassVar = "Versioning"

    on_promote: Annotated[
        str | None,
        typer.Option(
            envvar="TEXTCLF_ON_PROMOTE",
            metavar="COMMAND",
            help="Run this after a promotion, with its record as JSON on stdin; no shell.",
        ),
    ] = None
    webhook: Annotated[
        str | None,
        typer.Option(
            envvar="TEXTCLF_WEBHOOK",
            metavar="URL",
            help="Send the record here, too; signed if TEXTCLF_WEBHOOK_SECRET is set.",
        ),
    ] = None

    def watch(self, context: typer.Context, registry: "Registry") -> None:
        """Let a registry tell of its promotions. Raises UsageError."""
        from textclf.release.recipients import find_recipients

        recipients = find_recipients(
            self.on_promote if is_typed(context, "on_promote") else None,
            self.webhook if is_typed(context, "webhook") else None,
            prefix="--",
        )
        if recipients:
            from textclf.release.notify import watch

            watch(registry, recipients, render.warning)
