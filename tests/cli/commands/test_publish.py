"""`textclf publish`: a version of a pipeline that was fitted elsewhere."""

import json

import joblib
import malicious_models
import pytest
from sample_data import sample_rows
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

PUBLISH = ("publish", "model.joblib", "--test", "data/test.csv")


def save(classifier):
    """Write model.joblib in the current folder, and return the pipeline."""
    pipeline = make_pipeline(TfidfVectorizer(max_features=300), classifier)
    joblib.dump(pipeline.fit(*sample_rows(150)), "model.joblib")
    return pipeline


@pytest.fixture
def compiled(project):
    """A model file that compiles, in the current folder, beside versions 1.0.0 and 1.0.1."""
    save(LogisticRegression())
    return project


@pytest.fixture
def forest(project):
    """A model file that does not."""
    save(RandomForestClassifier(3, random_state=0))
    return project


def test_a_file_is_published_and_promoted(compiled, cli):
    """It becomes the next version, and predicts as any other."""
    done = cli(*PUBLISH)
    assert done.code == 0, done.err
    assert "published 2.0.0 (major: " in done.out
    assert "opened by the compiled scorer" in done.out
    assert "against 1.0.1 on the same rows" in done.out
    assert cli("predict", "great lovely").code == 0
    assert cli("verify").code == 0
    assert (compiled / "models/2.0.0/scorer.safetensors").exists()
    assert "no new version" in cli(*PUBLISH).out


@pytest.mark.usefixtures("project")
def test_scores_that_are_no_probabilities_are_not_called_calibrated(cli):
    """Decision values are evaluated like any others, without a word on calibration."""
    save(LinearSVC())
    assert cli(*PUBLISH).code == 0
    shown = cli("evaluate", "data/test.csv").out
    assert "2.0.0 on 12 rows" in shown
    assert "calibration" not in shown
    assert "calibration" in cli("evaluate", "data/test.csv", "--version", "1.0.1").out


@pytest.mark.usefixtures("compiled")
def test_what_is_unknown_is_shown_as_unknown(cli):
    """In the list, in the facts and in the comparison; no number is invented."""
    cli(*PUBLISH)
    [line] = [line for line in cli("versions", "list").out.splitlines() if "2.0.0" in line]
    assert line.split()[4] == "–"
    assert "unknown" in line
    shown = cli("versions", "show", "2.0.0").out
    assert "cv accuracy  unknown: fitted outside of textclf" in shown
    assert "data         unknown rows with 3 labels" in shown
    compared = cli("versions", "compare", "1.0.1", "2.0.0").out
    assert "distinct training rows: unknown of one or both" in compared
    listed = json.loads(cli("versions", "list", "--json").out)
    assert [listed[0][name] for name in ("best_cv_accuracy", "rows", "untrusted")] == [
        None, None, False,
    ]  # fmt: skip
    for command in (("versions", "report", "2.0.0"), ("versions", "report", "1.0.1", "2.0.0")):
        assert cli(*command, "-o", "page.html", "--force").code == 0


@pytest.mark.usefixtures("compiled")
def test_it_cannot_be_reproduced(cli):
    """Textclf does not know how it was trained, and says so."""
    cli(*PUBLISH)
    done = cli("reproduce", "2.0.0")
    assert done.code == 2
    assert "2.0.0 was fitted outside of textclf" in done.err


@pytest.mark.usefixtures("compiled")
def test_named_training_rows_are_recorded(cli):
    """Their number and the share of the test rows that is among them."""
    done = json.loads(cli(*PUBLISH, "--train", "data/train.csv", "--json").out)
    assert done["data"]["path"] == "data/train.csv"
    assert done["test"]["train_overlap"] is not None
    assert done["search"] is None
    assert done["published"]


def test_what_is_suspicious_in_the_test_rows_is_a_warning(compiled, cli):
    """Labels that the pipeline does not know, and texts that it was fitted on."""
    (compiled / "odd.csv").write_text("text,label\nso great,positive\nso bad,unheard of\n")
    warned = cli("publish", "model.joblib", "--test", "odd.csv", "--train", "odd.csv").err
    assert "the test set has 1 label that the pipeline does not know: unheard of: 1 row" in warned
    assert "the test set shares 2 texts with the training set" in warned


