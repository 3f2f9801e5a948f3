"""What functions of the API have in common: arguments, and the registry that they work on."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from textclf.errors import UsageError
from textclf.registry.open import open_registry
from textclf.registry.registry import Registry
from textclf.registry.signing import publishing_signer
from textclf.release.notify import watch
from textclf.release.recipients import find_recipients
from textclf.report.files import page_maker

Models = str | Path | Registry | None


def require_reason(message: str | None, *, force: bool) -> None:
    """Raise UsageError if a refusal would be overridden without a reason."""
    if force and not message:
        raise UsageError("force=True needs a message, which is recorded")


def publishing(
    registry: Registry, sign: str | Path | None, *, include_texts: bool
) -> dict[str, Any]:
    """Return what signs a version and what makes its report, by the names of the core."""
    return {
        "sign": publishing_signer(registry.signed_by, Path(sign) if sign else None),
        "report": partial(page_maker, texts=include_texts),
    }


def registry_of(models: Models) -> Registry:
    """Return a registry: the one given, or that of a folder or URL.

    Args:
        models: if not given, ``$TEXTCLF_MODELS`` or ``models``, as for the command line.
    """
    if isinstance(models, Registry):
        return models
    return open_registry(models or os.environ.get("TEXTCLF_MODELS") or "models")


@contextmanager
def telling_registry(
    models: Models, on_promote: str | None, webhook: str | None
) -> Iterator[Registry]:
    """Give the registry, which tells of its promotions as the command line does.

    Somebody who could not be told is a warning at the end, however the block ends. A registry that
    was given is not changed: a copy of it tells.

    Raises:
        UsageError: who is to be told is not named in a valid way.
    """
    registry, recipients = registry_of(models), find_recipients(on_promote, webhook)
    if not recipients:
        yield registry
        return
    telling, own, failures = copy.copy(registry), registry.on_promotion, list[str]()
    watch(telling, recipients, failures.append)
    tell = telling.on_promotion
    telling.on_promotion = lambda record: (own(record), tell(record))
    try:
        yield telling
    finally:
        for failure in failures:
            warnings.warn(failure, stacklevel=4)  # of contextlib, of the API, of its caller
