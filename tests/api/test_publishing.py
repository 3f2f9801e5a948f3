"""textclf.publish: pipelines that were fitted elsewhere become versions."""

import contextlib
import copy
import io
import json
import pickle
import pickletools
import re
import zipfile

import joblib
import malicious_models
import numpy as np
import pytest
import skops.io
from sample_data import sample_rows
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, Normalizer, StandardScaler
from sklearn.svm import LinearSVC, OneClassSVM

import textclf
from textclf.artifact.unpickler import read_foreign
from textclf.errors import DataError, IntegrityError, UnsafeModel, UsageError

GRID = {
    "features": {"word": {"ngram_range": [[1, 1]]}},
    "classifier": {"LinearSVC": {"C": [0.5]}},
}
TEXTS, LABELS = sample_rows(150)
TEST = (TEXTS[100:], LABELS[100:])


def words(**settings):
    return TfidfVectorizer(max_features=300, **settings)


def calibrated(**settings):
    return CalibratedClassifierCV(LinearSVC(), cv=2, **settings)


def named(*steps):
    return Pipeline([(f"step{n}", step) for n, step in enumerate(steps)])


COMPILED = {
    "TF-IDF, LogisticRegression": lambda: named(words(), LogisticRegression()),
    "counts, MultinomialNB": lambda: named(CountVectorizer(), MultinomialNB()),
    "counts, TfidfTransformer, SGD": lambda: named(
        CountVectorizer(ngram_range=(1, 2)),
        TfidfTransformer(sublinear_tf=True),
        SGDClassifier(random_state=0),
    ),
    "union with weights, LinearSVC": lambda: named(
        FeatureUnion(
            [
                ("w", words(stop_words="english")),
                ("c", make_pipeline(CountVectorizer(analyzer="char"), TfidfTransformer())),
                ("none", "drop"),
            ],
            transformer_weights={"w": 2.0},
        ),
        LinearSVC(),
    ),
    "sigmoid calibration of one": lambda: named(words(), calibrated(ensemble=False)),
    "temperature calibration of one": lambda: named(
        words(), calibrated(ensemble=False, method="temperature")
    ),
    "TruncatedSVD": lambda: named(words(), TruncatedSVD(5, random_state=0), LogisticRegression()),
    "selection, scaling": lambda: named(
        CountVectorizer(), SelectKBest(chi2, k=50), MaxAbsScaler(), ComplementNB()
    ),
    "stacked decisions": lambda: named(
        words(), StackingClassifier([("a", LinearSVC()), ("b", RidgeClassifier())], cv=2)
    ),
    "one against the rest": lambda: named(words(), OneVsRestClassifier(LogisticRegression())),
    "Perceptron, scaled": lambda: named(words(), StandardScaler(with_mean=False), Perceptron()),
    "stacked, with clipped probabilities": lambda: named(
        words(),
        StackingClassifier([("a", LinearSVC())], SGDClassifier("modified_huber", random_state=0)),
    ),
    "numbers of NumPy and weights of labels": lambda: named(
        words(),
        LogisticRegression(
            C=np.float64(0.5), class_weight=dict.fromkeys([*LABELS, "True", "False"], 2.0)
        ),
    ),
    "a search": lambda: GridSearchCV(
        named(words(), RidgeClassifier()), {"step1__alpha": [1, 2]}, cv=2
    ),
}
UNTRUSTED = {
    "hashing": (lambda: named(HashingVectorizer(), SGDClassifier(loss="log_loss")), "hash"),
    "isotonic calibration": (
        lambda: named(words(), calibrated(ensemble=False, method="isotonic")),
        "steps",
    ),
    "calibration of several": (lambda: named(words(), calibrated()), "mean of 2"),
    "voting": (
        lambda: named(
            words(),
            VotingClassifier([("a", LogisticRegression()), ("b", MultinomialNB())], voting="soft"),
        ),
        "not linear",
    ),
    "stacked probabilities": (
        lambda: named(words(), StackingClassifier([("a", MultinomialNB())], cv=2)),
        "stacks probabilities",
    ),
    "latent semantic analysis": (
        lambda: named(words(), TruncatedSVD(5), Normalizer(), LogisticRegression()),
        "Normalizer",
    ),
    "a forest": (
        lambda: named(words(), RandomForestClassifier(30, random_state=0)),
        "RandomForestClassifier",
    ),
    "a tokenizer": (
        lambda: named(words(tokenizer=str.split, token_pattern=None), LinearSVC()),
        "the tokenizer of its TfidfVectorizer is a function",
    ),
    "an analyzer": (
        lambda: named(words(analyzer=str.split), LinearSVC()),
        "the analyzer of its TfidfVectorizer is a function",
    ),
    "a function for accents": (
        lambda: named(words(strip_accents=str.swapcase), LinearSVC()),
        "the strip_accents of its TfidfVectorizer is a function",
    ),
    "two blocks of one kind": (
        lambda: named(
            FeatureUnion([("a", words()), ("b", words(ngram_range=(2, 2)))]), LinearSVC()
        ),
        "two blocks of one kind of n-grams",
    ),
    "weighted twice": (
        lambda: named(words(), TfidfTransformer(), LinearSVC()), "other than plain counts"
    ),
    "clipped, one against the rest": (
        lambda: named(words(), OneVsRestClassifier(SGDClassifier("modified_huber"))),
        "are not of one kind",
    ),
    "a calibrated pipeline": (
        lambda: CalibratedClassifierCV(make_pipeline(words(), LinearSVC()), cv=2),
        "no step of its own",
    ),
}  # fmt: skip


