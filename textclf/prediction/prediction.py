"""Texts → labels and scores, with a published version."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, overload

from textclf.errors import TextclfError
from textclf.scorer.scorer import SCORER, Scorer, winner

if TYPE_CHECKING:
    from semver import Version

    from textclf.prediction.explanation import Explanation
    from textclf.registry.registry import Registry
    from textclf.scorer.batch import BatchScorer

_MANY = 100_000
"""Characters from which on it pays to load NumPy and the compiled loops."""

_LOOK_EVERY = 1.0
"""Seconds between two looks for a promotion."""


@dataclass(frozen=True)
class Prediction:
    """A text, its label, and how much speaks for each label, the highest first.

    The label is ``None`` where its score is below the threshold. ``score`` is the highest; what a
    score means is said by ``Predictor.score_type``.
    """

    text: str
    label: str | None
    score: float
    scores: dict[str, float]


class Model(Protocol):
    """What a predictor needs of a model: labels are known by their numbers.

    Attributes:
        labels: in the order of their numbers.
        score_type: ``probability`` or ``decision``.
        threshold: below this score there is no label.
    """

    @property
    def labels(self) -> list[str]: ...  # noqa: D102 - above
    @property
    def score_type(self) -> str: ...  # noqa: D102
    @property
    def threshold(self) -> float | None: ...  # noqa: D102

    def scored(self, texts: Sequence[str]) -> tuple[list[int], list[list[float]]]:
        """For each text its label, and a score for every label."""
        ...

    def numbers(self, texts: Sequence[str]) -> list[int]:
        """For each text its label."""
        ...

    def explained(self, prediction: Prediction, number: int) -> Explanation:
        """What the label of a number is made of. Raises UsageError where that cannot be said."""
        ...


class ScorerModel:
    """A compiled scorer as a Model; what many texts need is loaded when there are many."""

    def __init__(self, scorer: Scorer) -> None:
        self.labels, self.score_type = scorer.labels, scorer.score_type
        self.threshold = scorer.settings.threshold
        self._scorer = scorer
        self._lock = threading.Lock()
        self._batch: BatchScorer | None = None
        self._seen = 0

    def scored(self, texts: Sequence[str]) -> tuple[list[int], list[list[float]]]:
        """See Model."""
        batch = self._batch_for(texts)
        if batch is None:
            decisions = list(map(self._scorer.decide, texts))
            return list(map(winner, decisions)), list(map(self._scorer.scores, decisions))
        from textclf.scorer.batch import winners

        values = batch.decide(texts)
        return winners(values).tolist(), batch.scores(values).tolist()

    def numbers(self, texts: Sequence[str]) -> list[int]:
        """See Model."""
        batch = self._batch_for(texts)
        if batch is None:
            return [winner(self._scorer.decide(text)) for text in texts]
        from textclf.scorer.batch import winners

        numbers: list[int] = winners(batch.decide(texts)).tolist()
        return numbers

    def explained(self, prediction: Prediction, number: int) -> Explanation:
        """See Model."""
        from textclf.prediction.explanation import explained

        return explained(self._scorer, prediction, number)

    def _batch_for(self, texts: Sequence[str]) -> BatchScorer | None:
        """The scorer for many texts, if they are many, now or together with lists before."""
        if len(texts) == 1 and len(texts[0]) < _MANY:
            return None
        if self._batch is None:
            self._seen += sum(map(len, texts))
            if self._seen >= _MANY:
                self._open_batch()
        return self._batch

    def _open_batch(self) -> None:
        from textclf.scorer.batch import BatchScorer

        with self._lock:  # of two threads the second finds what the first has opened
            if self._batch is None:
                self._batch = BatchScorer(self._scorer)


class Predictor:
    """A version ready to label texts, from any number of threads."""

    def __init__(self, model: Model, version: Version) -> None:
        self._opened = model, version

    @classmethod
    def load(cls, registry: Registry, version: Version) -> Predictor:
        """Open a version: its compiled scorer, which runs no code from a file.

        A version from before there were scorers is opened by the restricted loader, after its
        digest was checked, and compiled here. The signature is checked, and all of the file with
        it, if the registry requires one.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: a file is not what was published, or holds more than a model.
        """
        return cls(_model(registry, version), version)

    @classmethod
    def of_pipeline(cls, pipeline: Any, version: Version) -> Predictor:
        """Predict with a fitted scikit-learn pipeline as it is."""
        from textclf.prediction.pipeline_model import PipelineModel

        return cls(PipelineModel(pipeline, version), version)

    @property
    def version(self) -> Version:
        """Which version it is."""
        return self._current()[1]

    @property
    def labels(self) -> list[str]:
        """The labels it knows."""
        return self._current()[0].labels

    @property
    def score_type(self) -> str:
        """What a score is.

        ``probability`` (0 to 1, together 1), or, of a version whose classifier was not calibrated,
        ``decision``: the classifier's decision value, unbounded, above 0 where it is on that
        label's side.
        """
        return self._current()[0].score_type

    @property
    def threshold(self) -> float | None:
        """Below this score a text gets no label, unless one asks for another threshold."""
        return self._current()[0].threshold

    @overload
    def predict(  # type: ignore[overload-overlap]  # a text is a sequence of texts, too
        self, texts: str, *, threshold: float | None = None
    ) -> Prediction: ...

    @overload
    def predict(
        self, texts: Sequence[str], *, threshold: float | None = None
    ) -> list[Prediction]: ...

    def predict(
        self, texts: str | Sequence[str], *, threshold: float | None = None
    ) -> Prediction | list[Prediction]:
        """Label a text, or each of several.

        An empty text gets what the model says of no evidence at all.

        Args:
            texts: one, or a sequence.
            threshold: below this score there is no label; if not given, the version's own.
        """
        if isinstance(texts, str):
            return self.predict([texts], threshold=threshold)[0]
        if not texts:
            return []
        model, _ = self._current()
        least = model.threshold if threshold is None else threshold
        return [
            _prediction(model.labels, text, number, row, least)
            for text, number, row in zip(texts, *model.scored(texts), strict=True)
        ]

    def label(self, texts: Sequence[str]) -> list[str]:
        """Only the labels, whatever their scores."""
        model, _ = self._current()
        return [model.labels[number] for number in model.numbers(texts)] if texts else []

    def explain(self, text: str, *, threshold: float | None = None) -> Explanation:
        """Label a text, and say how much each of its n-grams weighed.

        Raises:
            UsageError: the version cannot be explained.
        """
        model, _ = self._current()
        least = model.threshold if threshold is None else threshold
        [number], [row] = model.scored([text])
        return model.explained(_prediction(model.labels, text, number, row, least), number)

    def _current(self) -> tuple[Model, Version]:
        return self._opened


class _Follower(Predictor):
    """A predictor of whatever is promoted."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._looking = threading.Lock()
        self._problem = ""
        self._open()

    def _open(self) -> None:
        promotion = self._registry.promotions()
        version = self._registry.resolve("latest")
        self._opened = _model(self._registry, version), version
        self._promotion, self._looked = promotion, time.monotonic()

    def _current(self) -> tuple[Model, Version]:
        due = time.monotonic() - self._looked >= _LOOK_EVERY
        if due and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._opened

    def _look(self) -> None:
        """Change to the promoted version; if that cannot be opened, say so once and go on."""
        self._looked = time.monotonic()
        try:
            if self._registry.promoted_since(self._promotion):
                self._open()
                self._problem = ""
        except TextclfError as error:
            if str(error) != self._problem:
                import logging

                self._problem = str(error)
                logging.getLogger("textclf").warning("still version %s: %s", self._opened[1], error)


