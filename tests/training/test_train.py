"""Training: what it produces, and that it is reproducible."""

import hashlib
import io
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace

import joblib
import msgspec
import numpy as np
import pytest
from paths import HELPERS, TEST, TRAIN
from train_sample import BUMP, sample_job

from textclf.artifact.unpickler import load_pipeline
from textclf.data.dataset import OnBadRows, ReadOptions, read_dataset
from textclf.evaluation.metrics import measure
from textclf.metadata.schema import Metadata, decode, encode
from textclf.search.fit import FoldResult
from textclf.search.space import SpaceSource, parse_space
from textclf.training.job import SearchSettings, prepare
from textclf.training.train import meanwhile, train


@pytest.fixture(scope="module")
def job():
    return sample_job()


@pytest.fixture(scope="module")
def trained(job):
    fits: list[FoldResult] = []
    metadata, artifact, *_ = train(job, "1.0.0", BUMP, jobs=1, on_fit=fits.append)
    return metadata, artifact, fits


def test_the_metadata_describes_the_training(job, trained):
    """Parameters, scores, data, test, search, environment and times are all there and agree."""
    metadata, artifact, fits = trained
    assert metadata.artifact.sha256 == hashlib.sha256(artifact).hexdigest()
    assert metadata.artifact.bytes == len(artifact)
    assert metadata.data.rows == len(job.train) == sum(metadata.data.labels.values())
    assert metadata.data.sha256 == hashlib.sha256(TRAIN.read_bytes()).hexdigest()
    assert metadata.test.sha256 == hashlib.sha256(TEST.read_bytes()).hexdigest()
    assert len(fits) == len(metadata.search.candidates) * 3
    winner = max(metadata.search.candidates, key=lambda c: c.mean or 0)
    assert metadata.best_params == winner.params
    assert metadata.best_cv_accuracy == winner.mean
    assert sum(map(sum, metadata.test.metrics.confusion.matrix)) == len(job.test)
    assert metadata.environment.libraries["scikit-learn"]
    assert set(metadata.seconds) == {"read", "search", "refit", "test", "publish"}


def saved(metadata):
    """Return metadata with the time that publishing sets."""
    return msgspec.structs.replace(metadata, saved_at="2026-01-01T00:00:00Z")


def test_the_metadata_round_trips_through_its_file(trained):
    """The metadata read from the file equals what was written."""
    metadata = saved(trained[0])
    assert decode(encode(metadata), Metadata, name="metadata.json") == metadata
    assert list(json.loads(encode(metadata)))[:5] == [
        "version",
        "saved_at",
        "best_params",
        "best_cv_accuracy",
        "test_accuracy",
    ]


def test_the_best_parameters_fit_set_params(trained, tmp_path):
    """Every name but the classifier's is one for set_params of the pipeline that was searched."""
    metadata, artifact, _ = trained
    (tmp_path / "model").write_bytes(artifact)
    pipeline = joblib.load(tmp_path / "model")
    given = {k: v for k, v in metadata.best_params.items() if k != "classifier"}
    calibrated = pipeline.named_steps["classifier"]
    pipeline.set_params(classifier=calibrated.estimator).set_params(**given)
    assert type(calibrated.estimator).__name__ == metadata.best_params["classifier"]


def test_the_sample_is_neither_trivial_nor_hopeless(trained):
    """A linear model on the sample data is well above chance and well below 100%."""
    metadata = trained[0]
    assert 0.65 < metadata.best_cv_accuracy < 0.95
    assert 0.65 < metadata.test_accuracy < 0.95


def test_the_restricted_loader_opens_it_and_predicts_the_same(job, trained, tmp_path):
    """The loader that textclf uses and joblib's give models that agree on every test row."""
    artifact = trained[1]
    (tmp_path / "model").write_bytes(artifact)
    plain = joblib.load(tmp_path / "model")
    ours = load_pipeline(artifact, name="model")
    assert ours.predict(job.test.texts).tolist() == plain.predict(job.test.texts).tolist()


