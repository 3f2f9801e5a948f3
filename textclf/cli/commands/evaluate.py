"""``textclf evaluate``: score a version on labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.gates import AllowTrainingRows
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.loading import UnsafeLoad, load_predictor
from textclf.cli.options.options import VersionOption
from textclf.cli.options.reading import ReadingOptions
from textclf.cli.output import document, evaluation_report, render
from textclf.cli.output.output_file import Force, OutputFile, table_file
from textclf.cli.output.progress import loading
from textclf.cli.output.table_writer import write_rows
from textclf.formatting import excerpt

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset
    from textclf.evaluation.evaluate import Evaluation
    from textclf.prediction.predictor import Predictor

Data = Annotated[Path, typer.Argument(metavar="DATA", help="Labelled texts.", show_default=False)]
FailUnder = Annotated[
    list[str] | None,
    typer.Option(
        metavar="METRIC=VALUE",
        help="Exit with code 5 if a metric is lower: accuracy=0.9, 'f1[spam]=95%'; repeatable.",
    ),
]
Errors = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write the misclassified rows, most confident first (.csv, .tsv, .jsonl, .parquet).",
    ),
]


@option_groups
def evaluate(
    data: Data,
    version: VersionOption = "latest",
    fail_under: FailUnder = None,
    allow_training_rows: AllowTrainingRows = False,
    errors: Errors = None,
    force: Force = False,
    output_format: document.OutputFormat = "table",
    *,
    reading: ReadingOptions,
    unsafe_load: UnsafeLoad = False,
    common: CommonOptions,
) -> None:
    """Score a version on labelled data: metrics, overall and per class, and calibration.

    Examples:
      textclf evaluate data/test.csv
      textclf evaluate data/test.csv --version previous --errors errors.csv
      textclf evaluate data/test.csv --fail-under 'f1[spam]=0.95'

    More: docs/cli.md, docs/gates.md
    """
    with common.phases() as show_phase, loading(show_phase):
        from textclf.evaluation.evaluate import evaluate as score
        from textclf.metadata.verdict import PASSED
        from textclf.release.baseline import Baseline
        from textclf.release.gate import judge, parse_gate
        from textclf.release.promote import judged_rows, refusal

    answer_format = document.choose_format(output_format, as_json=common.as_json)
    gate = parse_gate(fail_under or (), allow_training_rows=allow_training_rows)
    registry = common.open_registry()
    output = table_file(errors, "--errors", registry, data, force=force)
    resolved = registry.resolve(version)
    with common.phases() as show_phase:
        show_phase("reading the data")
        rows = reading.read(data, quiet=common.quiet)
        show_phase("labelling the texts")
        predictor = load_predictor(registry, resolved, unsafe=unsafe_load)
        evaluation = score(predictor, rows)
    if not common.quiet:
        _warn_of_unknown_labels(predictor, rows)
    if output:
        _write_errors(output, rows, evaluation)
    verdict, judged = None, judged_rows(rows, registry.metadata(resolved))
    if gate:
        verdict = judge(gate, evaluation.metrics, Baseline(), judged)
    if answer_format == "json":
        render.json(evaluation_report.answer(str(resolved), rows, evaluation, judged, verdict))
    else:
        blocks = evaluation_report.blocks(str(resolved), judged, evaluation, verdict)
        document.write(blocks, markdown=answer_format == "md")
    if verdict and verdict.verdict != PASSED:
        raise refusal(f"{resolved} does not meet the conditions", verdict)


def _warn_of_unknown_labels(predictor: Predictor, rows: Dataset) -> None:
    unknown = sorted(set(rows.labels) - set(predictor.labels))
    if unknown:
        names = ", ".join(map(excerpt, unknown[:5]))
        render.warning(f"labels that {predictor.version} was not trained on: {names}")


def _write_errors(output: OutputFile, rows: Dataset, evaluation: Evaluation) -> None:
    """Write the misclassified rows, most confident first."""
    predictions = zip(rows.labels, evaluation.labels, evaluation.scores, strict=True)
    wrong = [(-score, n) for n, (truth, label, score) in enumerate(predictions) if label != truth]
    write_rows(
        output,
        ["text", "label", "predicted", "score", "where"],
        (
            [rows.texts[n], rows.labels[n], evaluation.labels[n], -negative, rows.where(n)]
            for negative, n in sorted(wrong)
        ),
    )
