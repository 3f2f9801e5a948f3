"""``textclf versions compare``: what differs between two versions, and which one is better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.loading import UnsafeLoad, load_predictor
from textclf.cli.options.options import Version
from textclf.cli.options.reading import ReadingOptions
from textclf.cli.output import comparison_report, document, render
from textclf.cli.output.output_file import Force, OutputFile, table_file
from textclf.cli.output.table_writer import write_rows
from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset
    from textclf.evaluation.metadata_diff import Comparison
    from textclf.evaluation.paired import Flip, PairedComparison
    from textclf.prediction.predictor import Predictor
    from textclf.registry.registry import Registry

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="FILE", help="Also score both versions on these labelled rows."),
]
Flips = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="With --data: write the rows whose predicted label changed (.csv, .tsv, .jsonl, "
        ".parquet).",
    ),
]


@option_groups
def compare(
    a: Version,
    b: Version,
    data: Data = None,
    flips: Flips = None,
    force: Force = False,
    output_format: document.OutputFormat = "table",
    *,
    reading: ReadingOptions,
    unsafe_load: UnsafeLoad = False,
    common: CommonOptions,
) -> None:
    """Show what differs between two versions: data, parameters, metrics, and each class.

    Examples:
      textclf versions compare previous latest
      textclf versions compare 1.0.0 1.1.0 --data fresh.csv --flips flips.csv
      textclf versions compare previous latest --data fresh.csv --format md

    More: docs/cli.md
    """
    from textclf.evaluation.metadata_diff import compare_metadata

    answer_format = document.choose_format(output_format, as_json=common.as_json)
    if flips and not data:
        raise UsageError("--flips needs rows to score: --data FILE")
    registry = common.open_registry()
    output = table_file(flips, "--flips", registry, data, force=force)
    versions = registry.resolve(a), registry.resolve(b)
    comparison = compare_metadata(*map(registry.metadata, versions))
    scored = None
    if data:
        with common.phases() as show_phase:
            show_phase("reading the data")
            rows = reading.read(data, quiet=common.quiet)
            show_phase("labelling the texts")
            before, after = (load_predictor(registry, v, unsafe=unsafe_load) for v in versions)
            scored = _score(registry, before, after, rows, output)
    if answer_format == "json":
        render.json(_as_json(comparison, scored))
        return
    markdown = answer_format == "md"
    blocks = comparison_report.blocks(comparison, scored, numbers_first=markdown)
    document.write(blocks, markdown=markdown)
    if not comparison.same_test_rows and not scored:
        common.hint("--data FILE scores both on the same rows")


def _score(
    registry: Registry, a: Predictor, b: Predictor, rows: Dataset, output: OutputFile | None
) -> PairedComparison:
    from textclf.evaluation.paired import compare_predictions

    labels = a.label(rows.texts), b.label(rows.texts)
    metadata = registry.metadata(a.version), registry.metadata(b.version)
    scored = compare_predictions(rows, labels, metadata)
    if output:
        columns = ["text", "label", "before", "after", "change", "where"]
        write_rows(output, columns, (_flipped_row(rows, flip) for flip in scored.flips))
    return scored


def _flipped_row(rows: Dataset, flip: Flip) -> list[object]:
    label = rows.labels[flip.row]
    change = {flip.after: "fixed", flip.before: "broken"}.get(label, "wrong")
    return [rows.texts[flip.row], label, flip.before, flip.after, change, rows.where(flip.row)]


def _as_json(comparison: Comparison, scored: PairedComparison | None) -> dict[str, Any]:
    """Return what the metadata say, and ``scored``; of flipped rows only their number."""
    import msgspec

    answer: dict[str, Any] = msgspec.to_builtins(comparison)
    if scored:
        answer["scored"] = msgspec.to_builtins(scored) | {"flips": len(scored.flips)}
    return answer
