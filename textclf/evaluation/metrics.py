"""Metrics of predicted labels: accuracy, F1, the scores of each class, and which are confused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from textclf.evaluation.records import TwoLabels
from textclf.metadata.schema import ClassMetrics, Confusion, Metrics

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ConfusedPair:
    """Rows of one label that were predicted as another, and how many there are."""

    label: str
    predicted: str
    rows: int


def confused_pairs(confusion: Confusion) -> list[ConfusedPair]:
    """Return all pairs of a true and another predicted label that occur, most rows first."""
    pairs = [
        ConfusedPair(label, predicted, rows)
        for label, counts in zip(confusion.labels, confusion.matrix, strict=True)
        for predicted, rows in zip(confusion.labels, counts, strict=True)
        if rows and predicted != label
    ]
    return sorted(pairs, key=lambda pair: -pair.rows)


def most_confused(confusion: Confusion) -> dict[str, ConfusedPair]:
    """Return for each label with mistakes the other label that it was most often predicted as."""
    return {pair.label: pair for pair in reversed(confused_pairs(confusion))}


def worst_first(metrics: Metrics) -> list[tuple[str, ClassMetrics]]:
    """Return the labels and their metrics, the lowest F1 first."""
    return sorted(metrics.per_class.items(), key=lambda entry: (entry[1].f1, entry[0]))


def measure(truth: Sequence[str], predicted: Sequence[str]) -> Metrics:
    """Compare predicted labels with the true ones, row by row.

    Labels that occur in neither are not listed. A precision or recall without any row to be
    computed from is 0.
    """
    import numpy as np  # only here: `versions show` counts confused pairs without it

    labels = sorted({*truth, *predicted})
    codes = {label: code for code, label in enumerate(labels)}
    matrix = confusion_matrix(label_codes(truth, codes), label_codes(predicted, codes), len(labels))
    correct, support, given = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    precision, recall = (correct / np.maximum(rows, 1) for rows in (given, support))
    f1 = f1_scores(correct, support, given)
    return Metrics(
        accuracy=float(correct.sum() / matrix.sum()),
        macro_f1=float(f1.mean()),
        weighted_f1=float((f1 * support).sum() / support.sum()),
        per_class={
            label: ClassMetrics(
                float(precision[n]), float(recall[n]), float(f1[n]), int(support[n])
            )
            for n, label in enumerate(labels)
        },
        confusion=Confusion(labels, matrix.tolist()),
    )


def with_ranking(metrics: Metrics, ranking: TwoLabels | None) -> Metrics:
    """Return metrics with those of the scores, if the model has two labels."""
    if ranking is None:
        return metrics
    roc_auc, precision = ranking.roc_auc, ranking.average_precision
    return msgspec.structs.replace(metrics, roc_auc=roc_auc, average_precision=precision)


def label_codes(labels: Sequence[str], codes: dict[str, int]) -> NDArray[np.int64]:
    """Return labels as integer codes; -1 for a label that has none."""
    import numpy as np

    return np.fromiter((codes.get(label, -1) for label in labels), np.int64, len(labels))


def confusion_matrix(
    truth: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]], labels: int
) -> NDArray[np.int64]:
    """Count rows by true and predicted label.

    Args:
        truth: the code of each row's true label, 0 to ``labels - 1``.
        predicted: the code of each row's predicted label.
        labels: the number of labels.

    Returns:
        labels × labels; ``[i, j]`` is the number of rows of label ``i`` predicted as ``j``.
    """
    import numpy as np

    pairs = np.asarray(truth, np.int64) * labels + predicted
    return np.bincount(pairs, minlength=labels * labels).reshape(labels, labels)


def f1_scores(
    correct: NDArray[Any], support: NDArray[Any], predicted: NDArray[Any]
) -> NDArray[np.float64]:
    """Compute the F1 of labels from counts; it is 0 for a label without any row.

    Args:
        correct: rows of the label that were predicted as it.
        support: rows of the label.
        predicted: rows predicted as the label.
    """
    import numpy as np

    scores: NDArray[np.float64] = 2 * correct / np.maximum(support + predicted, 1)
    return scores
