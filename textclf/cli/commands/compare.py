"""``textclf versions compare``: what differs between two versions, and which one is better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textclf.cli.options.opening import UnsafeLoad, open_predictor
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
    open_registry,
    read_options,
)
from textclf.cli.output import comparison_report as report
from textclf.cli.output import document, render
from textclf.cli.output.document import Format
from textclf.cli.output.rows_file import require_other, write_rows
from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset
    from textclf.evaluation.metadata_diff import Comparison
    from textclf.evaluation.paired import Flip, SideBySide
    from textclf.prediction.predictor import Predictor
    from textclf.registry.registry import Registry

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="FILE", help="Score both on these labelled rows, too."),
]
Flips = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="With --data: write the rows whose label flipped (.csv, .tsv, .jsonl)."
    ),
]


def compare(
    a: Version,
    b: Version,
    data: Data = None,
    flips: Flips = None,
    output_format: document.OutputFormat = Format.TABLE,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    on_bad_rows: OnBadRows = BadRows.FAIL,
    unsafe_load: UnsafeLoad = False,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What differs between two versions: data, parameters, metrics, per class."""
    from textclf.evaluation.metadata_diff import compare_metadata

    shape = document.chosen(output_format, as_json=as_json)
    if flips and not data:
        raise UsageError("--flips needs rows to score: --data FILE")
    registry = open_registry(models)
    one, other = registry.resolve(a), registry.resolve(b)
    found = compare_metadata(registry.metadata(one), registry.metadata(other))
    scored = None
    if data:
        from textclf.data.dataset import read_dataset

        require_other(flips, data, "--flips")
        options = read_options(text_column, label_column, delimiter, encoding, on_bad_rows)
        rows = read_dataset(data, options)
        before, after = (open_predictor(registry, v, unsafe=unsafe_load) for v in (one, other))
        scored = _score(registry, before, after, rows, flips)
    if shape is Format.JSON:
        render.json(_as_json(found, scored))
    else:
        markdown = shape is Format.MD
        blocks = report.blocks(found, scored, numbers_first=markdown)
        document.write(blocks, markdown=markdown)
        if not found.same_test_rows and not scored:
            render.hint("--data FILE scores both on the same rows", quiet=quiet)


def _score(
    registry: Registry, a: Predictor, b: Predictor, rows: Dataset, flips: Path | None
) -> SideBySide:
    from textclf.evaluation.paired import compare_on

    scored = compare_on(rows, a, b, (registry.metadata(a.version), registry.metadata(b.version)))
    if flips:
        columns = ["text", "label", "before", "after", "change", "where"]
        write_rows(flips, columns, (_flipped(rows, flip) for flip in scored.flips))
    return scored


def _flipped(rows: Dataset, flip: Flip) -> list[object]:
    label = rows.labels[flip.row]
    change = {flip.after: "fixed", flip.before: "broken"}.get(label, "wrong")
    return [rows.texts[flip.row], label, flip.before, flip.after, change, rows.where(flip.row)]


def _as_json(found: Comparison, scored: SideBySide | None) -> dict[str, Any]:
    """What the metadata say, and ``scored``; of flipped rows only how many there are."""
    import msgspec

    answer: dict[str, Any] = msgspec.to_builtins(found)
    if scored:
        answer["scored"] = msgspec.to_builtins(scored) | {"flips": len(scored.flips)}
    return answer
