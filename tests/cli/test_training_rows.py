"""Scores on rows that a version was trained on: every command says so, and no gate goes by them."""

import json

import pytest

WARNING = "1.0.1 was trained on all of these rows: its scores are too optimistic"
GATED = [
    ("evaluate", "data/train.csv", "--fail-under", "accuracy=0.5"),
    ("promote", "1.0.0", "--data", "data/train.csv", "--require", "accuracy=0.5"),
    ("train", "--test", "data/train.csv", "--bump", "patch", "--require", "accuracy=0.5"),
]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "command",
    [
        ("evaluate", "data/train.csv"),
        ("evaluate", "data/train.csv", "--format", "md"),
        ("versions", "compare", "1.0.0", "1.0.1", "--data", "data/train.csv"),
        ("versions", "report", "1.0.1", "--data", "data/train.csv", "-o", "-"),
        ("versions", "report", "1.0.0", "1.0.1", "--data", "data/train.csv", "-o", "-"),
    ],
    ids=" ".join,
)
def test_scores_on_training_rows_are_warned_of(cli, command):
    """The answer says so near its top, and nothing of the kind about other rows."""
    done = cli(*command)
    assert done.code == 0
    assert WARNING in done.out
    assert done.out.index(WARNING) < done.out.index("100.0%")
    others = [argument.replace("train.csv", "test.csv") for argument in command]
    assert "was trained on" not in cli(*others).out


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", GATED, ids=lambda command: command[0])
def test_no_gate_is_passed_on_training_rows(cli, command):
    """The gate refuses, whatever the scores are, unless it is told to allow them."""
    refused = cli(*command)
    assert refused.code == 5
    assert "was trained on all of these rows" in refused.err
    assert "train_overlap<=0.05" in refused.out
    assert cli(*command, "--allow-training-rows").code == 0


@pytest.mark.usefixtures("project")
def test_the_log_keeps_the_share_of_training_rows(cli):
    """A promotion on training rows that was allowed is recorded as such, and a refusal too."""
    command = GATED[1]
    refused = cli(*command)
    assert "textclf promote 1.0.0 --data FILE" in refused.err
    assert cli(*command, "--allow-training-rows").code == 0
    *_, refusal, promotion = json.loads(cli("history", "--json", "--all").out)
    assert refusal["detail"]["on"]["train_overlap"] == 1.0
    assert promotion["gate"]["on"]["train_overlap"] == 1.0
    rules = [(check["rule"], check["passed"]) for check in promotion["gate"]["checks"]]
    assert rules == [("train_overlap allowed", True), ("accuracy>=0.5", True)]


def test_a_test_on_training_rows_is_told_by_what_is_published(cli, data):
    """The page and the card say it, and the metadata have the share."""
    assert cli("train", "--test", "data/train.csv").code == 0
    sentence = "1.0.0 was trained on all of these rows"
    for name in ("report.html", "model_card.md"):
        assert sentence in (data / "models/1.0.0" / name).read_text()
    shown = json.loads(cli("versions", "show", "1.0.0", "--json").out)
    assert shown["test"]["train_overlap"] == 1.0


def test_a_worse_version_is_told_in_the_last_line(cli, data, write_data):
    """The last line names the rollback and the option that would have refused the version."""
    write_data(data / "data/test.csv", 40, seed=9)
    grid = data / "grid.toml"
    grid.write_text("features.word.min_df = 1\nclassifier.LinearSVC.C = 1\n")
    assert "worse" not in cli("train", "--grid", "grid.toml").err
    write_data(data / "data/train.csv", 60, seed=1, wrong=4)
    worse = cli("train", "--grid", "grid.toml")
    assert worse.code == 0
    last = worse.err.splitlines()[-1]
    assert last.startswith("warning: 2.0.0 is worse than 1.0.0 on the same rows: only 1.0.0 is")
    assert "`textclf rollback` promotes 1.0.0 again" in last
    assert cli("rollback").code == 0
    refused = cli("train", "--grid", "grid.toml", "--bump", "patch", "--max-regression", "0")
    assert refused.code == 5
    assert "is worse" not in refused.err


@pytest.mark.usefixtures("data")
def test_the_answer_of_train_has_the_test(cli):
    """``--json`` has McNemar's test of the versions before and after."""
    assert cli("train").code == 0
    answer = json.loads(cli("train", "--bump", "patch", "--json").out)
    assert answer["against"]["mcnemar"] == {"only_a_right": 0, "only_b_right": 0, "p_value": 1.0}
