"""How well the scores of a model with two labels rank texts, and what a cutoff on them costs.

Pure functions of arrays. The definitions are those of scikit-learn:

* the area under the ROC curve: the probability that a row with the label has a higher score than a
  row without it, where equal scores count half (J. Hanley and B. McNeil, 1982, "The meaning and use
  of the area under a receiver operating characteristic (ROC) curve");
* average precision: the mean of the precisions at the scores of the rows with the label, each over
  all rows with at least that score, without interpolation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textclf.evaluation.records import Cutoff, TwoLabels
from textclf.evaluation.statistics import Flags, Floats

_CUTOFFS = np.arange(1, 100) / 100


def two_labels(
    truth: Sequence[str], labels: Sequence[str], scores: Floats, *, are_probabilities: bool
) -> TwoLabels | None:
    """Evaluate the scores of a model with two labels.

    Args:
        truth: the true label of each row; rows with a label that the model does not know are left
            out.
        labels: the labels of the model.
        scores: rows × labels.
        are_probabilities: whether the scores are probabilities; decision values have no cutoffs.

    Returns:
        ``None`` if the model has more than two labels, or if all rows have the same one.
    """
    if len(labels) != 2:  # noqa: PLR2004
        return None
    has_label = np.asarray([[label == one for one in labels] for label in truth])
    known = has_label.any(axis=1)
    has_label, scores = has_label[known], scores[known]
    if not has_label.any(axis=0).all():
        return None
    rare = int(has_label[:, 1].sum() <= has_label[:, 0].sum())
    return TwoLabels(
        labels[rare],
        roc_auc(has_label[:, rare], scores[:, rare]),
        {label: average_precision(has_label[:, n], scores[:, n]) for n, label in enumerate(labels)},
        _cutoffs(has_label[:, rare], scores[:, rare]) if are_probabilities else [],
    )


def _counts(positive: Flags, scores: Floats) -> tuple[Floats, Floats]:
    """Count the rows with the label, and those without, from each different score on upwards."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    with_label = np.cumsum(positive[order])[last].astype(np.float64)
    return with_label, last + 1 - with_label


def roc_auc(positive: Flags, scores: Floats) -> float:
    """Compute the area under the ROC curve; rows with the label and without must both occur."""
    hits, false = _counts(positive, scores)
    area = np.trapezoid(np.append(0, hits), np.append(0, false))
    return float(area / (hits[-1] * false[-1]))


def average_precision(positive: Flags, scores: Floats) -> float:
    """Compute the average precision; some row must have the label."""
    hits, false = _counts(positive, scores)
    gained = np.diff(np.append(0, hits)) / hits[-1]
    return float(np.sum(gained * hits / (hits + false)))


def _cutoffs(positive: Flags, probabilities: Floats) -> list[Cutoff]:
    return [_cutoff(at, positive, probabilities >= at) for at in _CUTOFFS.tolist()]


def _cutoff(at: float, positive: Flags, labelled: Flags) -> Cutoff:
    hits, given = int((positive & labelled).sum()), int(labelled.sum())
    support = int(positive.sum())
    return Cutoff(
        at=at,
        precision=hits / given if given else None,
        recall=hits / support,
        false_positives=given - hits,
        false_negatives=support - hits,
    )
