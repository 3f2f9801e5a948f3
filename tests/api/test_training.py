"""textclf.train: training from Python."""

import json

import joblib
import numpy as np
import polars as pl
import pytest
from sample_data import sample_rows

import textclf
from textclf.cli.app import run
from textclf.errors import DataError, NoSuchVersion, UsageError

GRID = {
    "features": {"word": {"ngram_range": [[1, 1]]}},
    "classifier": {"LinearSVC": {"C": [0.5]}},
}


@pytest.fixture(scope="module")
def rows():
    return sample_rows(150)


def train(models, *args, **kwargs):
    return textclf.train(*args, models=models, grid=GRID, cv=2, **kwargs)


def test_the_result_is_the_published_version(tmp_path, rows):
    """Published and promoted, with its report; the result says how good it is."""
    result = train(tmp_path, *rows, message="from Python")
    assert result.version == "1.0.0"
    assert result.promoted
    assert result.metadata.message == "from Python"
    assert result.metadata.test_accuracy == result.metadata.test.metrics.accuracy
    assert str(tmp_path) in result.path
    assert (tmp_path / "1.0.0" / "report.html").exists()
    assert repr(result).startswith("<TrainResult 1.0.0: promoted, accuracy ")
    assert "<td>1.0.0</td>" in result._repr_html_()
    assert textclf.load(tmp_path).version == result.version


class Frame:
    """A DataFrame as pandas has it, as far as a training looks at it."""

    def __init__(self, **columns):
        self._columns = columns
        self.columns = list(columns)

    def __getitem__(self, name):
        return self._columns[name]


@pytest.mark.parametrize(
    "form",
    [
        lambda texts, labels: (texts, labels),
        lambda texts, labels: (np.array(texts, object), np.array(labels)),
        lambda texts, labels: ((text for text in texts), iter(labels)),
        lambda texts, labels: ({"text": texts, "label": labels},),
        lambda texts, labels: (pl.DataFrame({"text": texts, "label": labels}),),
        lambda texts, labels: (Frame(id=[1], text=texts, label=np.array(labels)),),
        lambda texts, labels: ((texts, labels),),
    ],
    ids=["lists", "arrays", "iterators", "dict", "polars", "frame", "pair"],
)
def test_rows_may_have_any_form(tmp_path, rows, form):
    """The same rows give the same model, whatever holds them."""
    expected = train(tmp_path / "a", *rows)
    result = train(tmp_path / "b", *form(*rows))
    assert result.metadata.artifact == expected.metadata.artifact
    assert result.metadata.data.sha256 == expected.metadata.data.sha256


def test_a_path_is_read_as_the_command_line_reads_it(tmp_path, rows, capsys):
    """To the same model; the settings have the same names."""
    path = tmp_path / "train.jsonl"
    lines = (json.dumps({"t": t, "l": label}) for t, label in zip(*rows, strict=True))
    path.write_text("\n".join(lines))
    grid = tmp_path / "grid.toml"
    grid.write_text("[features.word]\nngram_range=[[1, 1]]\n[classifier.LinearSVC]\nC = [0.5]\n")
    command = ["train", str(path), "--grid", str(grid), "--cv", "2", "--json"]
    columns = ["--text-column", "t", "--label-column", "l"]
    assert run([*command, *columns, "--models", str(tmp_path / "a")]) == 0
    printed = json.loads(capsys.readouterr().out)
    result = train(tmp_path / "b", path, text_column="t", label_column="l")
    assert result.metadata.artifact.sha256 == printed["artifact"]["sha256"]
    assert result.metadata.data.path == printed["data"]["path"]


def test_tokens_with_spaces_are_left_to_scikit_learn(tmp_path, rows):
    """They are not counted by textclf, and the scores on the test rows are those of the model."""
    texts, labels = rows
    word = {"token_pattern": r"\w+ \w+", "ngram_range": [[1, 2]]}
    grid = {"features": {"word": word}, "classifier": {"ComplementNB": {}}}
    result = textclf.train(
        texts[50:], labels[50:], test=(texts[:50], labels[:50]), models=tmp_path, grid=grid, cv=2
    )
    said = textclf.load(tmp_path).label(texts[:50])
    right = sum(a == b for a, b in zip(said, labels, strict=False))
    assert result.metadata.test_accuracy == right / 50


def test_labels_may_be_numbers(tmp_path, rows):
    """They are known by their digits."""
    texts, labels = rows
    kinds = sorted(set(labels))
    numbered = np.array([kinds.index(label) for label in labels])
    result = train(tmp_path, texts, list(numbered))
    assert list(result.metadata.data.labels) == ["0", "1", "2"]


