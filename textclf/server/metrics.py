"""What is counted and measured, for Prometheus."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter as Counts
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from textclf.server.served_model import ServedModel

_MOST_LABELS = 200
"""A model with more labels than this has its predictions counted together."""

_MOST_VERSIONS = 20
"""Versions whose predictions are counted; then the one that was counted first is forgotten."""

_SAMPLED_EVERY = 1.0
_SAMPLED_CHARACTERS = 1000

_SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
_DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384)
_WAITS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """The metrics of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.durations = self._histogram(
            "http_request_duration_seconds",
            "The time from the request's headers to the end of its answer.",
            _DURATIONS,
            ["method", "route", "status"],
        )
        self.model = Gauge(
            "textclf_model_info",
            "The version that answers.",
            ["version", "sha256"],
            registry=self._registry,
        )
        self.predictions = self._counter(
            "textclf_predictions", "Texts that got a label.", ["version", "label"]
        )
        self.abstained = self._counter(
            "textclf_abstained",
            "Texts without a label: no score reached the threshold, or too few n-grams are known.",
            ["version"],
        )
        self.batch_size = self._histogram(
            "textclf_batch_size", "Texts that were labelled together.", _BATCH_SIZES
        )
        self.queue = self._histogram(
            "textclf_queue_seconds", "How long the oldest request of a batch waited.", _WAITS
        )
        self.rejected = self._counter("textclf_rejected", "Requests that were refused.", ["reason"])
        self.dropped_log_lines = self._counter(
            "textclf_dropped_log_lines",
            "Lines that were not written, because the reader of the log is too slow or gone.",
        )
        self.reloads = self._counter(
            "textclf_reload", "Attempts to open a newly promoted version.", ["outcome"]
        )
        self.unknown_ngrams = self._histogram(
            "textclf_unknown_ngram_ratio",
            "The share of n-grams that the model did not learn, of a text a second.",
            _SHARES,
        )
        self._next_sample = 0.0
        self._versions: dict[str, Sequence[str]] = {}
        self._lock = threading.Lock()

    def _counter(self, name: str, description: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name, description, labels, registry=self._registry)

    def _histogram(
        self, name: str, description: str, buckets: Sequence[float], labels: Sequence[str] = ()
    ) -> Histogram:
        return Histogram(name, description, labels, buckets=buckets, registry=self._registry)

    def observe_batch(self, texts: int, waited: float) -> None:
        """Count a batch, and the seconds that its oldest request waited."""
        self.batch_size.observe(texts)
        self.queue.observe(waited)

    def observe_predictions(
        self, model: ServedModel, texts: Sequence[str], labels: Sequence[str | None]
    ) -> None:
        """Count the labels that texts got, and look at the n-grams of a text now and then."""
        self._sample_ngrams(model, texts)
        if model.version not in self._versions:
            self._add_version(model)
        many = len(model.predictor.labels) > _MOST_LABELS
        for label, count in Counts(labels).items():
            if label is None:
                self.abstained.labels(model.version).inc(count)
            else:
                self.predictions.labels(model.version, "*" if many else label).inc(count)

    def _sample_ngrams(self, model: ServedModel, texts: Sequence[str]) -> None:
        """Look at a part of the first text, at most once a second: it takes about a millisecond."""
        now = time.monotonic()
        if not texts or now < self._next_sample:
            return
        self._next_sample = now + _SAMPLED_EVERY
        ratio = model.predictor.unknown_ngram_ratio(texts[0][:_SAMPLED_CHARACTERS])
        if ratio is not None:
            self.unknown_ngrams.observe(ratio)

    def _add_version(self, model: ServedModel) -> None:
        """Forget the version that was counted first if there would be too many."""
        with self._lock:
            self._versions[model.version] = model.predictor.labels
            if len(self._versions) <= _MOST_VERSIONS:
                return
            oldest = next(iter(self._versions))
            for label in ["*", *self._versions.pop(oldest)]:
                with contextlib.suppress(KeyError):
                    self.predictions.remove(oldest, label)
            with contextlib.suppress(KeyError):
                self.abstained.remove(oldest)

    def page(self, model: ServedModel) -> bytes:
        """Return all metrics in Prometheus' text format."""
        self.model.clear()
        self.model.labels(model.version, model.sha256).set(1)
        return generate_latest(self._registry)
