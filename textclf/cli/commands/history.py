"""``textclf history``: the promotion log and the other events."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.output import promotion_history, render
from textclf.errors import IntegrityError, TextclfError

if TYPE_CHECKING:
    from textclf.registry.promotion_log import AppendOnlyLog, PromotionRecord
    from textclf.registry.version_state import Event

T = TypeVar("T", "PromotionRecord", "Event")

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
    registry = common.open_registry()
    damaged: list[TextclfError] = []
    records = list(_readable(registry.promotions, damaged))
    if common.as_json and not everything:
        render.json([record.as_json() for record in records])
    else:
        entries = _by_time(records, list(_readable(registry.events, damaged)))
        if common.as_json:
            render.json([promotion_history.as_json(entry) for entry in entries])
        elif entries:
            promotion_history.show(entries)
        else:
            common.hint("nothing has been promoted yet; to start: textclf train")
    for error in damaged:
        render.warning(str(error))
    if damaged:
        raise typer.Exit(IntegrityError.exit_code)


def _readable(log: AppendOnlyLog[T], damaged: list[TextclfError]) -> Iterator[T]:
    """Yield the records of a log, and add the errors of those that cannot be read to a list."""
    for entry in log.entries():
        if isinstance(entry, TextclfError):
            damaged.append(entry)
        else:
            yield entry


def _by_time(
    records: Sequence[PromotionRecord], events: Sequence[Event]
) -> list[PromotionRecord | Event]:
    """Merge both by time; each keeps its own order, even where a clock was set back.

    In the same second a refusal follows the promotion of the version it was judged against, and
    comes before any other promotion, such as the one that overrides it.
    """
    entries: list[PromotionRecord | Event] = []
    remaining = deque(records)
    for event in events:
        against = event.detail.get("against")
        while remaining and (
            remaining[0].at < event.at
            or (remaining[0].at == event.at and remaining[0].to == against)
        ):
            entries.append(remaining.popleft())
        entries.append(event)
    return [*entries, *remaining]
