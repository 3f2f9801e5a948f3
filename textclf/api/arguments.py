"""What functions of the API have in common: arguments, and the registry that they work on."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any, Final, Literal, get_args

from textclf.errors import UsageError
from textclf.metadata.limits import require_shares
from textclf.registry.open import open_registry
from textclf.registry.registry import Registry
from textclf.registry.signing import publishing_signer
from textclf.release.notify import watch
from textclf.release.recipients import find_recipients
from textclf.report.files import page_maker

Models = str | Path | Registry | None
Bump = Literal["auto", "patch", "minor", "major"]
BadRowsPolicy = Literal["auto", "fail", "skip"]
Preset = Literal["fast", "default", "thorough"]
SearchMethod = Literal["exact", "race"]

_CHOICES: Final = {
    "bump": Bump, "on_bad_rows": BadRowsPolicy, "preset": Preset, "search": SearchMethod,
}  # fmt: skip
_LEAST: Final = {
    "cv": 2, "jobs": -1, "min_rows_per_label": 1, "n": 1, "sample": 0, "seed": 0, "steps": 1,
}  # fmt: skip
_LARGEST_SEED: Final = 2**32 - 1
_SHARES: Final = (
    "threshold", "abstain_unknown", "max_regression", "max_class_regression", "test_size",
)  # fmt: skip


def require_valid(given: Mapping[str, Any]) -> None:
    """Raise UsageError for an argument that the option of its name would not take.

    Args:
        given: the arguments of a function by their names; ``None`` is what was not given.
    """
    for name, value in given.items():
        if value is None:
            continue
        if name in _CHOICES and value not in get_args(_CHOICES[name]):
            choices = ", ".join(map(repr, get_args(_CHOICES[name])))
            raise UsageError(f"{name}={value!r} is not one of {choices}")
        if name in _LEAST:
            _require_number(name, value)
    require_shares(**{name: given.get(name) for name in _SHARES})
    _require_reason(given.get("message"), force=given.get("force", False))


def _require_number(name: str, value: Any) -> None:
    if not isinstance(value, Integral):
        raise UsageError(f"{name}={value!r} is not a whole number")
    number = int(value)
    if name == "jobs" and not number:
        raise UsageError("jobs is a number of parallel fits, or -1 for one per core")
    if number < _LEAST[name]:
        raise UsageError(f"{name}={value!r} is less than {_LEAST[name]}")
    if name == "seed" and number > _LARGEST_SEED:
        raise UsageError(f"{name}={value!r} is more than {_LARGEST_SEED}")


def _require_reason(message: Any, *, force: bool) -> None:
    if force and not message:
        raise UsageError("force=True needs a message, which is recorded")
    if message is None:
        return
    try:
        message.encode()
    except (AttributeError, UnicodeEncodeError):
        raise UsageError(f"message={message!r} is not a text that can be recorded") from None


def publishing(
    registry: Registry, sign: str | Path | None, *, include_texts: bool
) -> dict[str, Any]:
    """Return what signs a version and what makes its report, by the names of the core.

    Raises:
        UsageError: the key cannot be used, or is not the one that is required.
    """
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
