"""Evaluation on labelled data: `textclf evaluate`."""

import json

import pytest
from data_files import csv_records

from textclf.data.dataset import read_dataset


@pytest.mark.usefixtures("project")
def test_evaluate(cli):
    """`evaluate` scores a version on labelled data: metrics, intervals, calibration."""
    answer = json.loads(cli("evaluate", "data/test.csv", "--version", "1.0.0", "--json").out)
    assert list(answer) == [
        "version", "path", "sha256", "rows", "skipped_rows", "train_overlap", "metrics",
        "intervals", "calibration", "two_labels", "fail_under",
    ]  # fmt: skip
    assert (answer["version"], answer["path"], answer["rows"]) == ("1.0.0", "data/test.csv", 12)
    assert set(answer["metrics"]) == {
        "accuracy", "macro_f1", "weighted_f1", "per_class", "confusion",
    }  # fmt: skip
    assert set(answer["calibration"]) == {"expected_calibration_error", "log_loss", "brier", "bins"}
    assert sum(each["rows"] for each in answer["calibration"]["bins"]) == 12
    people = cli("evaluate", "data/test.csv").out
    assert people.startswith("1.0.1 on 12 rows of data/test.csv\naccuracy ")
    assert "expected calibration error" in people
    assert "confusion matrix: a row for each true label" in people


def test_calibration_is_of_the_probabilities_that_predict_gives(project, cli):
    """Log-loss and Brier score follow from the probabilities that `predict` gives."""
    rows = read_dataset(project / "data/test.csv")
    predicted = json.loads(cli("predict", *rows.texts, "--json").out)["predictions"]
    brier = sum(
        sum((score - (name == label)) ** 2 for name, score in p["scores"].items())
        for p, label in zip(predicted, rows.labels, strict=True)
    ) / len(rows)
    calibration = json.loads(cli("evaluate", "data/test.csv", "--json").out)["calibration"]
    assert calibration["brier"] == pytest.approx(brier)


def test_evaluate_warns_of_labels_the_version_does_not_know(project, cli):
    """Labels that were not in the training data are named on stderr, with controls escaped."""
    (project / "odd.csv").write_text('text,label\ngreat,positive\nbad,"a\nerror: b"\n')
    done = cli("evaluate", "odd.csv", "--json")
    assert done.err == "warning: labels that 1.0.1 was not trained on: a\\nerror: b\n"
    answer = json.loads(done.out)
    assert answer["rows"] == 2
    assert answer["calibration"]["log_loss"] > 18  # half of the rows have no chance


@pytest.mark.usefixtures("project")
def test_fail_under(cli):
    """A metric below its bound gives exit code 5 after the answer; every bound is checked."""
    good = cli("evaluate", "data/test.csv", "--fail-under", "macro_f1=0.1", "--json")
    assert (good.code, json.loads(good.out)["fail_under"]["verdict"]) == (0, "passed")
    done = cli(
        *("evaluate", "data/test.csv", "--fail-under", "accuracy>=0"),
        *("--fail-under", "f1[none]=0.5"),
    )
    assert done.code == 5
    assert "required: refused" in done.out
    assert done.err.startswith(
        "error: 1.0.1 does not meet the conditions: no test row has the label 'none'"
    )


def test_errors_are_written_the_surest_first(other, cli):
    """Misclassified rows are written most confident first; the file is itself labelled data."""
    for name in ("errors.csv", "errors.tsv", "errors.jsonl"):
        done = cli("evaluate", "golden.csv", "--version", "2.0.0", "--errors", name, "--json")
        metrics = json.loads(done.out)["metrics"]
        wrong = round((1 - metrics["accuracy"]) * 45)
        assert len(read_dataset(other / name)) == wrong > 0
    errors = csv_records(other / "errors.csv")
    assert list(errors[0]) == ["text", "label", "predicted", "score", "where"]
    scores = [float(error["score"]) for error in errors]
    assert scores == sorted(scores, reverse=True)
    assert all(error["label"] != error["predicted"] for error in errors)


