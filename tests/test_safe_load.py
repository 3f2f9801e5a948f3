import builtins
import bz2
import contextlib
import copyreg
import functools
import io
import operator
import os
import pathlib
import pickle
import random
import struct
import subprocess
import tracemalloc
import zlib

import joblib
import numpy as np
import pytest
from joblib.numpy_pickle import NumpyArrayWrapper, NumpyPickler
from joblib.numpy_pickle_compat import NDArrayWrapper
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from textclf import safe_load
from textclf.calibration import calibrated, needs_calibration
from textclf.errors import IntegrityError, UnsafeModel
from textclf.safe_load import load_pipeline

CLASSIFIERS = [
    LinearSVC,
    LogisticRegression,
    ComplementNB,
    MultinomialNB,
    RidgeClassifier,
    SGDClassifier,
]
SGD_LOSSES = [
    "hinge",
    "log_loss",
    "modified_huber",
    "squared_hinge",
    "perceptron",
    "squared_error",
    "huber",
    "epsilon_insensitive",
    "squared_epsilon_insensitive",
]
WORDS = ["good", "bad", "naïve", "café", "cold", "warm", "日本語", "x" * 300]
TEXTS = [f"{WORDS[i % 8]} {WORDS[i * 3 % 7]} word{i % 11}" for i in range(60)]


def word():
    return ("word", TfidfVectorizer(ngram_range=(1, 2)))


def char_wb():
    return ("char_wb", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3), dtype=np.float32))


def fitted(classifier=None, *, blocks=None, labels="ab", as_objects=False):
    y = [f"label {labels[i % len(labels)]}" for i in range(len(TEXTS))]
    union = FeatureUnion(blocks or [word()])
    pipeline = Pipeline([("features", union), ("classifier", classifier or MultinomialNB())])
    return pipeline.fit(TEXTS, np.array(y, dtype=object) if as_objects else y)


def with_probabilities(classifier=None, **options):
    """A fitted pipeline whose classifier has a temperature."""
    pipeline = fitted(classifier or LinearSVC(), **options)
    labels = pipeline.predict(TEXTS)
    decisions = pipeline.decision_function(TEXTS)
    last = calibrated(pipeline["classifier"], decisions, labels)
    return Pipeline([pipeline.steps[0], ("classifier", last)])


def dumped(value, **options):
    buffer = io.BytesIO()
    joblib.dump(value, buffer, **options)
    return buffer.getvalue()


def load(data):
    return load_pipeline(data, name="1.0.0/model.joblib")


def vectorizer(pipeline):
    return pipeline["features"].transformer_list[0][1]


def inner(pipeline):
    return pipeline["classifier"].calibrated_classifiers_[0]


def scaling(pipeline):
    return inner(pipeline).calibrators[0]


# --- what opens


@pytest.mark.parametrize("labels", ["ab", "abcde"])
@pytest.mark.parametrize("blocks", [[word], [char_wb], [word, char_wb]])
@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_a_model_predicts_like_the_one_joblib_loads(classifier, blocks, labels):
    """Each classifier over each kind of features opens and predicts what the original predicts."""
    data = dumped(fitted(classifier(), blocks=[block() for block in blocks], labels=labels))
    pipeline, reference = load(data), joblib.load(io.BytesIO(data))
    assert type(pipeline) is Pipeline
    assert pipeline.predict(TEXTS).tolist() == reference.predict(TEXTS).tolist()
    score = "decision_function" if hasattr(reference, "decision_function") else "predict_proba"
    assert np.array_equal(getattr(pipeline, score)(TEXTS), getattr(reference, score)(TEXTS))


@pytest.mark.parametrize("loss", SGD_LOSSES)
def test_each_loss_of_sgd_opens(loss):
    """SGDClassifier keeps an object of its loss in the file; each loss is known."""
    pipeline = fitted(SGDClassifier(loss=loss, random_state=0))
    assert load(dumped(pipeline)).predict(TEXTS).tolist() == pipeline.predict(TEXTS).tolist()


