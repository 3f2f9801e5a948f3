"""Open a version for prediction from Python, and follow promotions."""

from __future__ import annotations

import copy
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.metadata.channels import LATEST, is_channel
from textclf.prediction.open_model import open_model, open_unsafe
from textclf.prediction.predictor import Predictor
from textclf.prediction.process_lock import ProcessLock
from textclf.registry.naming import promoted_version

if TYPE_CHECKING:
    from semver import Version

    from textclf.prediction.model import Model
    from textclf.registry.registry import Registry

_CHECK_INTERVAL = 1.0
"""Seconds between two checks for a promotion."""


def load(
    models: str | Path | None = None,
    version: str | Version = "latest",
    *,
    follow: bool = False,
    signed_by: str | Path | None = None,
    unsafe_load: bool = False,
) -> Predictor:
    """Open a version for prediction.

    Args:
        models: the folder of the versions, or its URL; if not given, ``$TEXTCLF_MODELS`` or
            ``models``.
        version: ``1.1.0``, ``latest``, ``previous`` or another channel, such as ``staging``;
            also a number as ``Predictor.version`` has it.
        follow: change to the version that is promoted in the channel, within about a second; where
            it cannot be opened, the old one stays, and a warning is logged.
        signed_by: the file of a public key; only what was signed with it is opened. If not given,
            ``$TEXTCLF_REQUIRE_SIGNATURE``, if that is set.
        unsafe_load: whether a version that was published as untrusted is opened, by ``joblib.load``
            on its model file, which runs any code in it.

    Raises:
        UsageError: that variable is not an absolute path, or the key cannot be used.
        NoSuchVersion: there is none of that name.
        IntegrityError: a file of it is not what was published.
        UnsafeModel: it was published as untrusted.
    """
    from textclf.registry.open import open_registry

    location = models or os.environ.get("TEXTCLF_MODELS") or "models"
    registry = open_registry(location, signed_by, read_only=True)
    version = str(version)
    if not follow:
        resolved = registry.resolve(version)
        if unsafe_load:
            return Predictor(open_unsafe(registry, resolved), resolved)
        return Predictor.load(registry, resolved)
    if unsafe_load:
        raise ValueError("unsafe_load=True opens one version: it does not follow promotions")
    if not is_channel(version):
        raise ValueError("follow=True needs a channel, such as latest: it follows promotions")
    return Follower(registry, version)


class Follower(Predictor):
    """A predictor that changes to what is promoted, also in a registry that was replaced.

    While no other version can be opened it goes on with the one it has.
    """

    def __init__(self, registry: Registry, channel: str = LATEST) -> None:
        self._channel = channel
        self._checking = ProcessLock()
        self._logged_problem = ""
        self._open(registry)

    def __reduce__(self) -> tuple[Any, ...]:
        return Follower, (self._followed, self._channel)

    def _open(self, registry: Registry) -> None:
        head = registry.channel(self._channel).head()
        version = promoted_version(registry, self._channel, head)
        assert head is not None
        super().__init__(open_model(registry, version), version, registry)
        self._followed, self._head, self._checked_at = registry, head, time.monotonic()

    def _current(self) -> tuple[Model, Version]:
        lock = self._checking.current()
        due = time.monotonic() - self._checked_at >= _CHECK_INTERVAL
        if due and lock.acquire(blocking=False):
            try:
                self._check()
            finally:
                lock.release()
        return self._opened

    def _check(self) -> None:
        """Change to the promoted version; if it cannot be opened, log that once and go on."""
        self._checked_at = time.monotonic()
        try:
            if not self._followed.channel(self._channel).is_head(self._head):
                self._open(copy.copy(self._followed))  # which remembers no file of the old one
                self._logged_problem = ""
        except Exception as error:  # noqa: BLE001 - whatever fails, the old model serves
            if str(error) != self._logged_problem:
                import logging

                self._logged_problem = str(error)
                logging.getLogger("textclf").warning("still version %s: %s", self._opened[1], error)
