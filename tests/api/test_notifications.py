"""Who is told of promotions that a program makes."""

import json

import pytest
from registries import filled
from sample_data import sample_rows
from webhook_server import webhook_server

import textclf
from textclf.errors import UsageError


@pytest.fixture
def models(tmp_path):
    """Two versions; the first is promoted."""
    registry = filled(tmp_path / "models", versions=2)
    registry.promote(registry.resolve("1.0.0"))
    return str(tmp_path / "models")


def told(received):
    return [json.loads(body)["to"] for _, _, body in received.requests]


def test_those_are_told_whom_the_environment_or_an_argument_names(models, monkeypatch):
    """As on the command line; an empty argument turns it off."""
    with webhook_server() as received, webhook_server() as other:
        monkeypatch.setenv("TEXTCLF_WEBHOOK", received.url)
        textclf.promote("1.1.0", models=models)
        textclf.promote("1.1.0", models=models, to="staging")
        textclf.rollback(models=models)
        textclf.promote("1.1.0", models=models, webhook="")
        textclf.promote("1.0.0", models=models, webhook=other.url)
        result = textclf.train(
            *sample_rows(60), models=models, cv=2,
            grid={"features": {"word": {}}, "classifier": {"ComplementNB": {}}},
        )  # fmt: skip
    assert told(received) == ["1.1.0", "1.1.0", "1.0.0", result.version]
    assert told(other) == ["1.0.0"]


def test_those_are_told_whom_the_users_settings_name(models, tmp_path, monkeypatch):
    """What belongs to the person does so in a program, too."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "textclf").mkdir()
    with webhook_server() as received:
        (tmp_path / "textclf/config.toml").write_text(f"webhook = '{received.url}'")
        textclf.promote("1.1.0", models=models)
    assert told(received) == ["1.1.0"]


def test_who_cannot_be_told_is_a_warning_and_an_event(models):
    """The promotion stays; the warning names the line of the caller."""
    with pytest.warns(UserWarning, match="1.1.0 is promoted, but the command") as caught:
        done = textclf.promote("1.1.0", models=models, on_promote="textclf-no-such-program")
    assert done.changed
    assert [warning.filename for warning in caught] == [__file__]
    registry = textclf.open_registry(models)
    assert registry.latest() == registry.resolve("1.1.0")
    assert [event.kind for event in registry.events.entries()][-1] == "unnotified"


def test_a_registry_that_is_given_is_not_changed(models):
    """It tells whom it told before, and after that nobody else."""
    registry, own = textclf.open_registry(models), []
    registry.on_promotion = lambda record: own.append(record.to)
    with webhook_server() as received:
        textclf.promote("1.1.0", models=registry, webhook=received.url)
        registry.promote(registry.resolve("1.0.0"))
    assert told(received) == ["1.1.0"]
    assert own == ["1.1.0", "1.0.0"]


def test_what_is_not_valid_is_refused_before_anything_happens(models):
    """By the name of the argument."""
    with pytest.raises(UsageError, match=r"^webhook is not a URL"):
        textclf.promote("1.1.0", models=models, webhook="example.com")
    with pytest.raises(UsageError, match=r"^on_promote: no closing quotation"):
        textclf.rollback(models=models, on_promote="say 'so")
    assert len(textclf.open_registry(models).history()) == 1
