"""The answer of ``textclf evaluate``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textclf.cli.output.document import Block, Heading, Sentence, TableBlock, UserText, sentence
from textclf.cli.output.metrics import class_table, interval, method
from textclf.cli.output.promotions import verdict_table
from textclf.formatting import excerpt, percent, plural

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset
    from textclf.evaluation.evaluate import Evaluation
    from textclf.evaluation.records import Calibration, Intervals, TwoLabels
    from textclf.metadata.schema import Confusion, Metrics
    from textclf.metadata.verdict import JudgedRows, Verdict

_MATRIX_LABELS = 8
"""The most labels with which the confusion matrix is shown; else the most frequent mistakes."""

_MISTAKES = 20


def blocks(
    version: str, rows: JudgedRows, evaluation: Evaluation, verdict: Verdict | None
) -> Iterator[Block]:
    """Return the answer as blocks."""
    from textclf.evaluation.train_overlap import overlap_warning

    metrics, intervals = evaluation.metrics, evaluation.intervals
    calibration = evaluation.calibration
    yield Heading((f"{version} on {plural(rows.rows, 'row')} of ", UserText(rows.path)))
    if warning := overlap_warning(version, rows.train_overlap):
        yield sentence(warning, is_warning=True)
    accuracy, macro_f1 = map(interval, (intervals.accuracy, intervals.macro_f1))
    weighted = percent(metrics.weighted_f1)
    yield sentence(f"accuracy {accuracy}, macro F1 {macro_f1}, weighted F1 {weighted}")
    yield sentence(f"in parentheses: {method(intervals.method)}")
    if calibration:
        yield _calibration(calibration)
    if evaluation.two_labels:
        yield _ranking(evaluation.two_labels)
    yield class_table(metrics)
    confusion = metrics.confusion
    yield _matrix(confusion) if len(confusion.labels) <= _MATRIX_LABELS else _mistakes(confusion)
    if evaluation.two_labels and evaluation.two_labels.cutoffs:
        yield _cutoffs(evaluation.two_labels)
    if verdict:
        yield verdict_table(verdict, title=f"required: {verdict.verdict}")


def _calibration(calibration: Calibration) -> Sentence:
    return sentence(
        f"expected calibration error {percent(calibration.expected_calibration_error)}, "
        f"log-loss {calibration.log_loss:.3f}, Brier score {calibration.brier:.3f}"
    )


def _ranking(ranking: TwoLabels) -> Sentence:
    of_labels = [
        piece
        for label, value in ranking.average_precision.items()
        for piece in ("; average precision of ", UserText(label), f" {value:.3f}")
    ]
    return sentence(f"ROC AUC {ranking.roc_auc:.3f}", *of_labels)


def _cutoffs(ranking: TwoLabels) -> TableBlock:
    counts = ["precision", "recall", "false positives", "false negatives"]
    right = [UserText(f"{excerpt(ranking.positive, 40)} from"), *counts]
    return TableBlock(
        right,
        [
            [
                f"{cutoff.at:.2f}",
                percent(cutoff.precision),
                percent(cutoff.recall),
                cutoff.false_positives,
                cutoff.false_negatives,
            ]
            for cutoff in ranking.shown_cutoffs
        ],
        right=right,
        title="cutoffs on the probability, and what they cost",
    )


def _matrix(confusion: Confusion) -> TableBlock:
    heads = [UserText(label) for label in confusion.labels]
    return TableBlock(
        ["label", *heads],
        [
            [UserText(label), *row]
            for label, row in zip(confusion.labels, confusion.matrix, strict=True)
        ],
        right=heads,
        title="confusion matrix: a row for each true label, a column for each predicted label",
    )


def _mistakes(confusion: Confusion) -> TableBlock:
    from textclf.evaluation.metrics import confused_pairs

    pairs = confused_pairs(confusion)
    return TableBlock(
        ["label", "predicted as", "rows"],
        [[UserText(pair.label), UserText(pair.predicted), pair.rows] for pair in pairs[:_MISTAKES]],
        right=["rows"],
        title=f"most frequent mistakes, {min(len(pairs), _MISTAKES)} of {len(pairs)}",
    )


@dataclass(frozen=True)
class EvaluateAnswer:
    """The JSON of ``textclf evaluate``."""

    version: str
    path: str
    sha256: str
    rows: int
    skipped_rows: int
    train_overlap: float | None
    metrics: Metrics
    intervals: Intervals
    calibration: Calibration | None
    two_labels: TwoLabels | None
    fail_under: Verdict | None


def answer(
    version: str,
    rows: Dataset,
    evaluation: Evaluation,
    judged: JudgedRows,
    verdict: Verdict | None,
) -> EvaluateAnswer:
    """Return the answer as it is written as JSON."""
    return EvaluateAnswer(
        version=version,
        path=rows.path,
        sha256=rows.sha256,
        rows=len(rows),
        skipped_rows=len(rows.bad_rows),
        train_overlap=judged.train_overlap,
        metrics=evaluation.metrics,
        intervals=evaluation.intervals,
        calibration=evaluation.calibration,
        two_labels=evaluation.two_labels,
        fail_under=verdict,
    )
