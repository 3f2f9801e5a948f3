"""``textclf history``: the promotion log and the other events."""

from __future__ import annotations

from typing import Annotated

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.output import promotion_history, render
from textclf.errors import IntegrityError

All = Annotated[
    bool,
    typer.Option("--all", help="With --json: include refusals and other events, ordered by time."),
]
Channel = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Only the promotions of this channel. By default those of all, and with --json those "
        "of latest.",
    ),
]


@option_groups
def history(everything: All = False, channel: Channel = None, *, common: CommonOptions) -> None:
    """Show the promotion log, and promotions that were refused.

    Examples:
      textclf history
      textclf history --channel staging
      textclf history --all --json

    More: docs/registry.md
    """
    from textclf.registry.history import entry_as_json, read_history

    registry = common.open_registry()
    known = read_history(registry)
    if channel:
        known = known.of_channel(channel)
    if common.as_json and everything:
        render.json([entry_as_json(entry) for entry in known.entries])
    elif common.as_json:
        render.json([record.as_json() for record in known.promotions])
    elif known.entries:
        promotion_history.show(known.entries)
    else:
        common.hint("nothing has been promoted yet; to start: textclf train")
    for error in known.damaged:
        render.warning(str(error))
    if known.damaged:
        raise typer.Exit(IntegrityError.exit_code)
