"""Tags: `textclf versions tag`."""

import json

import pytest
import registries


def test_tags_are_put_on_and_taken_off(project, cli):
    """The answer lists all tags of the version; list and show have them too."""
    done = cli("versions", "tag", "latest", "prod=eu", "approved-by=ada", "-m", "reviewed")
    assert (done.code, done.out, done.err) == (0, "1.0.1: approved-by=ada prod=eu\n", "")
    assert cli("versions", "tag", "1.0.1").out == done.out
    answer = json.loads(cli("versions", "tag", "1.0.1", "--remove", "prod", "--json").out)
    assert answer == {"version": "1.0.1", "tags": {"approved-by": "ada"}}
    listed = {v["version"]: v["tags"] for v in json.loads(cli("versions", "list", "--json").out)}
    assert listed == {"1.0.0": {}, "1.0.1": {"approved-by": "ada"}}
    head, first, second = cli("versions", "list").out.splitlines()
    assert "tags" in head
    assert "approved-by=ada" in first
    assert "approved-by" not in second
    shown = json.loads(cli("versions", "show", "1.0.1", "--json").out)
    assert shown["tags"] == {"approved-by": "ada"}
    assert "approved-by=ada" in cli("versions", "show", "1.0.1").out
    assert [event["message"] for event in registries.events(project / "models")] == [
        "reviewed",
        None,
    ]
    assert cli("versions", "tag", "1.0.1", "--remove", "approved-by").out == "1.0.1: no tags\n"


@pytest.mark.usefixtures("project")
def test_without_tags_the_list_has_no_column_of_them(cli):
    """If no version has tags, the list has no column for them."""
    assert "tags" not in cli("versions", "list").out + cli("versions", "show", "1.0.0").out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["prod"], "'prod' is not a valid tag: write KEY=VALUE"),
        (["=x"], "'' cannot be the key of a tag"),
        (["a b=x"], "'a b' cannot be the key of a tag"),
        (["prod="], "the value of the tag prod has 0 characters"),
        (["prod=\udce9"], "bytes that are not UTF-8"),
        (["--remove", "a b"], "'a b' cannot be the key of a tag"),
    ],
)
def test_what_is_no_tag_is_2(project, cli, arguments, error):
    """Tags that are not valid are refused, and nothing is written."""
    done = cli("versions", "tag", "1.0.0", *arguments)
    assert (done.code, done.out) == (2, "")
    assert error in done.err
    assert registries.events(project / "models") == []


@pytest.mark.usefixtures("project")
def test_a_tag_cannot_move_the_cursor(cli):
    """Escape sequences in the value of a tag are shown escaped."""
    assert cli("versions", "tag", "1.0.0", "a=\x1b[31mred").code == 0
    shown = cli("versions", "tag", "1.0.0").out + cli("versions", "list").out
    assert "\x1b" not in shown
    assert "\\x1b[31mred" in shown
