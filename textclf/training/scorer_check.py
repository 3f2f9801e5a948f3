"""Check that a compiled scorer agrees with its pipeline before it is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, islice

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from textclf.errors import TextclfError
from textclf.evaluation.scored_rows import ScoredRows
from textclf.scorer.batch import BatchScorer, label_indices
from textclf.scorer.scorer import SCORER, Scorer, label_index

_TOLERANCE = 1e-6
"""The most by which scores may differ, relative to a score beyond 1."""

_TIE = 1e-9
"""If the pipeline's two highest scores are closer than this, rounding decides on the label."""

_CHARACTERS = 50_000
"""How many characters of the test rows are also scored one text at a time."""

_UNUSUAL = (
    "", " ", "\t\n", "a", "!?", "...", "\x00", "\ufeff", "\ud800", "0 00 000", "_ __",
    "I\u0307\u0130\u0131i", "\u03a3\u0391\u03a3 \u03a3\u0391\u0301\u03a3. \u039f\u03a3\u02b0",
    "na\xefve nai\u0308ve \ufb01ne \xbd", "\u4f60\u597d\uff0c\u4e16\u754c", "\U0001f44d\U0001f3fd",
    "a\u2028b\u2029c\x1cd\x85e\xa0f\u200bg", "\u0915\u094d\u0937\u093f", "e\u0301" * 50, "x" * 5000,
)  # fmt: skip


class ScorerMismatch(TextclfError):
    """The compiled scorer and the pipeline disagree on a text."""


def check_scorer(data: bytes, scored: ScoredRows) -> None:
    """Compare a scorer with its pipeline on all test rows and on unusual texts.

    The first rows and the unusual texts are scored one at a time. If there are more rows, all are
    also scored in a batch; otherwise its loops, which take seconds to compile, are not needed.

    Args:
        data: the content of the compiled scorer's file.
        scored: the pipeline, the test rows, and its predictions for them. They may be derived from
            counts: scikit-learn predicts anew for some of the rows, among them the longest and
            those with the most characters beyond ASCII, and for the unusual texts.

    Raises:
        ScorerMismatch: a label differs, or a score by more than a millionth.
        IntegrityError: the scorer cannot be used.
    """
    scorer = Scorer(data, name=SCORER)
    batch = BatchScorer(scorer)  # checks the whole index
    rows = scored.rows.texts
    first = _within_limit(rows)
    texts = [*first, *_UNUSUAL, *_known_ngrams(scored.model)]
    one_by_one = [scorer.decide(text) for text in texts]
    if len(first) < len(rows):
        for unusual in (len, _bytes_beyond_ascii):
            texts += _within_limit(sorted(rows, key=unusual, reverse=True))
    expected = ScoredRows.from_pipeline(scored.model, replace(scored.rows, texts=tuple(texts)))
    names = np.asarray(scorer.labels)
    labels = names[list(map(label_index, one_by_one))]
    scores = np.array(list(map(scorer.scores, one_by_one)))
    _compare(expected, labels, scores)
    if len(first) == len(rows):
        _compare(scored, labels[: len(first)], scores[: len(first)])
        return
    for each in (scored, expected):
        decisions = batch.decide(each.rows.texts)
        _compare(each, names[label_indices(decisions)], batch.scores(decisions))


def _within_limit(texts: Sequence[str]) -> list[str]:
    """Return the first texts that have `_CHARACTERS` together, and the very first in any case."""
    sizes = accumulate(len(text) + 1 for text in texts)
    within = sum(size <= _CHARACTERS for size in sizes)
    return list(texts[: max(within, 1)])


def _bytes_beyond_ascii(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass")) - len(text)


def _known_ngrams(pipeline: Pipeline) -> list[str]:
    """Return texts of many known n-grams, some repeated, some in capitals."""
    blocks = pipeline.named_steps["features"].transformer_list
    joined = [" ".join(islice(block.vocabulary_, 0, 100_000, 997)) for _, block in blocks]
    return [*joined, *(f"{text} {text[::2]} {text.upper()}" for text in joined)]


def _compare(expected: ScoredRows, labels: NDArray[np.str_], scores: NDArray[np.float64]) -> None:
    """Raise ScorerMismatch unless labels and scores are those of as many of the first rows."""
    wanted, predicted = expected.scores[: len(labels)], expected.predicted[: len(labels)]
    tolerance = _TOLERANCE * np.maximum(1, np.abs(wanted))
    wrong = ~(np.abs(scores - wanted) <= tolerance).all(axis=1)
    ranked = np.sort(wanted, axis=1)
    tied = ranked[:, -1] - ranked[:, -2] <= _TIE
    wrong |= (labels != np.asarray(predicted)) & ~tied
    if wrong.any():
        text = expected.rows.texts[int(wrong.argmax())]
        raise ScorerMismatch(
            f"the compiled scorer and the pipeline disagree on {int(wrong.sum())} of "
            f"{len(wrong)} texts, such as {text[:60]!r}; nothing was published",
            hint="this is a bug in textclf, please report it with the search space",
        )
