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


@option_groups
def history(everything: All = False, *, common: CommonOptions) -> None:
    """Show the promotion log, and promotions that were refused.

    Examples:
      textclf history
      textclf history --json
      textclf history --all --json

    More: docs/registry.md
    """
    from textclf.registry.history import entry_as_json, read_history

    known = read_history(common.open_registry())
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
