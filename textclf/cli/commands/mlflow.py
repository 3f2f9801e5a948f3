"""``textclf mlflow``: copies of versions in MLflow, and versions of pipelines that are there.

Annotations of options are evaluated at import, as in `textclf.cli.options.groups`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from textclf.cli.command import CommandGroup
from textclf.cli.options.gates import GateOptions
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Version
from textclf.cli.options.publishing import PipelineOptions, TestRows, publish_pipeline
from textclf.cli.options.reading import ReadingOptions
from textclf.cli.options.versioning import NotifyOptions, VersioningOptions
from textclf.cli.output import render
from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.exporters.mlflow.client import MlflowServer
    from textclf.training.foreign_model import ForeignModel


@dataclass(eq=False, repr=False)
class TrackingOptions:
    """Where MLflow is."""

    panel: ClassVar = "MLflow"

    tracking_uri: Annotated[
        str | None,
        typer.Option(
            envvar="MLFLOW_TRACKING_URI",
            metavar="URI",
            help="The server or database of MLflow: https://…, sqlite:///mlflow.db.",
        ),
    ] = None

    def require_uri(self) -> str:
        """Return where MLflow is. Raises UsageError if nothing says so."""
        if not self.tracking_uri:
            raise UsageError(
                "the server of MLflow is not named",
                hint="--tracking-uri http://localhost:5000, or MLFLOW_TRACKING_URI",
            )
        return self.tracking_uri


@dataclass(eq=False, repr=False)
class MlflowOptions(TrackingOptions):
    """Where versions are copied to."""

    name: Annotated[str, typer.Option(metavar="NAME", help="The registered model in MLflow.")] = (
        "textclf"
    )

    def connect(self) -> "MlflowServer":
        """Return the registered model. Raises UsageError or TextclfError."""
        from textclf.exporters.mlflow.client import MlflowServer
        from textclf.exporters.mlflow.mirror import require_name

        name = require_name(self.name)
        return MlflowServer(self.require_uri(), name)


@option_groups
def push(version: Version, *, mlflow: MlflowOptions, common: CommonOptions) -> None:
    """Register a version in MLflow, with a run that has its metrics, unless it is there.

    Examples:
      textclf mlflow push latest
      textclf mlflow push 1.1.0 --name reviews
      textclf mlflow push 1.1.0 --tracking-uri http://localhost:5000

    More: docs/mlflow.md
    """
    from textclf.exporters.mlflow import mirror
    from textclf.exporters.mlflow.run import alias_of

    registry = common.open_registry()
    resolved = registry.resolve(version)
    pushed = mirror.push(registry, resolved, mlflow.connect())
    with render.answer_to_change(lambda: f"pushed {resolved}" if pushed.added else ""):
        if common.as_json:
            render.json(pushed)
            return
        uri = f"models:/{mlflow.name}@{alias_of(resolved)}"
        done = "pushed" if pushed.added else "is there already:"
        render.sentence(
            f"{done} {resolved} as version {pushed.mlflow_version} of {mlflow.name}, {uri}"
        )


@option_groups
def sync(*, mlflow: MlflowOptions, common: CommonOptions) -> None:
    """Give MLflow the promoted versions, and their aliases: champion and one for each channel.

    Examples:
      textclf mlflow sync
      textclf mlflow sync --name reviews
      textclf mlflow sync --tracking-uri http://localhost:5000

    More: docs/mlflow.md
    """
    from textclf.exporters.mlflow import mirror

    registry = common.open_registry()
    synced = mirror.sync(registry, mlflow.connect())
    added = [one.version for one in synced.pushed if one.added]
    with render.answer_to_change(lambda: "MLflow follows the log" if synced.moved else ""):
        if common.as_json:
            render.json(synced)
            return
        if added:
            render.sentence(f"pushed {', '.join(added)}")
        for alias, version in synced.aliases.items():
            now = "now" if alias in synced.moved else "still"
            render.sentence(f"models:/{mlflow.name}@{alias} is {now} {version}")


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

    def open_model() -> "ForeignModel":
        from textclf.exporters.mlflow import client
        from textclf.training.foreign_model import ForeignModel

        data = client.download_pipeline(uri, model)
        return ForeignModel.from_file(data, name=model, unsafe=pipeline.unsafe_load)

    publish_pipeline(
        context, open_model, model, test, pipeline, reading, gate, versioning, notify, common
    )


mlflow = CommandGroup(
    "mlflow",
    {"push": "mlflow.push", "sync": "mlflow.sync", "pull": "mlflow.pull"},
    """Copy versions to MLflow, let its aliases follow promotions, and publish pipelines from it.

    More: docs/mlflow.md
    """,
)
