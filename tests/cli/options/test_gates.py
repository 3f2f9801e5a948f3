"""Gates of promote, train and settings, and their record in the history."""

import json

import pytest


@pytest.fixture
def worse(project, cli, write_data):
    """Return the folder with a version 1.0.2 trained on many wrong labels; 1.0.1 is promoted."""
    write_data(project / "bad.csv", wrong=3)
    args = ("bad.csv", "--test", "data/test.csv", "--preset", "fast", "--bump", "patch")
    assert cli("train", *args, "--no-promote", "-q").code == 0
    return project


def logged(cli):
    return json.loads(cli("history", "--json").out)


def test_promote_refuses_what_does_not_pass(worse, cli):
    """A refusal is exit code 5, the verdict, the reason and a hint; latest does not change."""
    alias = (worse / "models/text_classifier.joblib").read_bytes()
    done = cli("promote", "1.0.2", "--require", "accuracy>=0.9", "--max-regression", "1%")
    assert done.code == 5
    assert "gate refused: as recorded on 12 rows of data/test.csv; promoted is 1.0.1" in done.out
    assert "accuracy>=0.9" in done.out
    assert done.err.startswith("error: 1.0.2 is not promoted: accuracy is 0.")
    assert 'hint: textclf promote 1.0.2 --force -m "why" promotes it anyway' in done.err
    assert (worse / "models/text_classifier.joblib").read_bytes() == alias
    assert len(logged(cli)) == 2


@pytest.mark.usefixtures("worse")
def test_a_refusal_as_json(cli):
    """The JSON of a refusal has the verdict with every condition, and says that nothing changed."""
    done = cli("promote", "1.0.2", "--max-class-regression", "0.05", "--json", "-q")
    answer = json.loads(done.out)
    assert done.code == 5
    assert (answer["version"], answer["previous"], answer["changed"]) == ("1.0.2", "1.0.1", False)
    assert (answer["gate"]["verdict"], answer["gate"]["against"]) == ("refused", "1.0.1")
    assert all(check["value"] < check["least"] for check in answer["gate"]["checks"])


@pytest.mark.usefixtures("worse")
def test_history_tells_of_refusals_and_force(cli):
    """The history shows refused, forced and passed promotions; --json has promotions only."""
    gate = ("--require", "accuracy>=0.9")
    assert cli("promote", "1.0.2", *gate, "-m", "try").code == 5
    assert cli("promote", "1.0.2", *gate, "--force", "-m", "demo").code == 0
    assert cli("promote", "1.0.1", *gate).code == 0
    shown = cli("history").out
    assert "try; not accuracy>=0.9" in shown
    assert "promoted, forced" in shown
    assert "promoted, passed" in shown
    records = logged(cli)
    assert [list(record)[:6] for record in records] == [
        ["n", "at", "from", "to", "by", "message"]
    ] * 4
    assert [r["gate"] and r["gate"]["verdict"] for r in records] == [None, None, "forced", "passed"]
    everything = json.loads(cli("history", "--json", "--all").out)
    assert [entry["kind"] for entry in everything].count("refused") == 1
    assert len(everything) == 5


@pytest.mark.usefixtures("worse")
def test_promote_scores_both_on_the_data_given(cli, write_data, empty):
    """With --data the gate is judged on these rows, for both versions."""
    write_data(empty / "golden.csv", 30, seed=5)
    done = cli("promote", "1.0.2", "--max-regression", "0.01", "--data", "golden.csv", "--json")
    answer = json.loads(done.out)
    assert done.code == 5
    assert answer["gate"]["on"]["scored"] is True
    assert (answer["gate"]["on"]["path"], answer["gate"]["on"]["rows"]) == ("golden.csv", 30)
    scored = json.loads(cli("evaluate", "golden.csv", "--version", "1.0.2", "--json").out)
    assert answer["gate"]["checks"][0]["value"] == scored["metrics"]["accuracy"]


@pytest.mark.usefixtures("worse")
def test_settings_are_a_gate_for_every_promotion_but_the_way_back(cli, empty):
    """A gate in the settings applies to promote and train, but not to rollback."""
    assert cli("promote", "1.0.2").code == 0
    assert cli("promote", "1.0.1").code == 0
    (empty / "textclf.toml").write_text('require = ["accuracy>=0.9", "f1[neutral]>=0.5"]\n')
    assert cli("promote", "1.0.2").code == 5
    assert cli("rollback").out.startswith("promoted 1.0.2 (was 1.0.1)")
    assert logged(cli)[-1]["gate"] is None