def fitted(make, labels=LABELS):
    return make().fit(TEXTS[:100], labels[:100])


@pytest.fixture(scope="module")
def plain():
    """A pipeline that compiles."""
    return fitted(COMPILED["counts, MultinomialNB"])


def publish(models, pipeline, **settings):
    return textclf.publish(pipeline, models=models, **{"test": TEST, **settings})


@pytest.mark.parametrize("two", [True, False], ids=["two labels", "three labels"])
@pytest.mark.parametrize("kind", COMPILED)
def test_linear_models_of_ngrams_compile_and_predict_as_the_pipeline(tmp_path, kind, two):
    """The labels are those of pipeline.predict, and the probabilities those of predict_proba."""
    labels = [str(label == "positive") if two else label for label in LABELS]
    pipeline = fitted(COMPILED[kind], labels)
    result = publish(tmp_path, pipeline, test=(TEXTS[100:], labels[100:]))
    assert result.metadata.pipeline.opened_by == "scorer"
    assert result.metadata.pipeline.reason is None
    predictor = textclf.load(tmp_path)
    assert predictor.label(TEXTS) == pipeline.predict(TEXTS).tolist()
    if hasattr(pipeline, "predict_proba"):
        expected = pipeline.predict_proba(TEXTS)
        found = [[p.scores[label] for label in pipeline.classes_] for p in predictor.predict(TEXTS)]
        assert np.allclose(found, expected)


@pytest.mark.parametrize("kind", UNTRUSTED)
def test_what_does_not_compile_is_published_as_untrusted(tmp_path, kind):
    """It says why, and is opened only where somebody asks for it; then it predicts the same."""
    make, why = UNTRUSTED[kind]
    pipeline = fitted(make)
    result = publish(tmp_path, pipeline)
    assert result.metadata.pipeline.opened_by == "untrusted"
    assert why in result.metadata.pipeline.reason
    [listed] = textclf.versions(tmp_path)
    assert listed.is_untrusted
    with pytest.raises(UnsafeModel, match="published as untrusted") as refused:
        textclf.load(tmp_path)
    assert "--unsafe-load" in refused.value.hint
    predictor = textclf.load(tmp_path, unsafe_load=True)
    assert predictor.label(TEXTS) == pipeline.predict(TEXTS).tolist()
    assert copy.deepcopy(predictor).label(TEXTS[0]) == predictor.label(TEXTS[0])
    assert pickle.loads(pickle.dumps(predictor)).labels == predictor.labels
    assert joblib.load(tmp_path / "text_classifier.joblib").predict(TEXTS[:1])


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # scikit-learn's, of -inf
def test_what_has_infinite_weights_is_opened_by_the_restricted_loader(tmp_path):
    """It is not compiled, and is data all the same."""
    with np.errstate(divide="ignore"):
        pipeline = fitted(
            lambda: named(CountVectorizer(), MultinomialNB(alpha=0, force_alpha=True))
        )
    result = publish(tmp_path, pipeline)
    assert result.metadata.pipeline.opened_by == "restricted"
    assert "infinite" in result.metadata.pipeline.reason
    assert textclf.load(tmp_path).label(TEXTS) == pipeline.predict(TEXTS).tolist()


