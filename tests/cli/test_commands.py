"""What holds for every command: streams, JSON and --quiet; and the JSON of train and predict."""

import json

import pytest

METADATA = [
    "version", "saved_at", "best_params", "best_cv_accuracy", "test_accuracy", "schema", "task",
    "bump", "artifact", "data", "test", "search", "environment", "code", "message", "seconds",
    "files", "threshold", "pipeline", "abstain_unknown",
]  # fmt: skip


JSON_COMMANDS = [
    ("train", "--bump", "patch"),
    ("train", "--dry-run", "--bump", "patch"),
    ("train",),
    ("predict", "so great"),
    ("versions", "list"),
    ("versions", "show", "latest"),
    ("versions", "compare", "1.0.0", "1.0.1"),
    ("versions", "tag", "1.0.0", "prod=eu"),
    ("versions", "prune", "--keep", "9"),
    ("versions", "export", "1.0.0", "model.tar.gz"),
    ("promote", "1.0.0"),
    ("rollback",),
    ("history",),
    ("evaluate", "data/test.csv"),
    ("evaluate", "data/test.csv", "--fail-under", "accuracy=0.1"),
    ("versions", "compare", "1.0.0", "1.0.1", "--data", "data/test.csv"),
    ("promote", "1.0.0", "--require", "accuracy=0.1", "--max-regression", "0.5"),
    ("history", "--all"),
    ("verify",),
    ("reproduce", "1.0.0"),
    ("check",),
]


@pytest.mark.parametrize("command", JSON_COMMANDS, ids=" ".join)
@pytest.mark.usefixtures("project")
def test_json_is_all_there_is_on_stdout(cli, command):
    """With --json and -q stdout is one JSON document and stderr is empty."""
    done = cli(*command, "--json", "-q")
    assert done.code == 0
    assert done.err == ""
    assert isinstance(json.loads(done.out), dict | list)


@pytest.mark.parametrize("command", JSON_COMMANDS, ids=" ".join)
@pytest.mark.usefixtures("project")
def test_people_get_text_without_escapes(cli, command):
    """Without --json the answer is text, without escape sequences in a pipe."""
    done = cli(*command)
    assert done.code == 0
    assert done.out.strip()
    assert done.out[0] not in "{["
    assert "\x1b" not in done.out + done.err


def test_json_stays_whole_beside_warnings(project, cli):
    """Warnings about the data go to stderr, and stdout is valid JSON."""
    train = project / "data/train.csv"
    lines = train.read_text().splitlines(keepends=True)
    train.write_text("".join([*lines, lines[1]]))
    done = cli("train", "--json")
    assert "warning: the training set has 1 repeated row (same text, same label): " in done.err
    assert json.loads(done.out)["data"]["rows"] == 61


def test_train_json_is_the_metadata_with_path_and_promoted(data, cli):
    """`train --json` is the metadata with the path of the model and whether it is promoted."""
    answer = json.loads(cli("train", "--json", "-m", "first").out)
    assert list(answer)[: len(METADATA)] == METADATA
    assert set(answer) - set(METADATA) == {"path", "promoted", "published", "against", "gate"}
    assert answer["against"] is answer["gate"] is None
    assert answer["path"] == "models/1.0.0/text_classifier.joblib"
    assert (data / answer["path"]).stat().st_size == answer["artifact"]["bytes"]
    assert answer["promoted"] is True
    assert answer["message"] == "first"
    assert answer["saved_at"].endswith("Z")
    stored = json.loads((data / "models/1.0.0/metadata.json").read_text())
    assert {name: answer[name] for name in METADATA} == stored


@pytest.mark.usefixtures("data")
def test_train_tells_people_number_reason_scores_place_and_promotion(cli):
    """The text answer of `train` has number, reason, scores, path and promotion."""
    done = cli("train")
    assert "published 1.0.0 (major: the first version)" in done.out
    assert "models/1.0.0/text_classifier.joblib" in done.out
    assert "on 12 test rows" in done.out
    assert "promoted 1.0.0" in done.out
    assert "data/train.csv: 60 rows, 3 labels; tested on 12 rows of data/test.csv" in done.err
    assert "8 candidates × 5 folds = 40 fits" in done.err
    assert "40/40 fits, best " in done.err


@pytest.mark.usefixtures("project")
def test_predict_json(cli):
    """`predict --json` names the version and gives each text's label, score and all scores."""
    answer = json.loads(cli("predict", "so great and lovely", "a horrid waste", "--json").out)
    assert answer["version"] == "1.0.1"
    assert answer["score_type"] == "probability"
    assert [p["text"] for p in answer["predictions"]] == ["so great and lovely", "a horrid waste"]
    assert [p["label"] for p in answer["predictions"]] == ["positive", "negative"]
    for prediction in answer["predictions"]:
        assert list(prediction) == ["text", "label", "score", "scores"]
        assert list(prediction["scores"].values()) == sorted(
            prediction["scores"].values(), reverse=True
        )
        assert prediction["scores"][prediction["label"]] == prediction["score"]
        assert prediction["scores"].keys() == {"positive", "negative", "neutral"}


@pytest.mark.usefixtures("project")
def test_quiet_silences_progress_and_hints(cli):
    """With -q training prints only what it did, without hints."""
    done = cli("train", "--bump", "patch", "-q")
    assert done.err == ""
    assert "published 1.0.2" in done.out
    assert "rollback" not in done.out
    assert cli("train", "-q").err == ""


def test_the_commands_leave_other_folders_alone(project, cli):
    """Commands write only to the folder that --models or TEXTCLF_MODELS names."""
    before = {path for path in project.rglob("*") if "other" not in path.parts}
    assert cli("train", "--models", "other/models").code == 0
    assert (project / "other/models/1.0.0/metadata.json").is_file()
    assert {path for path in project.rglob("*") if "other" not in path.parts} == before
