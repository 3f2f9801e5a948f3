"""``textclf rollback``: promote again what was promoted before."""

from __future__ import annotations

from typing import Annotated

import typer

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Message, complete_channel, complete_version
from textclf.cli.options.versioning import NotifyOptions
from textclf.cli.output.promotions import show_promotion
from textclf.errors import UsageError
from textclf.metadata.channels import LATEST, require_channel

Steps = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="How many promotions to go back; by default one."),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="VERSION",
        autocompletion=complete_version,
        help="Go back to this version, which was promoted before.",
    ),
]
Channel = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        callback=require_channel,
        autocompletion=complete_channel,
        help="The channel to roll back.",
    ),
]


@option_groups
def rollback(
    context: typer.Context,
    message: Message = None,
    steps: Steps = None,
    to: To = None,
    channel: Channel = LATEST,
    *,
    notify: NotifyOptions,
    common: CommonOptions,
) -> None:
    """Promote again what was promoted before; a second rollback goes further back.

    Examples:
      textclf rollback -m "too many false alarms"
      textclf rollback --to 1.0.0
      textclf rollback --steps 2 --channel staging

    More: docs/registry.md, docs/events.md
    """
    if to and steps:
        raise UsageError("--steps and --to both say how far to go back", hint="give one of them")
    registry = common.open_registry(to_write=True)
    notify.watch(context, registry)
    target = registry.resolve(to) if to else None
    with deferred_interrupts():
        promotion = registry.rollback(steps=steps or 1, to=target, message=message, channel=channel)
        show_promotion(promotion, as_json=common.as_json, quiet=common.quiet)
