"""``textclf verify``: check that every file is what was published."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.output import render
from textclf.errors import IntegrityError, StoreError
from textclf.formatting import escape_controls, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textclf.registry.registry import Registry
    from textclf.registry.verification import Problem, Verification

Repair = Annotated[
    bool,
    typer.Option(
        "--repair",
        help="Restore the alias, remove unfinished work, complete an interrupted prune.",
    ),
]

Key = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="PUB", help="Require every version to be signed; PUB is the public key."
    ),
]


@dataclass(frozen=True)
class VerifyAnswer:
    """The JSON of ``textclf verify``."""

    ok: bool
    versions: int
    problems: Sequence[Problem]


@dataclass(frozen=True)
class RepairAnswer(VerifyAnswer):
    """The JSON of ``textclf verify --repair``."""

    repaired: Sequence[str]
    failed: Sequence[str]


@option_groups
def verify(repair: Repair = False, key: Key = None, *, common: CommonOptions) -> None:
    """Check the digests of all files, the log, the alias and, with a key, the signatures.

    Examples:
      textclf verify
      textclf verify --key textclf.pub
      textclf verify --repair

    More: docs/reliability.md, docs/security.md
    """
    from textclf.registry import verification

    registry = common.open_registry(key, to_write=repair, use_cache=False)
    with deferred_interrupts() if repair else nullcontext():
        result = verification.verify(registry, repair=repair)
    with render.answer_to_change(lambda: "; ".join(result.repaired)):
        if common.as_json:
            found = result.ok, result.versions, result.problems
            repaired = result.repaired, result.failed
            render.json(RepairAnswer(*found, *repaired) if repair else VerifyAnswer(*found))
        else:
            _show(result, registry)
    for failure in result.failed:
        render.warning(f"not repaired: {failure}")
    if not result.ok:
        if result.repairable and not repair:
            common.hint("textclf verify --repair restores the alias and removes unfinished work")
        raise typer.Exit(IntegrityError.exit_code)
    if result.failed:
        raise typer.Exit(StoreError.exit_code)


def _show(result: Verification, registry: Registry) -> None:
    for action in result.repaired:
        render.sentence(f"repaired: {escape_controls(action)}")
    for problem in result.problems:
        render.sentence(escape_controls(f"{problem.file} {problem.problem}"))
    verdict = f"OK{_signed(registry)}" if result.ok else plural(len(result.problems), "problem")
    render.sentence(f"{plural(result.versions, 'version')}, the log and the alias: {verdict}")


def _signed(registry: Registry) -> str:
    """Say what is signed, and what is not: whoever can write the log can choose what is latest."""
    if not registry.signed_by:
        return ""
    latest = registry.latest()
    choice = f", which makes {latest} the latest," if latest else ""
    key = escape_controls(registry.signed_by.path)
    return f"; all versions are signed ({key}); the log{choice} is not"
