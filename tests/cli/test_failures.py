"""Errors of commands that were asked for JSON: one JSON object on stderr."""

import json

import pytest

from textclf import errors


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["trian", "--json"], ("usage", 2, "textclf --help")),
        (["train", "--json", "--sed", "1"], ("usage", 2, "textclf train --help")),
        (["promote", "--json"], ("usage", 2, "textclf promote --help")),
        (["predict", "a", "--json", "--format", "csv"], ("usage", 2, "--format jsonl streams")),
        (["evaluate", "data/test.csv", "--json", "--format", "md"], ("usage", 2, None)),
        (["evaluate", "none.csv", "--format", "json"], ("data", 4, None)),
        (["evaluate", "none.csv", "--format=json"], ("data", 4, None)),
        (["promote", "9.9.9", "--json"], ("no-such-version", 3, "textclf versions list")),
        (["history", "--json", "--models", "data/test.csv"], ("store", 1, None)),
        (["versions", "show", "1.0.0", "--json"], ("integrity", 6, None)),
        (
            ["evaluate", "data/test.csv", "--json", "--fail-under", "accuracy=1.0"],
            ("gate-refused", 5, None),
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_an_error_is_one_json_object_where_json_was_asked_for(project, cli, command, expected):
    """Stderr ends with one line of JSON: the kind, the sentence, the hint and the exit code."""
    kind, code, hint = expected
    (project / "models/1.0.0/metadata.json").write_text("{")
    if kind == "gate-refused":
        test = project / "data/test.csv"
        test.write_text(test.read_text().replace(",positive", ",negative"))
    done = cli(*command)
    failure = json.loads(done.err.splitlines()[-1])
    assert list(failure) == ["kind", "message", "hint", "exit_code", "details"]
    assert (failure["kind"], failure["exit_code"], done.code) == (kind, code, code)
    assert failure["message"]
    assert not hint or failure["hint"] == hint
    assert "error:" not in done.err


def test_bad_rows_are_details(empty, cli):
    """The rows that are bad are in a list of their own."""
    (empty / "bad.csv").write_text("text,label\ngood,a\n,b\n")
    failure = json.loads(cli("train", "bad.csv", "--json").err.splitlines()[-1])
    assert failure["message"] == "1 bad row in bad.csv"
    assert failure["details"][0].startswith("bad.csv:3: ")


@pytest.mark.parametrize("settings", ["json = true\n", "[promote]\njson = true\n"])
def test_json_may_be_a_setting(project, cli, settings):
    """Errors are JSON, too, where --json is a setting."""
    (project / "textclf.toml").write_text(settings)
    assert json.loads(cli("promote", "9.9.9").err)["exit_code"] == 3


@pytest.mark.usefixtures("project")
def test_what_follows_two_dashes_asks_for_nothing(cli):
    """A text or version after -- is no option, whatever it looks like."""
    assert cli("promote", "--", "--json").err.startswith("error: ")


@pytest.mark.usefixtures("project")
def test_an_interruption_and_a_bug_are_json_too(cli, monkeypatch):
    """Ctrl-C and unexpected errors have kinds of their own."""
    entries = "textclf.registry.promotion_log.AppendOnlyLog.entries"
    for error, kind, code in (
        (KeyboardInterrupt, "interrupted", 130),
        (ZeroDivisionError, "unexpected", 1),
        (EOFError, "unexpected", 1),
        (MemoryError, "memory", 1),
        (PermissionError(13, "Permission denied"), "system", 1),
    ):
        monkeypatch.setattr(entries, lambda _, error=error: (_ for _ in ()).throw(error))
        failure = json.loads(cli("history", "--json").err)
        assert (failure["kind"], failure["exit_code"]) == (kind, code)
        assert kind != "unexpected" or f"unexpected {error.__name__}" in failure["message"]


def test_every_error_has_its_own_kind():
    """The kinds tell the public errors apart."""
    public = [
        e for e in vars(errors).values() if isinstance(e, type) and e.__module__ == errors.__name__
    ]
    assert len({error.kind for error in public}) == len(public)


@pytest.mark.usefixtures("project")
def test_names_that_are_no_text_are_json(cli):
    """Bytes that are not UTF-8 and control characters are escaped, and it remains JSON."""
    failure = json.loads(cli("promote", "caf\udce9\x1b", "--json").err)
    assert "caf\\udce9\\x1b" in failure["message"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--cv", "1"), "invalid value for '--cv': 1 is less than 2"),
        (("train", "--seed", "-1"), "invalid value for '--seed': -1 is not from 0 to 4294967295"),
        (("train", "--cv", "x"), "invalid value for '--cv': 'x' is not a whole number"),
        (("delete",), "no such command 'delete'"),
    ],
)
@pytest.mark.usefixtures("empty")
def test_messages_of_click_read_like_the_others(cli, words, message):
    """A wrong option is told of in the same form as anything else that is wrong."""
    assert cli(*words).err.splitlines()[0] == f"error: {message}"
