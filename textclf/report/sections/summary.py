"""The few numbers that most readers want, and how the version came about."""

from __future__ import annotations

from textclf.evaluation.metadata_diff import difference
from textclf.formatting import candidate_name, percent, plural
from textclf.metadata.schema import Metadata, Metrics, SearchRecord
from textclf.report.html import charts
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import (
    Column,
    change_cell,
    chart_column,
    fact_list,
    key_figures,
    table,
)
from textclf.report.subject import Subject, bdi, same_rows


def section(subject: Subject) -> Html:
    """Show the key figures of a version, its model, its test and its number."""
    return join(key_figures(_figures(subject)), _facts(subject))


def _figures(subject: Subject) -> list[tuple[str, str, str]]:
    """Return names, values and notes."""
    metadata = subject.metadata
    metrics, data = metadata.test.metrics, metadata.data
    f1_note = f"mean over labels; weighted by rows {percent(metrics.weighted_f1)}"
    figures = [
        ("Test accuracy", percent(metrics.accuracy), _interval(subject)),
        ("Macro F1", percent(metrics.macro_f1), f1_note),
        ("Cross-validated accuracy", percent(metadata.best_cv_accuracy), _folds(metadata)),
    ]
    if subject.data and (probabilities := subject.data.probabilities):
        error = percent(probabilities.calibration_error)
        figures.append(("Calibration error", error, "expected gap of probability and accuracy"))
    labels = plural(len(metadata.labels), "label")
    trained_on = (f"{data.rows:,}", f"rows with {labels}") if data else ("unknown rows", labels)
    return [*figures, ("Trained on", *trained_on)]


def _folds(metadata: Metadata) -> str:
    search = metadata.search
    if search is None:
        return "unknown: it was fitted outside of textclf"
    candidates = plural(len(search.candidates), "candidate")
    return f"{search.folds} folds{_spread(search, metadata)}; best of {candidates}"


def _interval(subject: Subject) -> str:
    accuracy = subject.intervals.accuracy
    rows = plural(subject.metadata.test.rows, "row")
    return f"{rows}; 95% interval {percent(accuracy.low)} to {percent(accuracy.high)}"


def _spread(search: SearchRecord, metadata: Metadata) -> str:
    """Return the standard deviation over the folds, if the search went by accuracy."""
    if search.scoring != "accuracy":
        return ""
    deviations = [c.std for c in search.candidates if c.params == metadata.best_params]
    return f", ± {100 * deviations[0]:.1f}" if deviations and deviations[0] is not None else ""


def _facts(subject: Subject) -> Html:
    metadata = subject.metadata
    bump, per_class = metadata.bump, metadata.test.metrics.per_class
    weakest = min(per_class, key=lambda label: (per_class[label].f1, label))
    score = (
        f": F1 {percent(per_class[weakest].f1)} on {plural(per_class[weakest].support, 'test row')}"
    )
    why = f"{bump.applied} version after {bump.base}: {'; '.join(bump.reasons)}"
    return fact_list(
        [
            ("Model", el("bdi", candidate_name(metadata.best_params))),
            ("Opened by", metadata.pipeline.how_opened if metadata.pipeline else None),
            ("Tested on", subject.tested_on),
            ("Weakest label", join(bdi(weakest), score)),
            ("Ranking", _ranking(metadata.test.metrics)),
            ("Number", el("bdi", why if bump.base else "the first version")),
        ]
    )


def _ranking(metrics: Metrics) -> Html | None:
    """Return how well the scores rank the rows; ``None`` if there are more labels than two."""
    if metrics.roc_auc is None:
        return None
    of_labels = (
        join("; average precision of ", bdi(label), f" {value:.3f}")
        for label, value in (metrics.average_precision or {}).items()
    )
    return join(f"ROC AUC {metrics.roc_auc:.3f}", *of_labels)


def comparison(a: Subject, b: Subject) -> Html:
    """Show the metrics of two versions and their changes."""
    one, other = a.metadata.test.metrics, b.metadata.test.metrics
    pairs: list[tuple[str, float | None, float | None]] = [
        ("Test accuracy", one.accuracy, other.accuracy),
        ("Macro F1", one.macro_f1, other.macro_f1),
        ("Weighted F1", one.weighted_f1, other.weighted_f1),
        ("Cross-validated accuracy", a.metadata.best_cv_accuracy, b.metadata.best_cv_accuracy),
    ]
    changes = [difference(before, after) for _, before, after in pairs]
    largest = max(abs(change or 0.0) for change in changes)
    rows: list[list[object]] = [
        [
            name,
            percent(before),
            percent(after),
            change_cell(change),
            None if change is None else charts.delta_bar(change, largest),
        ]
        for (name, before, after), change in zip(pairs, changes, strict=True)
    ]
    columns = [
        Column("Metric", "row"),
        Column(a.version, "number"),
        Column(b.version, "number"),
        Column("Change", "number"),
        chart_column("Change as a bar"),
    ]
    tested = (f"{subject.version} on {_interval(subject)} of the accuracy" for subject in (a, b))
    return join(
        table(
            "Metrics, and their changes in percentage points", columns, rows + _calibration(a, b)
        ),
        el("p", f"Tested: {'; '.join(tested)}.", class_="note"),
    )


def _calibration(a: Subject, b: Subject) -> list[list[object]]:
    """Return the row of the calibration error, if both versions have probabilities."""
    before, after = (subject.data and subject.data.probabilities for subject in (a, b))
    if not before or not after:
        return []
    one, other = before.calibration_error, after.calibration_error
    change = change_cell(other - one, less_is_better=True)
    return [["Calibration error", percent(one), percent(other), change, None]]


def warning(a: Subject, b: Subject) -> Html | None:
    """Warn, before anything else, that the metrics of two versions are not comparable."""
    if same_rows(a, b):
        return None
    return el(
        "p",
        "The versions were tested on different rows: ",
        *(f"{a.version} on ", a.tested_on, f", {b.version} on ", b.tested_on, ". "),
        "Their metrics are not comparable; ",
        el("code", "--data FILE"),
        " scores both on the same rows.",
        class_="warning",
        role="note",
    )