def test_what_is_not_known_is_null_and_not_a_number(tmp_path, plain):
    """There was no search, and the training rows are known only if somebody names them."""
    publish(tmp_path, plain)
    written = json.loads((tmp_path / "1.0.0" / "metadata.json").read_text())
    assert written["schema"] == 2
    assert [written[name] for name in ("best_cv_accuracy", "data", "search")] == [None] * 3
    assert written["test"]["train_overlap"] is None
    assert written["pipeline"]["labels"] == plain.classes_.tolist()
    assert written["pipeline"]["steps"] == ["CountVectorizer", "MultinomialNB"]
    result = publish(tmp_path, plain, train=(TEXTS[:100], LABELS[:100]), bump="patch")
    assert result.metadata.data.rows == 100
    assert result.metadata.test.train_overlap == 0
    assert result.metadata.search is None


def test_the_report_and_the_card_say_what_is_unknown(tmp_path, plain):
    """No figure stands where none is known."""
    publish(tmp_path, plain)
    page = (tmp_path / "1.0.0" / "report.html").read_text()
    card = (tmp_path / "1.0.0" / "model_card.md").read_text()
    assert "there was no search" in page
    assert "unknown rows" in page
    assert "Unknown: the model was fitted outside of textclf" in card
    assert "fitted outside of textclf, and published by textclf" in " ".join(card.split())
    assert "| Cross-validated accuracy | – |" in card


@pytest.mark.parametrize(
    ("change", "version", "reason"),
    [
        (lambda: named(CountVectorizer(), MultinomialNB()), None, "nothing changed since 1.0.0"),
        (lambda: named(CountVectorizer(), MultinomialNB(alpha=2)), "1.1.0", "alpha: not set → 2"),
        (lambda: named(CountVectorizer(), ComplementNB()), "2.0.0", "classifiers changed"),
        (
            lambda: named(CountVectorizer(analyzer="char"), MultinomialNB()),
            "2.0.0",
            "kinds of features changed",
        ),
    ],
    ids=["nothing", "a parameter", "the classifier", "the features"],
)
def test_the_bump_follows_from_what_is_known(tmp_path, plain, change, version, reason):
    """Labels, kinds of features and of classifiers are major, parameters minor."""
    publish(tmp_path, plain)
    result = publish(tmp_path, fitted(change))
    assert result.version == version
    assert reason in "; ".join(result.reasons)


def test_other_rows_in_the_same_settings_are_a_patch(tmp_path, plain):
    """All that is known to differ is the fitted model."""
    publish(tmp_path, plain)
    other = COMPILED["counts, MultinomialNB"]().fit(TEXTS[:90], LABELS[:90])
    result = publish(tmp_path, other)
    assert result.version == "1.0.1"
    assert "the fitted model changed" in result.reasons


