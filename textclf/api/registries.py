"""The registry that a function of the API works on, and who is told of its promotions."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textclf.registry.open import open_registry
from textclf.registry.registry import Registry
from textclf.release.notify import watch
from textclf.release.recipients import find_recipients

Models = str | Path | Registry | None


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