@pytest.mark.usefixtures("worse")
def test_flags_add_to_the_settings_and_do_not_loosen_them(cli, empty):
    """Options add conditions to those of the settings; only --force overrides them."""
    (empty / "textclf.toml").write_text('max-regression = 0.01\nrequire = "accuracy>=0.9"\n')
    done = cli("promote", "1.0.2", "--max-regression", "1", "--require", "macro_f1>=0", "--json")
    assert done.code == 5
    rules = [check["rule"] for check in json.loads(done.out)["gate"]["checks"]]
    assert rules == ["macro_f1>=0", "accuracy>=0.9", "max-regression 0.01", "max-regression 0.01"]


def test_train_publishes_and_does_not_promote_what_is_refused(project, cli):
    """A refused version is published and summarised, with exit code 5, but not promoted."""
    done = cli("train", "--bump", "patch", "--require", "f1[positive]=1", "--require", "f1[none]=1")
    assert done.code == 5
    assert "published 1.0.2" in done.out
    assert "gate refused: scored on 12 rows" in done.out
    assert "error: 1.0.2 is not promoted: no test row has the label 'none'" in done.err
    assert 'textclf promote 1.0.2 --force -m "why"' in done.err
    assert json.loads(cli("versions", "show", "latest", "--json").out)["version"] == "1.0.1"
    assert (project / "models/1.0.2/metadata.json").is_file()
    assert "refused" in cli("history").out


@pytest.mark.usefixtures("project")
def test_train_can_force(cli):
    """--force with a reason promotes, and is recorded."""
    args = ("train", "--bump", "patch", "--require", "f1[none]=1", "--json")
    answer = json.loads(cli(*args, "--force", "-m", "none yet").out)
    assert answer["promoted"] is True
    assert answer["gate"]["verdict"] == "forced"
    assert logged(cli)[-1]["gate"]["verdict"] == "forced"
    assert logged(cli)[-1]["message"] == "none yet"


@pytest.mark.usefixtures("project")
def test_train_without_promotion_asks_no_gate(cli):
    """--no-promote publishes without checking the gate."""
    done = cli("train", "--bump", "patch", "--require", "f1[none]=1", "--no-promote", "--json")
    assert done.code == 0
    assert json.loads(done.out)["gate"] is None


@pytest.mark.usefixtures("worse")
def test_train_tells_what_changed_since_the_promoted_version(cli):
    """The promoted version is compared by its record, or scored if the test rows changed."""
    args = ("--no-promote", "--bump", "patch", "--preset", "fast")
    same = cli("train", "bad.csv", "--test", "data/test.csv", *args)
    assert "against 1.0.1 on the same rows, in points: test accuracy -" in same.out
    assert "f1[" in same.out
    other = (*args, "--test-size", "0.5")
    answer = json.loads(cli("train", "bad.csv", *other, "--json").out)
    assert answer["against"]["against"] == "1.0.1"
    assert len(answer["against"]["per_class"]) == 3
    assert [m["name"] for m in answer["against"]["metrics"]][:2] == ["test accuracy", "macro F1"]
    assert answer["against"]["excuse"] is None
    done = cli("train", "data/train.csv", *other)
    assert "warning: 1.0.1 was trained on all of these rows" in done.err


@pytest.mark.usefixtures("data")
def test_the_first_version_has_nothing_to_be_compared_with(cli):
    """The first version passes a gate of regressions, and the log has the verdict."""
    done = cli("train", "--max-regression", "0", "--max-class-regression", "0", "--preset", "fast")
    assert done.code == 0
    assert "against" not in done.out
    assert "nothing is promoted" in done.out
    assert logged(cli)[0]["gate"]["verdict"] == "passed"


def test_a_promoted_version_that_cannot_be_opened_is_said(project, cli):
    """If the promoted version cannot be opened, training goes on and says why."""
    scorer = project / "models/1.0.1/scorer.safetensors"
    scorer.write_bytes(b"\xff" * scorer.stat().st_size)
    done = cli("train", "--test-size", "0.5", "--bump", "patch", "--preset", "fast")
    assert done.code == 0
    assert "not compared with 1.0.1: models/1.0.1/scorer.safetensors" in done.out
