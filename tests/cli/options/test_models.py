"""The option --models: a folder or a URL, from the flag, the environment or the settings."""

import pytest


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
