"""Answers about promotions: what one changed, how a gate judged it, and the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from textclf.cli.output import document, render
from textclf.cli.output.document import Sentence, TableBlock, UserText, sentence
from textclf.formatting import plural
from textclf.metadata.channels import LATEST

if TYPE_CHECKING:
    from textclf.metadata.verdict import Check, Verdict
    from textclf.registry.event_log import Event
    from textclf.registry.history import Entry
    from textclf.registry.promotion import Promotion
    from textclf.registry.promotion_log import PromotionRecord


@dataclass(frozen=True)
class PromotionAnswer:
    """The JSON of ``textclf promote`` and ``textclf rollback``."""

    version: str
    previous: str | None
    changed: bool
    gate: Verdict | None
    channel: str = LATEST
    restores: int | None = None


def promotion_line(promotion: Promotion, *, quiet: bool) -> str:
    """Return what a promotion changed: ``promoted 1.1.0 (was 1.0.0); back: `textclf rollback```."""
    where = option = to = ""
    if promotion.channel != LATEST:
        where, option = f" in {promotion.channel}", f" --channel {promotion.channel}"
        to = f" --to {promotion.channel}"
    if not promotion.changed:
        if promotion.restores:
            return f"that leads to {promotion.version}, which is promoted{where}; nothing changed"
        return f"{promotion.version} is already promoted{where}; nothing changed"
    was = f" (was {promotion.previous})" if promotion.previous else ""
    back = ""
    if promotion.previous and not quiet:  # after a rollback, another one goes further back
        undo = f"promote {promotion.previous}{to}" if promotion.restores else f"rollback{option}"
        back = f"; back: `{render.with_registry(f'textclf {undo}')}`"
    return f"promoted {render.strong(promotion.version)}{where}{was}{back}"


def warn_of_kept_file(kept: str | None) -> None:
    """Warn that a file not written by textclf was in the alias's place, and where it is now."""
    if kept:
        render.warning(
            f"the model file in the alias's place was no version of this registry; kept as {kept}"
        )


def show_promotion(promotion: Promotion, *, as_json: bool, quiet: bool) -> None:
    """Show what a promotion or a rollback changed, and how to go back."""
    warn_of_kept_file(promotion.kept)
    done = f"promoted {promotion.version}" if promotion.changed else ""
    with render.answer_to_change(lambda: done):
        if as_json:
            names = (field.name for field in fields(PromotionAnswer))
            render.json(PromotionAnswer(**{name: getattr(promotion, name) for name in names}))
            return
        if promotion.gate:
            document.write(verdict_blocks(promotion.gate))
        render.sentence(promotion_line(promotion, quiet=quiet))


def verdict_blocks(verdict: Verdict) -> list[Sentence | TableBlock]:
    """Return a verdict: on which rows, against which version, and each requirement."""
    on = verdict.on
    rows = plural(on.rows, "row")
    evidence = f"gate {verdict.verdict}: {'scored' if on.scored else 'as recorded'} on {rows}"
    source = (" of ", UserText(on.path)) if on.path else ()
    against = f"; promoted is {verdict.against}" if verdict.against else "; nothing is promoted"
    return [sentence(evidence, *source, against), verdict_table(verdict)]


def verdict_table(verdict: Verdict, title: str | None = None) -> TableBlock:
    """Return a table of the requirements and the values that were measured."""
    compared = any(check.before is not None for check in verdict.checks)
    numbers = [*(["promoted"] if compared else []), "this", "at least"]
    return TableBlock(
        ["rule", "metric", *numbers, "met"],
        [_row(check, compared=compared) for check in verdict.checks],
        right=numbers,
        spare=numbers[:-2],
        title=title,
    )


def _row(check: Check, *, compared: bool) -> list[object]:
    numbers = [*([check.before] if compared else []), check.value, check.least]
    return [
        UserText(check.rule),
        UserText(check.metric),
        *("–" if number is None else f"{number:.4f}" for number in numbers),
        "yes" if check.passed else "no",
    ]


def show_history(entries: Sequence[Entry]) -> None:
    """Show promotions and other events as a table."""
    from textclf.registry.event_log import Event

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