@pytest.mark.parametrize("labels", ["ab", "abcde"])
@pytest.mark.parametrize(
    "classifier",
    [
        LinearSVC(),
        RidgeClassifier(),
        *(
            SGDClassifier(loss=loss)
            for loss in SGD_LOSSES
            if needs_calibration(SGDClassifier(loss=loss))
        ),
    ],
    ids=str,
)
def test_a_calibrated_model_predicts_like_the_one_joblib_loads(classifier, labels):
    """A classifier with a temperature opens and gives labels and probabilities as the original."""
    data = dumped(with_probabilities(classifier, labels=labels))
    pipeline, reference = load(data), joblib.load(io.BytesIO(data))
    assert type(pipeline["classifier"]) is CalibratedClassifierCV
    assert pipeline.predict(TEXTS).tolist() == reference.predict(TEXTS).tolist()
    assert np.array_equal(pipeline.predict_proba(TEXTS), reference.predict_proba(TEXTS))


@pytest.mark.parametrize("method", ["zlib", "gzip", "bz2", "lzma", "xz"])
def test_a_compressed_model_opens(method):
    """A file made with joblib.dump(compress=...) opens like an uncompressed one."""
    pipeline = fitted()
    data = dumped(pipeline, compress=(method, 3))
    assert load(data).predict(TEXTS).tolist() == pipeline.predict(TEXTS).tolist()


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({"as_objects": True, "classifier": LinearSVC()}, {}),
        ({"classifier": LinearSVC(fit_intercept=False)}, {}),
        ({"classifier": LogisticRegression(class_weight={"label a": 2.0})}, {}),
        ({}, {"max_features": 9}),
        ({}, {"use_idf": False, "stop_words": ["good"]}),
        ({}, {"stop_words": "english", "strip_accents": "unicode"}),
        ({}, {"vocabulary": {"good": 0, "bad": 1}}),
    ],
)
def test_unusual_settings_open(options, settings):
    """Object labels, no intercept, NumPy integers in the vocabulary and the like are data."""
    pipeline = fitted(blocks=[("word", TfidfVectorizer(**settings))], **options)
    assert load(dumped(pipeline)).predict(TEXTS).tolist() == pipeline.predict(TEXTS).tolist()


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("terms", [1, 1000, 1001])
def test_any_size_of_vocabulary_opens(terms, protocol):
    """Pickle writes a mapping by the thousand and a single last item in another way; both open."""
    texts = [f"term{i}" for i in range(terms)] * 2
    pipeline = Pipeline([("features", FeatureUnion([word()])), ("classifier", ComplementNB())])
    pipeline.fit(texts, ["a", "b"] * terms)
    vocabulary = vectorizer(load(dumped(pipeline, protocol=protocol))).vocabulary_
    assert vocabulary == vectorizer(pipeline).vocabulary_


def test_arrays_are_writable_and_aligned():
    """An opened model's arrays are its own, not views of the file's bytes."""
    weights = load(dumped(fitted()))["classifier"].feature_log_prob_
    assert weights.flags.writeable
    assert weights.flags.aligned


# --- what is refused: payloads that run code, were they opened by joblib


