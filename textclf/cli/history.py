"""``textclf history``: the promotion log."""

from __future__ import annotations

from textclf.cli import render
from textclf.cli.options import DEFAULT_MODELS, AsJson, Models, Quiet, open_registry


def history(models: Models = DEFAULT_MODELS, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Show the promotion log: when, from, to, who, why."""
    records = open_registry(models).history()
    if as_json:
        render.json([record.as_json() for record in records])
    elif records:
        render.table(
            ["n", "at", "from", "to", "by", "message"],
            ([r.n, r.at, r.previous or "–", r.to, r.by, r.message or ""] for r in records),
            right=["n"],
        )
    else:
        render.hint("nothing has been promoted yet: textclf train", quiet=quiet)
