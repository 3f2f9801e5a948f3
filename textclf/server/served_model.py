"""The model that a server answers with, and the thread that replaces it after a promotion."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textclf.errors import TextclfError
from textclf.metadata.channels import is_channel
from textclf.prediction.predictor import Predictor

if TYPE_CHECKING:
    from textclf.registry.promotion_log import PromotionRecord
    from textclf.registry.registry import Registry

_logger = logging.getLogger("textclf.server")


@dataclass(frozen=True)
class ServedModel:
    """An opened version; a request is answered by one of these, whatever is promoted meanwhile.

    Attributes:
        version: its number.
        sha256: the digest of its model file.
        predictor: labels texts.
    """

    version: str
    sha256: str
    predictor: Predictor


def open_served_model(registry: Registry, name: str) -> ServedModel:
    """Open the version that a name such as ``latest`` means.

    It is read into memory: a file that is overwritten later, as by a restored copy, neither changes
    what is answered nor ends the process, which reading a truncated memory map does.

    Raises:
        NoSuchVersion: there is none of that name.
        IntegrityError: a file of it is not what was published.
        StoreError: it cannot be read.
    """
    version = registry.resolve(name)
    predictor = Predictor.load(registry, version, in_memory=True)
    _prepare(predictor)
    return ServedModel(str(version), registry.metadata(version).artifact.sha256, predictor)


def _prepare(predictor: Predictor) -> None:
    """Load what the first texts would wait for: the compiled loops for many texts."""
    predictor.label(["a"])
    predictor.label(["a" * 60_000, "b" * 60_000])
    predictor.unknown_ngram_ratio("a")


class ModelReloader:
    """Keeps the promoted version open, in a thread that looks for promotions.

    A version that cannot be opened leaves the former one in its place; ``problem`` says why.

    Attributes:
        current: the model to answer with. It is replaced as a whole.
        problem: why the promoted version is not the one that is served, if it is not.
        on_reload: called with ``opened`` or ``failed`` after each attempt to open a version.
    """

    def __init__(self, registry: Registry, name: str, interval: float) -> None:
        """Open the version. Raises like `open_served_model`."""
        self._registry, self._name, self._interval = registry, name, interval
        self._log = registry.channel(name) if is_channel(name) else None
        self._head = self._log.head() if self._log else None
        self.current = open_served_model(registry, name)
        self.checked_at = time.time()
        self.problem: str | None = None
        self.on_reload: Callable[[str], None] = lambda _outcome: None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def promotion(self) -> PromotionRecord | None:
        """Return the last promotion in the channel that is followed, if one is."""
        return self._log.head() if self._log else None

    def start(self) -> None:
        """Look for promotions from now on, unless a fixed version is served."""
        if self._log and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="textclf-reload", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look no longer."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            self.check()

    def check(self) -> None:
        """Open the promoted version if it is another than the one that is served."""
        try:
            head = self._log.head() if self._log else None
            if head != self._head or self.problem:
                self.current = open_served_model(self._registry, self._name)
                self._head, self.problem = head, None
                self.on_reload("opened")
            self.checked_at = time.time()
        except TextclfError as error:
            self._keep(error.message)
        except Exception as error:  # whatever fails, the thread goes on  # noqa: BLE001
            self._keep(f"unexpected {type(error).__name__}: {error}")

    def _keep(self, problem: str) -> None:
        if problem != self.problem:
            _logger.warning("still version %s: %s", self.current.version, problem)
        self.problem = problem
        self.on_reload("failed")
