"""``textclf mlflow pull``: make a version of a scikit-learn pipeline that is in MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.gates import GateOptions
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.mlflow import TrackingOptions
from textclf.cli.options.notify import NotifyOptions
from textclf.cli.options.publishing import PipelineOptions, TestRows, publish_pipeline
from textclf.cli.options.reading import ReadingOptions
from textclf.cli.options.versioning import VersioningOptions

if TYPE_CHECKING:
    from textclf.training.foreign_model import ForeignModel

Uri = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        show_default=False,
        help="models:/NAME@ALIAS, models:/NAME/VERSION or runs:/ID/PATH.",
    ),
]


@option_groups
def pull(
    context: typer.Context,
    model: Uri,
    test: TestRows,
    *,
    pipeline: PipelineOptions,
    reading: ReadingOptions,
    mlflow: TrackingOptions,
    gate: GateOptions,
    versioning: VersioningOptions,
    notify: NotifyOptions,
    common: CommonOptions,
) -> None:
    """Test, publish and promote a scikit-learn pipeline that is in MLflow.

    Examples:
      textclf mlflow pull models:/reviews@champion --test test.csv
      textclf mlflow pull models:/reviews/3 --test test.csv --no-promote
      textclf mlflow pull runs:/0a1b2c3d/model --test test.csv --dry-run

    More: docs/mlflow.md, docs/python.md
    """
    uri = mlflow.require_uri()

    def open_model() -> ForeignModel:
        from textclf.exporters.mlflow import client
        from textclf.training.foreign_model import ForeignModel

        data = client.download_pipeline(uri, model)
        return ForeignModel.from_file(data, name=model, unsafe=pipeline.unsafe_load)

    publish_pipeline(
        context, open_model, model, test, pipeline, reading, gate, versioning, notify, common
    )
