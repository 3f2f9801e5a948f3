"""Options of the commands that reach MLflow."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.exporters.mlflow.mirror import ModelServer


@dataclass(frozen=True)
class MlflowOptions:
    """Where versions are copied to."""

    panel: ClassVar = "MLflow"

    name: Annotated[str, typer.Option(metavar="NAME", help="The registered model in MLflow.")] = (
        "textclf"
    )
    tracking_uri: Annotated[
        str | None,
        typer.Option(
            envvar="MLFLOW_TRACKING_URI",
            metavar="URI",
            help="The server or database of MLflow: https://…, sqlite:///mlflow.db.",
        ),
    ] = None

    def connect(self) -> "ModelServer":
        """Return the registered model. Raises UsageError or TextclfError."""
        from textclf.exporters.mlflow.client import MlflowServer
        from textclf.exporters.mlflow.mirror import require_name

        name = require_name(self.name)
        if not self.tracking_uri:
            raise UsageError(
                "the server of MLflow is not named",
                hint="--tracking-uri http://localhost:5000, or MLFLOW_TRACKING_URI",
            )
        return MlflowServer(self.tracking_uri, name)
