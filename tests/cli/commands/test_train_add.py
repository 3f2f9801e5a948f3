"""`textclf train --add`: more rows of the same data."""

import csv
import json
from pathlib import Path

import pytest
import registries

import textclf
from textclf.training import train as training

GRID = """\
[features.word]
[features.char_wb]
ngram_range = [[2, 3]]
[classifier.LinearSVC]
C = [0.5, 1]
[classifier.ComplementNB]
"""
WORDS = {"positive": ["great", "lovely", "superb"], "negative": ["awful", "sad", "broken"]}


def rows(begin, end):
    """Yield rows that a number tells apart."""
    for n in range(begin, end):
        label = list(WORDS)[n % 2]
        yield f"a {WORDS[label][n % 3]} thing {n}", label


def write(name, pairs):
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("text", "label"), *pairs])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make a folder with data for a version and more of it the current one."""
    monkeypatch.chdir(tmp_path)
    write("train.csv", rows(0, 60))
    write("test.csv", rows(900, 920))
    write("march.csv", rows(50, 80))
    write("april.csv", [*rows(80, 90), *rows(900, 904)])
    Path("grid.toml").write_text(GRID)
    return tmp_path


@pytest.fixture
def train(cli):
    """Return a function that trains and returns the metadata of the version."""

    def run(*options):
        done = cli("train", *options, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    return run


@pytest.fixture
def first(folder, train):  # noqa: ARG001 - the current folder
    """Publish a version."""
    return train("train.csv", "--grid", "grid.toml", "--cv", "2", "--threshold", "0.1")


def test_new_rows_are_added_to_those_of_the_promoted_version(first, train, cli):
    """Those that are there already are left out; so are texts of test rows; all of it is told."""
    second = train("--add", "march.csv")
    assert second["version"] == "1.0.1"
    assert second["bump"]["reasons"] == ["20 new rows, about 75% in common"]
    assert (second["data"]["rows"], second["threshold"]) == (80, 0.1)
    assert second["test"]["rows_sha256"] == first["test"]["rows_sha256"]
    third = cli("train", "--add", "april.csv")
    assert "april.csv: 10 new rows; left out: 4 with the text of a test row\n" in third.err
    assert "train.csv + march.csv + april.csv: 90 rows" in third.err
    shown = json.loads(cli("versions", "show", "latest", "--json").out)
    parts = [
        (part["path"], part["rows"], part["repeated"], part["tested"])
        for part in shown["data"]["parts"]
    ]
    assert parts == [("train.csv", 60, 0, 0), ("march.csv", 20, 10, 0), ("april.csv", 10, 0, 4)]
    assert cli("reproduce", "latest", "--exact").code == 0
    again = cli("train", "--add", "april.csv")
    assert again.out == "nothing changed since 1.0.2: no new version\n"
    assert again.err.startswith("april.csv: 0 new rows; left out: 10 there already, 4 with")
    assert "hint:" not in again.err, "nothing that is trained on these rows is better"


def test_the_neighbourhood_of_the_winner_is_searched(first, train):
    """Its features and its classifier stay, and its strength where others are only as good.

    A later search of the whole space is no change.
    """
    second = train("--add", "march.csv", "--add", "april.csv")
    [grid] = second["search"]["space"]
    [(name, settings)] = grid["classifier"].items()
    assert name == first["best_params"]["classifier"]
    [(parameter, strength)] = [each for each in settings.items() if len(each[1]) > 1]
    assert len(strength) == 3
    assert strength[0] == first["best_params"][f"classifier__{parameter}"]
    assert grid["features"].keys() == {"word", "char_wb"}
    assert second["search"]["neighbourhood_of"] == first["search"]["space"]
    assert second["bump"]["applied"] == "patch"
    write("train.csv", rows(0, 90))
    again = train("train.csv", "--grid", "grid.toml", "--cv", "2", "--threshold", "0.1")
    assert (again["version"], again["published"]) == ("1.0.1", False)


@pytest.mark.usefixtures("first")
def test_what_is_typed_is_searched_instead(train):
    """A grid or a preset is searched as a whole; other options replace the recorded ones."""
    second = train("--add", "march.csv", "--preset", "fast", "--cv", "3", "--dry-run")
    assert (second["candidates"], second["fits"]) == (4, 12)
    third = train("--add", "march.csv", "--cv", "3", "--dry-run")
    assert third["bump"]["applied"] == "minor"
    assert third["fits"] == 9


def test_test_rows_that_were_split_off_stay_test_rows(folder, train, cli):
    """Further rows are split by the same hash of the text, and the version is reproduced."""
    (folder / "test.csv").unlink()
    first = train("train.csv", "--grid", "grid.toml", "--cv", "2")
    odd = [(f"a superb thing {n}", "negative") for n in range(200, 210)]
    write("march.csv", [*rows(50, 80), *odd])
    second = train("--add", "march.csv")
    assert "march.csv:" in Path("models/1.0.1/report.html").read_text("utf-8")
    assert second["test"]["split"] == first["test"]["split"]
    assert second["data"]["rows"] > first["data"]["rows"]
    assert second["test"]["rows"] > first["test"]["rows"]
    assert second["data"]["rows"] + second["test"]["rows"] == 90
    assert second["test"]["train_overlap"] == 0
    assert cli("reproduce", "latest", "--exact").code == 0


@pytest.mark.usefixtures("first")
def test_a_version_that_is_promoted_meanwhile_is_named(train, cli, monkeypatch):
    """Its rows are not among those that rows are added to, as where two are added at once."""
    train("--add", "march.csv", "--no-promote")

    def train_meanwhile(*arguments, **settings):
        textclf.promote("1.0.1", models="models")
        return training.train(*arguments, **settings)

    monkeypatch.setattr("textclf.release.release.train", train_meanwhile)
    done = cli("train", "--add", "april.csv")
    assert "promoted 1.0.2 (was 1.0.1)" in done.out
    assert (
        "warning: 1.0.1 was promoted while 1.0.2 was trained; 1.0.2 is compared with 1.0.0 and has "
        "its rows and the new ones\n" in done.err
    )


@pytest.mark.usefixtures("first")
def test_a_new_label_is_a_major_change(train):
    """The reason names it."""
    write("more.csv", [(f"so so {n}", "neutral") for n in range(6)])
    assert train("--add", "more.csv", "--dry-run")["bump"] == {
        "requested": "auto", "applied": "major", "base": "1.0.0",
        "reasons": ["labels changed: added neutral"],
    }  # fmt: skip


@pytest.mark.usefixtures("first")
def test_labels_with_few_rows_are_told_of(cli):
    """What is left out of all rows together is told, as without --add, also of the test rows."""
    write("more.csv", [(f"so so {n}", "neutral") for n in range(6)])
    few = ("--min-rows-per-label", "7", "--drop-small-labels", "--dry-run")
    done = cli("train", "--add", "more.csv", *few)
    assert "left out 6 rows of train.csv + more.csv with labels that have too few: " in done.err
    few = ("--min-rows-per-label", "31", "--drop-small-labels", "--dry-run")
    write("more.csv", [("a great day", "positive")])
    done = cli("train", "--add", "more.csv", *few)
    assert (done.code, "left out 10 rows of test.csv with labels" in done.err) == (4, True)


@pytest.mark.usefixtures("first")
def test_changed_rows_are_named_with_a_way_to_go_on(folder, train, cli):
    """--data names the recorded rows where they are now, once for each file, as in reproduce."""
    train("--add", "march.csv")
    (folder / "old").mkdir()
    for name in ("train.csv", "march.csv"):
        (folder / name).rename(folder / "old" / name)
    write("train.csv", rows(1, 60))
    done = cli("train", "--add", "april.csv")
    assert (done.code, "march.csv does not exist" in done.err) == (4, True)
    moved = ("--data", "old/train.csv", "--data", "old/march.csv")
    done = cli("train", "--add", "april.csv", "--data", "train.csv", *moved[2:])
    assert done.code == 4
    assert "error: train.csv is not what 1.0.1 was trained on: it has 79 rows" in done.err
    assert "names the recorded rows, in their order; or put the new rows" in done.err
    assert train("--add", "april.csv", *moved)["version"] == "1.0.2"
    assert cli("reproduce", "1.0.1", "--exact", *moved).code == 0
    done = cli("reproduce", "1.0.1", *moved, *moved)
    assert (done.code, "trained on 2 files, and --data names 4\n" in done.err) == (2, True)


@pytest.mark.usefixtures("first")
def test_rows_are_added_to_those_of_a_version_or_named(cli):
    """Not both, and --data only says where the rows of a version are."""
    done = cli("train", "train.csv", "--add", "march.csv")
    assert (done.code, "leave DATA out" in done.err) == (2, True)
    done = cli("train", "--data", "train.csv")
    assert (done.code, "hint: textclf train FILE" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--seed", "3"), "the seed of 1.0.0"),
        (("--test-size", "0.3"), "the test rows of 1.0.0"),
        (("--search", "race", "--scoring", "f1_macro"), "race compares accuracies"),
    ],
)
@pytest.mark.usefixtures("first")
def test_what_would_change_the_test_rows_is_refused(cli, options, problem):
    """They are those of the version, or new rows beside them."""
    done = cli("train", "--add", "march.csv", *options)
    assert (done.code, problem in done.err) == (2, True), done.err


@pytest.mark.usefixtures("folder")
def test_there_has_to_be_a_version(cli):
    """Without one, rows cannot be added to any."""
    assert cli("train", "--add", "march.csv").code == 3


@pytest.mark.usefixtures("first")
def test_bad_rows_of_the_added_file_are_named(cli):
    """As those of any training data."""
    Path("more.csv").write_text("text,label\nfine,positive\n,negative\n")
    done = cli("train", "--add", "more.csv")
    assert (done.code, "more.csv:3: empty text" in done.err) == (4, True)


def test_columns_are_read_as_those_of_the_version(folder, train):
    """Unless others are typed."""
    for name in ("train.csv", "test.csv", "march.csv", "april.csv"):
        path = folder / name
        path.write_text(path.read_text().replace("text,label", "review,stars", 1))
    columns = ("--text-column", "review", "--label-column", "stars")
    train("train.csv", "--grid", "grid.toml", "--cv", "2", *columns)
    assert train("--add", "march.csv")["version"] == "1.0.1"
    write("other.csv", rows(80, 90))
    assert (
        train("--add", "other.csv", "--text-column", "text", "--label-column", "label")["data"][
            "parts"
        ][2]["read"]["text_column"]
        == "text"
    )


@pytest.mark.usefixtures("folder")
def test_small_labels_that_were_dropped_stay_so(train, cli):
    """Until rows of theirs are added."""
    write("train.csv", [*rows(0, 60), ("odd", "rare")])
    first = train("train.csv", "--grid", "grid.toml", "--cv", "2", "--drop-small-labels")
    assert first["data"]["dropped_labels"] == {"rare": 1}
    second = train("--add", "march.csv")
    assert second["data"]["dropped_labels"] == {"rare": 1}
    write("more.csv", [("odder", "rare"), ("oddest", "rare")])
    assert train("--add", "more.csv")["data"]["labels"]["rare"] == 3
    assert cli("reproduce", "1.0.1", "--exact").code == 0
    assert cli("reproduce", "2.0.0", "--exact").code == 0


@pytest.mark.usefixtures("folder")
def test_rows_are_not_added_where_test_rows_were_chosen_at_random(cli):
    """As versions before did; the hint chooses them by their texts, and then rows are added."""
    shared = ("--grid", "grid.toml", "--cv", "2", "--test-size", "0.2", "-q")
    assert cli("train", "train.csv", *shared, "--no-promote").code == 0
    path = Path("models/1.0.0/metadata.json")
    registries.edit(path, test=json.loads(path.read_text())["test"] | {"split_method": None})
    refused = cli("train", "--add", "march.csv", "--from", "1.0.0")
    assert (refused.code, "1.0.0 were chosen at random" in refused.err) == (2, True)
    assert "hint: train once without --add" in refused.err
    assert cli("train", "train.csv", *shared, "--bump", "patch").code == 0
    assert cli("train", "--add", "march.csv").code == 0
