"""The data, the libraries and the code that a version was made from, and how two differ in them."""

from __future__ import annotations

from collections.abc import Iterable

from textclf.evaluation.metadata_diff import Change, compare_metadata
from textclf.formatting import duration, percent, plural, size
from textclf.metadata.schema import Environment, Metadata
from textclf.report.html.markup import Html, el, join
from textclf.report.html.tables import Column, fact_list, table
from textclf.report.subject import Subject, bdi

_VALUE = 200
"""Characters of a value that are shown."""


def section(subject: Subject) -> Html:
    """Show all that an audit needs: files with their digests, libraries, code and times."""
    metadata = subject.metadata
    data, test, code = metadata.data, metadata.test, metadata.code
    rows = join(el("bdi", data.path), _rows(data.rows, data.skipped_rows)) if data else "unknown"
    times = (f"{name} {duration(seconds)}" for name, seconds in metadata.seconds.items())
    commit = join(el("code", code.git_commit), ", with changes" if code.dirty else None)
    model = metadata.artifact
    return fact_list(
        [
            ("Training data", rows),
            ("SHA-256", el("code", data.sha256) if data else None),
            ("Test data", join(subject.tested_on, _rows(test.rows, test.skipped_rows))),
            ("SHA-256", el("code", test.sha256) if test.sha256 else None),
            ("Search", _search(metadata)),
            ("No label for a text", f"if {limits}" if (limits := str(metadata.limits)) else None),
            ("Time", ", ".join(times)),
            ("Environment", f"textclf {code.textclf}, {_libraries(metadata.environment)}"),
            ("Platform", metadata.environment.platform),
            ("Git commit", commit if code.git_commit else None),
            ("Model file", f"{model.file}, {size(model.bytes)}"),
            ("SHA-256", el("code", model.sha256)),
        ]
    )


def _search(metadata: Metadata) -> str:
    search = metadata.search
    if search is None:
        return "unknown: the model was fitted outside of textclf"
    return f"{search.method}, by {search.scoring}, {search.folds} folds, seed {search.seed}"


def _rows(rows: int, skipped: int) -> str:
    left_out = f", {plural(skipped, 'bad row')} skipped" if skipped else ""
    return f", {plural(rows, 'row')}{left_out}"


def _libraries(environment: Environment) -> str:
    libraries = (f"{name} {version}" for name, version in environment.libraries.items())
    return ", ".join([f"Python {environment.python}", *libraries])


def comparison(a: Subject, b: Subject) -> Html:
    """Show how two versions differ in parameters, search, data and environment."""
    differences = compare_metadata(a.metadata, b.metadata)
    parts = {
        "Parameters of the winner": differences.params,
        "Search": differences.search,
        "Data": differences.data,
        "Environment": differences.environment,
    }
    return join(
        el("p", f"Training rows in common: {_share(differences.rows_in_common)}."),
        *(_changes(title, changes, a.version, b.version) for title, changes in parts.items()),
    )


def _share(rows_in_common: float | None) -> str:
    return "unknown" if rows_in_common is None else f"about {percent(rows_in_common, 0)}"


def _changes(title: str, changes: Iterable[Change], a: str, b: str) -> Html:
    rows = [[bdi(c.name, _VALUE), _value(c.before), _value(c.after)] for c in changes]
    if not rows:
        return el("p", f"{title}: unchanged.")
    return table(title, [Column("Name", "row"), Column(a, "value"), Column(b, "value")], rows)


def _value(value: object) -> Html:
    return el("span", "not set", class_="soft") if value is None else bdi(value, _VALUE)
