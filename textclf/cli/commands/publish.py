"""``textclf publish``: make a version of a scikit-learn pipeline that was fitted elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.gates import GateOptions
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.publishing import PipelineOptions, TestRows, publish_pipeline
from textclf.cli.options.reading import ReadingOptions
from textclf.cli.options.versioning import NotifyOptions, VersioningOptions

if TYPE_CHECKING:
    from textclf.training.foreign_model import ForeignModel

ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A file of joblib, pickle, cloudpickle or skops.")
]


@option_groups
def publish(
    context: typer.Context,
    model: ModelFile,
    test: TestRows,
    *,
    pipeline: PipelineOptions,
    reading: ReadingOptions,
    gate: GateOptions,
    versioning: VersioningOptions,
    notify: NotifyOptions,
    common: CommonOptions,
) -> None:
    """Test, publish and promote a scikit-learn pipeline that was fitted elsewhere.

    Examples:
      textclf publish model.joblib --test test.csv
      textclf publish model.joblib --test test.csv --train train.csv --no-promote
      textclf publish model.joblib --test test.csv --unsafe-load

    More: docs/python.md, docs/security.md
    """

    def open_model() -> ForeignModel:
        from textclf.training.foreign_model import ForeignModel

        return ForeignModel.from_path(model, unsafe=pipeline.unsafe_load)

    publish_pipeline(
        context, open_model, str(model), test, pipeline, reading, gate, versioning, notify, common
    )