def test_versions_that_textclf_trained_are_compared_with_it(tmp_path, plain):
    """In both orders: what one of them does not have is unknown."""
    rows = (TEXTS[:100], LABELS[:100])
    first = textclf.train(*rows, test=TEST, models=tmp_path, grid=GRID, cv=2)
    result = publish(tmp_path, plain)
    assert result.delta.against == first.version
    assert result.delta.metrics
    found = textclf.compare("1.0.0", result.version, TEST, models=tmp_path)
    assert found.recorded.rows_in_common is None
    assert found.recorded.rows is None
    assert found.scored.train_overlap_b is None
    again = textclf.train(*rows, test=TEST, models=tmp_path, grid=GRID, cv=2)
    assert again.metadata.bump.base == result.version
    assert any("fitted elsewhere → trained by textclf" in why for why in again.reasons) or (
        again.metadata.bump.applied == "major"
    )


def test_a_frozen_classifier_is_what_it_holds(tmp_path):
    """Its weights are known, whatever it was calibrated with."""
    vectorizer = words().fit(TEXTS[:100])
    frozen = FrozenEstimator(LinearSVC().fit(vectorizer.transform(TEXTS[:100]), LABELS[:100]))
    pipeline = fitted(lambda: named(FrozenEstimator(vectorizer), CalibratedClassifierCV(frozen)))
    pipeline.steps[0] = ("step0", vectorizer)
    assert publish(tmp_path, pipeline).metadata.pipeline.opened_by == "scorer"
    assert textclf.load(tmp_path).label(TEXTS) == pipeline.predict(TEXTS).tolist()


def test_a_calibration_that_lacks_a_label_is_not_compiled(tmp_path):
    """scikit-learn takes it for what it is; so it is kept as it is."""
    pipeline = fitted(COMPILED["sigmoid calibration of one"])
    pipeline[-1].calibrated_classifiers_[0].calibrators.pop()
    result = publish(tmp_path, pipeline)
    assert result.metadata.pipeline.reason == "its calibration is one of other labels"


def test_a_model_of_too_many_weights_is_not_compiled(tmp_path, monkeypatch):
    """A reduction that is multiplied out may have had few."""
    monkeypatch.setattr("textclf.artifact.foreign.features._LARGEST", 800)
    result = publish(tmp_path, fitted(COMPILED["TruncatedSVD"]))
    assert result.metadata.pipeline.reason == "it would have too many weights"


def test_the_gate_judges_it_as_it_judges_others(tmp_path, plain):
    """What it refuses is published, and not promoted."""
    result = publish(tmp_path, plain, require=["accuracy>=0.99"])
    assert result.version == "1.0.0"
    assert not result.promoted
    assert result.gate.verdict == "refused"
    again = publish(tmp_path, plain, bump="patch", train=(TEXTS, LABELS), require=["accuracy>=0.1"])
    assert "trained on" in again.gate.failed[0].reason


def test_labels_that_are_numbers_become_text(tmp_path):
    """A version knows labels by their text, as it does those of a file."""
    numbers = [int(label == LABELS[0]) for label in LABELS]
    pipeline = fitted(COMPILED["TF-IDF, LogisticRegression"], numbers)
    publish(tmp_path, pipeline, test=(TEXTS[100:], numbers[100:]))
    expected = [str(label) for label in pipeline.predict(TEXTS)]
    assert textclf.load(tmp_path).label(TEXTS) == expected


@pytest.mark.parametrize(
    ("pipeline", "error", "said"),
    [
        ({}, TypeError, "not a fitted scikit-learn pipeline: dict"),
        (named(words(), LinearSVC()), UsageError, "cannot label a list of texts: NotFittedError"),
        (LinearSVC(), UsageError, "cannot label a list of texts"),
        (named(FeatureUnion([("no", "drop")]), LinearSVC()), UsageError, "cannot label a list"),
        (named(FeatureUnion([("no", None)]), LinearSVC()), UsageError, "cannot label a list"),
        (named(words(), *["passthrough"] * 100, LinearSVC()), UsageError, "has 100 steps or more"),
    ],
    ids=["a dict", "not fitted", "no features", "dropped features", "no part", "many steps"],
)
def test_what_is_no_fitted_pipeline_is_refused(tmp_path, pipeline, error, said):
    """With a sentence, before anything is written."""
    with pytest.raises(error, match=said):
        publish(tmp_path, pipeline)
    assert not any(tmp_path.iterdir())


