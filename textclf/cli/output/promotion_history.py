"""The answer of ``textclf history``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textclf.cli.output import render

if TYPE_CHECKING:
    from textclf.registry.history import Entry
    from textclf.registry.promotion_log import PromotionRecord
    from textclf.registry.version_state import Event


def show(entries: Sequence[Entry]) -> None:
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
        spare=["by"],
    )


def _what(record: PromotionRecord) -> str:
    """Return what a promotion was: ``promoted in staging, passed``, or ``rolled back``."""
    from textclf.registry.history import what_happened

    return f"{what_happened(record)}{f', {record.gate.verdict}' if record.gate else ''}"


def _why(event: Event) -> str:
    """Return the message and, for a refusal, the requirements that were not met."""
    from textclf.registry.history import unmet_rules

    unmet = unmet_rules(event)
    parts = [event.message or "", f"not {', '.join(unmet)}" if unmet else ""]
    return "; ".join(part for part in parts if part)
