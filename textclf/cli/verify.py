"""``textclf verify``: is every file what was published?"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli import render
from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options import DEFAULT_MODELS, AsJson, Models, Quiet, open_registry
from textclf.errors import IntegrityError

if TYPE_CHECKING:
    from textclf.registry import Verification

Repair = Annotated[
    bool, typer.Option("--repair", help="Restore the alias and remove half-written work.")
]


def verify(
    repair: Repair = False,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check every file against its digest, the log and the alias."""
    registry = open_registry(models)
    with deferred_interrupts() if repair else nullcontext():
        found = registry.verify(repair=repair)
    if as_json:
        render.json({"ok": found.ok, "versions": found.versions, "problems": found.problems})
    else:
        _show(found)
    if not found.ok:
        if found.repairable and not repair:
            render.hint(
                "textclf verify --repair mends what is derived: the alias, leftovers", quiet=quiet
            )
        raise typer.Exit(IntegrityError.exit_code)


def _show(found: Verification) -> None:
    for deed in found.repaired:
        render.line(f"repaired: {render.visible(deed)}")
    for problem in found.problems:
        render.line(render.visible(f"{problem.file} {problem.problem}"))
    count = render.counted(found.versions, "version")
    render.line(
        f"{count}, the log and the alias: "
        + ("all whole" if found.ok else f"{len(found.problems)} wrong")
    )