def test_many_labels_have_no_matrix(project, cli):
    """With many labels the most frequent mistakes are listed instead of a confusion matrix."""
    lines = [f"{word} x{n},{word}" for n, word in enumerate("abcdefghijkl" * 2)]
    (project / "many.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    shown = cli("evaluate", "many.csv", "-q").out
    assert "most frequent mistakes, 12 of 12" in shown
    assert "confusion:" not in shown
    assert "| `a` |" in cli("evaluate", "many.csv", "-q", "--format", "md").out


def test_files_of_odd_texts_are_written(project, cli):
    """Line breaks, tabs and quotes in a text survive the file of errors."""
    texts = ["great\r\nyes", "a\rlone one", "tab\there", 'a "quoted", one']
    lines = "\n".join(json.dumps({"text": text, "label": "x"}) for text in texts)
    (project / "odd.jsonl").write_text(lines + "\n")
    for name in ("e.csv", "e.tsv", "e.jsonl"):
        assert cli("evaluate", "odd.jsonl", "--errors", name, "-q").code == 0
        assert sorted(read_dataset(project / name).texts) == sorted(texts)


@pytest.mark.usefixtures("project")
def test_a_file_that_cannot_be_written_is_one_line(cli):
    """Writing into a folder that does not exist is an error of one line."""
    done = cli("evaluate", "data/test.csv", "--errors", "none/e.csv", "-q")
    assert (done.code, done.err) == (1, "error: cannot write none/e.csv: there is no folder none\n")


@pytest.fixture
def two_labels(cli, data, write_data):
    """Return a project whose version has two labels, of which one is rare."""
    for name, rows in (("train", 60), ("test", 30)):
        path = write_data(data / f"data/{name}.csv", rows, seed=rows, wrong=1)
        path.write_text(path.read_text().replace(",neutral", ",negative"))
    (data / "grid.toml").write_text("features.word.min_df = 1\nclassifier.LinearSVC.C = 1\n")
    assert cli("train", "--grid", "grid.toml").code == 0
    return data


def test_two_labels_have_a_ranking(cli, two_labels):
    """The area under the ROC curve, average precision and cutoffs, the same wherever shown."""
    answer = json.loads(cli("evaluate", "data/test.csv", "--json").out)
    ranking, metrics = answer["two_labels"], answer["metrics"]
    assert ranking["positive"] == "positive"
    assert 0.5 < ranking["roc_auc"] < 1
    assert metrics["roc_auc"] == ranking["roc_auc"]
    assert metrics["average_precision"] == ranking["average_precision"]
    recorded = json.loads(cli("versions", "show", "latest", "--json").out)["test"]["metrics"]
    assert recorded["roc_auc"] == pytest.approx(ranking["roc_auc"])
    shown = f"ROC AUC {ranking['roc_auc']:.3f}"
    for text in (
        cli("evaluate", "data/test.csv").out,
        (two_labels / "models/1.0.0/report.html").read_text(),
    ):
        assert shown in text
        assert "average precision of" in text
    assert (
        f"ROC AUC | {ranking['roc_auc']:.3f}"
        in (two_labels / "models/1.0.0/model_card.md").read_text()
    )


def test_what_a_cutoff_costs(cli, two_labels):
    """A row of the table for some probabilities; the page has the same numbers."""
    ranking = json.loads(cli("evaluate", "data/test.csv", "--json").out)["two_labels"]
    [half] = [cutoff for cutoff in ranking["cutoffs"] if cutoff["at"] == 0.5]
    lines = cli("evaluate", "data/test.csv").out.splitlines()
    [row] = [line.split() for line in lines if line.strip().startswith("0.50 ")]
    assert row[3:] == [str(half["false_positives"]), str(half["false_negatives"])]
    assert (
        "Cutoffs on the probability of positive"
        in (two_labels / "models/1.0.0/report.html").read_text()
    )


@pytest.mark.usefixtures("project")
def test_the_worst_labels_come_first(cli):
    """Labels are listed by their F1."""
    answer = json.loads(cli("evaluate", "data/test.csv", "--json").out)
    scores = {label: each["f1"] for label, each in answer["metrics"]["per_class"].items()}
    lines = cli("evaluate", "data/test.csv").out.split("confusion matrix")[0].splitlines()
    listed = [line.split()[0] for line in lines if line.split() and line.split()[0] in scores]
    assert listed == sorted(scores, key=lambda label: (scores[label], label))
    assert answer["two_labels"] is None
    assert "roc_auc" not in answer["metrics"]
