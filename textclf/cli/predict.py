"""``textclf predict``: label texts from arguments, a file or a stream."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textclf.cli import render
from textclf.cli.options import (
    DEFAULT_MODELS,
    AsJson,
    Encoding,
    Models,
    Quiet,
    VersionOption,
    open_registry,
)
from textclf.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textclf.prediction import Prediction, Predictor

_AT_ONCE = 1 << 18
"""Bytes read and labelled at a time; less where the stream has less ready."""

REPLACED = "\N{REPLACEMENT CHARACTER}"


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
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,  # noqa: ARG001 - every command takes it
) -> None:
    """Label texts with the promoted version."""
    if as_json and output_format is not Format.TEXT:
        raise UsageError("--json and --format exclude each other", hint="--format jsonl streams")
    with _batches(texts or [], file, encoding) as batches:
        predictor = _load(models, version)
        predictions = _labelled(predictor, batches)
        if as_json:
            _write_json(predictor, predictions, top_k)
        else:
            _WRITERS[output_format](predictions, min(top_k or 1, len(predictor.labels)))


def _labelled(predictor: Predictor, batches: Iterable[list[str]]) -> Iterator[Prediction]:
    for batch in batches:
        yield from predictor.predict(batch)
        sys.stdout.flush()  # whoever feeds a slow stream waits for the answer


def _load(models: Path, version: str) -> Predictor:
    from textclf.prediction import Predictor

    registry = open_registry(models)
    return Predictor.load(registry, registry.resolve(version))


# -- where texts come from ------------------------------------------------------------------------


@contextmanager
def _batches(
    texts: list[str], file: Path | None, encoding: str | None
) -> Iterator[Iterable[list[str]]]:
    """Lists of texts, from the one place that was named."""
    from_stdin = texts == ["-"] or (not texts and not file)
    if texts and file:
        raise UsageError("texts and --file exclude each other")
    if texts and not from_stdin:
        yield [_arguments(texts)]
        return
    if not file and (sys.stdin is None or (not texts and sys.stdin.isatty())):
        raise UsageError(
            "nothing to label", hint='textclf predict "this is great", or --file FILE, or a pipe'
        )
    with _open(None if from_stdin else file) as stream:
        yield _lines(stream, encoding or "utf-8-sig")


def _arguments(texts: list[str]) -> list[str]:
    """The texts; bytes that are not UTF-8 come from the system as lone surrogates."""
    shown = [text.encode("utf-8", "surrogateescape").decode(errors="replace") for text in texts]
    if shown != texts:
        render.warning("some texts hold bytes that are not UTF-8; they were replaced")
    return shown


@contextmanager
def _open(file: Path | None) -> Iterator[Any]:
    if file is None:
        yield sys.stdin.buffer
        return
    import gzip
    import zlib

    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            yield stream
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{file} is not a whole gzip file: {error}") from None
    except OSError as error:
        if error.filename is None:
            raise
        raise DataError(f"cannot read {file}: {error.strerror}") from None


def _lines(stream: Any, encoding: str) -> Iterator[list[str]]:
    """The lines of a stream, as many at a time as are ready: a slow stream is answered at once."""
    decoder = _decoder(encoding)
    rest, damaged = "", 0
    while block := stream.read1(_AT_ONCE):
        *lines, rest = (rest + _decoded(decoder, block, encoding)).split("\n")
        damaged += sum(REPLACED in line for line in lines)
        if lines:
            yield [line.removesuffix("\r") for line in lines]
    rest += _decoded(decoder, b"", encoding, final=True)
    damaged += REPLACED in rest
    if rest:
        yield [rest.removesuffix("\r")]
    if damaged:
        render.warning(
            f"{damaged} lines hold bytes that are not {encoding}; --encoding names another"
        )


def _decoder(encoding: str) -> Any:
    import codecs

    try:
        b"  ".decode(encoding, "replace")  # refuses what makes no text of bytes, such as base64
        return codecs.getincrementaldecoder(encoding)(errors="replace")
    except (LookupError, ValueError):
        raise UsageError(
            f"no encoding is called {encoding!r}", hint="--encoding cp1252, latin-1, utf-16, …"
        ) from None


def _decoded(decoder: Any, block: bytes, encoding: str, *, final: bool = False) -> str:
    try:
        return str(decoder.decode(block, final))
    except UnicodeError as error:  # what cannot be replaced, such as a missing byte-order mark
        raise DataError(f"the texts are not {encoding}: {error}") from None


# -- how predictions look -------------------------------------------------------------------------


def _write_text(predictions: Iterable[Prediction], top_k: int) -> None:
    for prediction in predictions:
        best = _top(prediction.scores, top_k)
        cells = [
            cell
            for label, score in best.items()
            for cell in (render.visible(label), f"{score:.4f}")
        ]
        render.line("\t".join([*cells, render.visible(prediction.text)]))


def _write_jsonl(predictions: Iterable[Prediction], top_k: int) -> None:
    import msgspec

    for prediction in predictions:
        render.line(msgspec.json.encode(_as_json(prediction, top_k)).decode())


def _write_csv(predictions: Iterable[Prediction], top_k: int) -> None:
    import csv

    # before Python 3.13 a lone carriage return is not quoted unless all text is
    writer = csv.writer(sys.stdout, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    numbers = ["", *(f"_{n}" for n in range(2, top_k + 1))]
    writer.writerow(["text", *(name + n for n in numbers for name in ("label", "score"))])
    for prediction in predictions:
        best = _top(prediction.scores, top_k)
        writer.writerow([prediction.text, *(cell for pair in best.items() for cell in pair)])


_WRITERS: dict[Format, Callable[[Iterable[Prediction], int], None]] = {
    Format.TEXT: _write_text,
    Format.JSONL: _write_jsonl,
    Format.CSV: _write_csv,
}


def _write_json(predictor: Predictor, predictions: Iterable[Prediction], top_k: int | None) -> None:
    """One JSON object, written as the predictions come."""
    import msgspec

    head = {"version": str(predictor.version), "score_type": predictor.score_type}
    start = msgspec.json.encode(head).decode().removesuffix("}")
    sys.stdout.write(f'{start},"predictions":[')
    for number, prediction in enumerate(predictions):
        row = msgspec.json.encode(_as_json(prediction, top_k)).decode()
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