class Calls:
    """Pickles as a call of ``function`` with ``args``."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


def touch(path):
    return f"touch '{path}'"


def python(path):
    return f"open({str(path)!r}, 'w').close()"


def by_getattr(path):
    module = name("builtins", "__import__") + text("os") + pickle.TUPLE1 + pickle.REDUCE
    function = name("builtins", "getattr") + module + text("system") + pickle.TUPLE2 + pickle.REDUCE
    return program(function + text(touch(path)) + pickle.TUPLE1 + pickle.REDUCE)


def nested_in_labels(path):
    pipeline = fitted(LinearSVC(), as_objects=True)
    pipeline["classifier"].classes_[0] = Calls(os.system, touch(path))
    return pipeline


def nested_in_temperature(path):
    pipeline = with_probabilities()
    scaling(pipeline).beta_ = Calls(os.system, touch(path))
    return pipeline


def second_joblib_file(path):
    file = path.with_name("second.joblib")
    joblib.dump(Calls(os.system, touch(path)), file)
    return Calls(joblib.load, str(file))


def in_attribute(path):
    pipeline = fitted()
    pipeline.verbose = Calls(os.system, touch(path))
    return pipeline


RUNS_CODE = {
    "os.system": lambda path: Calls(os.system, touch(path)),
    "builtins.eval": lambda path: Calls(eval, python(path)),
    "builtins.exec": lambda path: Calls(exec, python(path)),
    "builtins.getattr": by_getattr,
    "a method, by its dotted name": lambda path: Calls(pathlib.Path.touch, path),
    "functools.partial": lambda path: Calls(functools.partial(os.system, touch(path))),
    "operator.methodcaller": lambda path: Calls(operator.methodcaller("touch"), path),
    "subprocess.Popen": lambda path: Calls(subprocess.check_call, ["touch", str(path)]),
    "pickle.loads": lambda path: Calls(pickle.loads, pickle.dumps(Calls(os.system, touch(path)))),
    "joblib.load": second_joblib_file,
    "numpy.save": lambda path: Calls(np.savetxt, str(path), [1.0]),
    "object array": lambda path: np.array([Calls(os.system, touch(path))], dtype=object),
    "object array in a model": nested_in_labels,
    "attribute of a model": in_attribute,
    "temperature of a model": nested_in_temperature,
    "list with a known thing first": lambda path: [LinearSVC(), Calls(os.system, touch(path))],
}


def payload(kind, path):
    value = RUNS_CODE[kind](path)
    return value if isinstance(value, bytes) else dumped(value)


@pytest.mark.parametrize("kind", RUNS_CODE)
def test_a_payload_is_refused_and_does_not_run(kind, tmp_path):
    """A file that would run code is refused, its code does not run, and the hint says so."""
    canary = tmp_path / "canary"
    with pytest.raises(UnsafeModel) as caught:
        load(payload(kind, canary))
    assert not canary.exists()
    assert str(caught.value).startswith("1.0.0/model.joblib holds ")
    assert "not opened" in caught.value.hint


@pytest.mark.parametrize("kind", RUNS_CODE)
def test_the_payloads_are_real(kind, tmp_path):
    """The same bytes do run their code in joblib.load, so that the test above tests something."""
    canary = tmp_path / "canary"
    joblib.load(io.BytesIO(payload(kind, canary)))
    assert canary.exists()


# --- what is refused: instructions of the pickle machine


def text(value):
    return pickle.SHORT_BINUNICODE + bytes([len(value)]) + value.encode()


def name(module, attribute):
    return text(module) + text(attribute) + pickle.STACK_GLOBAL


def program(*instructions):
    return b"".join([pickle.PROTO, b"\x04", *instructions, pickle.STOP])


PIPELINE = name("sklearn.pipeline", "Pipeline")
BLANK = PIPELINE + pickle.EMPTY_TUPLE + pickle.NEWOBJ
ONE_ITEM = pickle.EMPTY_DICT + text("predict") + text("x") + pickle.SETITEM
DTYPE = name("numpy", "dtype")
FLAGS = pickle.NEWFALSE + pickle.NEWTRUE + pickle.TUPLE3 + pickle.REDUCE
FLOAT = DTYPE + text("f8") + FLAGS
SYSTEM = b"os\nsystem\n"
COMMAND = text("touch canary") + pickle.TUPLE1 + pickle.REDUCE

PROGRAMS = {
    "dotted name": name("joblib.numpy_pickle", "os.system") + COMMAND,
    "dotted name of an allowed class": name("sklearn.pipeline", "Pipeline.__init__"),
    "module as a name": name("sklearn", "pipeline"),
    "name by memory of another": name("numpy", "memmap"),
    "function of an allowed module": name("sklearn.pipeline", "make_pipeline"),
    "GLOBAL": pickle.GLOBAL + SYSTEM + COMMAND,
    "GLOBAL of an allowed class": pickle.GLOBAL + b"sklearn.pipeline\nPipeline\n",
    "INST": pickle.MARK + text("touch canary") + pickle.INST + SYSTEM,
    "OBJ": pickle.MARK + PIPELINE + pickle.OBJ,
    "NEWOBJ_EX": PIPELINE + pickle.EMPTY_TUPLE + pickle.EMPTY_DICT + pickle.NEWOBJ_EX,
    "NEWOBJ of a plain class": name("numpy", "float64") + pickle.EMPTY_TUPLE + pickle.NEWOBJ,
    "PERSID": pickle.PERSID + b"canary\n",
    "BINPERSID": text("canary") + pickle.BINPERSID,
    "EXT1": pickle.EXT1 + b"\xf0" + COMMAND,
    "EXT2": pickle.EXT2 + b"\xf0\x00" + COMMAND,
    "EXT4": pickle.EXT4 + b"\xf0\x00\x00\x00" + COMMAND,
    "DUP": BLANK + pickle.DUP,
    "POP": BLANK + BLANK + pickle.POP,
    "BYTEARRAY8": pickle.BYTEARRAY8 + b"\xff" * 7 + b"\x00",
    "NEXT_BUFFER": pickle.NEXT_BUFFER,
    "EMPTY_SET": pickle.EMPTY_SET,
    "UNICODE": pickle.UNICODE + b"x\n",
    "BUILD on a class": PIPELINE + ONE_ITEM + pickle.BUILD,
    "BUILD on a NumPy class": name("numpy", "ndarray") + ONE_ITEM + pickle.BUILD,
    "BUILD on a dict": pickle.EMPTY_DICT + ONE_ITEM + pickle.BUILD,
    "slot state": BLANK + pickle.NONE + ONE_ITEM + pickle.TUPLE2 + pickle.BUILD,
    "call of an object": BLANK + pickle.EMPTY_TUPLE + pickle.REDUCE,
    "call of a NumPy class": name("numpy", "ndarray") + pickle.EMPTY_TUPLE + pickle.REDUCE,
    "items for an object": BLANK + text("steps") + pickle.NONE + pickle.SETITEM,
    "elements for an object": BLANK + pickle.NONE + pickle.APPEND,
    "key that is not text": pickle.EMPTY_DICT + pickle.EMPTY_TUPLE + pickle.NONE + pickle.SETITEM,
    "dtype of objects by name": DTYPE + text("O") + FLAGS,
    "dtype of fields": DTYPE + text("f8,f8") + FLAGS,
    "dtype with a state": FLOAT + pickle.NONE + pickle.TUPLE1 + pickle.BUILD,
    "scalar of objects": name("numpy._core.multiarray", "scalar")
    + (DTYPE + text("O8") + FLAGS + pickle.NONE + pickle.TUPLE2 + pickle.REDUCE),
    "array without a header": name("numpy._core.multiarray", "_reconstruct"),
}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_an_instruction_or_name_outside_the_list_is_refused(kind, tmp_path, monkeypatch):
    """Pickle instructions and names that no model needs are refused, whatever they would do."""
    monkeypatch.chdir(tmp_path)
    copyreg.add_extension("os", "system", 0xF0)
    try:
        with pytest.raises(UnsafeModel):
            load(program(PROGRAMS[kind]))
    finally:
        copyreg.remove_extension("os", "system", 0xF0)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "nest",
    [
        lambda depth: pickle.EMPTY_TUPLE + pickle.TUPLE1 * depth,
        lambda depth: pickle.EMPTY_LIST * depth + pickle.APPEND * (depth - 1),
        lambda depth: (pickle.EMPTY_DICT + text("")) * depth + pickle.NONE + pickle.SETITEM * depth,
        lambda depth: pickle.MARK * depth + pickle.TUPLE * depth,
        lambda depth: (
            pickle.EMPTY_DICT
            + (pickle.EMPTY_TUPLE + pickle.TUPLE1 * depth)
            + pickle.NONE
            + pickle.SETITEM
        ),
        lambda depth: (
            FLOAT + pickle.EMPTY_TUPLE + pickle.TUPLE1 * depth + pickle.BUILD + pickle.STOP
        ),
    ],
)
def test_deep_nesting_is_refused(nest):
    """Nesting deep enough to overflow the stack of a careless reader is an error like others."""
    with pytest.raises(IntegrityError):
        load(program(nest(200_000)))


# --- what is refused: objects that are no model of textclf


def changed(change, **options):
    pipeline = fitted(**options)
    change(pipeline)
    return pipeline


def vectorizer_with(**attributes):
    return changed(lambda pipeline: vars(vectorizer(pipeline)).update(attributes))


def pipeline_with(**attributes):
    return changed(lambda pipeline: vars(pipeline).update(attributes))


def classifier_with(classifier=None, **attributes):
    return changed(
        lambda pipeline: vars(pipeline["classifier"]).update(attributes), classifier=classifier
    )


def changed_calibration(change):
    pipeline = with_probabilities()
    change(pipeline)
    return pipeline


def calibrated_with(part, **attributes):
    """A calibrated model one part of which, given by a function, has other attributes."""
    return changed_calibration(lambda pipeline: vars(part(pipeline)).update(attributes))


def calibration(pipeline):
    return pipeline["classifier"]


def fitted_calibration(**settings):
    """As scikit-learn itself makes it."""
    return fitted(CalibratedClassifierCV(LinearSVC(), **settings))


def sparse():
    return changed(lambda pipeline: pipeline["classifier"].sparsify(), classifier=LinearSVC())


FOREIGN = {
    "a classifier alone": lambda: fitted()["classifier"],
    "a vectoriser alone": lambda: vectorizer(fitted()),
    "a dict": lambda: {"model": fitted()},
    "a number": lambda: 1.5,
    "an array": lambda: np.arange(3.0),
    "another classifier": lambda: fitted(DummyClassifier()),
    "another step": lambda: pipeline_with(steps=[*fitted().steps, ("classifier2", LinearSVC())]),
    "a step passed through": lambda: pipeline_with(
        steps=[("features", "passthrough"), fitted().steps[1]]
    ),
    "steps swapped": lambda: pipeline_with(steps=fitted().steps[::-1]),
    "steps of one name": lambda: pipeline_with(steps=[*fitted().steps, fitted().steps[0]]),
    "steps that are no pairs": lambda: pipeline_with(steps=["features", "classifier"]),
    "FunctionTransformer": lambda: Pipeline(
        [("features", FunctionTransformer(os.path.basename)), fitted().steps[1]]
    ),
    "a pipeline in a pipeline": lambda: pipeline_with(
        steps=[("features", fitted()), fitted().steps[1]]
    ),
    "memory": lambda: pipeline_with(memory="cache"),
    "joblib.Memory": lambda: pipeline_with(memory=joblib.Memory(None)),
    "many processes": lambda: changed(lambda p: vars(p["features"]).update(n_jobs=10_000)),
    "features of another name": lambda: fitted(blocks=[("other", TfidfVectorizer())]),
    "callable tokenizer": lambda: vectorizer_with(tokenizer=os.path.basename),
    "callable preprocessor": lambda: vectorizer_with(preprocessor=str),
    "callable analyzer": lambda: vectorizer_with(analyzer=os.path.basename),
    "callable strip_accents": lambda: vectorizer_with(strip_accents=os.path.basename),
    "class as tokenizer": lambda: vectorizer_with(tokenizer=np.float64),
    "object as tokenizer": lambda: vectorizer_with(tokenizer=LinearSVC()),
    "object as pattern": lambda: vectorizer_with(token_pattern=None),
    "object as stop words": lambda: vectorizer_with(stop_words=[LinearSVC()]),
    "texts read from files": lambda: vectorizer_with(input="filename"),
    "dtype": lambda: vectorizer_with(dtype=np.ndarray),
    "vocabulary of a list": lambda: vectorizer_with(vocabulary_=["good"]),
    "vocabulary of text": lambda: vectorizer_with(vocabulary_={"good": "0"}),
    "vocabulary of floats": lambda: vectorizer_with(vocabulary_={"good": 0.0}),
    "method replaced": lambda: pipeline_with(predict="x"),
    "method of a classifier replaced": lambda: classifier_with(predict=1),
    "object as attribute": lambda: classifier_with(extra=LinearSVC()),
    "nested list as attribute": lambda: classifier_with(extra=[[1]]),
    "random generator": lambda: classifier_with(random_state=np.random.RandomState(0)),
    "sparse weights": sparse,
    "scipy.sparse in the vectoriser": lambda: vectorizer_with(
        extra=vectorizer(fitted()).transform(["good"])
    ),
    "loss of another kind": lambda: classifier_with(SGDClassifier(), _loss_function_=LinearSVC()),
    "binarizer of another kind": lambda: classifier_with(
        RidgeClassifier(), _label_binarizer=LinearSVC()
    ),
    "matrix": lambda: classifier_with(extra=np.zeros((1, 1)).view(np.matrix)),
    "NDArrayWrapper": lambda: NDArrayWrapper("canary.npy", np.ndarray),
    "objects in an array": lambda: classifier_with(extra=np.array([1, None], dtype=object)),
    "records": lambda: classifier_with(extra=np.zeros(2, dtype=[("a", "f8")])),
    "dates": lambda: classifier_with(extra=np.zeros(2, dtype="M8[s]")),
    "complex numbers": lambda: classifier_with(extra=np.zeros(2, dtype=complex)),
    "other byte order": lambda: classifier_with(extra=np.zeros(2, dtype=">f8")),
    "built-in function": lambda: classifier_with(extra=builtins.print),
}


FOREIGN |= {
    "calibration by sigmoid": lambda: fitted_calibration(method="sigmoid", ensemble=False),
    "calibration by steps": lambda: fitted_calibration(method="isotonic", ensemble=False),
    "calibration of an ensemble": lambda: fitted_calibration(method="temperature"),
    "calibration that says sigmoid": lambda: calibrated_with(calibration, method="sigmoid"),
    "calibration that says sigmoid inside": lambda: calibrated_with(inner, method="sigmoid"),
    "calibration of an ensemble of one": lambda: calibrated_with(calibration, ensemble=True),
    "calibration of nothing": lambda: calibrated_with(calibration, calibrated_classifiers_=[]),
    "calibration of a classifier itself": lambda: calibrated_with(
        calibration, calibrated_classifiers_=[LinearSVC()]
    ),
    "calibration of a tuple": lambda: calibrated_with(
        calibration, calibrated_classifiers_=(inner(with_probabilities()),)
    ),
    "calibration of another classifier": lambda: calibrated_with(
        inner, estimator=fitted(DummyClassifier())["classifier"]
    ),
    "calibration of a calibration": lambda: calibrated_with(
        inner, estimator=with_probabilities()["classifier"]
    ),
    "calibration of a pipeline": lambda: calibrated_with(inner, estimator=fitted()),
    "calibration of a vectoriser": lambda: calibrated_with(inner, estimator=TfidfVectorizer()),
    "calibration of what has probabilities": lambda: with_probabilities(LogisticRegression()),
    "calibration of naive Bayes": lambda: calibrated_with(
        inner, estimator=fitted(ComplementNB())["classifier"]
    ),
    "calibration of another kind of classifier": lambda: calibrated_with(
        calibration, estimator=RidgeClassifier()
    ),
    "calibration of a frozen classifier": lambda: calibrated_with(
        calibration, estimator=FrozenEstimator(LinearSVC())
    ),
    "calibration of no classifier": lambda: calibrated_with(calibration, estimator=None),
    "calibration with folds": lambda: calibrated_with(calibration, cv=5),
    "calibration with a splitter": lambda: calibrated_with(calibration, cv=StratifiedKFold()),
    "calibration in many processes": lambda: calibrated_with(calibration, n_jobs=10_000),
    "calibration with a method replaced": lambda: calibrated_with(calibration, predict=1),
    "calibration with a method replaced inside": lambda: calibrated_with(inner, predict_proba=1),
    "calibration with an object": lambda: calibrated_with(calibration, extra=LinearSVC()),
    "calibration with an object inside": lambda: calibrated_with(inner, extra=LinearSVC()),
    "calibration with objects as labels": lambda: calibrated_with(inner, classes=LinearSVC()),
    "temperature of another kind": lambda: calibrated_with(inner, calibrators=[LinearSVC()]),
    "temperature that is an isotonic regression": lambda: calibrated_with(
        inner, calibrators=[IsotonicRegression()]
    ),
    "two temperatures": lambda: changed_calibration(
        lambda pipeline: inner(pipeline).calibrators.append(scaling(pipeline))
    ),
    "temperature with a method replaced": lambda: calibrated_with(scaling, predict=1),
    "temperature with an object": lambda: calibrated_with(scaling, beta_=LinearSVC()),
    "temperature in the place of a classifier": lambda: pipeline_with(
        steps=[fitted().steps[0], ("classifier", scaling(with_probabilities()))]
    ),
    "calibration in the place of features": lambda: pipeline_with(
        steps=[("features", with_probabilities()["classifier"]), fitted().steps[1]]
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_an_object_outside_the_list_is_refused(kind):
    """Whatever textclf does not make is refused, at any place of a model that is else in order."""
    with pytest.raises(UnsafeModel):
        load(dumped(FOREIGN[kind]()))


def shorter(array):
    return array[..., :-1]


MISFITS = {
    "column below zero": lambda: changed(lambda p: vectorizer(p).vocabulary_.update(good=-1)),
    "column too large": lambda: changed(lambda p: vectorizer(p).vocabulary_.update(good=10**6)),
    "column beyond 64 bits": lambda: changed(
        lambda p: vectorizer(p).vocabulary_.update(good=2**70)
    ),
    "column twice": lambda: changed(
        lambda p: vectorizer(p).vocabulary_.update(good=vectorizer(p).vocabulary_["bad"])
    ),
    "no vocabulary": lambda: changed(lambda p: vars(vectorizer(p)).pop("vocabulary_")),
    "empty vocabulary": lambda: vectorizer_with(vocabulary_={}),
    "idf too short": lambda: changed(
        lambda p: vars(vectorizer(p)._tfidf).update(idf_=shorter(vectorizer(p)._tfidf.idf_))
    ),
    "idf that is not used but there": lambda: changed(
        lambda p: vars(vectorizer(p)._tfidf).update(use_idf=False, idf_=np.zeros(1))
    ),
    "weights too short": lambda: changed(
        lambda p: vars(p["classifier"]).update(coef_=shorter(p["classifier"].coef_)),
        classifier=LinearSVC(),
    ),
    "weights of integers": lambda: changed(
        lambda p: vars(p["classifier"]).update(coef_=p["classifier"].coef_.astype(int)),
        classifier=LinearSVC(),
    ),
    "other number of features": lambda: classifier_with(n_features_in_=3),
    "labels that are numbers": lambda: classifier_with(classes_=np.arange(2)),
    "labels twice": lambda: classifier_with(classes_=np.array(["a", "a"])),
    "labels that are one text": lambda: classifier_with(classes_=np.str_("ab")),
    "labels in a table": lambda: classifier_with(classes_=np.array([["a"], ["b"]])),
    "one label": lambda: classifier_with(classes_=np.array(["a"])),
    "weights for unknown features": lambda: changed(
        lambda p: vars(p["features"]).update(transformer_weights={"char": 1.0})
    ),
    "not fitted": lambda: Pipeline(
        [("features", FeatureUnion([word()])), ("classifier", LinearSVC())]
    ),
}


def classifier_inside(pipeline):
    return inner(pipeline).estimator


MISFITS |= {
    "calibration of numbered labels": lambda: fitted_calibration(
        method="temperature", ensemble=False
    ),
    "calibration of other labels": lambda: calibrated_with(
        calibration, classes_=np.array(["x", "y"])
    ),
    "calibration of more labels": lambda: calibrated_with(inner, classes=np.array(["x", "y", "z"])),
    "calibration of labels swapped": lambda: changed_calibration(
        lambda pipeline: vars(inner(pipeline)).update(classes=pipeline.classes_[::-1])
    ),
    "calibration of labels that are no array": lambda: calibrated_with(inner, classes=["x", "y"]),
    "calibration of other features": lambda: calibrated_with(calibration, n_features_in_=3),
    "calibration of weights too short": lambda: changed_calibration(
        lambda pipeline: vars(classifier_inside(pipeline)).update(
            coef_=shorter(classifier_inside(pipeline).coef_)
        )
    ),
    "calibration not fitted": lambda: changed_calibration(
        lambda pipeline: vars(calibration(pipeline)).pop("calibrated_classifiers_")
    ),
    "temperature not fitted": lambda: changed_calibration(lambda p: vars(scaling(p)).clear()),
    **{
        f"temperature {value!r}": lambda value=value: calibrated_with(scaling, beta_=value)
        for value in (
            *map(np.float64, (0, -1, np.inf, np.nan)),
            *(1.0, 1, "1", None, np.float32(1), np.ones(1), np.ones(2)),
        )
    },
}


@pytest.mark.parametrize("kind", MISFITS)
def test_parts_that_do_not_fit_together_are_damage(kind):
    """Columns, weights and labels that contradict each other never reach scipy's unchecked code."""
    with pytest.raises(IntegrityError, match=r"1\.0\.0/model\.joblib is damaged"):
        load(dumped(MISFITS[kind]()))