def load(
    models: str | Path | None = None,
    version: str = "latest",
    *,
    follow: bool = False,
    signed_by: str | Path | None = None,
) -> Predictor:
    """Open a version for prediction.

    Args:
        models: the folder of the versions; if not given, ``$TEXTCLF_MODELS`` or ``models``.
        version: ``1.1.0``, ``latest`` or ``previous``.
        follow: change to the version that is promoted, within about a second of its promotion;
            where it cannot be opened, the old one stays, and a warning is logged.
        signed_by: the file of a public key; only what was signed with it is opened. If not given,
            ``$TEXTCLF_REQUIRE_SIGNATURE``, if that is set.

    Raises:
        NoSuchVersion: there is none of that name.
        IntegrityError: a file of it is not what was published.
    """
    from textclf.registry.registry import Registry
    from textclf.registry.signing import PublicKey
    from textclf.registry.store.local import LocalStore

    folder = models or os.environ.get("TEXTCLF_MODELS") or "models"
    signed_by = os.environ.get("TEXTCLF_REQUIRE_SIGNATURE") if signed_by is None else signed_by
    key = None if signed_by is None else PublicKey(Path(signed_by))
    registry = Registry(LocalStore(Path(folder)), key)
    if not follow:
        return Predictor.load(registry, registry.resolve(version))
    if version != "latest":
        raise ValueError("follow=True follows promotions: it goes with the version 'latest'")
    return _Follower(registry)


def _prediction(
    labels: list[str], text: str, number: int, row: list[float], least: float | None
) -> Prediction:
    ranked = sorted(range(len(row)), key=row.__getitem__, reverse=True)
    if ranked[0] != number:  # of equals the label comes first
        ranked.remove(number)
        ranked.insert(0, number)
    score = row[number]
    label = None if least is not None and score < least else labels[number]
    return Prediction(text, label, score, {labels[n]: row[n] for n in ranked})


def _model(registry: Registry, version: Version) -> Model:
    view = registry.view(version, SCORER)
    if view is not None:
        return ScorerModel(Scorer(view, name=registry.locate(version, SCORER)))
    from textclf.artifact.unpickler import load_pipeline
    from textclf.prediction.pipeline_model import compiled

    name = registry.locate(version)
    return compiled(load_pipeline(registry.artifact(version), name=name), version, name)
