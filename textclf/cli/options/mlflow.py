"""Options of the commands that reach MLflow."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.exporters.mlflow.mirror import ModelServer


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class MlflowOptions(TrackingOptions):
    """Where versions are copied to."""

    name: Annotated[str, typer.Option(metavar="NAME", help="The registered model in MLflow.")] = (
        "textclf"
    )

    def connect(self) -> "ModelServer":
        """Return the registered model. Raises UsageError or TextclfError."""
        from textclf.exporters.mlflow.client import MlflowServer
        from textclf.exporters.mlflow.mirror import require_name

        name = require_name(self.name)
        return MlflowServer(self.require_uri(), name)
