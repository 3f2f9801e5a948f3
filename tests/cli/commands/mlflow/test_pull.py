"""`textclf mlflow pull`, with a stand-in for the download; ``make mlflow-test`` has MLflow."""

import json
import pickle
import sys
import zipfile

import pytest
from sample_data import sample_rows
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

PULL = ("mlflow", "pull", "models:/theirs@champion", "--test", "data/test.csv")
URI = ("--tracking-uri", "sqlite:///mlflow.db")


@pytest.fixture
def pipeline(monkeypatch):
    """A pipeline that every download gives, as MLflow pickles it."""
    made = make_pipeline(TfidfVectorizer(max_features=300), LogisticRegression())
    data = pickle.dumps(made.fit(*sample_rows(150)))
    monkeypatch.setattr(
        "textclf.exporters.mlflow.client.download_pipeline", lambda _uri, _model: data
    )
    return made


@pytest.mark.usefixtures("project", "pipeline")
def test_a_pipeline_goes_through_the_door_of_publish(cli):
    """With its number, its gate and its promotion; the record names where it is from."""
    planned = cli(*PULL, *URI, "--dry-run")
    assert planned.out.startswith("would publish 2.0.0 (major: ")
    pulled = json.loads(cli(*PULL, *URI, "--no-promote", "--json").out)
    assert (pulled["version"], pulled["promoted"]) == ("2.0.0", False)
    assert pulled["pipeline"]["path"] == "models:/theirs@champion"
    assert cli(*PULL, *URI, "--bump", "patch", "--require", "accuracy>=0.999").code == 5
    warned = cli(*PULL, *URI, "--bump", "patch", "--unsafe-load").err
    assert "models:/theirs@champion is opened without restrictions" in warned


@pytest.mark.usefixtures("project")
def test_without_mlflow_the_hint_is_how_to_install_it(cli):
    """And without a server it is how to name one."""
    done = cli(*PULL, *URI)
    assert (done.code, done.out) == (2, "")
    assert "error: MLflow is not installed\nhint: pip install '.[mlflow]'" in done.err
    unnamed = cli(*PULL)
    assert (unnamed.code, "hint: --tracking-uri" in unnamed.err) == (2, True)


@pytest.mark.usefixtures("project")
def test_without_skops_its_files_are_named(cli, tmp_path, monkeypatch):
    """The hint is what makes them readable."""
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("schema.json", "{}")
    done = cli("publish", str(tmp_path / "model.skops"), "--test", "data/test.csv")
    assert done.code == 2
    assert "is an archive, as skops writes them, and skops is not installed" in done.err
    assert "hint: pip install '.[mlflow]'" in done.err
