"""Who is told of promotions: from options, variables and the user's own settings."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from textclf.cli.options.user_settings import read_user_settings, user_settings_file
from textclf.cli.output import render

if TYPE_CHECKING:
    from textclf.registry.promotion_log import PromotionRecord
    from textclf.registry.registry import Registry
    from textclf.release.notify import Recipient

_SECRET = "TEXTCLF_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable


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
        recipients = self._recipients(context)
        if not recipients:
            return
        from textclf.release.notify import tell

        def on_promotion(record: "PromotionRecord") -> None:
            for failure in tell(registry, recipients, record):
                render.warning(
                    f"{record.to} is promoted, but {failure.recipient} was not told of it: "
                    f"{failure.reason}"
                )

        registry.on_promotion = on_promotion

    def _recipients(self, context: typer.Context) -> list["Recipient"]:
        own = read_user_settings()
        command, webhook = self.on_promote, self.webhook
        if command is None:
            command = own.get("on_promote")
        if webhook is None:
            webhook = own.get("webhook")
        recipients: list[Recipient] = []
        if command:
            from textclf.release.notify import Command

            source = _source(context, "on_promote")
            recipients += [Command.parse(command, source, typed=source.startswith("--"))]
        if webhook:
            from textclf.release.webhook import Webhook

            secret = os.environ.get(_SECRET) or own.get("webhook_secret")
            recipients += [Webhook.parse(webhook, secret, _source(context, "webhook"))]
        return recipients


def _source(context: typer.Context, name: str) -> str:
    """Return where the value of an option comes from, for messages."""
    source = context.get_parameter_source(name)
    if source is not None and source.name == "COMMANDLINE":
        return f"--{name.replace('_', '-')}"
    if source is not None and source.name == "ENVIRONMENT":
        return f"TEXTCLF_{name.upper()}"
    return f"{user_settings_file()}: {name}"
