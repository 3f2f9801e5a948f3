"""The rows labelled wrong with the highest scores."""

from __future__ import annotations

from textclf.evaluation.metrics import confused_pairs
from textclf.formatting import percent, plural
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, table
from textclf.report.report_data import Mistake, ReportData
from textclf.report.subject import Subject, bdi


def section(subject: Subject) -> Html:
    """Show the mistakes in a table, with their texts if these may be shown."""
    data = subject.data
    if not data:
        return subject.missing_data()
    if not data.mistakes:
        return el("p", "No row was labelled wrong.")
    columns = [
        Column("Where", "row"),
        Column("True label", "word"),
        Column("Predicted as", "word"),
        Column("Its score", "number"),
        Column("Score of true label", "number"),
    ]
    if data.texts:
        columns.append(Column("Text", "text"))
    wrong = sum(pair.rows for pair in confused_pairs(subject.metadata.test.metrics.confusion))
    title = f"{len(data.mistakes)} of {plural(wrong, 'mistake')}, most confident first"
    return join(
        table(title, columns, (_row(mistake, data) for mistake in data.mistakes)),
        _note(subject, data),
    )


def _row(mistake: Mistake, data: ReportData) -> list[object]:
    def score(value: float | None) -> str:
        if data.score_type == "probability" or value is None:
            return percent(value)
        return f"{value:.2f}"

    cells: list[object] = [
        bdi(mistake.place),
        bdi(mistake.truth),
        bdi(mistake.predicted),
        score(mistake.score),
        score(mistake.truth_score),
    ]
    return [*cells, el("bdi", mistake.text or "")] if data.texts else cells


def _note(subject: Subject, data: ReportData) -> Html:
    hidden = join(
        " Texts are not shown because they may be private; ",
        el("code", "--include-texts"),
        " shows them.",
    )
    return el(
        "p",
        "Where: the line (in a Parquet file the row, in a folder the file) in ",
        subject.tested_on,
        ". Check the label first: a confident mistake is often a row with a wrong label.",
        None if data.texts else hidden,
        class_="note",
    )
