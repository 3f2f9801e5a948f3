"""``textclf pick``: the texts that are worth labelling next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.loading import UnsafeLoad, load_predictor
from textclf.cli.options.options import VersionOption
from textclf.cli.options.reading import TableOptions
from textclf.cli.options.texts import open_texts
from textclf.cli.output import render
from textclf.cli.output.output_file import Force, table_file
from textclf.cli.output.progress import LabelledTexts
from textclf.cli.output.table_writer import write_table
from textclf.errors import DataError
from textclf.formatting import plural

if TYPE_CHECKING:
    from textclf.prediction.picking import Picked

Unlabelled = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="A file with one text per line, or a table (.csv, .tsv, …); - is stdin.",
        show_default=False,
    ),
]
Number = Annotated[
    int, typer.Option("--n", "-n", min=1, metavar="N", help="How many texts to pick.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write them to a file (.csv, .tsv, .jsonl, .parquet) instead of printing CSV.",
    ),
]


@dataclass(frozen=True)
class PickedText:
    """The JSON of a picked text, and the columns that it adds to those of a table."""

    text: str
    predicted: str
    score: float
    margin: float
    where: str


@dataclass(frozen=True)
class PickAnswer:
    """The JSON of ``textclf pick``."""

    version: str
    score_type: str
    picked: Sequence[PickedText]


@option_groups
def pick(
    context: typer.Context,
    unlabelled: Unlabelled,
    n: Number = 100,
    version: VersionOption = "latest",
    output: Output = None,
    force: Force = False,
    *,
    reading: TableOptions,
    unsafe_load: UnsafeLoad = False,
    common: CommonOptions,
) -> None:
    """Pick the texts worth labelling next: those that the promoted version is least sure of.

    Examples:
      textclf pick unlabelled.csv -o next.csv
      textclf pick reviews.jsonl --text-column review --n 20
      zcat log.gz | textclf pick - --n 20

    More: docs/labels.md
    """
    from textclf.data.table import lines_table
    from textclf.prediction.picking import pick as pick_texts

    texts, file = (["-"], None) if str(unlabelled) == "-" else ([], unlabelled)
    with open_texts(texts, file) as source, common.phases() as show_phase:
        show_phase("loading the version")
        registry = common.open_registry()
        predictor = load_predictor(registry, registry.resolve(version), unsafe=unsafe_load)
        given = 0 if file is None else file
        target = table_file(output, "--output", registry, given, force=force)
        show_phase("reading the texts")
        table = source.table(context, reading, quiet=common.quiet)
        table = table or lines_table(source.batches(reading.encoding))
        progress = LabelledTexts(quiet=common.quiet)
        show_phase(progress.line)
        picked = pick_texts(predictor, progress.watch(table.batches), n)
    if not picked:
        raise DataError(f"{source.name} contains no texts")
    answer = [_answer(one, source.name) for one in picked]
    if common.as_json:
        render.json(PickAnswer(str(predictor.version), predictor.score_type, answer))
    if target or not common.as_json:
        rows = ((one.row, astuple(text)[1:]) for one, text in zip(picked, answer, strict=True))
        added = [field.name for field in fields(PickedText)][1:]
        write_table(replace(table, header=True), added, rows, target, None if target else "csv")
    for note in table.bad.notes():
        render.warning(note)
    if len(picked) < n:
        few = plural(len(picked), "text")
        common.progress(f"{source.name} has no more than {few}, near-duplicates counted once")


def _answer(picked: Picked, name: str) -> PickedText:
    where = f"{name}:{picked.place}"
    return PickedText(picked.text, picked.predicted, picked.score, picked.margin, where)