@pytest.mark.usefixtures("compiled")
def test_a_dry_run_says_what_would_be_published(cli):
    """With the number, how it would be opened and how good it is; nothing is written."""
    done = cli(*PUBLISH, "--dry-run", "--threshold", "60%")
    assert done.code == 0
    assert "would publish 2.0.0 (major: " in done.out
    assert "opened by the compiled scorer" in done.out
    assert "test rows; macro F1" in done.out
    answer = json.loads(cli(*PUBLISH, "--dry-run", "--json").out)
    assert (answer["version"], answer["pipeline"]["opened_by"]) == ("2.0.0", "scorer")
    assert len(json.loads(cli("versions", "list", "--json").out)) == 2


@pytest.mark.usefixtures("compiled")
def test_the_gate_may_refuse_it(cli):
    """It is published then, and not promoted."""
    done = cli(*PUBLISH, "--require", "accuracy>=0.99")
    assert done.code == 5
    assert "published 2.0.0" in done.out
    assert "2.0.0 is not promoted" in done.err


@pytest.mark.usefixtures("forest")
def test_code_runs_only_if_somebody_says_so(cli):
    """Neither to publish it nor to predict with it is a file opened silently."""
    done = cli(*PUBLISH)
    assert done.code == 6
    assert "RandomForestClassifier" in done.err
    assert "--unsafe-load opens it" in done.err
    done = cli(*PUBLISH, "--unsafe-load")
    assert done.code == 0
    assert "any code in it runs now" in done.err
    assert "opened by --unsafe-load only (untrusted): RandomForestClassifier is" in done.out
    assert "untrusted" in cli("versions", "list").out
    refused = cli("predict", "a text")
    assert refused.code == 6
    assert "published as untrusted" in refused.err
    assert cli("predict", "a text", "--unsafe-load").code == 0
    assert cli("evaluate", "data/test.csv", "--unsafe-load").code == 0
    assert cli("verify").code == 0
    assert cli("versions", "export", "2.0.0", "v.tar.gz").code == 0


@pytest.mark.parametrize("kind", malicious_models.RUNS_CODE)
def test_a_hostile_file_is_refused(data, cli, kind):
    """With 6 and a sentence; nothing in it is run, and nothing is published."""
    canary = data / "canary"
    content = malicious_models.payload(kind, canary)
    canary.unlink(missing_ok=True)
    (data / "model.joblib").write_bytes(content)
    done = cli(*PUBLISH)
    assert done.code == 6
    assert done.err.startswith("error: model.joblib ")
    assert not canary.exists()
    assert not (data / "models").exists()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("name", "code"), [("none.joblib", 2), ("data", 2), ("data/test.csv", 6)])
def test_what_is_no_model_file_is_told(cli, name, code):
    """It is named, with what is wrong with it."""
    done = cli("publish", name, "--test", "data/test.csv")
    assert done.code == code
    assert name in done.err


@pytest.mark.parametrize(
    ("label", "hint"),
    [
        ("POSITIVE", "write the labels as the pipeline does"),
        ("4", "check the column of the labels"),
    ],
)
def test_labels_of_another_spelling_are_told_of(compiled, cli, label, hint):
    """Where no label is known, the hint tells another spelling from another column."""
    (compiled / "odd.jsonl").write_text(json.dumps({"text": "great", "label": label}))
    done = cli("publish", "model.joblib", "--test", "odd.jsonl")
    assert done.code == 4
    assert done.err.endswith(f"hint: {hint}\n")


@pytest.mark.usefixtures("compiled")
def test_a_hint_names_the_version(cli):
    """The command that a hint shows can be typed as it is."""
    cli(*PUBLISH)
    _, _, hint = cli("train", "--add", "data/test.csv").err.partition("hint: textclf ")
    command, _, _ = hint.partition(" lists")
    assert command == "versions show 2.0.0"
    assert cli(*command.split()).code == 0
