"""Rows labelled wrong with the highest scores."""

from __future__ import annotations

from textclf.report.evidence import Evidence, Mistake
from textclf.report.html import numbers
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, table
from textclf.report.subject import Subject, bdi


def one(subject: Subject) -> Html:
    """A table; with the texts where they may be shown."""
    if not subject.evidence:
        return subject.missing()
    evidence = subject.evidence
    if not evidence.mistakes:
        return el("p", "No row was labelled wrong.")
    columns = [
        Column("Where", "row"),
        Column("True label", "word"),
        Column("Taken for", "word"),
        Column("Its score", "number"),
        Column("True label's", "number"),
    ]
    if evidence.texts:
        columns.append(Column("Text", "text"))
    matrix = subject.metadata.test.metrics.confusion.matrix
    wrong = sum(rows for i, row in enumerate(matrix) for j, rows in enumerate(row) if i != j)
    title = f"{len(evidence.mistakes)} of {numbers.counted(wrong, 'mistake')}, most confident first"
    return join(
        table(title, columns, (_row(mistake, evidence) for mistake in evidence.mistakes)),
        _note(subject, evidence),
    )


def _row(mistake: Mistake, evidence: Evidence) -> list[object]:
    def score(value: float | None) -> str:
        if evidence.score_type == "probability" or value is None:
            return numbers.percent(value)
        return f"{value:.2f}"

    cells: list[object] = [
        bdi(mistake.place),
        bdi(mistake.truth),
        bdi(mistake.predicted),
        score(mistake.score),
        score(mistake.truth_score),
    ]
    return [*cells, el("bdi", mistake.text or "")] if evidence.texts else cells


def _note(subject: Subject, evidence: Evidence) -> Html:
    hidden = join(
        " The texts are not shown, as they may be private: ", el("code", "--include-texts"), "."
    )
    return el(
        "p",
        "Where: the line (of Parquet the row, of a folder the file) in ",
        subject.tested_on,
        ". Look at the label first: a confident mistake is often a row labelled wrong.",
        None if evidence.texts else hidden,
        class_="note",
    )
