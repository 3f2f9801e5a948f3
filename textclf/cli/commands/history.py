"""``textclf history``: the promotion log and the other events."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from operator import methodcaller
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import complete_channel
from textclf.cli.output import render
from textclf.cli.output.promotions import show_history
from textclf.errors import IntegrityError, StoreError, TextclfError, UsageError

if TYPE_CHECKING:
    from textclf.registry.history import Entry, HistoryFollower

_POLL_SECONDS = 1.0

All = Annotated[
    bool,
    typer.Option("--all", help="With --json: include refusals and other events, ordered by time."),
]
Channel = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        autocompletion=complete_channel,
        help="Only the promotions of this channel. By default those of all, and with --json those "
        "of latest.",
    ),
]

Follow = Annotated[
    bool,
    typer.Option(
        "--follow",
        help="With --json: print each new promotion of any channel as a line, until Ctrl-C.",
    ),
]


@option_groups
def history(
    everything: All = False,
    channel: Channel = None,
    follow: Follow = False,
    *,
    common: CommonOptions,
) -> None:
    """Show the promotion log, and promotions that were refused.

    Examples:
      textclf history
      textclf history --channel staging
      textclf history --follow --json

    More: docs/registry.md, docs/events.md
    """
    from textclf.registry.history import (
        HistoryFollower,
        entry_as_json,
        read_history,
        read_promotions,
    )

    if follow and not common.as_json:
        raise UsageError("--follow prints lines of JSON", hint="textclf history --follow --json")
    registry = common.open_registry()
    if follow:
        as_json = entry_as_json if everything else methodcaller("as_json")
        _follow(HistoryFollower(registry, channel, events=everything), as_json)
        return
    known = read_promotions(registry, channel) if channel else read_history(registry)
    if common.as_json and everything:
        render.json([entry_as_json(entry) for entry in known.entries])
    elif common.as_json:
        render.json([record.as_json() for record in known.promotions])
    elif known.entries:
        show_history(known.entries)
    else:
        common.hint("nothing has been promoted yet; to start: textclf train")
    for error in known.damaged:
        render.warning(str(error))
    if known.damaged:
        raise typer.Exit(IntegrityError.exit_code)


def _follow(follower: HistoryFollower, as_json: Callable[[Entry], dict[str, Any]]) -> None:
    """Print new records until Ctrl-C, and each problem once while it lasts."""
    problem = None
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            try:
                for entry in follower.new_entries():
                    if isinstance(entry, TextclfError):
                        render.warning(str(entry))
                    else:
                        render.json_line(as_json(entry))
                problem = None
            except StoreError as error:
                if str(error) != problem:
                    problem = str(error)
                    render.warning(problem)
            time.sleep(_POLL_SECONDS)
