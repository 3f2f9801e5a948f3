"""Shares are written as 0.2 or 20%."""

import json

import pytest
from predictors import published
from sample_data import sample_rows


@pytest.mark.parametrize(
    ("option", "shares", "field"),
    [
        ("--test-size", ("0.25", "25%", "25.0%"), ("test_rows",)),
        ("--max-regression", ("0.25", "25%"), ("version",)),
    ],
)
def test_train_takes_shares_as_percentages(data, cli, option, shares, field):
    """A share and a percentage mean the same, typed or as a setting."""
    plan = "train", "--dry-run", "--json"
    answers = [json.loads(cli(*plan, option, share).out) for share in shares]
    name = option.removeprefix("--").replace("-", "_")
    (data / "textclf.toml").write_text(f'[train]\n{name} = "{shares[1]}"\n')
    answers.append(json.loads(cli(*plan).out))
    assert all(answer[name] == answers[0][name] for answer in answers for name in field)


@pytest.mark.usefixtures("project")
def test_predict_takes_thresholds_as_percentages(cli):
    """A threshold of 100% gives no label, as 1 does; one of 0% always gives one."""
    labels = [
        json.loads(cli("predict", "great awful", "--json", "--threshold", share).out)[
            "predictions"
        ][0]
        for share in ("1", "100%", "0", "0%")
    ]
    assert [label["label"] is None for label in labels] == [True, True, False, False]


@pytest.mark.parametrize("threshold", ["80", "1.1", "-0.5"])
@pytest.mark.usefixtures("project")
def test_predict_refuses_thresholds_beyond_probabilities(cli, threshold):
    """80 is not taken for 1 or more, which no score reaches; the hint leads to what was meant."""
    done = cli("predict", "great", "--threshold", threshold)
    assert (done.code, done.out) == (2, "")
    message = f"probabilities, and --threshold {threshold} is not between 0 and 1\n"
    assert message in done.err
    assert done.err.endswith("hint: --threshold 80%\n" if threshold == "80" else message)


def test_a_percentage_is_no_decision_value(tmp_path, cli):
    """Where scores are not probabilities, a threshold is any number, but no percentage."""
    published(tmp_path, sample_rows(60), "LinearSVC")
    predict = ("predict", "great", "--models", tmp_path, "--json", "--threshold")
    assert json.loads(cli(*predict, "9").out)["predictions"][0]["label"] is None
    assert json.loads(cli(*predict, "-9").out)["predictions"][0]["label"]
    done = cli(*predict, "80%")
    assert done.code == 2
    assert (
        "are decision values, not probabilities, so --threshold cannot be a percentage" in done.err
    )


@pytest.mark.usefixtures("data")
def test_a_threshold_is_stored_as_a_share(cli):
    """The threshold of a version is a number between 0 and 1, however it was written."""
    answer = json.loads(cli("train", "--threshold", "60%", "--preset", "fast", "--json").out)
    assert answer["threshold"] == 0.6
