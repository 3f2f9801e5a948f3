"""What is counted and measured, for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from textclf.server.served_model import ServedModel

_MOST_LABELS = 200
"""A model with more labels than this has its predictions counted together."""

_DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384)
_WAITS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """The metrics of one server."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.durations = Histogram(
            "http_request_duration_seconds",
            "The time from the request's headers to the end of its answer.",
            ["method", "route", "status"],
            buckets=_DURATIONS,
            registry=registry,
        )
        self.model = Gauge(
            "textclf_model_info",
            "The version that answers.",
            ["version", "sha256"],
            registry=registry,
        )
        self.predictions = Counter(
            "textclf_predictions",
            "Texts that got a label.",
            ["version", "label"],
            registry=registry,
        )
        self.abstained = Counter(
            "textclf_abstained",
            "Texts without a label, because no score reached the threshold.",
            ["version"],
            registry=registry,
        )
        self.batch_size = Histogram(
            "textclf_batch_size",
            "Texts that were labelled together.",
            buckets=_BATCH_SIZES,
            registry=registry,
        )
        self.queue = Histogram(
            "textclf_queue_seconds",
            "How long the oldest request of a batch waited.",
            buckets=_WAITS,
            registry=registry,
        )
        self.rejected = Counter(
            "textclf_rejected", "Requests that were refused.", ["reason"], registry=registry
        )
        self.reloads = Counter(
            "textclf_reload",
            "Attempts to open a newly promoted version.",
            ["outcome"],
            registry=registry,
        )

    def observe_batch(self, texts: int, waited: float) -> None:
        """Count a batch, and the seconds that its oldest request waited."""
        self.batch_size.observe(texts)
        self.queue.observe(waited)

    def count_labels(self, model: ServedModel, labels: Sequence[str | None]) -> None:
        """Count the labels that texts got."""
        many = len(model.predictor.labels) > _MOST_LABELS
        for label in labels:
            if label is None:
                self.abstained.labels(model.version).inc()
            else:
                self.predictions.labels(model.version, "*" if many else label).inc()

    def page(self, model: ServedModel) -> bytes:
        """Return all metrics in Prometheus' text format."""
        self.model.clear()
        self.model.labels(model.version, model.sha256).set(1)
        return generate_latest(self._registry)
