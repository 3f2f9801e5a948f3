"""``textclf predict``: label texts from arguments, a file or a stream."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.loading import UnsafeLoad, load_predictor
from textclf.cli.options.options import Percentage, VersionOption, parse_score, parse_share
from textclf.cli.options.reading import TableOptions
from textclf.cli.options.texts import open_texts
from textclf.cli.output import render
from textclf.cli.output.output_file import Force, table_file
from textclf.cli.output.predictions import PredictionStyle, write_answers
from textclf.cli.output.progress import LabelledTexts
from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.cli.output.predictions import Answer
    from textclf.data.table import TextTable
    from textclf.data.table_rows import Batch
    from textclf.metadata.limits import Limits
    from textclf.prediction.model import Prediction
    from textclf.prediction.predictor import Predictor

Texts = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TEXT]...", help="Texts to label; - reads them from stdin, one per line."
    ),
]
File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        help="A file with one text per line, or a table (.csv, .tsv, .jsonl, .parquet); may be "
        "gzipped.",
    ),
]
TopK = Annotated[
    int | None, typer.Option(min=1, metavar="K", help="Show the K labels with the highest scores.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write a table with label and score (.csv, .tsv, .jsonl, .parquet) instead of "
        "printing.",
    ),
]
OutputFormat = Annotated[
    Literal["text", "jsonl", "csv"] | None,
    typer.Option(
        "--format",
        help="text prints label, score and text, separated by tabs; by default a table stays as "
        "it is written, with label and score, and other texts are text.",
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        metavar="SCORE",
        parser=parse_score,
        help="Give no label to texts with a lower score; by default the version's own threshold.",
    ),
]
AbstainUnknown = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        parser=parse_share,
        help="Give no label to texts with a smaller share of known n-grams; by default the "
        "version's own share.",
    ),
]
Abstain = Annotated[
    str | None,
    typer.Option(metavar="LABEL", help="The label to show for texts that get none."),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Show how much each n-gram contributed to the decision.")
]

OfflineOk = Annotated[
    bool,
    typer.Option(
        "--offline-ok",
        help="If the bucket cannot be reached, warn and use the version in the cache.",
    ),
]


@option_groups
def predict(
    context: typer.Context,
    texts: Texts = None,
    file: File = None,
    version: VersionOption = "latest",
    top_k: TopK = None,
    threshold: Threshold = None,
    abstain_unknown: AbstainUnknown = None,
    abstain: Abstain = None,
    explain: Explain = False,
    output: Output = None,
    force: Force = False,
    output_format: OutputFormat = None,
    *,
    reading: TableOptions,
    unsafe_load: UnsafeLoad = False,
    offline_ok: OfflineOk = False,
    common: CommonOptions,
) -> None:
    """Label texts with the promoted version; a table keeps its columns.

    Examples:
      textclf predict "this is great"
      textclf predict --file reviews.csv -o labelled.csv
      tail -f log.txt | textclf predict --format jsonl

    More: docs/prediction.md
    """
    _require_consistent(common, output, output_format, explain=explain)
    show_results = sys.stdout.isatty() and not output  # which take the place of the phases
    with open_texts(texts or [], file) as source, common.phases() as show_phase:
        show_phase("loading the version")
        from textclf.metadata.limits import Limits

        registry = common.open_registry(offline_ok=offline_ok)
        predictor = load_predictor(registry, registry.resolve(version), unsafe=unsafe_load)
        _require_reachable(threshold, predictor)
        given = file if file or texts not in (None, ["-"]) else 0
        target = table_file(output, "--output", registry, given, force=force)
        limits = Limits(threshold, abstain_unknown)
        most = top_k and min(top_k, len(predictor.labels))
        is_counted = limits.or_else(predictor.limits).abstain_unknown is not None
        style = PredictionStyle(most, abstain, is_counted)
        show_phase("reading the texts")
        table = source.table(context, reading, quiet=common.quiet)
        progress = LabelledTexts(quiet=common.quiet or source.from_arguments)
        show_phase(None if show_results else progress.line)
        as_it_is = output_format != "text" and not common.as_json and not explain
        if target or (table and as_it_is):
            from textclf.cli.output.table_writer import write_labelled
            from textclf.data.table import lines_table

            table = table or lines_table(source.batches(reading.encoding))
            rows = _labelled(predictor, progress.watch(table.batches), limits)
            write_labelled(table, rows, style, target, output_format)
        else:
            lines = source.batches(reading.encoding) if table is None else _texts(table)
            answers = _answers(predictor, progress.watch(lines), limits, explain=explain)
            chosen = "json" if common.as_json else output_format or "text"
            write_answers(predictor, answers, style, chosen)
        for note in table.bad.notes() if table else ():
            render.warning(note)
        show_phase(None)
        progress.end()


def _require_consistent(
    common: CommonOptions, output: Path | None, output_format: str | None, *, explain: bool
) -> None:
    if common.as_json and output_format not in (None, "text"):
        raise UsageError("--json and --format exclude each other", hint="--format jsonl streams")
    if explain and output_format == "csv":
        raise UsageError("--explain has no columns for csv", hint="--format jsonl")
    if output and (common.as_json or output_format or explain):
        raise UsageError("--output writes a table, in the format that the file's name says")


def _require_reachable(threshold: float | None, predictor: Predictor) -> None:
    """Raise UsageError if scores of the version cannot be compared with a threshold."""
    if predictor.score_type == "probability":
        if threshold is not None and not 0 <= threshold <= 1:
            raise UsageError(
                f"the scores of {predictor.version} are probabilities, and --threshold "
                f"{threshold:g} is not between 0 and 1",
                hint=f"--threshold {threshold:g}%" if 2 <= threshold <= 100 else None,  # noqa: PLR2004
            )
    elif isinstance(threshold, Percentage):
        raise UsageError(
            f"the scores of {predictor.version} are decision values, not probabilities, so "
            "--threshold cannot be a percentage",
            hint="give it a number; predict without --threshold shows the scores",
        )


def _labelled(
    predictor: Predictor, batches: Iterable[Batch], limits: Limits
) -> Iterator[tuple[Any, Prediction | None]]:
    """Yield each row with the prediction of its text, if it has one."""
    for batch in batches:
        texts = [text for text in batch.texts if text is not None]
        predictions = iter(predictor.predict(texts, **limits._asdict()))
        for text, row in zip(batch.texts, batch.rows, strict=True):
            yield row, None if text is None else next(predictions)
        sys.stdout.flush()  # as below


def _texts(table: TextTable) -> Iterator[list[str]]:
    for batch in table.batches:
        yield [text or "" for text in batch.texts]


def _answers(
    predictor: Predictor, batches: Iterable[list[str]], limits: Limits, *, explain: bool
) -> Iterator[Answer]:
    for batch in batches:
        if explain:
            for text in batch:
                explanation = predictor.explain(text, **limits._asdict())
                yield explanation.prediction, explanation
        else:
            for prediction in predictor.predict(batch, **limits._asdict()):
                yield prediction, None
        sys.stdout.flush()  # a slow stream gets its answers at once
