"""``textclf history``: the promotion log, and what was refused or otherwise done."""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textclf.cli.options.options import DEFAULT_MODELS, AsJson, Models, Quiet, open_registry
from textclf.cli.output import render

if TYPE_CHECKING:
    from textclf.registry.promotion_log import Event, PromotionRecord

All = Annotated[
    bool, typer.Option("--all", help="With --json: refusals and other events, too, by time.")
]


def history(
    everything: All = False,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Show the promotion log: when, from, to, who, why; and promotions that were refused."""
    registry = open_registry(models)
    records = registry.history()
    if as_json and not everything:
        render.json([record.as_json() for record in records])
        return
    entries = _merged(records, registry.events())
    if as_json:
        render.json([_as_json(entry) for entry in entries])
    elif entries:
        _show(entries)
    else:
        render.hint("nothing has been promoted yet: textclf train", quiet=quiet)


def _merged(
    records: Sequence[PromotionRecord], events: Sequence[Event]
) -> list[PromotionRecord | Event]:
    """Both by time, each in its own order, even where a clock went back.

    Of the same second a refusal comes first: it is what the promotion then overrides.
    """
    return list(heapq.merge(events, records, key=attrgetter("at")))


def _as_json(entry: PromotionRecord | Event) -> dict[str, Any]:
    import msgspec

    from textclf.registry.promotion_log import Event

    if isinstance(entry, Event):
        fields = msgspec.to_builtins(entry)
        return {name: value for name, value in fields.items() if name != "token"}
    return {"kind": "promoted", **entry.as_json()}


def _show(entries: Sequence[PromotionRecord | Event]) -> None:
    from textclf.registry.promotion_log import Event

    render.table(
        ["n", "at", "what", "from", "to", "by", "message"],
        [
            ["", e.at, e.kind, "", e.version, e.by, _why(e)]
            if isinstance(e, Event)
            else [e.n, e.at, _what(e), e.previous or "–", e.to, e.by, e.message or ""]
            for e in entries
        ],
        right=["n"],
    )


def _what(record: PromotionRecord) -> str:
    return f"promoted, {record.gate.verdict}" if record.gate else "promoted"


def _why(event: Event) -> str:
    """The message, and of a refusal what was not met."""
    import msgspec

    from textclf.metadata.verdict import Verdict

    parts = [event.message] if event.message else []
    if event.kind == "refused":
        with contextlib.suppress(msgspec.ValidationError):  # by a later textclf
            unmet = dict.fromkeys(c.rule for c in msgspec.convert(event.detail, Verdict).failed)
            parts.append(f"not {', '.join(unmet)}")
    return "; ".join(parts)
