"""``textclf promote`` and ``textclf rollback``: which version clients load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textclf.cli import render
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
    tell_kept(done.kept)
    if as_json:
        render.json({"version": done.version, "previous": done.previous, "changed": done.changed})
    else:
        render.line(promoted(done, quiet=quiet))


def promoted(done: Promotion, *, quiet: bool) -> str:
    """``promoted 1.1.0 (was 1.0.0); back: `textclf rollback```."""
    if not done.changed:
        return f"{done.version} is promoted already; nothing changed"
    was = f" (was {done.previous})" if done.previous else ""
    back = "; back: `textclf rollback`" if done.previous and not quiet else ""
    return f"promoted {render.strong(done.version)}{was}{back}"


def tell_kept(kept: str | None) -> None:
    """Warn where a file that textclf had not made stood in the alias's place."""
    if kept:
        render.warning(
            f"the model file that stood there was no version of this registry; kept as {kept}"
        )