# --- what is refused: array headers


def with_header(**fields):
    """A model whose arrays' headers say something else than what follows."""

    class Tampering(NumpyPickler):
        def _create_array_wrapper(self, array):
            wrapper = super()._create_array_wrapper(array)
            return NumpyArrayWrapper(**{**vars(wrapper), **fields})

    buffer = io.BytesIO()
    Tampering(buffer, protocol=4).dump(fitted())
    return buffer.getvalue()


HEADERS = [
    {"shape": (1 << 33,)},
    {"shape": (1 << 62, 4)},
    {"shape": (0, 1 << 62)},
    {"shape": (-1,)},
    {"shape": (-2, -2)},
    {"shape": (2.0,)},
    {"shape": (True,)},
    {"shape": [2]},
    {"shape": 2},
    {"shape": ()},
    {"shape": (1, 1, 1)},
    {"order": "K"},
    {"dtype": np.dtype("U9999")},
    {"dtype": np.dtype(object)},
    {"dtype": "f8"},
    {"dtype": None},
    {"subclass": np.memmap},
    {"subclass": None},
    {"subclass": Pipeline},
]


@pytest.mark.parametrize("fields", HEADERS, ids=str)
def test_an_array_header_that_lies_is_refused_without_a_large_allocation(fields):
    """A header asking for more than the file holds, or for nonsense, is refused at no cost."""
    data = with_header(**fields)
    load(with_header())  # also imports what is needed
    tracemalloc.start()
    try:
        with pytest.raises(IntegrityError):
            load(data)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_model_marked_for_memory_mapping_is_read():
    """``allow_mmap`` in a header changes nothing: the file is read, never mapped."""
    assert type(load(with_header(allow_mmap=True))["classifier"].class_count_) is np.ndarray


