"""Texts → labels and scores, with one version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from textclf.prediction.model import Prediction
from textclf.prediction.open_model import open_model

if TYPE_CHECKING:
    from semver import Version

    from textclf.prediction.explanation import Explanation
    from textclf.prediction.model import Model
    from textclf.registry.registry import Registry


class Predictor:
    """A version ready to label texts, from any number of threads."""

    def __init__(self, model: Model, version: Version) -> None:
        self._opened = model, version

    @classmethod
    def load(cls, registry: Registry, version: Version) -> Predictor:
        """Open a version without running code from its files.

        The signature is checked, and all of the file with it, if the registry requires one.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: a file is not what was published, or holds more than a model.
        """
        return cls(open_model(registry, version), version)

    @classmethod
    def from_pipeline(cls, pipeline: Any, version: Version) -> Predictor:
        """Predict with a fitted scikit-learn pipeline, without compiling it."""
        from textclf.prediction.pipeline_model import PipelineModel

        return cls(PipelineModel(pipeline, version), version)

    @property
    def version(self) -> Version:
        """The version that labels texts."""
        return self._current()[1]

    @property
    def labels(self) -> list[str]:
        """All labels of the version."""
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
        """The score below which a text gets no label, unless another threshold is asked for."""
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
        """Label one text or several; an empty text gets the scores of the intercept alone.

        Args:
            texts: a text, or a sequence of texts.
            threshold: the score below which there is no label; by default the version's own.
        """
        if isinstance(texts, str):
            return self.predict([texts], threshold=threshold)[0]
        if not texts:
            return []
        model, _ = self._current()
        limit = model.threshold if threshold is None else threshold
        return [
            _prediction(model.labels, text, index, scores, limit)
            for text, index, scores in zip(texts, *model.score(texts), strict=True)
        ]

    def label(self, texts: Sequence[str]) -> list[str]:
        """Return only the label of each text, whatever its score."""
        model, _ = self._current()
        return [model.labels[index] for index in model.label_indices(texts)] if texts else []

    def explain(self, text: str, *, threshold: float | None = None) -> Explanation:
        """Label a text, and say how much each of its n-grams contributed.

        Raises:
            UsageError: the version cannot be explained.
        """
        model, _ = self._current()
        limit = model.threshold if threshold is None else threshold
        [index], [scores] = model.score([text])
        prediction = _prediction(model.labels, text, index, scores, limit)
        return model.explain(prediction, index)

    def _current(self) -> tuple[Model, Version]:
        return self._opened


def _prediction(
    labels: list[str], text: str, label_index: int, scores: list[float], threshold: float | None
) -> Prediction:
    """Rank the scores of a text; among equal ones the label that the model chose comes first."""
    ranked = sorted(range(len(labels)), key=scores.__getitem__, reverse=True)
    ranked.remove(label_index)
    score = scores[label_index]
    label = None if threshold is not None and score < threshold else labels[label_index]
    return Prediction(text, label, score, {labels[n]: scores[n] for n in (label_index, *ranked)})
