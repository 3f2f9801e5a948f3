"""Each command's answer: for people, as JSON, and what goes to stderr."""

import json

import pytest

METADATA = [
    "version", "saved_at", "best_params", "best_cv_accuracy", "test_accuracy", "schema", "task",
    "bump", "artifact", "data", "test", "search", "environment", "code", "message", "seconds",
    "files", "threshold",
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
    """Without --json the answer is no JSON, and neither stream holds an escape byte in a pipe."""
    done = cli(*command)
    assert done.code == 0
    assert done.out.strip()
    assert done.out[0] not in "{["
    assert "\x1b" not in done.out + done.err


def test_json_stays_whole_beside_warnings(project, cli):
    """Warnings about the data go to stderr; stdout is JSON all the same."""
    train = project / "data/train.csv"
    lines = train.read_text().splitlines(keepends=True)
    train.write_text("".join([*lines, lines[1]]))
    done = cli("train", "--json")
    assert "warning: 1 row has the text and label of another: " in done.err
    assert json.loads(done.out)["data"]["rows"] == 61


def test_train_json_is_the_metadata_with_path_and_promoted(data, cli):
    """`train --json` is the metadata object, plus where the model lies and whether promoted."""
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
    """The text answer of `train` names what a user wants to know; progress is on stderr."""
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
            "rows", "message", "tags",
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
    """Without versions the list is empty, not an error, and the hint says how to begin."""
    assert json.loads(cli("versions", "list", "--json").out) == []
    done = cli("versions", "list")
    assert (done.code, done.out) == (0, "")
    assert done.err == "hint: no versions in models yet; to train one: textclf train\n"
    assert cli("versions", "list", "-q").err == ""
    assert cli("history", "--json").out == "[]\n"
    assert cli("history").err == "hint: nothing has been promoted yet; to start: textclf train\n"


@pytest.mark.parametrize("name", ["1.0.1", "v1.0.1", "latest"])
@pytest.mark.usefixtures("project")
def test_versions_show(cli, name):
    """A version goes by its number, with or without v, or as latest; `show` is its metadata."""
    answer = json.loads(cli("versions", "show", name, "--json").out)
    assert list(answer) == [*METADATA, "latest", "tags"]
    assert (answer["version"], answer["latest"]) == ("1.0.1", True)


@pytest.mark.usefixtures("project")
def test_versions_show_previous_for_people(cli):
    """`show previous` shows what was promoted before, with the scores of every class."""
    done = cli("versions", "show", "previous")
    assert "1.0.0" in done.out
    assert "(latest)" not in done.out
    assert all(label in done.out for label in ("positive", "negative", "neutral", "precision"))


def test_promote_and_rollback(project, cli):
    """Promoting says what changed and the way back; twice is once; rollback returns."""
    promoted = json.loads(cli("promote", "1.0.0", "--json").out)
    assert promoted == {"version": "1.0.0", "previous": "1.0.1", "changed": True, "gate": None}
    again = json.loads(cli("promote", "1.0.0", "--json").out)
    assert (again["version"], again["changed"]) == ("1.0.0", False)
    assert cli("promote", "1.0.0").out == "1.0.0 is already promoted; nothing changed\n"
    back = cli("rollback", "-m", "too sad")
    assert back.out == "promoted 1.0.1 (was 1.0.0); back: `textclf rollback`\n"
    assert cli("rollback", "-q").out == "promoted 1.0.0 (was 1.0.1)\n"
    version = project / "models/1.0.0/text_classifier.joblib"
    assert (project / "models/text_classifier.joblib").read_bytes() == version.read_bytes()
    assert json.loads(cli("history", "--json").out)[3]["message"] == "too sad"


@pytest.mark.usefixtures("project")
def test_history(cli):
    """The history is the promotion log, oldest first."""
    first, second = json.loads(cli("history", "--json").out)
    assert list(first) == ["n", "at", "from", "to", "by", "message", "gate"]
    assert (first["n"], first["from"], first["to"]) == (1, None, "1.0.0")
    assert (second["n"], second["from"], second["to"]) == (2, "1.0.0", "1.0.1")
    assert len(cli("history").out.splitlines()) == 3


@pytest.mark.usefixtures("project")
def test_verify(cli):
    """A whole registry verifies; the answer counts its versions."""
    assert json.loads(cli("verify", "--json").out) == {"ok": True, "versions": 2, "problems": []}
    assert cli("verify").out == "2 versions, the log and the alias: OK\n"


def test_verify_names_damage_and_repair_mends_what_is_derived(project, cli):
    """A foreign alias is named with exit code 6; --repair restores it."""
    (project / "models/text_classifier.joblib").write_bytes(b"something else")
    damaged = cli("verify", "--json")
    assert damaged.code == 6
    answer = json.loads(damaged.out)
    assert answer["ok"] is False
    assert [set(p) for p in answer["problems"]] == [{"version", "file", "problem"}]
    assert answer["problems"][0]["file"] == "text_classifier.joblib"
    assert "hint: textclf verify --repair" in damaged.err
    assert cli("verify", "-q").err == ""
    repaired = cli("verify", "--repair")
    assert repaired.code == 0
    assert "repaired: restored models/text_classifier.joblib" in repaired.out
    (project / "models/text_classifier.joblib").write_bytes(b"something else")
    told = json.loads(cli("verify", "--repair", "--json").out)
    assert told["ok"]
    assert "restored models/text_classifier.joblib" in told["repaired"][0]
    assert "repaired" not in json.loads(cli("verify", "--json").out)
    assert cli("verify").code == 0


@pytest.mark.usefixtures("project")
def test_check(cli):
    """`check` counts rows and labels of the data and of the test file beside it."""
    answer = json.loads(cli("check", "--json").out)
    assert list(answer) == ["ok", "path", "format", "rows", "labels", "test", "problems"]
    assert (answer["ok"], answer["rows"], answer["test"]["rows"]) == (True, 60, 12)
    assert answer["labels"] == {"negative": 20, "neutral": 20, "positive": 20}
    assert cli("check").out.endswith("no problems found\n")


def test_check_exits_4_and_still_answers(empty, cli):
    """A data set that cannot be trained on: the problems on stdout, exit code 4."""
    (empty / "bad.csv").write_text("text,label\none,a\n,a\ntwo,\nthree,a\n")
    done = cli("check", "bad.csv", "--json")
    assert done.code == 4
    answer = json.loads(done.out)
    assert answer["ok"] is False
    assert {"one-label", "bad-rows"} <= {problem["kind"] for problem in answer["problems"]}
    assert "bad.csv:3" in cli("check", "bad.csv").out


@pytest.mark.usefixtures("project")
def test_quiet_silences_progress_and_hints(cli):
    """With -q training says only what it did, and no way back."""
    done = cli("train", "--bump", "patch", "-q")
    assert done.err == ""
    assert "published 1.0.2" in done.out
    assert "rollback" not in done.out
    assert cli("train", "-q").err == ""


def test_the_commands_leave_other_folders_alone(project, cli):
    """--models and TEXTCLF_MODELS name the folder; nothing else is written."""
    before = {path for path in project.rglob("*") if "other" not in path.parts}
    assert cli("train", "--models", "other/models").code == 0
    assert (project / "other/models/1.0.0/metadata.json").is_file()
    assert {path for path in project.rglob("*") if "other" not in path.parts} == before
