"""The data, the libraries and the code that a version was made from; and what differs in two."""

from __future__ import annotations

from collections.abc import Iterable

from textclf.evaluation.metadata_diff import Change, compare_metadata
from textclf.metadata.schema import Environment
from textclf.report.html import numbers
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, facts, table
from textclf.report.subject import Subject, bdi

_VALUE = 200
"""Characters."""


def one(subject: Subject) -> Html:
    """Everything to the byte, for an audit."""
    metadata = subject.metadata
    data, test, code, search = metadata.data, metadata.test, metadata.code, metadata.search
    by = f"{search.method}, by {search.scoring}, {search.folds} folds, seed {search.seed}"
    times = (f"{name} {numbers.duration(s)}" for name, s in metadata.seconds.items())
    commit = join(el("code", code.git_commit), ", with changes" if code.dirty else None)
    model = metadata.artifact
    return facts(
        [
            ("Training data", join(el("bdi", data.path), _rows(data.rows, data.skipped_rows))),
            ("SHA-256", el("code", data.sha256)),
            ("Test data", join(subject.tested_on, _rows(test.rows, test.skipped_rows))),
            ("SHA-256", el("code", test.sha256) if test.sha256 else None),
            ("Search", by),
            ("Time", ", ".join(times)),
            ("Made with", f"textclf {code.textclf}, {_libraries(metadata.environment)}"),
            ("On", metadata.environment.platform),
            ("Git commit", commit if code.git_commit else None),
            ("Model file", f"{model.file}, {numbers.size(model.bytes)}"),
            ("SHA-256", el("code", model.sha256)),
        ]
    )


def _rows(rows: int, skipped: int) -> str:
    left_out = f", {numbers.counted(skipped, 'bad row')} left out" if skipped else ""
    return f", {numbers.counted(rows, 'row')}{left_out}"


def _libraries(environment: Environment) -> str:
    libraries = (f"{name} {version}" for name, version in environment.libraries.items())
    return ", ".join([f"Python {environment.python}", *libraries])


def changes(a: Subject, b: Subject) -> Html:
    """Parameters, search, data and surroundings, as far as they differ."""
    found = compare_metadata(a.metadata, b.metadata)
    parts = {
        "Parameters of the winner": found.params,
        "Search": found.search,
        "Data": found.data,
        "Made with": found.environment,
    }
    return join(
        el("p", f"Training rows in common: about {numbers.percent(found.rows_in_common, 0)}."),
        *(_changed(title, some, a.version, b.version) for title, some in parts.items()),
    )


def _changed(title: str, some: Iterable[Change], a: str, b: str) -> Html:
    rows = [[bdi(one.name, _VALUE), _value(one.before), _value(one.after)] for one in some]
    if not rows:
        return el("p", f"{title}: the same.")
    return table(title, [Column("What", "row"), Column(a, "value"), Column(b, "value")], rows)


def _value(value: object) -> Html:
    return el("span", "not set", class_="soft") if value is None else bdi(value, _VALUE)
