"""``textclf promote`` and ``textclf rollback``: which version clients load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textclf.cli import answers, render
from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options import (
    DEFAULT_MODELS,
    AsJson,
    Message,
    Models,
    Quiet,
    Version,
    open_registry,
)

if TYPE_CHECKING:
    from textclf.registry import Promotion


def promote(
    version: Version,
    message: Message = None,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Point the latest alias at a version, forward or back."""
    registry = open_registry(models)
    found = registry.resolve(version)
    with deferred_interrupts():
        show(registry.promote(found, message=message), as_json=as_json, quiet=quiet)


def rollback(
    message: Message = None,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Promote the version that was promoted before."""
    registry = open_registry(models)
    with deferred_interrupts():
        show(registry.rollback(message=message), as_json=as_json, quiet=quiet)


def show(done: Promotion, *, as_json: bool, quiet: bool) -> None:
    """Say what a promotion changed, and the way back."""
    answers.tell_kept(done.kept)
    if as_json:
        render.json({"version": done.version, "previous": done.previous, "changed": done.changed})
    else:
        render.line(answers.promoted(done, quiet=quiet))
