"""The few numbers that most readers want, and how the version came about."""

from __future__ import annotations

from textclf.metadata.schema import Metadata
from textclf.report.html import charts, numbers
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Cell, Column, drawn, facts, figures, signed, table
from textclf.report.subject import Subject, bdi, described, same_rows


def one(subject: Subject) -> Html:
    """Large numbers, then the model, its test and its number."""
    return join(figures(_numbers(subject)), _origin(subject))


def _numbers(subject: Subject) -> list[tuple[str, str, str]]:
    """Name, value, and what it is of."""
    metadata = subject.metadata
    metrics, search = metadata.test.metrics, metadata.search
    macro, weighted = numbers.percent(metrics.macro_f1), numbers.percent(metrics.weighted_f1)
    candidates = numbers.counted(len(search.candidates), "candidate")
    folds = f"{search.folds} folds{_spread(metadata)}; best of {candidates}"
    shown = [
        ("Test accuracy", numbers.percent(metrics.accuracy), _tested(subject)),
        ("Macro F1", macro, f"all labels count the same; by rows {weighted}"),
        ("Cross-validated accuracy", numbers.percent(metadata.best_cv_accuracy), folds),
    ]
    if subject.evidence and (found := subject.evidence.probabilities):
        error = numbers.percent(found.calibration_error)
        shown += [("Calibration error", error, "expected gap of probability and accuracy")]
    rows, labels = numbers.count(metadata.data.rows), len(metadata.data.labels)
    return [*shown, ("Trained on", rows, f"rows with {numbers.counted(labels, 'label')}")]


def _tested(subject: Subject) -> str:
    test = subject.metadata.test
    low, high = numbers.wilson(test.metrics.accuracy, test.rows)
    interval = f"95{numbers.SPACE}% interval {numbers.between(low, high)}"
    return f"{numbers.counted(test.rows, 'row')}; {interval}"


def _spread(metadata: Metadata) -> str:
    """The standard deviation over the folds, where the search went by accuracy."""
    if metadata.search.scoring != "accuracy":
        return ""
    found = [c.std for c in metadata.search.candidates if c.params == metadata.best_params]
    return f", ± {100 * found[0]:.1f}" if found and found[0] is not None else ""


def _origin(subject: Subject) -> Html:
    bump, per_class = subject.metadata.bump, subject.metadata.test.metrics.per_class
    weakest = min(per_class, key=lambda label: (per_class[label].f1, label))
    score = (
        f": F1 {numbers.percent(per_class[weakest].f1)} on "
        f"{numbers.counted(per_class[weakest].support, 'test row')}"
    )
    why = f"{bump.applied} version after {bump.base}: {'; '.join(bump.reasons)}"
    return facts(
        [
            ("Model", el("bdi", described(subject.metadata.best_params))),
            ("Tested on", subject.tested_on),
            ("Weakest label", join(bdi(weakest), score)),
            ("Number", el("bdi", why if bump.base else "the first version")),
        ]
    )


def both(a: Subject, b: Subject) -> Html:
    """The metrics of two versions, and how far apart they are."""
    one, other = a.metadata.test.metrics, b.metadata.test.metrics
    pairs = [
        ("Test accuracy", one.accuracy, other.accuracy),
        ("Macro F1", one.macro_f1, other.macro_f1),
        ("Weighted F1", one.weighted_f1, other.weighted_f1),
        ("Cross-validated accuracy", a.metadata.best_cv_accuracy, b.metadata.best_cv_accuracy),
    ]
    largest = max(abs(after - before) for _, before, after in pairs)
    rows: list[list[object]] = [
        [
            name,
            numbers.percent(before),
            numbers.percent(after),
            signed(after - before),
            charts.delta_bar(after - before, largest),
        ]
        for name, before, after in pairs
    ]
    columns = [
        Column("Metric", "row"),
        Column(a.version, "number"),
        Column(b.version, "number"),
        Column("Change", "number"),
        drawn("Change as a bar"),
    ]
    tested = (f"{each.version} on {_tested(each)} of the accuracy" for each in (a, b))
    return join(
        table("Metrics, and their change in points", columns, rows + _calibration(a, b)),
        el("p", f"Tested: {'; '.join(tested)}.", class_="note"),
    )


def _calibration(a: Subject, b: Subject) -> list[list[object]]:
    """A row of the table, where both have probabilities; here less is better."""
    before, after = (each.evidence and each.evidence.probabilities for each in (a, b))
    if not before or not after:
        return []
    change = after.calibration_error - before.calibration_error
    kind = "better" if change < 0 else "worse" if change > 0 else ""
    return [
        [
            "Calibration error",
            numbers.percent(before.calibration_error),
            numbers.percent(after.calibration_error),
            Cell(numbers.points(change), kind),
            None,
        ]
    ]


def warning(a: Subject, b: Subject) -> Html | None:
    """Told in the first place: that the metrics of two versions do not compare."""
    if same_rows(a, b):
        return None
    tested = (join(f"{each.version} on ", each.tested_on) for each in (a, b))
    return el(
        "p",
        "The two were tested on different rows: ",
        *(part for each in tested for part in (each, ", ")),
        "so their metrics do not compare. ",
        el("code", "--data FILE"),
        " scores both on the same rows.",
        class_="warning",
        role="note",
    )
