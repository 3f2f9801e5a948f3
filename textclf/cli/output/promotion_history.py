"""The answer of ``textclf history``."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textclf.cli.output import render

if TYPE_CHECKING:
    from textclf.registry.promotion_log import PromotionRecord
    from textclf.registry.version_state import Event


def as_json(entry: PromotionRecord | Event) -> dict[str, Any]:
    """Return an entry as ``textclf history --all --json`` has it."""
    import msgspec

    from textclf.registry.version_state import Event

    if isinstance(entry, Event):
        fields = msgspec.to_builtins(entry)
        return {name: value for name, value in fields.items() if name != "token"}
    return {"kind": "promoted", **entry.as_json()}


def show(entries: Sequence[PromotionRecord | Event]) -> None:
    """Show promotions and other events as a table."""
    from textclf.registry.version_state import Event

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
    """Return the message and, for a refusal, the requirements that were not met."""
    import msgspec

    from textclf.metadata.verdict import Verdict

    parts = [event.message] if event.message else []
    if event.kind == "refused":
        with contextlib.suppress(msgspec.ValidationError):  # written by a later textclf
            unmet = dict.fromkeys(c.rule for c in msgspec.convert(event.detail, Verdict).failed)
            parts.append(f"not {', '.join(unmet)}")
    return "; ".join(parts)
