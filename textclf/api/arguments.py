"""What functions of the API have in common in their arguments."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from textclf.errors import UsageError
from textclf.registry.registry import Registry
from textclf.registry.signing import publishing_signer
from textclf.report.files import page_maker


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
