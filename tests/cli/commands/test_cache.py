"""`textclf cache`, and commands that go through the cache, on a real server."""

import json
import os

import pytest


def test_what_was_fetched_is_shown_and_cleared(cli, remote):
    """Registries are named with their files; afterwards nothing is left."""
    assert cli("predict", "so great", "--models", remote).code == 0
    [registry] = json.loads(cli("cache", "--json").out)["registries"]
    assert registry["url"] == remote
    assert registry["files"] == 3
    shown = cli("cache").out
    assert remote in shown
    assert os.environ["XDG_CACHE_HOME"] in shown
    assert json.loads(cli("cache", "clear", "--json").out)["freed"] > registry["bytes"]
    assert json.loads(cli("cache", "--json").out)["registries"] == []
    assert cli("cache").out.count("\n") == 1
    assert "removed 0 bytes" in cli("cache", "clear").out


def test_offline_the_version_that_was_used_before_predicts(cli, remote, monkeypatch):
    """TEXTCLF_OFFLINE needs neither the server nor credentials; changes are refused."""
    known = cli("predict", "so great", "--models", remote)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEXTCLF_OFFLINE", "1")
    assert cli("predict", "so great", "--models", remote) == known
    with pytest.warns(UserWarning, match="only the versions in the cache are shown"):
        assert "1.0.1" in cli("versions", "list", "--models", remote).out
    done = cli("rollback", "--models", remote)
    assert done.code == 1
    assert "TEXTCLF_OFFLINE is set" in done.err


def test_if_the_store_is_down_predict_goes_on_where_that_is_allowed(cli, remote, monkeypatch):
    """--offline-ok warns in one line and predicts; without it, one sentence and exit code 1."""
    known = cli("predict", "so great", "--models", remote)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    refused = cli("predict", "so great", "--models", remote)
    assert (refused.code, refused.out) == (1, "")
    assert "http://127.0.0.1:9 cannot be reached (Connection refused)" in refused.err
    with pytest.warns(UserWarning, match="going on with what is in the cache"):
        allowed = cli("predict", "so great", "--models", remote, "--offline-ok")
    assert (allowed.code, allowed.out) == (0, known.out)


def test_a_registry_that_the_settings_name_is_told_by_commands_that_write(cli, remote, empty):
    """A stranger may have written the file, so the first line says where data would go."""
    (empty / "textclf.toml").write_text(f'models = "{remote}"\n')
    line = f"registry: {remote} (textclf.toml)"
    for command in (
        ("promote", "1.0.0"), ("versions", "tag", "1.0.0", "a=b"), ("verify", "--repair"),
        ("rollback",),
    ):  # fmt: skip
        assert cli(*command).err.splitlines()[0] == line, command
    for command in (("predict", "so great"), ("versions", "list"), ("verify",)):
        assert line not in cli(*command).err
    assert line not in cli("promote", "1.0.0", "--models", remote).err


def test_the_same_in_pyproject(cli, remote, empty):
    """The name of the file is the one that was read."""
    (empty / "pyproject.toml").write_text(f'[tool.textclf]\nmodels = "{remote}"\n')
    assert "(pyproject.toml)" in cli("promote", "1.0.0").err.splitlines()[0]
