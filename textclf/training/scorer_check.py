"""Proof that a compiled scorer says what its pipeline says, before a version has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from textclf.errors import TextclfError
from textclf.evaluation.scored_rows import ScoredRows
from textclf.scorer.batch import BatchScorer, label_indices
from textclf.scorer.scorer import SCORER, Scorer, label_index

_TOLERANCE = 1e-6
"""Of a score; of one beyond 1, of its size."""

_TIE = 1e-9
"""Where the pipeline's two best scores are this close, rounding decides on the label."""

_CHARACTERS = 50_000
"""Of the test rows, also given to the scorer one by one."""

_AWKWARD = (
    "", " ", "\t\n", "a", "!?", "...", "\x00", "\ufeff", "\ud800", "0 00 000", "_ __",
    "I\u0307\u0130\u0131i", "\u03a3\u0391\u03a3 \u03a3\u0391\u0301\u03a3. \u039f\u03a3\u02b0",
    "na\xefve nai\u0308ve \ufb01ne \xbd", "\u4f60\u597d\uff0c\u4e16\u754c", "\U0001f44d\U0001f3fd",
    "a\u2028b\u2029c\x1cd\x85e\xa0f\u200bg", "\u0915\u094d\u0937\u093f", "e\u0301" * 50, "x" * 5000,
)  # fmt: skip


class Disagreement(TextclfError):
    """The compiled scorer and the pipeline do not say the same."""


def prove(scored: ScoredRows, data: bytes) -> None:
    """Ask the scorer about all test rows, and about awkward texts and some of the rows one by one.

    Args:
        scored: the pipeline, the test rows, and what it said of them.
        data: the compiled scorer.

    Raises:
        Disagreement: a label is another, or a score is off by more than a millionth.
        IntegrityError: the scorer cannot be used.
    """
    scorer = Scorer(data, name=SCORER)
    batch = BatchScorer(scorer)
    decisions = batch.decide(scored.rows.texts)
    names = np.asarray(scorer.labels)
    _compare(scored, names[label_indices(decisions)], batch.scores(decisions))
    texts = [*_first(scored.rows.texts), *_AWKWARD, *_long(scored.model)]
    some = ScoredRows.from_pipeline(scored.model, replace(scored.rows, texts=tuple(texts)))
    one_by_one = [scorer.decide(text) for text in texts]
    _compare(
        some,
        names[list(map(label_index, one_by_one))],
        np.array(list(map(scorer.scores, one_by_one))),
    )
    decisions = batch.decide(texts)
    _compare(some, names[label_indices(decisions)], batch.scores(decisions))


def _first(texts: Sequence[str]) -> list[str]:
    found: list[str] = []
    size = 0
    for text in texts:
        size += len(text) + 1
        if size > _CHARACTERS:
            break
        found.append(text)
    return found


def _long(pipeline: Pipeline) -> list[str]:
    """Texts of many known n-grams, some several times, some in capitals."""
    vectorizers = [each for _, each in pipeline.named_steps["features"].transformer_list]
    terms = [list(islice(each.vocabulary_, 0, 100_000, 997)) for each in vectorizers]
    joined = [" ".join(some) for some in terms]
    return [*joined, *(f"{text} {text[::2]} {text.upper()}" for text in joined)]


def _compare(own: ScoredRows, labels: NDArray[np.str_], scores: NDArray[np.float64]) -> None:
    """Raise Disagreement unless these are the pipeline's answers."""
    room = _TOLERANCE * np.maximum(1, np.abs(own.scores))
    wrong = ~(np.abs(scores - own.scores) <= room).all(axis=1)
    best = np.sort(own.scores, axis=1)
    tied = best[:, -1] - best[:, -2] <= _TIE
    wrong |= (labels != np.asarray(own.predicted)) & ~tied
    if wrong.any():
        text = own.rows.texts[int(wrong.argmax())]
        raise Disagreement(
            f"the compiled scorer and the pipeline disagree on {int(wrong.sum())} of "
            f"{len(wrong)} texts, such as {text[:60]!r}; nothing was published",
            hint="this is a bug of textclf, please report it with the search space",
        )
