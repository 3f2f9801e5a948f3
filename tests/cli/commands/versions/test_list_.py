"""The list of versions: `textclf versions list`."""

import json

import pytest


@pytest.mark.usefixtures("project")
def test_versions_list(cli):
    """The list has every version, highest first, the promoted one marked."""
    answer = json.loads(cli("versions", "list", "--json").out)
    assert [(v["version"], v["latest"], v["message"]) for v in answer] == [
        ("1.0.1", True, "again"),
        ("1.0.0", False, None),
    ]
    for version in answer:
        assert list(version) == [
            "version", "latest", "saved_at", "best_cv_accuracy", "test_accuracy", "macro_f1",
            "rows", "message", "tags", "channels", "untrusted",
        ]  # fmt: skip
        assert version["rows"] == 60
        assert 0 <= version["macro_f1"] <= 1
    head, first, second = cli("versions", "list").out.splitlines()
    assert head.split()[:2] == ["version", "saved"]
    assert first.split()[:2] == ["1.0.1", "latest"]
    assert second.split()[0] == "1.0.0"
    assert "latest" not in second


@pytest.mark.usefixtures("empty")
def test_empty_list_is_empty_and_hints_on_stderr(cli):
    """Without versions the list is empty, and a hint says how to train one."""
    assert json.loads(cli("versions", "list", "--json").out) == []
    done = cli("versions", "list")
    assert (done.code, done.out) == (0, "")
    assert done.err == "hint: no versions in models yet; to train one: textclf train\n"
    assert cli("versions", "list", "-q").err == ""
    assert cli("history", "--json").out == "[]\n"
    assert cli("history").err == "hint: nothing has been promoted yet; to start: textclf train\n"
