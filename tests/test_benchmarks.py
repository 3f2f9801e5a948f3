"""Every part of the benchmarks, once, on next to no data: what is asked is what they write.

The parts measure in this process what they measure in one of its own otherwise, which would import
scikit-learn and Numba again each time.
"""

import contextlib
import csv
import importlib.util
import io
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from itertools import product

import joblib
import pytest
from paths import ROOT

from benchmarks.__main__ import PARTS, main
from benchmarks.children import alone, measure, run_textclf, within
from textclf._version import __version__
from textclf.cli.app import run as run_here
from textclf.errors import TextclfError

WORDS = {"good": ["great", "fine", "lovely"], "bad": ["awful", "broken", "dull"]}
THINGS = ["phone", "book", "film", "game", "bag", "lamp"]


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A folder with one data set, ``tiny``, of 36 rows for training and 12 for testing."""
    folder = tmp_path_factory.mktemp("sets")
    (folder / "tiny").mkdir()
    rows = [
        (f"a {word} {thing}, {'really' * (n % 2)}", label)
        for label, words in WORDS.items()
        for n, (word, thing) in enumerate(product(words, THINGS))
    ]
    for name, part in (("train", rows), ("test", rows[::3])):
        with (folder / "tiny" / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *part])
    return folder


def call_here(function, *arguments):
    """Stand in for ``alone``: call in this process, with threads for the workers of joblib."""
    with joblib.parallel_config("threading"):
        return function(*arguments)


def measure_here(*arguments):
    """Stand in for ``run_textclf``: run a command line in this process."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
        measured = measure(lambda: run_here(arguments))
    assert measured.value == 0
    return replace(measured, value=output.getvalue())


STAND_INS = {
    "alone": call_here,
    "within": lambda _seconds, function, *arguments: call_here(function, *arguments),
    "run_textclf": measure_here,
}


@pytest.fixture
def bench(capsys, monkeypatch):
    """Return a function that runs the benchmarks in this process, each side measured once."""
    monkeypatch.setattr("benchmarks.start._RUNS", 1)
    for part, (name, stand_in) in product(PARTS.values(), STAND_INS.items()):
        if hasattr(part, name):
            monkeypatch.setattr(part, name, stand_in)
    for part in ("train", "once", "growth"):  # what compiling costs does not matter here
        monkeypatch.setattr(f"benchmarks.{part}.warm_up", lambda: None)

    def run(*arguments):
        capsys.readouterr()
        try:
            code = main(["--repeat", "1", *map(str, arguments)])
        except SystemExit as error:
            code = error.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def measured(bench, sets):
    """Return a function that measures the tiny set and returns the JSON and the Markdown."""

    def run(part, *arguments):
        results = sets / "results"
        code, out, err = bench(
            part, "--data", sets, "--sets", "tiny", "--results", results, *arguments
        )
        assert code == 0, err
        text = (results / f"{part}.md").read_text("utf-8")
        assert text in out
        assert str(sets) not in text
        return json.loads((results / f"{part}.json").read_bytes()), text

    return run


def test_search_compares_like_with_like(measured):
    """Times, memory and ratio of both sides; winner and scores are those of GridSearchCV."""
    record, text = measured("search", "--features", "chars")
    [row] = record["rows"]
    assert row["set"] == "tiny"
    assert (row["candidates"], row["folds"], row["rows"], row["labels"]) == (16, 5, 36, 2)
    assert row["same_winner"]
    assert row["largest_difference"] == 0
    [our, their] = row["ours"]["seconds"] + row["theirs"]["seconds"]
    assert row["ratio"]["lowest"] <= row["ratio"]["medians"] <= row["ratio"]["highest"]
    assert row["ratio"]["medians"] == pytest.approx(their / our)
    assert min(row["ours"]["peak_bytes"] + row["theirs"]["peak_bytes"]) > 2**20
    assert "| tiny | 36 | 2 | chars | 16 × 5 | exact |" in text


def test_count_finds_the_same_n_grams(measured):
    """Both sides count as many n-grams, as often."""
    record, text = measured("count", "--features", "words", "--rows", "20")
    [row] = record["rows"]
    assert (row["rows"], row["features"], row["same"]) == (20, "words", True)
    assert row["columns"] > 0
    assert "| tiny | 20 | word 1–2 |" in text


