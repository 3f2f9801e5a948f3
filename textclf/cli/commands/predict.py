"""``textclf predict``: label texts from arguments, a file or a stream."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.loading import UnsafeLoad, load_predictor
from textclf.cli.options.options import Encoding, VersionOption, parse_score
from textclf.cli.options.texts import read_batches
from textclf.cli.output.predictions import WRITERS, PredictionStyle, write_json
from textclf.cli.output.progress import LabelledTexts
from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.cli.output.predictions import Answer
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
        "--file", "-f", metavar="FILE", help="A file with one text per line; may be gzipped."
    ),
]
TopK = Annotated[
    int | None, typer.Option(min=1, metavar="K", help="Show the K labels with the highest scores.")
]
OutputFormat = Annotated[
    Literal["text", "jsonl", "csv"],
    typer.Option("--format", help="text prints label, score and text, separated by tabs."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        metavar="SCORE",
        parser=parse_score,
        help="Give no label to texts with a lower score; by default the version's own threshold.",
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
    texts: Texts = None,
    file: File = None,
    version: VersionOption = "latest",
    top_k: TopK = None,
    threshold: Threshold = None,
    abstain: Abstain = None,
    explain: Explain = False,
    output_format: OutputFormat = "text",
    encoding: Encoding = None,
    unsafe_load: UnsafeLoad = False,
    offline_ok: OfflineOk = False,
    *,
    common: CommonOptions,
) -> None:
    """Label texts with the promoted version.

    Examples:
      textclf predict "this is great"
      textclf predict --file texts.txt --format csv --threshold 60%
      tail -f log.txt | textclf predict --format jsonl

    More: docs/prediction.md
    """
    if common.as_json and output_format != "text":
        raise UsageError("--json and --format exclude each other", hint="--format jsonl streams")
    if explain and output_format == "csv":
        raise UsageError("--explain has no columns for csv", hint="--format jsonl")
    with read_batches(texts or [], file, encoding) as batches:
        registry = common.open_registry(offline_ok=offline_ok)
        predictor = load_predictor(registry, registry.resolve(version), unsafe=unsafe_load)
        style = PredictionStyle(top_k and min(top_k, len(predictor.labels)), abstain)
        from_arguments = not file and texts not in (None, ["-"])
        progress = LabelledTexts(quiet=common.quiet or from_arguments)
        answers = _answers(predictor, progress.watch(batches), threshold, explain=explain)
        if common.as_json:
            write_json(predictor, answers, style)
        else:
            WRITERS[output_format](answers, style)
        progress.end()


def _answers(
    predictor: Predictor, batches: Iterable[list[str]], threshold: float | None, *, explain: bool
) -> Iterator[Answer]:
    for batch in batches:
        if explain:
            for text in batch:
                explanation = predictor.explain(text, threshold=threshold)
                yield explanation.prediction, explanation
        else:
            for prediction in predictor.predict(batch, threshold=threshold):
                yield prediction, None
        sys.stdout.flush()  # a slow stream gets its answers at once
