"""``textclf verify``: is every file what was published?"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options.options import DEFAULT_MODELS, AsJson, Models, Quiet, open_registry
from textclf.cli.output import render
from textclf.errors import IntegrityError
from textclf.formatting import escape_controls, plural

if TYPE_CHECKING:
    from textclf.registry.signing import PublicKey
    from textclf.registry.verification import Verification

Repair = Annotated[
    bool,
    typer.Option("--repair", help="Restore the alias, remove half-written work, finish a prune."),
]

Key = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="PUB", help="Every version must be signed with the key of this public one."
    ),
]


def verify(
    repair: Repair = False,
    key: Key = None,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check every file against its digest, the log and the alias; and signatures, with a key."""
    registry = open_registry(models, key)
    with deferred_interrupts() if repair else nullcontext():
        found = registry.verify(repair=repair)
    if as_json:
        answer = {"ok": found.ok, "versions": found.versions, "problems": found.problems}
        render.json({**answer, "repaired": found.repaired} if repair else answer)
    else:
        _show(found, registry.signed_by)
    if not found.ok:
        if found.repairable and not repair:
            render.hint(
                "textclf verify --repair mends what is derived: the alias, leftovers", quiet=quiet
            )
        raise typer.Exit(IntegrityError.exit_code)


def _show(found: Verification, signed_by: PublicKey | None) -> None:
    for deed in found.repaired:
        render.line(f"repaired: {escape_controls(deed)}")
    for problem in found.problems:
        render.line(escape_controls(f"{problem.file} {problem.problem}"))
    signed = f", and signed ({escape_controls(signed_by.path)})" if signed_by else ""
    verdict = f"OK{signed}" if found.ok else plural(len(found.problems), "problem")
    render.line(f"{plural(found.versions, 'version')}, the log and the alias: {verdict}")