def test_train_goes_on_without_fasttext(measured):
    """The outcome of textclf is there in any case; fastText's, or the reason why it is not."""
    record, text = measured("train")
    [row] = record["rows"]
    assert row["rows"] == 36
    assert set(row["ours"][0]) == {"accuracy", "macro_f1", "seconds", "peak_bytes"}
    if importlib.util.find_spec("fasttext"):
        assert len(row["theirs"]) == len(row["refitted"]) == 1
    else:
        assert row["theirs"] == row["refitted"] == []
        assert "- tiny: fastText is not installed" in text


def test_once_fits_the_winner_by_scikit_learn_alone(measured):
    """Both sides are whole processes, and the second fits what the first has chosen."""
    record, text = measured("once")
    [row] = record["rows"]
    assert row["winner"]["classifier"] == "LinearSVC"
    [our, their] = row["ours"]["seconds"] + row["theirs"]["seconds"]
    assert row["ratio"]["medians"] == pytest.approx(our / their)
    assert "| tiny | 36 |" in text


def test_growth_never_repeats_rows(measured):
    """Sizes that a set does not have are left out, with the reason."""
    record, text = measured("growth", "--sizes", "24,36,1000")
    assert [row["rows"] for row in record["rows"]] == [24, 36]
    assert [row["characters"] > 0 for row in record["rows"]] == [True, True]
    assert record["skipped"] == [{"set": "tiny", "why": "it has 36 rows, not 1,000"}]
    assert "- tiny: it has 36 rows, not 1,000" in text


def test_predict_labels_what_the_pipeline_labels(measured):
    """Texts a second of all sides, seconds for one text, and not one label that differs."""
    record, text = measured("predict")
    [row] = record["rows"]
    assert (row["set"], row["rows"], row["differences"]) == ("tiny", 12, 0)
    assert min(*row["ours"], *row["sklearn"], *row["one"], *row["sklearn_one"]) > 0
    assert row["over_sklearn"]["medians"] == pytest.approx(row["ours"][0] / row["sklearn"][0])
    assert bool(row["over_fasttext"]) == bool(importlib.util.find_spec("fasttext"))
    assert "| tiny | 12 |" in text


def test_start_times_whole_processes(measured):
    """Each command is run as often, with models of the sizes asked for."""
    record, text = measured("start", "--vocabularies", "2000")
    [row] = record["rows"]
    assert (row["set"], row["labels"], row["features"]) == ("tiny", 2, 2000)
    assert len(row["version"]) == len(row["ours"]) == len(row["joblib"]) == 1
    assert "| tiny | 2 | 2,000 |" in text


def test_labels_counts_the_changed_labels_in_the_first_rows(measured):
    """The parts of the changed labels that are found rise with the rows that are looked at."""
    record, text = measured("labels")
    [row] = record["rows"]
    shares = [found for [found] in row["found"].values()]
    assert shares == sorted(shares)
    assert row["listed"][0] >= row["confident"][0]
    assert "| tiny | 36 | 4 |" in text


def test_pick_trains_on_rows_picked_and_on_rows_at_random(measured):
    """Each run has the accuracies of three versions, the first of which is the same for both."""
    record, text = measured("pick")
    [row] = record["rows"]
    assert row["labelled"] == 12
    assert [len(row[name]) for name in ("first", "at_random", "picked")] == [1, 1, 1]
    assert "and 12 at random" in text


def test_unknown_counts_the_texts_of_other_sets(bench, sets, tmp_path):
    """The part of them without a label rises with the share, as it does for those of the set."""
    for name in ("tiny", "other"):
        shutil.copytree(sets / "tiny", tmp_path / name)
    code, _, err = bench(
        "unknown", "--data", tmp_path, "--sets", "tiny", "--results", tmp_path / "results"
    )
    assert code == 0, err
    rows = json.loads((tmp_path / "results" / "unknown.json").read_bytes())["rows"]
    refused = [row["own"] for row in rows]
    assert refused == sorted(refused)
    assert [row["foreign"] for row in rows] == [{"other": part} for part in refused]


