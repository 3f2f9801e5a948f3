"""The check of a registry: `textclf verify`."""

import errno
import json
import os

import pytest


@pytest.mark.usefixtures("project")
def test_verify(cli):
    """An undamaged registry passes; the answer gives the number of versions."""
    assert json.loads(cli("verify", "--json").out) == {"ok": True, "versions": 2, "problems": []}
    assert cli("verify").out == "2 versions, the log and the alias: OK\n"


@pytest.mark.parametrize(
    ("models", "problem"),
    [
        ("modles", "does not exist or is empty"),
        ("empty", "does not exist or is empty"),
        ("models/1.0.0", "is the folder of one version"),
        ("data", "has no versions and no log"),
    ],
)
def test_a_check_that_looks_at_nothing_fails(project, cli, models, problem):
    """It names the folder and why it is no registry, and so do the commands that need a version."""
    (project / "empty").mkdir()
    for options in ((), ("--repair",)):
        done = cli("verify", "--models", models, *options)
        assert done.code == 6
        assert f"{models} {problem}" in done.out
    told = json.loads(cli("verify", "--models", models, "--json").out)
    assert (told["ok"], told["versions"]) == (False, 0)
    for command in (["predict", "great"], ["promote", "1.0.0"], ["evaluate", "data/test.csv"]):
        done = cli(*command, "--models", models)
        assert done.code == 3
        assert f"{models} {problem}" in done.err


@pytest.mark.usefixtures("project")
def test_a_key_that_is_not_there_fails(cli):
    """Also where there is no version whose signature would be checked."""
    for models in ("models", "modles"):
        done = cli("verify", "--key", "none.pub", "--models", models)
        assert done.code == 2
        assert "none.pub" in done.err


def test_verify_names_damage_and_repair_mends_what_is_derived(project, cli):
    """A false alias is named with exit code 6, and --repair restores it."""
    (project / "models/text_classifier.joblib").write_bytes(b"something else")
    damaged = cli("verify", "--json")
    assert damaged.code == 6
    answer = json.loads(damaged.out)
    assert answer["ok"] is False
    assert [set(p) for p in answer["problems"]] == [{"version", "file", "problem"}]
    assert answer["problems"][0]["file"] == "text_classifier.joblib"
    assert "hint: textclf verify --repair" in damaged.err
    assert cli("verify", "-q").err == ""
    repaired = cli("verify", "--repair")
    assert repaired.code == 0
    assert "repaired: restored models/text_classifier.joblib" in repaired.out
    (project / "models/text_classifier.joblib").write_bytes(b"something else")
    told = json.loads(cli("verify", "--repair", "--json").out)
    assert told["ok"]
    assert "restored models/text_classifier.joblib" in told["repaired"][0]
    assert "repaired" not in json.loads(cli("verify", "--json").out)
    assert cli("verify").code == 0


def test_a_repair_that_fails_is_no_success(project, cli, monkeypatch):
    """Where the restored alias cannot be forced to disk, nothing is wrong, and the code is 1."""
    (project / "models/text_classifier.joblib").write_bytes(b"something else")
    fsync, models = os.fsync, (project / "models").stat()

    def fail(descriptor):
        if os.path.samestat(os.fstat(descriptor), models):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        done = cli("verify", "--repair")
    assert done.code == 1
    assert done.err.startswith("warning: not repaired: cannot write models/")
    assert done.err.endswith(": Input/output error\n")
    assert cli("verify", "--repair").code == 0
