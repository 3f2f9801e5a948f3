"""Versions in a real MLflow: ``make mlflow-test``, in an environment with MLflow.

``DATA=folder`` names a folder with ``train.csv`` and ``test.csv`` (or ``.csv.gz``) to train on.
"""

import contextlib
import io
import json
import os
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from paths import ROOT
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from textclf import load
from textclf.cli.app import run
from textclf.data.dataset import ReadOptions, read_dataset

pytestmark = pytest.mark.filterwarnings("ignore")  # of MLflow and the libraries below it
TREES = ["sklearn.tree._tree.Tree"]
DATA = Path(os.environ.get("DATA") or ROOT / "data").resolve()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder with a fresh database of MLflow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", os.devnull)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    return tmp_path


def textclf(*command):
    """Run a command and return its answer."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run([*command, "--json"]) == 0
    return json.loads(out.getvalue())


def file(name):
    [path] = DATA.glob(f"{name}.csv*")
    return str(path)


def labels_by_mlflow(texts):
    return list(mlflow.pyfunc.load_model("models:/clf@champion").predict(texts))


def test_a_version_is_pushed_loaded_and_followed(here):
    """Pushed twice it is one version; MLflow's client gives our labels; sync follows the log."""
    texts = list(read_dataset(Path(file("test")), ReadOptions()).texts)
    textclf("train", file("train"), "--test", file("test"), "--preset", "fast")
    first = textclf("mlflow", "push", "1.0.0", "--name", "clf")
    again = textclf("mlflow", "push", "latest", "--name", "clf")
    assert first == {"version": "1.0.0", "mlflow_version": "1", "added": True}
    assert again == {**first, "added": False}
    assert textclf("mlflow", "sync", "--name", "clf")["moved"] == ["champion"]
    assert labels_by_mlflow(texts) == load("models").label(texts)

    textclf("train", file("train"), "--test", file("test"), "--preset", "fast", "--bump", "minor")
    textclf("promote", "1.0.0", "--to", "staging")
    synced = textclf("mlflow", "sync", "--name", "clf")
    assert synced["aliases"] == {"champion": "1.1.0", "staging": "1.0.0"}
    assert synced["moved"] == ["champion", "staging"]
    client = mlflow.MlflowClient()
    champion = client.get_model_version_by_alias("clf", "champion")
    assert champion.tags["textclf.version"] == "1.1.0"
    assert labels_by_mlflow(texts) == load("models").label(texts)

    textclf("rollback")
    assert textclf("mlflow", "sync", "--name", "clf")["moved"] == ["champion"]
    assert client.get_model_version_by_alias("clf", "champion").version == 1
    assert textclf("mlflow", "sync", "--name", "clf")["moved"] == []
    aliases = {alias: str(n) for alias, n in client.get_registered_model("clf").aliases.items()}
    assert aliases == {"v1-0-0": "1", "v1-1-0": "2", "champion": "1", "staging": "1"}
    assert len(client.search_model_versions("name = 'clf'")) == 2

    require_same_files(here, "models:/clf@v1-0-0", here / "models/1.0.0")
    require_run(
        client, champion.run_id, json.loads((here / "models/1.1.0/metadata.json").read_text())
    )


def require_same_files(here, uri, folder):
    """What MLflow has of a version is its folder, byte for byte."""
    copy = Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(here / "copy")))
    copied = {p.name: p.read_bytes() for p in (copy / "data/versions" / folder.name).iterdir()}
    assert copied == {path.name: path.read_bytes() for path in folder.iterdir()}


def require_run(client, run_id, metadata):
    """A run has the metrics of each class, the parameters, the data sets and the pages."""
    run = client.get_run(run_id)
    assert run.data.metrics["test_accuracy"] == metadata["test_accuracy"]
    assert run.data.metrics["cv_accuracy"] == metadata["best_cv_accuracy"]
    for label, scores in metadata["test"]["metrics"]["per_class"].items():
        assert run.data.metrics[f"test_f1_{label}"] == scores["f1"]
    assert run.data.params["data.rows_sha256"] == metadata["data"]["rows_sha256"]
    training, testing = run.inputs.dataset_inputs
    assert metadata["data"]["rows_sha256"].startswith(training.dataset.digest)
    assert metadata["test"]["rows_sha256"].startswith(testing.dataset.digest)
    pages = {artifact.path for artifact in client.list_artifacts(run_id)}
    assert pages == {"report.html", "model_card.md", "metadata.json"}
    assert run.info.status == "FINISHED"


@pytest.mark.parametrize("request_", ["create_registered_model", "create_model_version"])
@pytest.mark.usefixtures("here")
def test_a_run_that_could_not_be_completed_is_marked_as_failed(request_, monkeypatch, capsys):
    """And the version can be pushed again."""
    textclf("train", file("train"), "--test", file("test"), "--preset", "fast")

    def refuse(*_arguments, **_options):
        raise MlflowException("the server is full")

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, request_, refuse)
        assert run(["mlflow", "push", "1.0.0", "--name", "clf"]) == 1
    assert "the server is full" in capsys.readouterr().err
    assert textclf("mlflow", "push", "1.0.0", "--name", "clf")["added"]
    runs = mlflow.search_runs(experiment_names=["clf"], output_format="list")
    assert sorted(each.info.status for each in runs) == ["FAILED", "FINISHED"]


