"""How well labels are predicted: accuracy, macro and weighted F1, per class, confusion."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from textclf.metadata import ClassMetrics, Confusion, Metrics


def measure(truth: Sequence[str], predicted: Sequence[str]) -> Metrics:
    """Compare predicted labels with the true ones, row by row.

    Labels that occur in neither are not listed. A precision or recall without any row to be
    computed from is 0.
    """
    labels = sorted({*truth, *predicted})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a single label, which is fine here
        matrix = confusion_matrix(truth, predicted, labels=labels)
        precision, recall, f1, support = precision_recall_fscore_support(
            truth, predicted, labels=labels, zero_division=0
        )
    return Metrics(
        accuracy=float(matrix.trace() / matrix.sum()),
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