class Odd(BaseEstimator):
    """A classifier that answers in a way of its own."""

    classes_ = np.array(sorted(set(LABELS)))

    def __init__(self, labels=None, scores=None):
        self.labels, self.scores = labels, scores

    def predict(self, texts):
        """Return the same label for all."""
        return np.array([self.labels or LABELS[0]] * len(texts))

    def predict_proba(self, texts):
        """Return the same scores for all."""
        return np.array([self.scores or [0.2, 0.3, 0.5]] * len(texts))


@pytest.mark.parametrize(
    ("pipeline", "said"),
    [
        (Odd(scores=[0.1, np.nan, 0.9]), "does not give a label of its own and 3 scores"),
        (Odd(scores=[0.1, 0.9]), "does not give a label of its own and 3 scores"),
        (Odd(scores=["a", "b", "c"]), "cannot score a list of texts: TypeError"),
        (Odd(labels="none of them"), "does not give a label of its own and 3 scores"),
        (make_pipeline(words(), OneClassSVM()).fit(TEXTS), "labels of the pipeline are not text"),
    ],
    ids=["no numbers", "too few", "text", "another label", "one class"],
)
def test_answers_that_make_no_sense_are_refused(tmp_path, pipeline, said):
    """They would be those of a version for ever."""
    with pytest.raises(UsageError, match=said):
        publish(tmp_path, pipeline)
    assert not any(tmp_path.iterdir())


def say_the_same(texts):
    return [LABELS[0]] * len(texts)


def fail(_texts):
    raise ZeroDivisionError("of its own")


def test_a_pipeline_that_was_changed_is_what_it_says(tmp_path):
    """And not what its steps would say; one that fails is refused."""
    pipeline = fitted(COMPILED["TF-IDF, LogisticRegression"])
    pipeline.predict = say_the_same
    result = publish(tmp_path / "a", pipeline)
    assert result.metadata.pipeline.opened_by == "untrusted"
    assert re.search("form of it labels .* test rows differently", result.metadata.pipeline.reason)
    pipeline.predict = fail
    with pytest.raises(UsageError, match="cannot label a list of texts: ZeroDivisionError: of its"):
        publish(tmp_path / "b", pipeline)
    assert not (tmp_path / "b").exists()


def test_a_pipeline_without_scores_is_refused(tmp_path):
    """A version has a score for every label."""
    votes = VotingClassifier([("a", LinearSVC()), ("b", MultinomialNB())])
    with pytest.raises(UsageError, match="VotingClassifier has neither predict_proba nor"):
        publish(tmp_path, fitted(lambda: named(words(), votes)))


def test_a_function_that_cannot_be_saved_is_told(tmp_path):
    """A lambda has no name by which another process finds it."""
    step = FunctionTransformer(lambda texts: texts)
    with pytest.raises(UsageError, match=r"cannot be saved: .*lambda"):
        publish(tmp_path, fitted(lambda: named(step, words(), LinearSVC())))


def test_a_dry_run_tests_it_and_publishes_nothing(tmp_path, plain):
    """It says which number it would get, how it would be opened and how good it is."""
    result = publish(tmp_path, plain, dry_run=True)
    assert (result.version, result.planned, result.promoted) == (None, "1.0.0", False)
    assert result.metadata.pipeline.opened_by == "scorer"
    assert "would be 1.0.0" in repr(result)
    assert "not published" in result._repr_html_()
    assert not any(tmp_path.iterdir())
    assert publish(tmp_path, plain).metadata.test == result.metadata.test


