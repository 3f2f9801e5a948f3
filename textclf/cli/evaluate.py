"""``textclf evaluate``: score a version on labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textclf.cli import answers, render
from textclf.cli.opening import UnsafeLoad, open_predictor
from textclf.cli.options import (
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

Data = Annotated[Path, typer.Argument(metavar="DATA", help="Labelled texts.", show_default=False)]


def evaluate(
    data: Data,
    version: VersionOption = "latest",
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
    """Score a version on labelled data."""
    from textclf.dataset import read_dataset
    from textclf.evaluation import measure

    registry = open_registry(models)
    found = registry.resolve(version)
    options = read_options(text_column, label_column, delimiter, encoding, on_bad_rows)
    rows = read_dataset(data, options)
    predictor = open_predictor(registry, found, unsafe=unsafe_load)
    metrics = measure(rows.labels, predictor.label(rows.texts))
    unknown = sorted(set(rows.labels) - set(predictor.labels))
    if unknown and not quiet:
        some = ", ".join(map(render.shorten, unknown[:5]))
        render.warning(f"labels that {found} was not trained on: {some}")
    if as_json:
        render.json(
            {
                "version": str(found),
                "path": rows.path,
                "sha256": rows.sha256,
                "rows": len(rows),
                "skipped_rows": len(rows.bad_rows),
                "metrics": metrics,
            }
        )
        return
    render.line(
        f"{render.strong(str(found))} on {len(rows)} rows of {render.visible(rows.path)}: "
        f"accuracy {render.percent(metrics.accuracy)}, "
        f"macro F1 {render.percent(metrics.macro_f1)}, "
        f"weighted F1 {render.percent(metrics.weighted_f1)}"
    )
    answers.class_table(metrics)
