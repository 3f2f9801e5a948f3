"""What all requests of one server share."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import anyio
from starlette.requests import Request

from textclf.metadata.channels import LATEST, is_channel
from textclf.server.batching import Batcher
from textclf.server.catalogue import Catalogue
from textclf.server.exchange import MemoryBudget
from textclf.server.labelling import Explainer, Labeller
from textclf.server.metrics import Metrics
from textclf.server.pace import StreamSlots
from textclf.server.promoter import Promoter
from textclf.server.served_model import ModelReloader, ServedModel
from textclf.server.settings import ServerSettings
from textclf.server.shared_store import SharedStore
from textclf.server.streams import Streamer

if TYPE_CHECKING:
    from textclf.registry.registry import Registry

_FILES = 8
"""Files that are read and checked at a time, which may be large."""


class Service:
    """The registry, the served model, and what answers with it.

    Attributes:
        registry: the versions.
        settings: the limits.
        reloader: keeps the served model up to date.
        metrics: what is counted.
        memory: bounds what requests hold.
        labeller: labels the texts of requests.
        explainer: explains predictions.
        streamer: labels streamed rows.
        catalogue: reads the registry for those who look at it.
        shared: reads its files for those who name this server as their registry.
        file_limiter: bounds how many files are read at a time.
        promoter: promotes and rolls back for those who may.
        draining: whether the server was asked to stop.
    """

    def __init__(self, registry: Registry, settings: ServerSettings) -> None:
        """Open the version to serve.

        Raises:
            NoSuchVersion: there is none of that name.
            IntegrityError: a file of it is not what was published.
            StoreError: it cannot be read.
        """
        self.registry, self.settings = registry, settings
        self.metrics = Metrics()
        self.memory = MemoryBudget(settings.max_held)
        self.draining = self._started = False
        self.reloader = ModelReloader(registry, settings.version, settings.reload_interval)
        self.reloader.on_reload = lambda outcome: self.metrics.reloads.labels(outcome).inc()
        self._batcher = Batcher(
            lambda: self.model,
            max_queued=settings.max_queued,
            threads=os.cpu_count() or 1,
            on_batch=self.metrics.observe_batch,
        )
        self.labeller = Labeller(self._batcher, self.metrics, settings)
        self.explainer = Explainer()
        self.catalogue = Catalogue(registry)
        self.shared = SharedStore(registry)
        self.file_limiter = anyio.CapacityLimiter(_FILES)
        channel = settings.version if is_channel(settings.version) else LATEST
        self.promoter = Promoter(registry, settings.gate, channel)
        slots = StreamSlots(settings.max_streams)
        self.streamer = Streamer(lambda: self.model, self.metrics, settings, slots)

    @property
    def model(self) -> ServedModel:
        """The model that answers now."""
        return self.reloader.current

    def start(self) -> None:
        """Begin to look for promotions, and to read what the pages show."""
        if not self._started:
            self._started = True
            self.reloader.start()
            threading.Thread(target=self.catalogue.warm, name="textclf-warm", daemon=True).start()

    def stop(self) -> None:
        """End the threads."""
        self.reloader.stop()
        self._batcher.close()
        self.explainer.close()

    @classmethod
    def of(cls, request: Request) -> Service:
        """Return the service that a request was sent to."""
        service: Service = request.scope["textclf.service"]
        return service
