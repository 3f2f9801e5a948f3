"""`textclf mlflow push` and `sync`, with a stand-in for MLflow; ``make mlflow-test`` has it."""

import json

import pytest
import registries
from answer_schemas import file_name
from jsonschema import Draft202012Validator
from paths import ROOT

from textclf.errors import TextclfError


class FakeServer:
    """A registered model: its versions with their files and tags, and its aliases."""

    def __init__(self):
        self.versions, self.aliases, self.writes = [], {}, 0

    def find(self, digest):
        """See MlflowServer."""
        for number, (run, _) in enumerate(self.versions, 1):
            if run.tags["textclf.metadata_sha256"] == digest:
                return str(number)
        return None

    def register(self, run, _version, files):
        """See MlflowServer."""
        self.writes += 1
        self.versions.append((run, files))
        return str(len(self.versions))

    def alias(self, alias):
        """See MlflowServer."""
        return self.aliases.get(alias)

    def set_alias(self, alias, number):
        """See MlflowServer."""
        self.writes += 1
        self.aliases[alias] = number


@pytest.fixture
def server(monkeypatch):
    """Let every connection lead to one server, and name it in the environment."""
    fake = FakeServer()
    monkeypatch.setattr("textclf.exporters.mlflow.client.MlflowServer", lambda _uri, _name: fake)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    return fake


def require_valid(name, answer):
    """An answer has the fields of its schema."""
    schema = json.loads((ROOT / "docs/schema" / file_name(name)).read_text("utf-8"))
    Draft202012Validator(schema).validate(json.loads(answer))


def test_a_version_is_pushed_once(project, cli, server):
    """Byte for byte, with its alias; the second time nothing is written."""
    done = cli("mlflow", "push", "1.0.0", "--name", "clf")
    assert done.out == "pushed 1.0.0 as version 1 of clf, models:/clf@v1-0-0\n"
    [(_, files)] = server.versions
    folder = project / "models/1.0.0"
    assert files == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert (server.aliases, server.writes) == ({"v1-0-0": "1"}, 2)
    again = cli("mlflow", "push", "1.0.0", "--name", "clf", "--json")
    assert json.loads(again.out) == {"version": "1.0.0", "mlflow_version": "1", "added": False}
    require_valid("mlflow push", again.out)
    assert server.writes == 2


@pytest.mark.usefixtures("project")
def test_sync_makes_mlflow_follow_the_log(cli, server):
    """Promoted versions are pushed, and the aliases of the channels move with promotions."""
    cli("promote", "1.0.0", "--to", "staging")
    done = cli("mlflow", "sync")
    assert done.out == (
        "pushed 1.0.0, 1.0.1\n"
        "models:/textclf@champion is now 1.0.1\nmodels:/textclf@staging is now 1.0.0\n"
    )
    assert cli("rollback").code == 0
    answer = cli("mlflow", "sync", "--json").out
    require_valid("mlflow sync", answer)
    done = json.loads(answer)
    assert done["aliases"] == {"champion": "1.0.0", "staging": "1.0.0"}
    assert done["moved"] == ["champion"]
    assert [one["added"] for one in done["pushed"]] == [False]
    assert server.aliases["champion"] == server.aliases["staging"] == server.aliases["v1-0-0"]
    writes = server.writes
    assert cli("mlflow", "sync").out.count("is still") == 2
    assert server.writes == writes


@pytest.mark.usefixtures("project")
def test_latest_has_the_alias_that_a_channel_has_for_its_name(cli, server):
    """Clients that load the champion mean what is promoted."""
    cli("promote", "1.0.0", "--to", "champion")
    assert json.loads(cli("mlflow", "sync", "--json").out)["aliases"] == {"champion": "1.0.1"}
    assert len(server.versions) == 1


def test_a_damaged_version_is_not_pushed(project, cli, server):
    """Every file is checked before anything is sent."""
    (project / "models/1.0.0/report.html").write_text("changed")
    done = cli("mlflow", "push", "1.0.0")
    assert (done.code, server.writes) == (6, 0)
    assert "report.html is not the file that was published" in done.err


@pytest.mark.usefixtures("project", "server")
def test_what_mlflow_refuses_is_an_error(cli, server, monkeypatch):
    """The sentence of MLflow is shown, and the exit code is 1."""

    def refuse(*_):
        raise TextclfError("MLflow at http://localhost: permission denied")

    monkeypatch.setattr(server, "register", refuse)
    done = cli("mlflow", "push", "1.0.0")
    assert (done.code, done.err) == (1, "error: MLflow at http://localhost: permission denied\n")


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "it's", ".x", "x" * 201])
@pytest.mark.usefixtures("project", "server")
def test_a_name_that_mlflow_does_not_have_is_refused(cli, name):
    """Before anything is sent."""
    done = cli("mlflow", "push", "1.0.0", "--name", name)
    assert (done.code, "cannot be the name of a model in MLflow" in done.err) == (2, True)


@pytest.mark.usefixtures("empty", "server")
def test_nothing_promoted_is_nothing_to_follow(cli):
    """An empty registry has no champion."""
    done = cli("mlflow", "sync", "--models", "none")
    assert (done.code, "nothing has been promoted yet" in done.err) == (3, True)


@pytest.mark.usefixtures("project")
def test_the_server_must_be_named(cli, monkeypatch):
    """MLflow would otherwise make a database in the current folder."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    done = cli("mlflow", "push", "1.0.0")
    assert (done.code, "--tracking-uri" in done.err) == (2, True)


@pytest.mark.usefixtures("project")
def test_without_mlflow_the_extra_is_named(cli, monkeypatch):
    """A sentence, and how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "mlflow", None)
    done = cli("mlflow", "push", "1.0.0", "--tracking-uri", "sqlite:///mlflow.db")
    hint = "pip install '.[mlflow]' in the checkout of textclf"
    assert (done.code, done.err) == (2, f"error: MLflow is not installed\nhint: {hint}\n")


@pytest.mark.usefixtures("project")
def test_a_settings_file_does_not_name_the_server(project, cli):
    """A stranger's file could otherwise have a model sent to a stranger."""
    (project / "textclf.toml").write_text("tracking_uri = 'http://example.com'")
    assert "tracking_uri cannot be a setting" in cli("mlflow", "push", "1.0.0").err


def test_a_version_without_a_scorer_is_not_pushed(cli, server, tmp_path):
    """MLflow would open nothing else of it."""
    registries.filled(tmp_path / "models", versions=1)
    done = cli("mlflow", "push", "1.0.0", "--models", str(tmp_path / "models"))
    assert done.code == 6
    assert "1.0.0 has no scorer.safetensors" in done.err
    assert server.writes == 0
