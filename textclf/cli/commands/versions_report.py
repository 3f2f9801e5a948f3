"""``textclf versions report``: the page about a version, or about two."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.options import (
    DEFAULT_MODELS,
    AsJson,
    BadRows,
    Delimiter,
    Encoding,
    LabelColumn,
    Models,
    OnBadRows,
    Quiet,
    TextColumn,
    Version,
    complete_version,
    open_registry,
    read_options,
)
from textclf.cli.output import render
from textclf.errors import UsageError
from textclf.formatting import escape_controls

if TYPE_CHECKING:
    import semver

    from textclf.data.dataset import Dataset
    from textclf.registry.registry import Registry
    from textclf.report.subject import Subject

_STDOUT = Path("-")

Other = Annotated[
    str | None,
    typer.Argument(
        metavar="[VERSION]",
        help="Another one, to be seen from the first.",
        autocompletion=complete_version,
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Where to write the page; - is stdout.",
        show_default=False,
    ),
]  # fmt: skip
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="FILE", help="Score these rows, not those of the training."),
]
IncludeTexts = Annotated[
    bool, typer.Option("--include-texts", help="Show the texts of the most confident mistakes.")
]


def report(
    version: Version,
    other: Other = None,
    output: Output = None,
    data: Data = None,
    include_texts: IncludeTexts = False,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    on_bad_rows: OnBadRows = BadRows.FAIL,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make a page (HTML) about a version, or two side by side, and say where it is."""
    from textclf.data.dataset import read_dataset
    from textclf.report import page
    from textclf.report.files import PAGE

    if output == _STDOUT and as_json:
        raise UsageError("--output - and --json both want stdout")
    registry = open_registry(models)
    found = [registry.resolve(name) for name in (version, other) if name]
    if len(set(found)) < len(found):
        raise UsageError(f"both are {found[0]}: a page about two versions needs two")
    made = not (output or data or include_texts or other) and registry.file(found[0], PAGE)
    if made:
        _tell(found, registry.locate(found[0], PAGE), as_json=as_json)
        return
    options = read_options(text_column, label_column, delimiter, encoding, on_bad_rows)
    rows = read_dataset(data, options) if data else None
    subjects = [_subject(registry, one, rows, include_texts=include_texts) for one in found]
    html = page.comparison(*subjects) if other else page.page(subjects[0])
    _hint_at_missing(subjects, include_texts=include_texts, quiet=quiet)
    if output == _STDOUT:
        sys.stdout.write(html.decode())
        return
    path = output or Path(f"report-{'-'.join(map(str, found))}.html")
    path.write_bytes(html)
    _tell(found, str(path), as_json=as_json)


def _subject(
    registry: Registry, version: semver.Version, rows: Dataset | None, *, include_texts: bool
) -> Subject:
    metadata = registry.metadata(version)
    if rows:
        from textclf.report.rescore import rescored_subject

        model, name = registry.artifact(version), registry.locate(version)
        return rescored_subject(metadata, model, rows, name=name, texts=include_texts)
    from textclf.report.files import EVIDENCE, published_subject

    evidence, name = registry.file(version, EVIDENCE), registry.locate(version, EVIDENCE)
    subject = published_subject(metadata, evidence, name=name)
    return subject if include_texts else subject.without_texts()


def _hint_at_missing(subjects: list[Subject], *, include_texts: bool, quiet: bool) -> None:
    """What the page lacks that ``--data`` would give it."""
    for subject in subjects:
        if not subject.evidence:
            render.hint(
                f"{subject.version} was published without the data for all parts; --data FILE "
                "scores rows and shows them",
                quiet=quiet,
            )
        elif include_texts and not subject.evidence.texts:
            render.hint(
                f"{subject.version} was published without texts; --data FILE --include-texts "
                "shows those of a file",
                quiet=quiet,
            )


def _tell(found: list[semver.Version], path: str, *, as_json: bool) -> None:
    if as_json:
        shown = path.encode("utf-8", "backslashreplace").decode()  # a name need not be UTF-8
        render.json({"versions": [str(version) for version in found], "path": shown})
    else:
        render.line(escape_controls(path))
