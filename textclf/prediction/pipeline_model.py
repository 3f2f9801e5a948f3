"""A scikit-learn pipeline as a model to predict with: the slow way, for what cannot be compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from textclf.errors import IntegrityError, UsageError
from textclf.prediction.prediction import Model, Prediction, ScorerModel

if TYPE_CHECKING:
    from textclf.prediction.explanation import Explanation


def compiled(pipeline: Any, version: object, name: str) -> Model:
    """The pipeline of an older version, compiled; as it is where its weights are infinite.

    Args:
        pipeline: what the restricted loader opened.
        version: which.
        name: of the model file, for messages.

    Raises:
        IntegrityError: it was made with other libraries and does not work here.
    """
    from textclf.scorer.scorer import Scorer
    from textclf.scorer.writer import CannotCompile, compiled_scorer

    try:
        with _usable(version):
            return ScorerModel(Scorer(compiled_scorer(pipeline), name=name))
    except CannotCompile:
        return PipelineModel(pipeline, version)


class PipelineModel:
    """See ``prediction.Model``."""

    threshold = None

    def __init__(self, pipeline: Any, version: object) -> None:
        self._pipeline, self._version = pipeline, version
        self.labels: list[str] = [str(label) for label in pipeline.classes_]
        self.score_type = "probability" if hasattr(pipeline, "predict_proba") else "decision"

    def scored(self, texts: Sequence[str]) -> tuple[list[int], list[list[float]]]:
        """See Model."""
        with _usable(self._version):
            matrix = self._pipeline[:-1].transform(texts)
            labels = self._pipeline[-1].predict(matrix).tolist()
            scores = self._scores(matrix).tolist()
        return [self.labels.index(str(label)) for label in labels], scores

    def numbers(self, texts: Sequence[str]) -> list[int]:
        """See Model."""
        with _usable(self._version):
            return [self.labels.index(str(label)) for label in self._pipeline.predict(texts)]

    def explained(self, prediction: Prediction, number: int) -> Explanation:  # noqa: ARG002
        """See Model."""
        raise UsageError(
            f"version {self._version} cannot be explained: its model file is not compiled",
            hint="textclf train publishes versions that can",
        )

    def _scores(self, matrix: Any) -> Any:
        """A matrix of texts × labels."""
        import numpy as np

        classifier = self._pipeline[-1]
        if self.score_type == "probability":
            return classifier.predict_proba(matrix)
        decision = classifier.decision_function(matrix)
        return decision if decision.ndim > 1 else np.column_stack([-decision, decision])


@contextmanager
def _usable(version: object) -> Iterator[None]:
    """A model of another scikit-learn may load and still not work."""
    try:
        yield
    except (AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
        raise IntegrityError(
            f"version {version} cannot be used with the libraries installed here: {error}",
            hint=f"textclf versions show {version} lists those it was made with",
        ) from error
