"""The check of a data set: `textclf check`."""

import json

import pytest


@pytest.mark.usefixtures("project")
def test_check(cli):
    """`check` counts rows and labels of the data and of the test file beside it."""
    answer = json.loads(cli("check", "--json").out)
    assert list(answer) == [
        "ok", "path", "format", "tool", "left_out", "rows", "labels", "test", "problems",
        "notes",
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


def test_check_says_what_it_did_not_read(empty, cli):
    """Titles above the header are told, on stdout and as JSON."""
    (empty / "a.csv").write_text("Feedback 2024\ntext,label\none,a\ntwo,b\n")
    note = "a.csv: the header is on line 2; the lines above it are not read"
    assert note in cli("check", "a.csv").out.splitlines()
    assert json.loads(cli("check", "a.csv", "--json").out)["notes"] == [note]


def test_one_label_of_a_binary_decision(empty, cli):
    """Decisions about one label are learned from the column of the decisions, as the error says."""
    records = [
        {"text": f"text {n}", "label": "SPAM", "answer": ("accept", "reject")[n % 2]}
        for n in range(20)
    ]
    (empty / "a.jsonl").write_text("\n".join(map(json.dumps, records)))
    done = cli("check", "a.jsonl")
    assert (done.code, "--label-column answer learns" in done.out) == (4, True)
    assert cli("check", "a.jsonl", "--label-column", "answer").code == 0


def test_the_number_of_further_examples_is_told(empty, cli):
    """Of more examples than are shown, the number is told."""
    repeated = "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(8))
    (empty / "a.csv").write_text("text,label\n" + repeated * 2)
    assert "  and 3 more\n" in cli("check", "a.csv", "--cv", "2").out
