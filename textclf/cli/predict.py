"""``textclf predict``: label texts from arguments, a file or a stream."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli import render
from textclf.cli.opening import UnsafeLoad, open_predictor
from textclf.cli.options import (
    DEFAULT_MODELS,
    AsJson,
    Encoding,
    Models,
    Quiet,
    VersionOption,
    open_registry,
)
from textclf.cli.texts import unlabelled
from textclf.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textclf.prediction import Prediction, Predictor


class Format(enum.StrEnum):
    """What ``--format`` takes: forms that stream, one prediction at a time."""

    TEXT = "text"
    JSONL = "jsonl"
    CSV = "csv"


Texts = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TEXT]...", help="Texts to label; - reads them from stdin, one a line."
    ),
]
File = Annotated[
    Path | None, typer.Option("--file", "-f", metavar="FILE", help="One text a line, also gzipped.")
]
TopK = Annotated[
    int | None, typer.Option(min=1, metavar="K", help="Only the K labels with the highest scores.")
]
OutputFormat = Annotated[
    Format, typer.Option("--format", help="text: label, score and text, tab-separated.")
]


def predict(
    texts: Texts = None,
    file: File = None,
    version: VersionOption = "latest",
    top_k: TopK = None,
    output_format: OutputFormat = Format.TEXT,
    encoding: Encoding = None,
    unsafe_load: UnsafeLoad = False,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,  # noqa: ARG001 - every command takes it
) -> None:
    """Label texts with the promoted version."""
    if as_json and output_format is not Format.TEXT:
        raise UsageError("--json and --format exclude each other", hint="--format jsonl streams")
    with unlabelled(texts or [], file, encoding) as batches:
        predictor = _load(models, version, unsafe=unsafe_load)
        predictions = _labelled(predictor, batches)
        if as_json:
            _write_json(predictor, predictions, top_k)
        else:
            _WRITERS[output_format](predictions, top_k and min(top_k, len(predictor.labels)))


def _labelled(predictor: Predictor, batches: Iterable[list[str]]) -> Iterator[Prediction]:
    for batch in batches:
        yield from predictor.predict(batch)
        sys.stdout.flush()  # whoever feeds a slow stream waits for the answer


def _load(models: Path, version: str, *, unsafe: bool) -> Predictor:
    registry = open_registry(models)
    return open_predictor(registry, registry.resolve(version), unsafe=unsafe)


def _write_text(predictions: Iterable[Prediction], top_k: int | None) -> None:
    for prediction in predictions:
        best = _top(prediction.scores, top_k or 1)
        cells = [
            cell
            for label, score in best.items()
            for cell in (render.visible(label), f"{score:.4f}")
        ]
        render.line("\t".join([*cells, render.visible(prediction.text)]))


def _write_jsonl(predictions: Iterable[Prediction], top_k: int | None) -> None:
    for prediction in predictions:
        render.line(render.json_on_a_line(_as_json(prediction, top_k)))


def _write_csv(predictions: Iterable[Prediction], top_k: int | None) -> None:
    import csv

    # before Python 3.13 a lone carriage return is not quoted unless all text is
    writer = csv.writer(sys.stdout, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    shown = top_k or 1
    cell = render.visible if sys.stdout.isatty() else str  # a program gets what there is
    numbers = ["", *(f"_{n}" for n in range(2, shown + 1))]
    writer.writerow(["text", *(name + n for n in numbers for name in ("label", "score"))])
    for prediction in predictions:
        best = _top(prediction.scores, shown)
        labels = [value for label, score in best.items() for value in (cell(label), score)]
        writer.writerow([cell(prediction.text), *labels])


_WRITERS: dict[Format, Callable[[Iterable[Prediction], int | None], None]] = {
    Format.TEXT: _write_text,
    Format.JSONL: _write_jsonl,
    Format.CSV: _write_csv,
}


def _write_json(predictor: Predictor, predictions: Iterable[Prediction], top_k: int | None) -> None:
    """One JSON object, written as the predictions come."""
    head = {"version": str(predictor.version), "score_type": predictor.score_type}
    start = render.json_on_a_line(head).removesuffix("}")
    sys.stdout.write(f'{start},"predictions":[')
    for number, prediction in enumerate(predictions):
        row = render.json_on_a_line(_as_json(prediction, top_k))
        sys.stdout.write(f"{',' if number else ''}\n{row}")
    render.line("\n]}")


def _as_json(prediction: Prediction, top_k: int | None) -> dict[str, object]:
    return {
        "text": prediction.text,
        "label": prediction.label,
        "score": prediction.score,
        "scores": _top(prediction.scores, top_k),
    }


def _top(scores: dict[str, float], top_k: int | None) -> dict[str, float]:
    return dict(list(scores.items())[:top_k])