def test_test_rows_may_be_given(tmp_path, rows):
    """In any form, too."""
    texts, labels = rows
    result = train(tmp_path, texts[50:], labels[50:], test=(texts[:50], labels[:50]))
    assert result.metadata.test.rows == 50
    assert result.metadata.test.split is None


def test_nothing_is_trained_if_nothing_has_changed(tmp_path, rows):
    """The result has no version, and says why."""
    train(tmp_path, *rows)
    again = train(tmp_path, *rows)
    assert again.version is again.metadata is None
    assert "nothing changed" in repr(again)
    assert "nothing changed" in again._repr_html_()
    assert train(tmp_path, *rows, dry_run=True, bump="patch").version is None


def test_a_version_that_the_gate_refuses_is_published_only(tmp_path, rows):
    """The result says which condition it does not meet."""
    result = train(tmp_path, *rows, require=["accuracy>=1"])
    assert result.version == "1.0.0"
    assert not result.promoted
    assert result.gate.failed[0].metric == "accuracy"
    assert repr(result).startswith("<TrainResult 1.0.0: refused by the gate, accuracy ")


def test_progress_is_a_callback(tmp_path, rows, capsys):
    """Nothing is printed."""
    fits = []
    train(tmp_path, *rows, on_fit=fits.append)
    assert len(fits) == 2
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((["a", 1], ["x", "y"]), TypeError, "text at index 1 is of type int"),
        ((["a", b"b"], ["x", "y"]), TypeError, "text at index 1 is of type bytes"),
        ((["a", "b"], ["x", 1.5]), TypeError, "label at index 1 is of type float"),
        ((["a", "b\ud800"], ["x", "y"]), ValueError, "text at index 1 has half of a surrogate"),
        ((["a", "b"], ["x", "\ud800"]), ValueError, "label at index 1 has half of a surrogate"),
        ((["a", "b"], ["x"]), ValueError, "2 texts and 1 labels"),
        (("abc", ["x"]), TypeError, "texts are an iterable, not str"),
        ((["a", "b"],), TypeError, "no labels"),
        (({"txt": ["a"], "label": ["x"]},), ValueError, "'text'; the columns are: txt, label"),
        ((["a", None, "", float("nan")], ["x"] * 4), DataError, "bad rows in memory"),
        ((["a", "b"], ["x", None]), DataError, "1 bad row in memory"),
        (("nowhere.csv",), DataError, "nowhere.csv"),
    ],
)
def test_rows_that_make_no_sense_are_told_by_their_index(tmp_path, arguments, error, said):
    """Before anything is trained."""
    with pytest.raises(error, match=said.replace("(", r"\(")):
        train(tmp_path, *arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name", ["threshold", "abstain_unknown", "max_regression", "max_class_regression"]
)
@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan"), "40%"])
def test_shares_are_between_0_and_1(tmp_path, name, share):
    """Others are refused before anything is read, for a version that is trained or published."""
    for call in (textclf.train, textclf.publish):
        with pytest.raises(UsageError, match=f"{name}=.* is not a number between 0 and 1"):
            call("nowhere", test="nowhere.csv", models=tmp_path, **{name: share})


@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        *((textclf.train, {"cv": cv}, f"cv={cv!r} is ") for cv in (1, "5", 2.5)),
        (textclf.train, {"seed": -1}, "seed=-1 is less than 0"),
        (textclf.train, {"seed": 2**32}, "seed=4294967296 is more than 4294967295"),
        (textclf.train, {"sample": -1}, "sample=-1 is less than 0"),
        (textclf.train, {"jobs": 0}, "-1 for one per core"),
        (textclf.train, {"min_rows_per_label": 0}, "min_rows_per_label=0 is less than 1"),
        (textclf.train, {"test_size": 20}, "test_size=20 is not a number between 0 and 1"),
        (textclf.train, {"preset": "quick"}, "preset='quick' is not one of 'fast', 'default', "),
        (textclf.train, {"search": "racing"}, "search='racing' is not one of 'exact', 'race'"),
        (textclf.train, {"bump": "none"}, "bump='none' is not one of 'auto', 'patch', "),
        (textclf.train, {"on_bad_rows": "drop"}, "on_bad_rows='drop' is not one of 'auto', "),
        (textclf.train, {"message": 5}, "message=5 is not a text"),
        (textclf.train, {"scoring": "f1_all"}, 'scikit-learn has no metric "f1_all"'),
        (textclf.promote, {"version": "1.0.0", "message": "\ud800"}, "is not a text"),
        (textclf.promote, {"version": "1.0.0", "require": "x>1"}, "'x>1' is not a requirement"),
        (textclf.rollback, {"steps": 0}, "steps=0 is less than 1"),
        (textclf.rollback, {"steps": 2, "to": "1.0.0"}, "steps and to exclude each other"),
        (textclf.check_labels, {"data": "nowhere", "cv": 1}, "cv=1 is less than 2"),
    ],
)  # fmt: skip
def test_arguments_are_those_that_the_options_take(tmp_path, function, arguments, said):
    """Others are refused before anything is read, whatever a dry run would say."""
    models = {} if function is textclf.check_labels else {"models": tmp_path}
    with pytest.raises(UsageError, match=said):
        function(**arguments, **models)


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"features": {"wrd": {}}, "classifier": {"LinearSVC": {}}}, r"grid\['features'\]"),
        ({"features": {"word": {"mindf": 1}}, "classifier": {"LinearSVC": {}}}, "'mindf'"),
        ({"features": {"word": {}}, "classifier": {"LinearSVC": {"C": [-1]}}}, r"\['C'\]"),
        ({"features": {"word": {}}}, "classifier"),
    ],
)
def test_a_grid_that_makes_no_sense_is_told_where(tmp_path, rows, grid, said):
    """By its keys."""
    with pytest.raises(UsageError, match=said):
        textclf.train(*rows, models=tmp_path, grid=grid)