@pytest.fixture
def rows():
    """The training and the test rows."""
    return [read_dataset(Path(file(name)), ReadOptions()) for name in ("train", "test")]


def log(rows, *steps, **settings):
    """Log a pipeline as its owner would, and return it."""
    fitted = make_pipeline(*steps).fit(rows.texts, rows.labels)
    with mlflow.start_run():
        mlflow.sklearn.log_model(fitted, name="theirs", registered_model_name="theirs", **settings)
    return fitted


@pytest.mark.parametrize("serialization_format", ["skops", "pickle", "cloudpickle"])
@pytest.mark.usefixtures("here")
def test_a_pipeline_from_mlflow_becomes_a_version(rows, serialization_format):
    """In whatever format it is there; without running code from it, and once."""
    fitted = log(
        rows[0], TfidfVectorizer(), LogisticRegression(), serialization_format=serialization_format
    )
    mlflow.MlflowClient().set_registered_model_alias("theirs", "champion", "1")
    pull = ("mlflow", "pull", "models:/theirs@champion", "--test", file("test"))
    planned = textclf(*pull, "--dry-run")
    assert (planned["version"], planned["pipeline"]["opened_by"]) == ("1.0.0", "scorer")
    pulled = textclf(*pull)
    assert pulled["pipeline"]["path"] == "models:/theirs@champion"
    texts = list(rows[1].texts)
    assert load("models").label(texts) == list(fitted.predict(texts))
    again = textclf("mlflow", "pull", "models:/theirs/1", "--test", file("test"))
    assert not again["published"]


@pytest.mark.parametrize("serialization_format", ["skops", "cloudpickle"])
@pytest.mark.usefixtures("here")
def test_what_may_run_code_is_refused_unless_somebody_trusts_it(rows, serialization_format, capsys):
    """MLflow's own list of trusted types is part of the model, and trusts nothing here."""
    log(
        rows[0], TfidfVectorizer(), RandomForestClassifier(3), skops_trusted_types=TREES,
        serialization_format=serialization_format,
    )  # fmt: skip
    pull = ["mlflow", "pull", "models:/theirs/1", "--test", file("test")]
    assert run(pull) == 6
    assert "--unsafe-load opens it" in capsys.readouterr().err
    assert textclf(*pull, "--unsafe-load")["pipeline"]["opened_by"] == "untrusted"


@pytest.mark.usefixtures("here")
def test_what_is_no_pipeline_in_mlflow_is_told(capsys):
    """A version of textclf, another kind of model, and what is not there."""
    textclf("train", file("train"), "--test", file("test"), "--preset", "fast")
    textclf("mlflow", "push", "1.0.0", "--name", "clf")
    for uri, code, problem in [
        ("models:/clf@v1-0-0", 2, "is a version that textclf has pushed"),
        ("models:/none@champion", 1, "Registered Model with name=none not found"),
        ("runs:/0123456789abcdef/model", 1, "0123456789abcdef"),
        ("s3://somewhere/else", 2, "is not the name of a model in MLflow"),
    ]:
        assert run(["mlflow", "pull", uri, "--test", file("test")]) == code
        shown = capsys.readouterr().err
        assert problem in shown
        assert "unexpected" not in shown
        assert "%" not in shown  # of a progress bar


def test_what_is_not_a_file_of_scikit_learn_in_mlflow_is_told(here, rows, capsys):
    """Another kind of model, and one that names a file outside of its folder."""
    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="other", python_model=lambda model_input: model_input,
            registered_model_name="other", pip_requirements=[],
        )  # fmt: skip
    log(rows[0], TfidfVectorizer(), LogisticRegression())
    for path in here.rglob("MLmodel"):
        path.write_text(path.read_text().replace("pickled_model: ", "pickled_model: ../"))
    for uri, problem in [
        ("models:/other/1", "is not a scikit-learn model: its flavors are python_function"),
        ("models:/theirs/1", "names a file outside of its folder: '../model"),
    ]:
        assert run(["mlflow", "pull", uri, "--test", file("test")]) == 2
        assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("uri", "problem"),
    [("http://127.0.0.1:1", "MLflow at http://127.0.0.1:1: "), ("nonsense://x", "nonsense")],
)
@pytest.mark.usefixtures("here")
def test_a_server_that_cannot_be_reached_is_named(uri, problem, monkeypatch, capsys):
    """One sentence, within seconds."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    textclf("train", file("train"), "--test", file("test"), "--preset", "fast")
    assert run(["mlflow", "push", "1.0.0", "--tracking-uri", uri]) == 1
    shown = capsys.readouterr().err
    assert problem in shown
    assert "unexpected" not in shown
