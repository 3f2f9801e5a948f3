"""The option --models: a folder or a URL, from the flag, the environment or the settings."""

import json
import shlex

import pytest
from paths import ROOT

from textclf.cli.output import render


@pytest.fixture(params=["flag", "environment", "settings"])
def with_models(request, empty, cli, monkeypatch):
    """Return a function that runs a command with the models named in one of the three ways."""

    def call(models, *command):
        if request.param == "flag":
            return cli(*command, "--models", models)
        if request.param == "environment":
            monkeypatch.setenv("TEXTCLF_MODELS", models)
        else:
            (empty / "textclf.toml").write_text(f'models = "{models}"\n')
        return cli(*command)

    return call


def test_the_home_folder_is_expanded(with_models, monkeypatch, tmp_path):
    """However ~/models is given, it is the folder at home."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    done = with_models("~/models", "versions", "list")
    assert f"no versions in {tmp_path}/home/models yet" in done.err


@pytest.mark.parametrize(
    "url",
    ["file://models", "ftp://host/models", "https://ada:hunter2@host/x", "s3:/bucket/x", "s3://"],
)
def test_a_url_that_cannot_be_read_is_refused(with_models, empty, url):
    """Every command refuses it, with exit code 2 and a hint, and makes no folder of it."""
    for command in (("versions", "list"), ("verify",), ("promote", "1.0.0")):
        done = with_models(url, *command)
        assert done.code == 2
        assert "hint: " in done.err
        assert "hunter2" not in done.out + done.err
    assert {path.name for path in empty.iterdir()} <= {"textclf.toml"}


@pytest.fixture
def elsewhere(project):
    """The registry in another folder than the default one, where there is none."""
    (project / "models").rename(project / "else where")
    return ("--models", "else where")


def follow(cli, text):
    """Run the command that a line ends with."""
    _, _, command = text.rstrip("`\n").rpartition("textclf ")
    return cli(*shlex.split(command))


def test_further_commands_name_the_registry_that_was_typed(elsewhere, cli):
    """A hint that is obeyed works on the same registry, and not on that of the default."""
    train = ("train", "--bump", "patch", "--preset", "fast", "--cv", "2", "--no-promote")
    promoted = follow(cli, cli(*train, *elsewhere).err.splitlines()[-1])
    assert (promoted.code, "promoted 1.0.2 (was 1.0.1)" in promoted.out) == (0, True)
    undone = follow(cli, promoted.out)
    assert (undone.code, "promoted 1.0.1 (was 1.0.2)" in undone.out) == (0, True)
    missing = ("predict", "great", "--version", "9.9.9", *elsewhere)
    assert "1.0.2" in follow(cli, cli(*missing).err).out
    hint = json.loads(cli(*missing, "--json").err)["hint"]
    assert hint == "textclf versions list --models 'else where'"


def test_every_command_on_a_registry_names_the_one_that_was_typed(monkeypatch):
    """Those whose work does not depend on a registry take --models, but need not be given it."""
    monkeypatch.setattr(render, "_registry_option", ["--models there"])
    snapshots = (ROOT / "tests" / "cli" / "help").glob("textclf-*.txt")
    takes = {path.stem.replace("-", " ") for path in snapshots if "--models" in path.read_text()}
    named = {command for command in takes if render.with_registry(command) != command}
    assert len(named) > 20
    assert takes - named == {"textclf cache", "textclf check", "textclf warmup"}


def test_further_commands_name_no_registry_that_was_not_typed(elsewhere, cli, monkeypatch):
    """What the environment names, it names for them, too."""
    monkeypatch.setenv("TEXTCLF_MODELS", elsewhere[1])
    assert cli("predict", "great", "--version", "9.9.9").err.endswith(
        "hint: textclf versions list\n"
    )
