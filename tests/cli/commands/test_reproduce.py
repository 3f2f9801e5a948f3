"""`textclf reproduce`: its answer, its exit code, and that it changes nothing."""

import hashlib
import json

import pytest


def snapshot(folder):
    """Return every file and folder with its content and time of change."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in [folder, *folder.rglob("*")]
    }


def test_the_same_bytes_are_0_and_leave_no_trace(project, cli):
    """Reproducing publishes, promotes and stages nothing, and changes no file."""
    before = snapshot(project)
    done = cli("reproduce", "1.0.0")
    assert done.code == 0
    digest = json.loads((project / "models/1.0.0/metadata.json").read_text())["artifact"]["sha256"]
    assert done.out == f"1.0.0: same bytes, SHA-256 {digest[:12]}…\n"
    assert (
        "data/train.csv: the 60 rows of 1.0.0, and its 12 test rows from data/test.csv" in done.err
    )
    assert "40/40 fits" in done.err
    assert snapshot(project) == before


@pytest.mark.usefixtures("project")
def test_it_answers_in_json(cli):
    """The JSON has everything that a check in a pipeline needs."""
    done = cli("reproduce", "latest", "--json", "-q")
    answer = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert (answer["version"], answer["outcome"]) == ("1.0.1", "same bytes")
    assert answer["sha256"]["recorded"] == answer["sha256"]["made"]
    assert answer["data"] == {"path": "data/train.csv", "rows": 60}
    assert answer["test"] == {"path": "data/test.csv", "rows": 12}
    assert answer["same_files"] is True
    assert answer["predictions"] == {
        "rows": 12, "labelled_otherwise": 0, "largest_difference": 0.0
    }  # fmt: skip
    assert answer["environment"] == answer["params"] == answer["scores"] == []


def plant(project, **changes):
    """Edit the metadata of 1.0.0 and the record of its promotion, so that they look original."""
    path = project / "models/1.0.0/metadata.json"
    metadata = json.loads(path.read_text())
    for name, change in changes.items():
        metadata[name] = metadata[name] | change if isinstance(change, dict) else change
    path.write_text(json.dumps(metadata))
    record = project / "models/.registry/promotions/00000001.json"
    promotion = json.loads(record.read_text())
    assert promotion["to"] == "1.0.0"
    promotion["metadata_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    record.write_text(json.dumps(promotion))


def test_a_search_that_went_otherwise_is_1(project, cli):
    """If parameters and labels differ, exit code 1, and the libraries are named first."""
    space = [{"features": {"word": {"max_features": [1]}}, "classifier": {"MultinomialNB": {}}}]
    plant(project, search={"space": space}, environment={"python": "3.1.4"})
    done = cli("reproduce", "1.0.0")
    assert done.code == 1
    first, second, *more = done.out.splitlines()
    assert first.startswith("1.0.0: different; ")
    assert first.endswith(" of 12 test rows get a different label")
    assert second.startswith("  environment: python: 3.1.4 → ")
    assert any(line.startswith("  parameters: classifier: ") for line in more)
    assert any(line.startswith("  scores: test accuracy: ") for line in more)


@pytest.mark.parametrize(("flags", "code"), [((), 0), (("--exact",), 1)])
def test_the_same_predictions_are_0_unless_the_bytes_are_asked_for(project, cli, flags, code):
    """A tiny change of C changes no label: exit code 0, but 1 with --exact."""
    metadata = json.loads((project / "models/1.0.0/metadata.json").read_text())
    space = metadata["search"]["space"]
    for grid in space:
        grid["classifier"]["LinearSVC"]["C"] = [
            c * 1.0000001 for c in grid["classifier"]["LinearSVC"]["C"]
        ]
    plant(project, search={"space": space})
    done = cli("reproduce", "1.0.0", *flags)
    assert done.code == code
    assert done.out.startswith("1.0.0: same predictions on 12 test rows, probabilities differ by ")
    assert "another processor may round differently" in done.err


def test_the_grid_file_and_the_settings_of_today_do_not_matter(project, cli):
    """The search space comes from the metadata, and settings do not name the data."""
    (project / "grid.toml").write_text("[features.word]\n[classifier.ComplementNB]\n")
    assert cli("train", "--grid", "grid.toml", "--seed", "5", "--cv", "3", "-q").code == 0
    (project / "grid.toml").unlink()
    (project / "textclf.toml").write_text('data = "none.csv"\ntest = "none.csv"\n')
    done = cli("reproduce", "latest")
    assert (done.code, done.out[:19]) == (0, "2.0.0: same bytes, ")


def test_moved_data_is_named(project, cli):
    """Without --data and --test moved files give exit code 4 and a hint; with them, 0."""
    (project / "data").rename(project / "old")
    done = cli("reproduce", "1.0.0")
    assert (done.code, done.out) == (4, "")
    assert done.err == (
        "error: data/train.csv does not exist\nhint: --data FILE names it where it is now\n"
    )
    moved = ("--data", "old/train.csv", "--test", "old/test.csv")
    assert cli("reproduce", "1.0.0", *moved).code == 0


def test_other_rows_are_4(project, cli, write_data):
    """If the rows differ, the message says in which file and by how much."""
    write_data(project / "data/train.csv", 60, seed=4)
    done = cli("reproduce", "1.0.0")
    assert (done.code, done.out) == (4, "")
    assert done.err.startswith(
        "error: data/train.csv is not what 1.0.0 was trained on: it has 60 rows "
        "(recorded: 60); about 0% are the same\n"
    )


def test_the_same_rows_in_another_file_are_told(project, cli):
    """A file with other line ends has the same rows: a warning, and exit code 0."""
    path = project / "data/train.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    done = cli("reproduce", "1.0.0", "--json", "-q")
    assert done.code == 0
    assert (
        done.err
        == "warning: the files differ from the recorded ones, but their rows are the same\n"
    )
    assert json.loads(done.out)["same_files"] is False


def test_a_damaged_version_is_6(project, cli):
    """A damaged model cannot be compared with, so nothing is trained."""
    path = project / "models/1.0.0/text_classifier.joblib"
    path.write_bytes(path.read_bytes() + b"x")
    done = cli("reproduce", "1.0.0")
    assert (done.code, done.out) == (6, "")
    assert "is not the file that was published" in done.err
    assert "fits" not in done.err


def test_a_better_score_than_it_ever_had_is_6(project, cli):
    """If the model is identical but its recorded accuracy is not, the metadata are false."""
    plant(project, best_cv_accuracy=0.12)
    done = cli("reproduce", "1.0.0")
    assert (done.code, done.out) == (6, "")
    assert "the metadata of 1.0.0 has been changed" in done.err
    assert "cv accuracy" in done.err


@pytest.mark.parametrize(
    ("arguments", "code"), [(["7.0.0"], 3), (["1.0.0", "--jobs", "0"], 2), ([], 2)]
)
@pytest.mark.usefixtures("project")
def test_mistakes(cli, arguments, code):
    """Mistakes have the same exit codes as in every command."""
    done = cli("reproduce", *arguments)
    assert (done.code, done.out) == (code, "")