@pytest.mark.parametrize(
    "make", [COMPILED["TF-IDF, LogisticRegression"], UNTRUSTED["a forest"][0]], ids=["ours", "not"]
)
def test_a_threshold_is_kept_with_the_version(tmp_path, make):
    """Texts with a lower probability get no label, however it is opened; another one is minor."""
    publish(tmp_path, fitted(make), threshold=1.0)
    predictor = textclf.load(tmp_path, unsafe_load=True)
    assert predictor.threshold == 1.0
    assert predictor.predict("a text of no known words").label is None
    again = publish(tmp_path, fitted(make), threshold=0.5)
    assert again.version == "1.1.0"
    assert "threshold: 1.0 → 0.5" in again.reasons


def test_a_share_of_known_ngrams_is_kept_with_the_version(tmp_path):
    """Texts of other words get no label; what is not compiled cannot tell them, and is refused."""
    publish(tmp_path, fitted(COMPILED["TF-IDF, LogisticRegression"]), abstain_unknown=0.5)
    predictor = textclf.load(tmp_path)
    assert predictor.abstain_unknown == 0.5
    assert predictor.predict("zzz").label is None
    with pytest.raises(UsageError, match="it is not compiled"):
        publish(tmp_path, fitted(UNTRUSTED["a forest"][0]), abstain_unknown=0.5)


def test_a_threshold_needs_probabilities(tmp_path):
    """The hint names what has them."""
    with pytest.raises(UsageError, match="scores of LinearSVC are decision values") as refused:
        publish(tmp_path, fitted(lambda: named(words(), LinearSVC())), threshold=0.5)
    assert "CalibratedClassifierCV" in refused.value.hint


def test_rows_of_other_labels_are_refused(tmp_path, plain):
    """They are probably those of another column."""
    with pytest.raises(DataError, match="none of the labels that the pipeline knows"):
        publish(tmp_path, plain, test=(TEXTS, ["x"] * len(TEXTS)))


@pytest.mark.parametrize(
    "kind",
    [
        "TF-IDF, LogisticRegression",
        "counts, TfidfTransformer, SGD",
        "union with weights, LinearSVC",
        "sigmoid calibration of one",
        "TruncatedSVD",
        "one against the rest",
        "Perceptron, scaled",
    ],
)
def test_a_file_of_known_estimators_is_opened_without_running_code(tmp_path, kind, monkeypatch):
    """The same bytes come of it as of the pipeline itself, so that there is no second version."""
    pipeline = fitted(COMPILED[kind])
    joblib.dump(pipeline, tmp_path / "model.joblib")
    monkeypatch.setattr(joblib, "load", None)
    result = publish(tmp_path / "models", tmp_path / "model.joblib")
    assert result.metadata.pipeline.path.endswith("model.joblib")
    assert len(result.metadata.pipeline.sha256) == 64
    assert textclf.load(tmp_path / "models").label(TEXTS) == pipeline.predict(TEXTS).tolist()
    again = publish(tmp_path / "models", pipeline)
    assert again.version is None, again.reasons


@pytest.mark.parametrize("kind", ["union with weights, LinearSVC", "one against the rest"])
def test_a_file_of_skops_is_read_as_one_of_joblib(tmp_path, kind):
    """The same version comes of it."""
    pipeline = fitted(COMPILED[kind])
    skops.io.dump(pipeline, tmp_path / "model.skops")
    result = publish(tmp_path / "models", tmp_path / "model.skops")
    assert result.metadata.pipeline.opened_by == "scorer"
    assert textclf.load(tmp_path / "models").label(TEXTS) == pipeline.predict(TEXTS).tolist()
    again = publish(tmp_path / "models", pipeline)
    assert again.version is None, again.reasons


def test_a_file_of_skops_with_other_types_needs_unsafe_load(tmp_path):
    """It is refused, and the types are named."""
    skops.io.dump(fitted(UNTRUSTED["a forest"][0]), tmp_path / "model.skops")
    with pytest.raises(UnsafeModel, match=r"sklearn\.tree\._tree\.Tree.* may run code") as refused:
        publish(tmp_path / "models", tmp_path / "model.skops")
    assert "--unsafe-load" in refused.value.hint
    opened = publish(tmp_path / "models", tmp_path / "model.skops", unsafe_load=True)
    assert opened.metadata.pipeline.opened_by == "untrusted"


