"""``textclf predict``: label texts from arguments, a file or a stream."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.loading import UnsafeLoad, load_predictor
from textclf.cli.options.options import Encoding, VersionOption
from textclf.cli.options.texts import read_batches
from textclf.cli.output import render
from textclf.cli.output.progress import LabelledTexts
from textclf.errors import UsageError
from textclf.formatting import escape_controls

if TYPE_CHECKING:
    from collections.abc import Callable

    from textclf.prediction.explanation import Explanation
    from textclf.prediction.prediction import Prediction
    from textclf.prediction.predictor import Predictor


class Format(enum.StrEnum):
    """The values of ``--format``; each is written one prediction at a time."""

    TEXT = "text"
    JSONL = "jsonl"
    CSV = "csv"


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
    Format, typer.Option("--format", help="text prints label, score and text, separated by tabs.")
]

Threshold = Annotated[
    float | None,
    typer.Option(
        metavar="SCORE",
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


@option_groups
def predict(
    texts: Texts = None,
    file: File = None,
    version: VersionOption = "latest",
    top_k: TopK = None,
    threshold: Threshold = None,
    abstain: Abstain = None,
    explain: Explain = False,
    output_format: OutputFormat = Format.TEXT,
    encoding: Encoding = None,
    unsafe_load: UnsafeLoad = False,
    *,
    common: CommonOptions,
) -> None:
    """Label texts with the promoted version."""
    if common.as_json and output_format is not Format.TEXT:
        raise UsageError("--json and --format exclude each other", hint="--format jsonl streams")
    if explain and output_format is Format.CSV:
        raise UsageError("--explain has no columns for csv", hint="--format jsonl")
    with read_batches(texts or [], file, encoding) as batches:
        registry = common.open_registry()
        predictor = load_predictor(registry, registry.resolve(version), unsafe=unsafe_load)
        style = _Style(top_k and min(top_k, len(predictor.labels)), abstain)
        from_arguments = not file and texts not in (None, ["-"])
        progress = LabelledTexts(quiet=common.quiet or from_arguments)
        answers = _answers(predictor, progress.watch(batches), threshold, explain=explain)
        if common.as_json:
            _write_json(predictor, answers, style)
        else:
            _WRITERS[output_format](answers, style)
        progress.end()


def _answers(
    predictor: Predictor, batches: Iterable[list[str]], threshold: float | None, *, explain: bool
) -> Iterator[_Answer]:
    for batch in batches:
        if explain:
            for text in batch:
                explanation = predictor.explain(text, threshold=threshold)
                yield explanation.prediction, explanation
        else:
            for prediction in predictor.predict(batch, threshold=threshold):
                yield prediction, None
        sys.stdout.flush()  # a slow stream gets its answers at once


_Answer = tuple["Prediction", "Explanation | None"]


@dataclass(frozen=True)
class _Style:
    """How many labels of a prediction are written, and what stands for no label."""

    top_k: int | None
    abstain: str | None

    def pairs(self, prediction: Prediction, nothing: str) -> list[tuple[str, float]]:
        """Return the best labels with their scores; ``nothing`` stands for no label."""
        best = list(prediction.scores.items())[: self.top_k or 1]
        if prediction.label is None:
            best[0] = (nothing if self.abstain is None else self.abstain, prediction.score)
        return best


def _write_text(answers: Iterable[_Answer], style: _Style) -> None:
    for prediction, explanation in answers:
        cells = [
            cell
            for label, score in style.pairs(prediction, "(none)")
            for cell in (escape_controls(label), f"{score:.4f}")
        ]
        if explanation:
            from textclf.cli.output.explanation import highlighted, write

            render.line("\t".join([*cells, highlighted(explanation)]))
            write(explanation)
        else:
            render.line("\t".join([*cells, escape_controls(prediction.text)]))


def _write_jsonl(answers: Iterable[_Answer], style: _Style) -> None:
    for prediction, explanation in answers:
        render.line(render.json_on_a_line(_as_json(prediction, explanation, style)))


def _write_csv(answers: Iterable[_Answer], style: _Style) -> None:
    import csv

    # before Python 3.13 a lone carriage return is not quoted unless all text is
    writer = csv.writer(sys.stdout, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    cell = escape_controls if sys.stdout.isatty() else str  # a program gets the text as it is
    numbers = ["", *(f"_{n}" for n in range(2, (style.top_k or 1) + 1))]
    writer.writerow(["text", *(name + n for n in numbers for name in ("label", "score"))])
    for prediction, _ in answers:
        best = style.pairs(prediction, "")
        labels = [value for label, score in best for value in (cell(label), score)]
        writer.writerow([cell(prediction.text), *labels])


_WRITERS: dict[Format, Callable[[Iterable[_Answer], _Style], None]] = {
    Format.TEXT: _write_text,
    Format.JSONL: _write_jsonl,
    Format.CSV: _write_csv,
}


def _write_json(predictor: Predictor, answers: Iterable[_Answer], style: _Style) -> None:
    """One JSON object, written as the predictions come."""
    head = {"version": str(predictor.version), "score_type": predictor.score_type}
    start = render.json_on_a_line(head).removesuffix("}")
    sys.stdout.write(f'{start},"predictions":[')
    for number, (prediction, explanation) in enumerate(answers):
        row = render.json_on_a_line(_as_json(prediction, explanation, style))
        sys.stdout.write(f"{',' if number else ''}\n{row}")
    render.line("\n]}")


def _as_json(
    prediction: Prediction, explanation: Explanation | None, style: _Style
) -> dict[str, object]:
    scores = prediction.scores
    answer: dict[str, object] = {
        "text": prediction.text,
        "label": style.abstain if prediction.label is None else prediction.label,
        "score": prediction.score,
        "scores": dict(list(scores.items())[: style.top_k]) if style.top_k else scores,
    }
    if explanation:
        answer["explanation"] = {
            "label": explanation.explained,
            "decision": explanation.decision,
            "intercept": explanation.intercept,
            "contributions": explanation.contributions,
        }
    return answer
