"""The registry that a function of the API works on."""

from __future__ import annotations

import os
from pathlib import Path

from textclf.registry.open import open_registry
from textclf.registry.registry import Registry

Models = str | Path | Registry | None


def registry_of(models: Models) -> Registry:
    """Return a registry: the one given, or that of a folder or URL.

    Args:
        models: if not given, ``$TEXTCLF_MODELS`` or ``models``, as for the command line.
    """
    if isinstance(models, Registry):
        return models
    return open_registry(models or os.environ.get("TEXTCLF_MODELS") or "models")