def test_a_grid_may_be_a_file(tmp_path, rows):
    """As on the command line; a preset is another search space."""
    grid = tmp_path / "grid.toml"
    grid.write_text("[features.word]\nuse_idf = [false]\n[classifier.ComplementNB]\n")
    result = textclf.train(*rows, models=tmp_path / "models", grid=grid, cv=2)
    assert result.metadata.best_params["classifier"] == "ComplementNB"
    assert textclf.load(tmp_path / "models").label(rows[0][:3])
    with pytest.raises(UsageError, match="give a grid or a preset"):
        textclf.train(*rows, models=tmp_path / "models", grid=grid, preset="fast")


def test_features_that_only_scikit_learn_counts_are_published_like_others(tmp_path, rows):
    """Tokens with spaces in them, and its numbers of the most frequent."""
    word = {"token_pattern": [r"[a-z]+ ?"], "max_features": [40], "ngram_range": [[1, 2]]}
    grid = {"features": {"word": word}, "classifier": {"ComplementNB": {}}}
    result = textclf.train(*rows, models=tmp_path, grid=grid, cv=2)
    [(_, vectorizer)] = joblib.load(tmp_path / "text_classifier.joblib")[0].transformer_list
    assert {*map(type, vectorizer.vocabulary_.values())} == {int}
    assert textclf.load(tmp_path).version == result.version


def test_a_forced_promotion_needs_a_reason(tmp_path, rows):
    """As on the command line."""
    with pytest.raises(UsageError, match="message"):
        train(tmp_path, *rows, force=True)


def test_rows_can_be_added_to_those_of_a_version(tmp_path, rows):
    """In any form; the rows of the version are given again if no file has them."""
    pairs = list(zip(*rows, strict=True))
    parts = [tuple(zip(*part, strict=True)) for part in (pairs[:100], pairs[90:120], pairs[120:])]
    first = train(tmp_path, parts[0])
    second = textclf.train(parts[0], add=parts[1], models=tmp_path)
    assert (second.version, second.metadata.search.folds) == ("1.0.1", 2)
    assert "<th>against 1.0.0</th><td>test accuracy " in second._repr_html_()
    assert [part.rows for part in second.metadata.data.parts] == [100, 20]
    assert first.metadata.search.space == second.metadata.search.neighbourhood_of
    with pytest.raises(UsageError, match="nothing to train on"):
        textclf.train(models=tmp_path)
    with pytest.raises(DataError, match="given from memory, and are in no file"):
        textclf.train(add=parts[2], models=tmp_path)
    with pytest.raises(UsageError, match="leave test_size out"):
        textclf.train(parts[0], add=parts[1], test_size=0.5, models=tmp_path)
    with pytest.raises(NoSuchVersion, match="no version has been promoted yet"):
        textclf.train(parts[0], add=parts[1], models=tmp_path / "empty")
    with pytest.raises(UsageError, match="a pair of texts and labels"):
        textclf.train(add=parts[2], labels=parts[2][1], models=tmp_path)
    of_first = {"from_version": "1.0.0", "models": tmp_path, "dry_run": True}
    assert textclf.train(*parts[0], add=parts[2], **of_first).planned == "1.0.2"
    third = textclf.train([parts[0], parts[1]], add=[parts[2]], models=tmp_path, cv=3)
    assert (third.version, third.metadata.data.rows > 100) == ("1.1.0", True)
