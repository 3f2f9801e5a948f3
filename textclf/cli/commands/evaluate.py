"""``textclf evaluate``: score a version on labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options import gates
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
    VersionOption,
    open_registry,
    read_options,
)
from textclf.cli.output import document, render
from textclf.cli.output import evaluation_report as report
from textclf.cli.output.document import Format
from textclf.cli.output.rows_file import require_other, write_rows
from textclf.formatting import excerpt

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset
    from textclf.evaluation.evaluate import Evaluation

Data = Annotated[Path, typer.Argument(metavar="DATA", help="Labelled texts.", show_default=False)]
FailUnder = Annotated[
    list[str] | None,
    typer.Option(
        metavar="METRIC=VALUE",
        help="Exit with 5 where it has less: accuracy=0.9, macro_f1=0.85, 'f1[spam]=0.95'; "
        "may be given more than once.",
    ),
]
Errors = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write the rows labelled wrong, the surest first (.csv, .tsv, .jsonl).",
    ),
]


def evaluate(
    data: Data,
    version: VersionOption = "latest",
    fail_under: FailUnder = None,
    errors: Errors = None,
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
    """Score a version on labelled data: metrics, each class, calibration."""
    from textclf.data.dataset import read_dataset
    from textclf.evaluation.evaluate import evaluate as run
    from textclf.metadata.verdict import PASSED
    from textclf.release.baseline import Baseline
    from textclf.release.gate import judge
    from textclf.release.promote import refusal, scored_rows_record

    shape = document.chosen(output_format, as_json=as_json)
    require_other(errors, data, "--errors")
    gate = gates.made(fail_under)
    registry = open_registry(models)
    found = registry.resolve(version)
    options = read_options(text_column, label_column, delimiter, encoding, on_bad_rows)
    rows = read_dataset(data, options)
    predictor = open_predictor(registry, found, unsafe=unsafe_load)
    evaluation = run(predictor, rows)
    unknown = sorted(set(rows.labels) - set(predictor.labels))
    if unknown and not quiet:
        some = ", ".join(map(excerpt, unknown[:5]))
        render.warning(f"labels that {found} was not trained on: {some}")
    if errors:
        _write_errors(errors, rows, evaluation)
    verdict = None
    if gate:
        verdict = judge(gate, evaluation.metrics, Baseline(), scored_rows_record(rows))
    if shape is Format.JSON:
        render.json(report.as_json(str(found), rows, evaluation, verdict))
    else:
        blocks = report.blocks(str(found), rows, evaluation, verdict)
        document.write(blocks, markdown=shape is Format.MD)
    if verdict and verdict.verdict != PASSED:
        raise refusal(f"{found} does not meet the conditions", verdict)


def _write_errors(path: Path, rows: Dataset, evaluation: Evaluation) -> None:
    given = zip(rows.labels, evaluation.labels, evaluation.scores, strict=True)
    wrong = [(score, n) for n, (truth, label, score) in enumerate(given) if label != truth]
    columns = ["text", "label", "predicted", "score", "where"]
    write_rows(
        path,
        columns,
        (
            [rows.texts[n], rows.labels[n], evaluation.labels[n], score, rows.where(n)]
            for score, n in sorted(wrong, key=lambda each: (-each[0], each[1]))
        ),
    )
