"""The check of a data set: `textclf check`."""

import json

import pytest


@pytest.mark.usefixtures("project")
def test_check(cli):
    """`check` counts rows and labels of the data and of the test file beside it."""
    answer = json.loads(cli("check", "--json").out)
    assert list(answer) == [
        "ok", "path", "format", "tool", "left_out", "rows", "labels", "test", "problems"
    ]  # fmt: skip
    assert (answer["ok"], answer["rows"], answer["test"]["rows"]) == (True, 60, 12)
    assert answer["labels"] == {"negative": 20, "neutral": 20, "positive": 20}
    assert cli("check").out.endswith("no problems found\n")


def test_check_exits_4_and_still_answers(empty, cli):
    """Data that cannot be trained on gives the problems on stdout and exit code 4."""
    (empty / "bad.csv").write_text("text,label\none,a\n,a\ntwo,\nthree,a\n")
    done = cli("check", "bad.csv", "--json")
    assert done.code == 4
    answer = json.loads(done.out)
    assert answer["ok"] is False
    assert {"one-label", "bad-rows"} <= {problem["kind"] for problem in answer["problems"]}
    assert "bad.csv:3" in cli("check", "bad.csv").out