@pytest.mark.parametrize("damage", ["another content", "a bomb", "cut off"])
def test_a_damaged_file_of_skops_is_refused(tmp_path, damage):
    """Before it takes more memory than a model."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", "[]")
        archive.writestr("array.npy", bytes(1 << 24 if damage == "a bomb" else 1))
    data = file.getvalue()
    (tmp_path / "model.skops").write_bytes(data[:-30] if damage == "cut off" else data)
    with pytest.raises(IntegrityError, match=r"model\.skops is damaged, or was"):
        publish(tmp_path / "models", tmp_path / "model.skops")


@pytest.mark.parametrize("shorten", [bytes, pickletools.optimize], ids=["as it is", "optimized"])
@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("labels", [LABELS, np.array(LABELS, dtype=object)], ids=["str", "object"])
def test_a_file_of_pickle_is_read_as_one_of_joblib(tmp_path, protocol, labels, shorten):
    """Also where an array is named twice in it, as the labels are in a calibrated model."""
    pipeline = fitted(COMPILED["sigmoid calibration of one"], labels)
    (tmp_path / "model.pkl").write_bytes(shorten(pickle.dumps(pipeline, protocol)))
    publish(tmp_path / "models", tmp_path / "model.pkl")
    assert textclf.load(tmp_path / "models").label(TEXTS) == pipeline.predict(TEXTS).tolist()


def test_arrays_of_a_pickle_take_no_more_memory_than_their_bytes():
    """However often the file makes one of the same bytes."""
    dtype, size = np.dtype("f8"), 1 << 23
    made = pickle.dumps([np.zeros(size // 8)], 5)
    opened = read_foreign(made, name="it")
    assert opened[0].dtype == dtype
    assert not opened[0].flags.owndata
    for data in (made.replace(size.to_bytes(8, "little"), (1 << 60).to_bytes(8, "little")),
                 made[: len(made) // 2]):  # fmt: skip
        with pytest.raises(IntegrityError):
            read_foreign(data, name="it")


def test_a_file_with_text_that_cannot_be_written_is_refused(tmp_path, plain):
    """Half of a surrogate pair, which a pickle may hold and the compiled scorer may not."""
    vars(plain[0])["token_pattern"] = "\\w+|\ud800"
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(plain))
    with pytest.raises(IntegrityError, match="was made to look like a model"):
        publish(tmp_path / "models", tmp_path / "model.pkl")


def test_another_file_needs_unsafe_load(tmp_path):
    """It is refused, with the way on; then it is untrusted only if it does not compile."""
    for name, make in {"a": COMPILED["stacked decisions"], "b": UNTRUSTED["a forest"][0]}.items():
        joblib.dump(fitted(make), tmp_path / name)
        with pytest.raises(UnsafeModel, match="may run code from it") as refused:
            publish(tmp_path / "models", tmp_path / name)
        assert "--unsafe-load" in refused.value.hint
    compiled = publish(tmp_path / "models", tmp_path / "a", unsafe_load=True)
    kept = publish(tmp_path / "models", tmp_path / "b", unsafe_load=True)
    opened = [result.metadata.pipeline.opened_by for result in (compiled, kept)]
    assert opened == ["scorer", "untrusted"]


def test_hostile_files_do_not_run_and_are_not_published(tmp_path, tmp_path_factory, capsys):
    """Each is refused with a sentence, as unsafe or damaged; none leaves a trace."""
    file, models = tmp_path / "model.joblib", tmp_path / "models"
    files, traces = malicious_models.shared_files(tmp_path_factory)
    for kind, data in files.items():
        file.write_bytes(data)
        with contextlib.suppress(IntegrityError, DataError):  # UnsafeModel is one
            result = publish(models, file)  # a model may be well made
            assert result.metadata.pipeline.opened_by != "untrusted", kind
        assert list(traces.iterdir()) == [], kind
    assert capsys.readouterr().out == ""