def test_joblib_load_works_without_textclf(job, trained, tmp_path):
    """A process that cannot import textclf loads the file and predicts the recorded accuracy."""
    metadata, artifact, _ = trained
    (tmp_path / "model").write_bytes(artifact)
    (tmp_path / "texts").write_text(json.dumps(job.test.texts))
    program = """
import json, sys
sys.modules["textclf"] = None
import joblib
import numpy as np
print(json.dumps(joblib.load("model").predict(json.load(open("texts"))).tolist()))
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert measure(job.test.labels, json.loads(run.stdout)).accuracy == metadata.test_accuracy


def test_the_same_input_gives_the_same_bytes_in_another_process(trained):
    """The artifact does not depend on addresses, hash seeds or the number of threads."""
    run = subprocess.run(
        [sys.executable, HELPERS / "train_sample.py", "2"],
        env={**os.environ, "PYTHONHASHSEED": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == trained[0].artifact.sha256


@pytest.mark.parametrize(
    "classifier",
    ["LinearSVC", "LogisticRegression", "RidgeClassifier", "SGDClassifier", "MultinomialNB"],
)
def test_every_classifier_gives_the_same_bytes_twice(job, classifier):
    """Two trainings in one process give equal artifacts, whatever the classifier."""
    space = parse_space(SpaceSource("g", f"[features.word]\n[classifier.{classifier}]"))
    small = replace(job, settings=SearchSettings(space, folds=2))
    first, second = (train(small, "1.0.0", BUMP, jobs=1)[1] for _ in range(2))
    assert first == second


def test_a_vocabulary_holds_plain_integers(trained):
    """This holds with max_features as well: NumPy integers would be slow and unsafe to load."""
    pipeline = load_pipeline(trained[1], name="model")
    for _, vectorizer in pipeline.named_steps["features"].transformer_list:
        assert {type(index) for index in vectorizer.vocabulary_.values()} == {int}


def test_the_recipe_of_the_file_is_that_of_the_job(job, trained):
    """A training that changes nothing is recognised from the metadata alone."""
    assert decode(encode(saved(trained[0])), Metadata, name="m").recipe() == job.recipe()


def test_rows_left_out_are_counted_once(tmp_path):
    """Bad rows of a split file count for the training data; a test file has its own."""
    rows = "".join(f"text {n} of {label},{label}\n" for n in range(10) for label in "ab")
    for name, bad in (("train.csv", ",a\nx,\n"), ("test.csv", ",b\n")):
        (tmp_path / name).write_text(f"text,label\n{bad}{rows}")
    options = ReadOptions(on_bad_rows=OnBadRows.SKIP)
    read, test = (read_dataset(tmp_path / name, options) for name in ("train.csv", "test.csv"))
    space = parse_space(SpaceSource("g", "[features.word]\n[classifier.ComplementNB]"))
    for given, expected in ((None, 0), (test, 1)):
        job = prepare(read, given, 0.2, options, SearchSettings(space, folds=2))
        metadata, *_ = train(job, "1.0.0", BUMP, jobs=1)
        assert (metadata.data.skipped_rows, metadata.test.skipped_rows) == (2, expected)


def test_accuracy_is_recorded_whatever_is_maximised(job):
    """best_cv_accuracy is an accuracy even if the search maximises another metric."""
    space = parse_space(SpaceSource("g", "[features.word]\n[classifier.ComplementNB]"))
    by_accuracy, by_recall = (
        train(
            replace(job, settings=SearchSettings(space, scoring, folds=2)), "1.0.0", BUMP, jobs=1
        )[0]
        for scoring in ("accuracy", "f1_macro")
    )
    assert by_accuracy.best_cv_accuracy == by_recall.best_cv_accuracy
    assert by_recall.search.candidates[0].mean != by_recall.best_cv_accuracy


def test_a_sample_picks_the_candidate_and_all_rows_train_it(job, monkeypatch):
    """The folds have only the sample; the vocabulary is of all rows, up to the limit."""
    sampled = replace(job, settings=replace(job.settings, sample=300))
    fits: list[FoldResult] = []
    metadata, artifact, *_ = train(sampled, "1.0.0", BUMP, on_fit=fits.append)
    assert metadata.search.sample == 300
    assert metadata.data.rows == len(job.train)
    assert {fit.fold: len(fit.correct) for fit in fits} == {0: 100, 1: 100, 2: 100}
    whole = vocabulary(artifact)
    assert len(whole["word"]) > 2500  # 300 rows have fewer
    monkeypatch.setattr("textclf.training.train._COEFFICIENTS", 3 * 2 * 500)
    limited, artifact, *_ = train(sampled, "1.0.0", BUMP)
    assert {block: len(terms) for block, terms in vocabulary(artifact).items()} == {
        "word": 500,
        "char_wb": 500,
    }
    assert limited.best_params["features__char_wb__max_features"] == 500
    assert 0.65 < limited.test_accuracy < 0.95


def vocabulary(artifact):
    """Return the n-grams of each block of a saved model."""
    union = joblib.load(io.BytesIO(artifact)).named_steps["features"]
    return {name: vectorizer.vocabulary_ for name, vectorizer in union.transformer_list}


def test_every_label_is_in_a_sample(job):
    """A rare label has enough rows in the sample for the folds, and is not left out."""
    rare = replace(job.train, labels=("rare",) * 3 + job.train.labels[3:])
    sampled = replace(job, train=rare, settings=replace(job.settings, sample=60))
    metadata, *_ = train(sampled, "1.0.0", BUMP)
    assert all(None not in candidate.fold_scores for candidate in metadata.search.candidates)
    assert "rare" in metadata.data.labels


def test_a_sample_larger_than_the_data_is_no_sample(job):
    """All rows are searched then, the record says so, and the recipe does not change."""
    sampled = replace(job, settings=replace(job.settings, sample=50_000))
    assert sampled.sample_size is None
    assert sampled.recipe() == job.recipe()


@pytest.mark.parametrize(
    ("classifier", "own"),
    [("LinearSVC", False), ("RidgeClassifier", False), ("LogisticRegression", True)],
)
def test_every_model_has_probabilities(job, classifier, own):
    """They are its own or calibrated on held-out rows; the labels are those of the bare model."""
    text = f"features.word.min_df = 2\nclassifier.{classifier} = {{}}"
    space = parse_space(SpaceSource("grid", text))
    _, artifact, *_ = train(replace(job, settings=SearchSettings(space, folds=3)), "1.0.0", BUMP)
    model = joblib.load(io.BytesIO(artifact))
    texts = list(job.test.texts)
    probabilities = model.predict_proba(texts)
    assert np.allclose(probabilities.sum(axis=1), 1)
    fitted = model.named_steps["classifier"]
    assert (type(fitted).__name__ == classifier) is own
    bare = fitted if own else fitted.calibrated_classifiers_[0].estimator
    assert bare.predict(model[:-1].transform(texts)).tolist() == model.predict(texts).tolist()


def test_a_candidate_that_fails_does_not_cost_the_winner_its_probabilities(job):
    """The first candidate has no n-gram left; the winner is calibrated nevertheless."""
    text = "features.word.min_df = [100000, 2]\nclassifier.LinearSVC = {}"
    space = parse_space(SpaceSource("grid", text))
    metadata, artifact, *_ = train(
        replace(job, settings=SearchSettings(space, folds=3)), "1.0.0", BUMP
    )
    assert [candidate.mean is None for candidate in metadata.search.candidates] == [True, False]
    assert hasattr(joblib.load(io.BytesIO(artifact)), "predict_proba")


def test_the_function_runs_while_the_block_does():
    """Each waits for the other here, so neither could run first; the block ends after both."""
    both, ended = threading.Barrier(2, timeout=30), []

    def work(value):
        both.wait()
        ended.append(value)
        return value

    with meanwhile(work, 1) as result:
        both.wait()
    assert ended == [1]
    assert result() == 1


def test_an_error_is_raised_where_the_result_is_asked_for():
    """The block is not disturbed by it."""
    with meanwhile(int, "x") as number:
        pass
    with pytest.raises(ValueError, match="invalid literal"):
        number()


def test_an_interrupted_block_does_not_wait():
    """Ctrl-C in the block is obeyed at once, whatever the function still does."""
    go_on = threading.Event()
    with pytest.raises(KeyboardInterrupt), meanwhile(go_on.wait, 60):
        raise KeyboardInterrupt
    assert not go_on.is_set()
    go_on.set()
