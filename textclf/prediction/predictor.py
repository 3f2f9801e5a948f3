"""Texts → labels and scores, with one version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, overload

from textclf.formatting import plural
from textclf.prediction.model import Prediction
from textclf.prediction.open_model import open_model, open_unsafe
from textclf.prediction.texts import list_texts, require_text

if TYPE_CHECKING:
    from semver import Version

    from textclf.prediction.explanation import Explanation
    from textclf.prediction.model import Model
    from textclf.registry.registry import Registry


class Predictor:
    """A version ready to label texts, from any number of threads.

    It can be copied and pickled, and opens its registry anew then; it can be used after a fork.
    """

    def __init__(self, model: Model, version: Version, registry: Registry | None = None) -> None:
        self._opened = model, version
        self._registry = registry

    @classmethod
    def load(cls, registry: Registry, version: Version, *, in_memory: bool = False) -> Predictor:
        """Open a version without running code from its files, as `open_model` does.

        The signature is checked, and all of the file with it, if the registry requires one.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: a file is not what was published, or holds more than a model.
        """
        return cls(open_model(registry, version, in_memory=in_memory), version, registry)

    @classmethod
    def load_unsafe(cls, registry: Registry, version: Version) -> Predictor:
        """Open a version even if that runs code from its model file, as `open_unsafe` does.

        Raises:
            NoSuchVersion: it is not published.
            IntegrityError: a file is not what was published, or cannot be opened.
        """
        return cls(open_unsafe(registry, version), version)

    def __reduce__(self) -> tuple[Any, ...]:
        model, version = self._opened
        if self._registry is None:
            return Predictor, (model, version)
        return Predictor.load, (self._registry, version)

    def __repr__(self) -> str:
        """Return the version with the number of its labels."""
        model, version = self._opened
        return f"<{type(self).__name__} of version {version}, {plural(len(model.labels), 'label')}>"

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
    def predict(  # type: ignore[overload-overlap]  # a text is an iterable of texts, too
        self, texts: str, *, threshold: float | None = None
    ) -> Prediction: ...

    @overload
    def predict(
        self, texts: Iterable[str], *, threshold: float | None = None
    ) -> list[Prediction]: ...

    def predict(
        self, texts: str | Iterable[str], *, threshold: float | None = None
    ) -> Prediction | list[Prediction]:
        """Label one text or several; an empty text gets the scores of the intercept alone.

        Args:
            texts: a text, or texts in a list, an array, a Series or any other iterable.
            threshold: the score below which there is no label; by default the version's own.

        Returns:
            A prediction for the text, or one for each text; ``pandas.DataFrame`` and
            ``polars.DataFrame`` take the list as it is.

        Raises:
            TypeError: something in it is not a str; the message names its index.
        """
        if isinstance(texts, str):
            return self._predict([str(texts)], threshold)[0]
        return self._predict(list_texts(texts), threshold)

    def _predict(self, texts: list[str], threshold: float | None) -> list[Prediction]:
        if not texts:
            return []
        model, _ = self._current()
        limit = model.threshold if threshold is None else threshold
        return [
            _prediction(model.labels, text, index, scores, limit)
            for text, index, scores in zip(texts, *model.score(texts), strict=True)
        ]

    @overload
    def label(self, texts: str) -> str: ...  # type: ignore[overload-overlap]  # as above

    @overload
    def label(self, texts: Iterable[str]) -> list[str]: ...

    def label(self, texts: str | Iterable[str]) -> str | list[str]:
        """Return only the label of a text, or of each text, whatever its score.

        Raises:
            TypeError: something in it is not a str; the message names its index.
        """
        if isinstance(texts, str):
            return self._label([str(texts)])[0]
        return self._label(list_texts(texts))

    def _label(self, texts: list[str]) -> list[str]:
        model, _ = self._current()
        return [model.labels[index] for index in model.label_indices(texts)] if texts else []

    def explain(self, text: str, *, threshold: float | None = None) -> Explanation:
        """Label a text, and say how much each of its n-grams contributed.

        Raises:
            TypeError: the text is not a str.
            UsageError: the version cannot be explained.
        """
        text = require_text(text)
        model, _ = self._current()
        limit = model.threshold if threshold is None else threshold
        [index], [scores] = model.score([text])
        prediction = _prediction(model.labels, text, index, scores, limit)
        return model.explain(prediction, index)

    def unknown_ngram_ratio(self, text: str) -> float | None:
        """Return the share of a text's n-grams that the model did not learn, from 0 to 1.

        It rises where texts differ from those of training. It is ``None`` for a text without
        n-grams, and for a version whose model file is not compiled.

        Raises:
            TypeError: the text is not a str.
        """
        model, _ = self._current()
        unknown, total = model.count_unknown_ngrams(require_text(text))
        return unknown / total if total else None

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
