"""Open a version for prediction from Python, and follow promotions."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from textclf.errors import TextclfError
from textclf.prediction.open_model import open_model
from textclf.prediction.predictor import Predictor

if TYPE_CHECKING:
    from semver import Version

    from textclf.prediction.model import Model
    from textclf.registry.registry import Registry

_CHECK_INTERVAL = 1.0
"""Seconds between two checks for a promotion."""


def load(
    models: str | Path | None = None,
    version: str = "latest",
    *,
    follow: bool = False,
    signed_by: str | Path | None = None,
) -> Predictor:
    """Open a version for prediction.

    Args:
        models: the folder of the versions, or its URL; if not given, ``$TEXTCLF_MODELS`` or
            ``models``.
        version: ``1.1.0``, ``latest`` or ``previous``.
        follow: change to the version that is promoted, within about a second of its promotion;
            where it cannot be opened, the old one stays, and a warning is logged.
        signed_by: the file of a public key; only what was signed with it is opened. If not given,
            ``$TEXTCLF_REQUIRE_SIGNATURE``, if that is set.

    Raises:
        UsageError: that variable is not an absolute path, or the key cannot be used.
        NoSuchVersion: there is none of that name.
        IntegrityError: a file of it is not what was published.
    """
    from textclf.registry.open import open_registry

    registry = open_registry(models or os.environ.get("TEXTCLF_MODELS") or "models", signed_by)
    if not follow:
        return Predictor.load(registry, registry.resolve(version))
    if version != "latest":
        raise ValueError("follow=True needs the version 'latest', because it follows promotions")
    return Follower(registry)


class Follower(Predictor):
    """A predictor that changes to whatever version is promoted."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._checking = threading.Lock()
        self._logged_problem = ""
        self._open()

    def _open(self) -> None:
        promotion = self._registry.promotions.last_number()
        version = self._registry.resolve("latest")
        super().__init__(open_model(self._registry, version), version)
        self._promotion, self._checked_at = promotion, time.monotonic()

    def _current(self) -> tuple[Model, Version]:
        due = time.monotonic() - self._checked_at >= _CHECK_INTERVAL
        if due and self._checking.acquire(blocking=False):
            try:
                self._check()
            finally:
                self._checking.release()
        return self._opened

    def _check(self) -> None:
        """Change to the promoted version; if it cannot be opened, log that once and go on."""
        self._checked_at = time.monotonic()
        try:
            if self._registry.promotions.has(self._promotion + 1):
                self._open()
                self._logged_problem = ""
        except TextclfError as error:
            if str(error) != self._logged_problem:
                import logging

                self._logged_problem = str(error)
                logging.getLogger("textclf").warning("still version %s: %s", self._opened[1], error)