def test_serve_measures_each_side_that_is_installed(measured, monkeypatch):
    """With each number of connections; the others are named."""
    monkeypatch.setattr("benchmarks.serve._SECONDS", 0.1)
    monkeypatch.setattr("benchmarks.serve._CONNECTIONS", (1, 2))
    monkeypatch.setattr("benchmarks.serve.find_spec", lambda _name: None)
    record, text = measured("serve")
    ours = [row for row in record["rows"] if row["side"] == "textclf serve"]
    assert [row["connections"] for row in ours] == [1, 2]
    assert all(row["over"] == 1 and row["loads"][0]["rate"] > 0 for row in ours)
    assert "- tiny: fastapi is not installed" in text


def test_the_record_says_where_and_with_what(measured):
    """Machine, versions, date and commit are part of every record."""
    record, _ = measured("growth", "--sizes", "1000")
    assert record["rows"] == []
    assert record["skipped"] == [
        {"set": "tiny", "why": "its 36 rows are too few for two of the sizes"}
    ]
    where = record["surroundings"]
    assert where["cores"] >= 1
    assert where["cpu"]
    assert where["memory_bytes"] > 2**20
    assert where["versions"]["scikit-learn"]
    assert {"git_commit", "dirty", "textclf"} <= set(where["code"])
    assert where["started"].endswith("+00:00")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["serach"],
            f"error: 'serach' is not one of {', '.join(PARTS)}\n",
        ),
        (["--features", "letters"], "error: 'letters' is not one of words, chars, joined\n"),
        (["--sets", "imbd"], "error: no set imbd; there are: data\n"),
        (["--data", "tests"], "no train.csv with a test.csv beside it in tests or its folders\n"),
        (["--repeat", "0"], "argument --repeat: '0' is not a number above 0\n"),
    ],
)
def test_bad_input_gets_one_sentence(bench, monkeypatch, arguments, sentence):
    """What cannot be measured is said before anything runs."""
    monkeypatch.chdir(ROOT)
    code, _, err = bench(*arguments)
    assert code == 2
    assert err.endswith(sentence)


def test_the_benchmarks_are_a_program():
    """``python -m benchmarks`` does the same and ends with the exit code."""
    command = [sys.executable, "-m", "benchmarks", "nonsense"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: 'nonsense' is not one of ")


def test_work_that_never_ends_is_killed():
    """So is its process; what ends in time has its value, and its own errors."""
    with pytest.raises(RuntimeError, match="killed, not done after 1 s"):
        within(1, time.sleep, 600)
    assert multiprocessing.active_children() == []
    assert within(60, len, "abc") == 3
    assert alone(os.getpid) not in (os.getpid(), alone(os.getpid))
    with pytest.raises(ZeroDivisionError):
        within(None, divmod, 1, 0)


def test_a_command_line_is_measured_as_a_whole_process(tmp_path):
    """Its output, time and memory are returned; where it fails, what it said is raised."""
    measured = run_textclf("--version")
    assert measured.value == f"textclf {__version__}\n"
    assert measured.seconds > 0
    assert measured.peak_bytes > 2**20
    with pytest.raises(TextclfError, match=r"^textclf failed: no version 1\.0\.0"):
        run_textclf("promote", "1.0.0", "--models", str(tmp_path))


def test_a_set_that_fails_does_not_end_the_run(bench, sets):
    """The next set is measured; why the first was not stands in the record."""
    broken = sets / "broken"
    broken.mkdir()
    for name in ("train", "test"):
        (broken / f"{name}.csv").write_text("text,label\ngood,\n", encoding="utf-8")
    results = sets / "results"
    code, _, err = bench("growth", "--data", sets, "--sizes", "1000", "--results", results)
    assert code == 0, err
    record = json.loads((results / "growth.json").read_bytes())
    reasons = {skipped["set"]: skipped["why"] for skipped in record["skipped"]}
    assert list(reasons) == ["broken", "tiny"]
    assert "has a label" in reasons["broken"]
    assert "36 rows are too few" in reasons["tiny"]
