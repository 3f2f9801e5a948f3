"""The verdict of a gate, as blocks of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textclf.cli.output.document import Sentence, TableBlock, UserText, sentence
from textclf.formatting import plural

if TYPE_CHECKING:
    from textclf.metadata.verdict import Check, Verdict


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
        ["rule", "metric", *numbers, ""],
        [_row(check, compared=compared) for check in verdict.checks],
        right=numbers,
        title=title,
    )


def _row(check: Check, *, compared: bool) -> list[object]:
    numbers = [*([check.before] if compared else []), check.value, check.least]
    return [
        UserText(check.rule),
        UserText(check.metric),
        *("–" if number is None else f"{number:.4f}" for number in numbers),
        "ok" if check.passed else "no",
    ]
