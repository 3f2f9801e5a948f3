"""``textclf versions report``: an HTML page about one version or two."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Version, complete_version
from textclf.cli.options.reading import ReadingOptions
from textclf.cli.output import render
from textclf.cli.output.output_file import Force, output_file
from textclf.errors import UsageError
from textclf.formatting import encodable, escape_controls

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
        help="A second version, compared with the first.",
        autocompletion=complete_version,
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="File to write the page to; - is stdout.",
        show_default=False,
    ),
]  # fmt: skip
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FILE",
        help="Score these rows instead of showing the recorded test.",
    ),
]
IncludeTexts = Annotated[
    bool, typer.Option("--include-texts", help="Show the texts of the most confident mistakes.")
]


@dataclass(frozen=True)
class ReportAnswer:
    """The JSON of ``textclf versions report``."""

    versions: list[str]
    path: str


@option_groups
def report(
    version: Version,
    other: Other = None,
    output: Output = None,
    force: Force = False,
    data: Data = None,
    include_texts: IncludeTexts = False,
    *,
    reading: ReadingOptions,
    common: CommonOptions,
) -> None:
    """Write an HTML page about a version, or about two side by side, and print its path.

    Examples:
      textclf versions report latest
      textclf versions report previous latest -o comparison.html
      textclf versions report latest --data fresh.csv --include-texts

    More: docs/report.md
    """
    from textclf.report import page
    from textclf.report.files import PAGE

    if output == _STDOUT and common.as_json:
        raise UsageError("--output - and --json exclude each other: both write to stdout")
    registry = common.open_registry()
    versions = [registry.resolve(name) for name in (version, other) if name]
    if len(set(versions)) < len(versions):
        raise UsageError(f"both are {versions[0]}: name two different versions")
    published_page_fits = not (output or data or include_texts or other)
    if published_page_fits and registry.file(versions[0], PAGE):
        _print_path(versions, registry.locate(versions[0], PAGE), common)
        return
    path = output or Path(f"report-{'-'.join(map(str, versions))}.html")
    file = None
    if output != _STDOUT:
        file = output_file(path, "--output", registry, data, force=force)
    with common.phases() as show_phase:
        show_phase("reading the data" if data else None)
        rows = reading.read(data, quiet=common.quiet) if data else None
        show_phase("labelling the texts" if data else None)
        subjects = [_subject(registry, one, rows, include_texts=include_texts) for one in versions]
        show_phase("writing the page")
        html = page.comparison(*subjects) if other else page.page(subjects[0])
    for subject in subjects:
        _hint_at_missing(subject, common, include_texts=include_texts)
    if file is None:
        sys.stdout.write(html.decode())
        return
    with file.open() as page_file:
        page_file.write(html)
    _print_path(versions, str(path), common)


def _subject(
    registry: Registry, version: semver.Version, rows: Dataset | None, *, include_texts: bool
) -> Subject:
    metadata = registry.metadata(version)
    if rows:
        from textclf.artifact.unpickler import load_pipeline
        from textclf.evaluation.scored_rows import ScoredRows
        from textclf.prediction.pipeline_model import installed_libraries_suit
        from textclf.report.gather import rescored_subject

        model = load_pipeline(registry.artifact(version), name=registry.locate(version))
        with installed_libraries_suit(version):
            scored = ScoredRows.from_pipeline(model, rows)
        return rescored_subject(metadata, scored, texts=include_texts)
    from textclf.report.files import DATA, published_subject

    published, name = registry.file(version, DATA), registry.locate(version, DATA)
    subject = published_subject(metadata, published, name=name)
    return subject if include_texts else subject.without_texts()


def _hint_at_missing(subject: Subject, common: CommonOptions, *, include_texts: bool) -> None:
    """Name what the page lacks and ``--data`` would add."""
    if not subject.data:
        common.hint(
            f"some parts need data that was not published with {subject.version}; --data FILE "
            "scores rows and shows them"
        )
    elif include_texts and not subject.data.texts:
        common.hint(
            f"{subject.version} was published without texts; --data FILE --include-texts shows "
            "those of a file"
        )


def _print_path(versions: list[semver.Version], path: str, common: CommonOptions) -> None:
    if common.as_json:
        render.json(ReportAnswer([str(version) for version in versions], encodable(path)))
    else:
        render.line(escape_controls(path))
