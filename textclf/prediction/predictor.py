"""Texts → labels and scores, with one version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

from textclf.errors import UsageError
from textclf.formatting import plural
from textclf.metadata.limits import Limits
from textclf.prediction.model import Prediction
from textclf.prediction.open_model import open_model
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
    def from_pipeline(
        cls, pipeline: Any, version: Version, limits: Limits | None = None
    ) -> Predictor:
        """Predict with a fitted scikit-learn pipeline, without compiling it."""
        from textclf.prediction.pipeline_model import PipelineModel

        return cls(PipelineModel(pipeline, version, limits), version)

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
        return self.limits.threshold

    @property
    def abstain_unknown(self) -> float | None:
        """The share of known n-grams below which a text gets no label, unless another is asked for.

        The n-grams that count are those of words. They are all n-grams if the model has none of
        words, or has a block ``char``.
        """
        return self.limits.abstain_unknown

    @property
    def limits(self) -> Limits:
        """Which texts get no label, unless other limits are asked for."""
        return self._current()[0].limits

    @overload
    def predict(  # type: ignore[overload-overlap]  # a text is an iterable of texts, too
        self, texts: str, *, threshold: float | None = None, abstain_unknown: float | None = None
    ) -> Prediction: ...

    @overload
    def predict(
        self,
        texts: Iterable[str],
        *,
        threshold: float | None = None,
        abstain_unknown: float | None = None,
    ) -> list[Prediction]: ...

    def predict(
        self,
        texts: str | Iterable[str],
        *,
        threshold: float | None = None,
        abstain_unknown: float | None = None,
    ) -> Prediction | list[Prediction]:
        """Label one text or several; an empty text gets the scores of the intercept alone.

        Args:
            texts: a text, or texts in a list, an array, a Series or any other iterable.
            threshold: the score below which there is no label; by default the version's own.
            abstain_unknown: the share of known n-grams (0 to 1) below which there is no label; by
                default the version's own.

        Returns:
            A prediction for the text, or one for each text; ``pandas.DataFrame`` and
            ``polars.DataFrame`` take the list as it is.

        Raises:
            TypeError: something in it is not a str; the message names its index.
            UsageError: ``abstain_unknown``, or ``threshold`` where scores are probabilities, is not
                between 0 and 1; or the version is not compiled, so that known n-grams cannot be
                counted.
        """
        limits = Limits(threshold, abstain_unknown)
        if isinstance(texts, str):
            return _predict(self._current()[0], [str(texts)], limits)[0][0]
        predicted = _predict(self._current()[0], list_texts(texts), limits)
        return [prediction for prediction, _ in predicted]

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

    def explain(
        self, text: str, *, threshold: float | None = None, abstain_unknown: float | None = None
    ) -> Explanation:
        """Label a text, and say how much each of its n-grams contributed.

        Raises:
            TypeError: the text is not a str.
            UsageError: the version cannot be explained, or a limit is wrong, as for `predict`.
        """
        model, _ = self._current()
        limits = Limits(threshold, abstain_unknown)
        [(prediction, index)] = _predict(model, [require_text(text)], limits)
        return model.explain(prediction, index)

    def unknown_ngram_ratio(self, text: str) -> float | None:
        """Return the share of a text's n-grams that the model did not learn, from 0 to 1.

        It rises where texts differ from those of training. It is ``None`` for a text without
        n-grams, and for a version whose model file is not compiled.

        Raises:
            TypeError: the text is not a str.
        """
        model, _ = self._current()
        try:
            [(known, total)] = model.count_known([require_text(text)])
        except UsageError:
            return None
        return (total - known) / total if total else None

    def _current(self) -> tuple[Model, Version]:
        return self._opened


def _predict(model: Model, texts: list[str], limits: Limits) -> list[tuple[Prediction, int]]:
    """Return the predictions of some texts, each with the index of its best label."""
    limits.require_reachable(model.score_type)
    if not texts:
        return []
    limits = limits.or_else(model.limits)
    indices, scores = model.score(texts)
    known: Sequence[float | None] = [None] * len(texts)
    if limits.abstain_unknown is not None:
        known = [part / total if total else 0.0 for part, total in model.count_known(texts)]
    return [
        (_prediction(text, _ranked(model.labels, index, row), share, limits), index)
        for text, index, row, share in zip(texts, indices, scores, known, strict=True)
    ]


def _prediction(
    text: str, ranked: dict[str, float], known: float | None, limits: Limits
) -> Prediction:
    label, score = next(iter(ranked.items()))
    return Prediction(text, label if limits.allow(score, known) else None, score, ranked, known)


def _ranked(labels: list[str], label_index: int, scores: list[float]) -> dict[str, float]:
    """Rank the scores of a text; among equal ones the label that the model chose comes first."""
    order = sorted(range(len(labels)), key=scores.__getitem__, reverse=True)
    order.remove(label_index)
    return {labels[n]: scores[n] for n in (label_index, *order)}
