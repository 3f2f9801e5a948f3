"""Texts → labels and scores, with a published version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from semver import Version

from textclf.errors import IntegrityError
from textclf.registry import Registry


@dataclass(frozen=True)
class Prediction:
    """A text, its label, and how much speaks for each label, the highest first.

    ``score`` is the label's own; what a score means is said by ``Predictor.score_type``.
    """

    text: str
    label: str
    score: float
    scores: dict[str, float]


class Predictor:
    """A model ready to label texts.

    Attributes:
        version: which version it is.
        score_type: ``probability`` (0 to 1, together 1), or, of a version published before
            classifiers were calibrated, ``decision``: the classifier's decision value, unbounded,
            above 0 where it is on that label's side.
    """

    def __init__(self, pipeline: Any, version: Version) -> None:
        self._pipeline = pipeline
        self.version = version
        self.labels: list[str] = [str(label) for label in pipeline.classes_]
        self.score_type = "probability" if hasattr(pipeline, "predict_proba") else "decision"

    @classmethod
    def load(cls, registry: Registry, version: Version) -> Predictor:
        """Open a version's model file with the restricted loader.

        Its digest is checked before, and its signature, if the registry requires one.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: the file is not what was published, or holds more than a model.
        """
        from textclf.safe_load import load_pipeline

        data = registry.artifact(version)
        return cls(load_pipeline(data, name=registry.locate(version)), version)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Label each text; an empty one gets what the model says of no evidence at all."""
        if not texts:
            return []
        with self._usable():
            matrix = self._pipeline[:-1].transform(texts)
            labels = self._pipeline[-1].predict(matrix).tolist()
            scores = self._scores(matrix).tolist()
        return list(map(self._prediction, texts, labels, scores))

    def label(self, texts: Sequence[str]) -> list[str]:
        """Only the labels."""
        if not texts:
            return []
        with self._usable():
            return [str(label) for label in self._pipeline.predict(texts)]

    def _scores(self, matrix: Any) -> Any:
        """A matrix of texts × labels."""
        import numpy as np

        classifier = self._pipeline[-1]
        if self.score_type == "probability":
            return classifier.predict_proba(matrix)
        decision = classifier.decision_function(matrix)
        return decision if decision.ndim > 1 else np.column_stack([-decision, decision])

    def _prediction(self, text: str, label: str, row: list[float]) -> Prediction:
        pairs = zip(self.labels, row, strict=True)
        ranked = sorted(pairs, key=lambda pair: (-pair[1], pair[0] != label))  # of equals its label
        scores = dict(ranked)
        return Prediction(text, label, scores[label], scores)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """A model of another scikit-learn may load and still not work."""
        try:
            yield
        except (AttributeError, TypeError, ValueError, IndexError) as error:
            raise IntegrityError(
                f"version {self.version} cannot be used with the libraries installed here: {error}",
                hint=f"textclf versions show {self.version} lists those it was made with",
            ) from error