# --- what is refused: files


def test_a_small_file_does_not_unpack_to_a_huge_one(monkeypatch):
    """Unpacking stops at the limit; the message says why."""
    monkeypatch.setattr(safe_load, "_MAX_UNPACKED", 1 << 20)
    for bomb in (zlib.compress(bytes(1 << 26)), bz2.compress(bytes(1 << 26))):
        tracemalloc.start()
        with pytest.raises(UnsafeModel, match="more than 1 MiB when decompressed"):
            load(bomb)
        assert tracemalloc.get_traced_memory()[1] < 1 << 23
        tracemalloc.stop()


def longer_last_frame():
    data = dumped(fitted())
    for size in range(len(data)):
        head = pickle.FRAME + struct.pack("<Q", size)
        if data[: -size or None].endswith(head):
            return (
                data[: -size - 9] + pickle.FRAME + struct.pack("<Q", size + 1) + data[-size:] + b"N"
            )
    raise AssertionError


FRAME = pickle.FRAME + struct.pack("<Q", 3)
NOT_A_MODEL = {
    "empty": b"",
    "text": b"this is not a model\n",
    "zip": b"PK\x03\x04" + bytes(30),
    "before joblib 0.10": b"ZF0x0000000000000010" + zlib.compress(pickle.dumps(1)),
    "protocol 0": pickle.dumps("x", 0),
    "protocol 2": pickle.dumps({}, 2),
    "unknown protocol": b"\x80\x06N.",
    "no end": b"\x80\x04N",
    "nothing on the stack": b"\x80\x04.",
    "no such memo": b"\x80\x04h\x07.",
    "bad text": b"\x80\x04\x8c\x01\xff.",
    "bytes after the end": dumped(fitted()) + b"\n",
    "a second pickle after the end": dumped(fitted()) * 2,
    "instructions after the end, in the frame": b"\x80\x04" + FRAME + b"N.N",
    "a model with instructions after the end, in the frame": longer_last_frame(),
    "frame larger than the file": b"\x80\x04" + pickle.FRAME + b"\xff" * 7 + b"\x7fN.",
    "cut-off zlib": dumped(fitted(), compress=3)[:-5],
    "bytes after zlib": dumped(fitted(), compress=3) + b"\n",
    "damaged xz": dumped(fitted(), compress=("xz", 1))[:-20] + bytes(20),
    "zlib of nothing": zlib.compress(b""),
}


