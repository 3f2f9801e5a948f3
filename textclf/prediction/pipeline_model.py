"""A scikit-learn pipeline as a model: the slow way, for what cannot be compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from textclf.errors import IntegrityError, UsageError
from textclf.metadata.limits import Limits

if TYPE_CHECKING:
    from textclf.prediction.explanation import Explanation
    from textclf.prediction.model import Prediction


class PipelineModel:
    """A fitted pipeline as a `Model`."""

    def __init__(self, pipeline: Any, version: object, limits: Limits | None = None) -> None:
        self._pipeline, self._version, self.limits = pipeline, version, limits or Limits()
        self.labels: list[str] = [str(label) for label in pipeline.classes_]
        self.score_type = "probability" if hasattr(pipeline, "predict_proba") else "decision"

    def score(self, texts: Sequence[str]) -> tuple[list[int], list[list[float]]]:
        """Return the label index of each text, and its score for every label."""
        with installed_libraries_suit(self._version):
            matrix = self._pipeline[:-1].transform(texts)
            labels = self._pipeline[-1].predict(matrix).tolist()
            scores = self._scores(matrix).tolist()
        return [self.labels.index(str(label)) for label in labels], scores

    def label_indices(self, texts: Sequence[str]) -> list[int]:
        """Return the label index of each text."""
        with installed_libraries_suit(self._version):
            return [self.labels.index(str(label)) for label in self._pipeline.predict(texts)]

    def explain(self, prediction: Prediction, label_index: int) -> Explanation:  # noqa: ARG002
        """Raise UsageError: only compiled models can be explained."""
        raise self._not_compiled("its labels cannot be explained")

    def count_known(self, texts: Sequence[str]) -> list[tuple[int, int]]:  # noqa: ARG002
        """Raise UsageError: only compiled models have a table of n-grams."""
        raise self._not_compiled("it cannot be said which n-grams it knows")

    def _not_compiled(self, problem: str) -> UsageError:
        return UsageError(
            f"the model file of version {self._version} is not compiled: {problem}",
            hint="textclf train publishes versions that are",
        )

    def _scores(self, matrix: Any) -> Any:
        """Return the scores, (texts, labels)."""
        import numpy as np

        classifier = self._pipeline[-1]
        if self.score_type == "probability":
            return classifier.predict_proba(matrix)
        decision = classifier.decision_function(matrix)
        return decision if decision.ndim > 1 else np.column_stack([-decision, decision])


@contextmanager
def installed_libraries_suit(version: object) -> Iterator[None]:
    """Report errors of a model that another scikit-learn made, which may load and still not work.

    Raises:
        IntegrityError: what is done within does not work with the libraries installed here.
    """
    try:
        yield
    except (AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
        raise IntegrityError(
            f"version {version} cannot be used with the libraries installed here: {error}",
            hint=f"textclf versions show {version} lists its libraries",
        ) from error
