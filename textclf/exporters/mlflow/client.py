"""A registered model in MLflow, by MLflow's own client. Nothing else imports MLflow."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from semver import Version

from textclf._version import __version__
from textclf.errors import TextclfError, UsageError, how_to_install
from textclf.exporters.mlflow.run import DIGEST_TAG, Run
from textclf.files import read_bytes
from textclf.formatting import first_line
from textclf.metadata.schema import METADATA
from textclf.registry.store.location import without_secrets

T = TypeVar("T")

LOADER: Final = "textclf.exporters.mlflow.loader"
_AT_ONCE: Final = 100
"""Parameters, metrics and tags of one request, of which MLflow allows no more."""

_USUAL: Final = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # by default a server that is not there takes minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""Settings of MLflow, unless the environment has others."""


class MlflowServer:
    """The registered model of a name, on a server.

    Args:
        uri: where the runs and models are, as ``MLFLOW_TRACKING_URI`` names it.
        name: the name of the registered model, and of the experiment.

    Raises:
        UsageError: MLflow is not installed, or the URI names a store that it no longer has.
        TextclfError: the server cannot be reached.
    """

    def __init__(self, uri: str, name: str) -> None:
        _prepare()
        import mlflow

        self._name = name
        self._problems_named = partial(_problems_named, uri)
        with self._problems_named():
            self._client: Any = mlflow.MlflowClient(uri, uri)

    def find(self, digest: str) -> str | None:
        """Return MLflow's number of the version whose metadata have a digest, if it is there."""
        with self._problems_named():
            token, query = None, f"name = '{self._name}'"
            while True:
                page = self._client.search_model_versions(query, page_token=token)
                for found in page:
                    if found.tags.get(DIGEST_TAG) == digest:
                        return str(found.version)
                token = page.token
                if not token:
                    return None

    def alias(self, alias: str) -> str | None:
        """Return MLflow's number of the version of the model that has an alias, if one has."""
        with self._problems_named():
            number = self._client.get_registered_model(self._name).aliases.get(alias)
            return None if number is None else str(number)

    def set_alias(self, alias: str, number: str) -> None:
        """Give an alias to a version, and take it from the one that has it."""
        with self._problems_named():
            self._client.set_registered_model_alias(self._name, alias, number)

    def register(self, run: Run, version: Version, files: Mapping[str, bytes]) -> str:
        """Log a run with its model, register the model, and return MLflow's number of it.

        A run that could not be completed is marked as failed.
        """
        with self._problems_named(), tempfile.TemporaryDirectory() as folder:
            versions = Path(folder, "versions")
            _write(versions / str(version), files)
            experiment = self._experiment()
            run_id = self._client.create_run(
                experiment, run.milliseconds, dict(run.tags), run.name
            ).info.run_id
            try:
                model_id = self._log_model(experiment, run_id, run, versions)
                self._log(run_id, model_id, run)
                self._log_pages(run_id, versions / str(version))
                number = self._register(run_id, model_id, run)
            except BaseException:
                self._client.set_terminated(run_id, "FAILED")
                raise
            self._client.set_terminated(run_id, "FINISHED", run.milliseconds)
        return number

    # -- parts of a run --------------------------------------------------------------------------

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(self._name)
        return str(found.experiment_id if found else self._client.create_experiment(self._name))

    def _log_model(self, experiment: str, run_id: str, run: Run, versions: Path) -> str:
        """Log the folder of the version, byte for byte, as a model that our loader opens."""
        import mlflow
        from mlflow.entities import LoggedModelOutput
        from mlflow.models import Model, ModelSignature
        from mlflow.types import ColSpec, Schema

        text, label = Schema([ColSpec("string")]), Schema([ColSpec("string")])
        model = self._client.create_logged_model(
            experiment, run.model, run_id, dict(run.tags), dict(run.params)
        )
        self._client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
        described = Model(
            artifact_path=model.artifact_location, model_uuid=model.model_id, run_id=run_id,
            model_id=model.model_id,
        )  # fmt: skip
        folder = versions.with_name("model")
        with _quiet():
            mlflow.pyfunc.save_model(
                str(folder),
                loader_module=LOADER,
                data_path=str(versions),
                mlflow_model=described,
                signature=ModelSignature(text, label),
                pip_requirements=[f"textclf-cli=={__version__}"],
            )
        self._client.log_model_artifacts(model.model_id, str(folder))
        self._client.finalize_logged_model(model.model_id, "READY")
        return str(model.model_id)

    def _log(self, run_id: str, model_id: str, run: Run) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

        params = [Param(name, value) for name, value in run.params.items()]
        metrics = [
            Metric(name, value, run.milliseconds, 0, model_id=model_id)
            for name, value in run.metrics.items()
        ]
        for some in _parts(params):
            self._client.log_batch(run_id, params=some)
        for some in _parts(metrics):
            self._client.log_batch(run_id, metrics=some)
        inputs = [
            DatasetInput(
                Dataset(data.name, data.digest, "local", data.name, profile=data.profile),
                [InputTag("mlflow.data.context", data.context)],
            )
            for data in run.data
        ]
        self._client.log_inputs(run_id, inputs)

    def _log_pages(self, run_id: str, folder: Path) -> None:
        """Log what people read of a version, and what programs do, beside the model."""
        for name in ("report.html", "model_card.md", METADATA):
            if (folder / name).exists():
                self._client.log_artifact(run_id, str(folder / name))

    def _register(self, run_id: str, model_id: str, run: Run) -> str:
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(self._name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        with _quiet():
            made = self._client.create_model_version(
                self._name, f"models:/{model_id}", run_id, dict(run.tags), model_id=model_id
            )
        return str(made.version)


def download_pipeline(tracking_uri: str, model: str) -> bytes:
    """Return the file of a scikit-learn model that is in MLflow, which is not opened.

    Args:
        tracking_uri: where it is, as ``MLFLOW_TRACKING_URI`` names it.
        model: ``models:/NAME@ALIAS``, ``models:/NAME/VERSION`` or ``runs:/ID/PATH``.

    Raises:
        UsageError: MLflow is not installed, or that names no scikit-learn model.
        TextclfError: it is not there, or cannot be downloaded.
    """
    if not model.startswith(("models:/", "runs:/")):
        raise UsageError(
            f"{model!r} is not the name of a model in MLflow",
            hint="models:/NAME@ALIAS, models:/NAME/VERSION or runs:/ID/PATH",
        )
    _prepare()
    import mlflow

    with _problems_named(tracking_uri), tempfile.TemporaryDirectory() as folder:
        path = mlflow.artifacts.download_artifacts(
            model, dst_path=folder, tracking_uri=tracking_uri, registry_uri=tracking_uri
        )
        described = mlflow.models.Model.load(path)
        return read_bytes(Path(path, _pipeline_file(model, described.flavors)))


def _pipeline_file(model: str, flavors: Mapping[str, Any]) -> str:
    """Return the name of the file with the pipeline, in the folder of a model."""
    if flavors.get("python_function", {}).get("loader_module") == LOADER:
        raise UsageError(
            f"{model} is a version that textclf has pushed",
            hint="copy it from its registry: textclf versions pull VERSION FROM",
        )
    name = flavors.get("sklearn", {}).get("pickled_model")
    if name is None:
        raise UsageError(
            f"{model} is not a scikit-learn model: its flavors are {', '.join(sorted(flavors))}"
        )
    if Path(name).name != name:
        raise UsageError(f"{model} names a file outside of its folder: {name!r}")
    return str(name)


def _prepare() -> None:
    """Import MLflow with settings for a command line. Raises UsageError if it is not installed."""
    for variable, value in _USUAL.items():
        os.environ.setdefault(variable, value)
    try:
        with _quiet():
            import mlflow  # noqa: F401
    except ModuleNotFoundError:
        raise UsageError("MLflow is not installed", hint=how_to_install("mlflow")) from None


@contextmanager
def _problems_named(uri: str) -> Iterator[None]:
    """Turn whatever MLflow and the libraries below it raise into a sentence."""
    try:
        with _quiet():
            yield
    except TextclfError:
        raise
    except Exception as error:
        problem = without_secrets(first_line(error) or type(error).__name__)
        raise TextclfError(f"MLflow at {without_secrets(uri)}: {problem}") from error


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what MLflow says of itself: migrations of its database, advice, deprecations."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        yield