@pytest.mark.parametrize("kind", NOT_A_MODEL)
def test_what_is_no_model_file_is_named_damaged(kind):
    """Any other file, and a model followed by something, is an error with the file's name."""
    with pytest.raises(IntegrityError, match=r"1\.0\.0/model\.joblib") as caught:
        load(NOT_A_MODEL[kind])
    assert "\n" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("error", [RecursionError, MemoryError, SystemError])
def test_running_out_of_something_is_an_integrity_error(error, monkeypatch):
    """Even exhaustion while a file is read is the one documented error."""

    def fail(*_):
        raise error

    monkeypatch.setattr(safe_load, "_check_pipeline", fail)
    with pytest.raises(IntegrityError):
        load(dumped(fitted()))


# --- damage


@pytest.mark.parametrize("options", [{}, {"compress": 3}])
def test_a_truncated_file_is_refused(options):
    """A model that was cut off anywhere is an integrity error, never another."""
    data = dumped(fitted(LinearSVC(), as_objects=True), **options)
    for length in range(0, len(data), 97):
        with pytest.raises(IntegrityError):
            load(data[:length])


@pytest.mark.parametrize(
    ("make", "classifier"),
    [(fitted, MultinomialNB), (fitted, LinearSVC), (with_probabilities, LinearSVC)],
)
def test_a_flipped_bit_opens_or_is_refused(make, classifier):
    """A damaged byte either hits a number, and the model opens, or is an integrity error."""
    data = dumped(make(classifier(), as_objects=True))
    chance = random.Random(0)
    for _ in range(300):
        damaged = bytearray(data)
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        with contextlib.suppress(IntegrityError):
            assert type(load(bytes(damaged))) is Pipeline
