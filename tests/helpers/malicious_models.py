"""Model files that must not be opened, by kind: what a hostile engineer would try.

``every`` has all of them. A kind of ``RUNS_CODE`` creates the file that it is given, were it opened
with ``joblib.load``; some of the others would too.
"""

import builtins
import bz2
import functools
import gzip
import io
import itertools
import lzma
import operator
import os
import pathlib
import pickle
import string
import struct
import subprocess
import tarfile
import zipfile
import zlib

import joblib
import numpy as np
from fitted_models import (
    calibrated_with,
    calibration,
    changed,
    changed_calibration,
    classifier_with,
    dumped,
    fitted,
    fitted_calibration,
    inner,
    pipeline_with,
    scaling,
    sparse,
    vectorizer,
    vectorizer_with,
    with_probabilities,
    word,
)
from joblib.numpy_pickle import NumpyPickler
from joblib.numpy_pickle_compat import NDArrayWrapper
from shared import shared_folder
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC
from slow_patterns import SLOW_PATTERNS


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


def text(value):
    return pickle.SHORT_BINUNICODE + bytes([len(value)]) + value.encode()


def name(module, attribute):
    return text(module) + text(attribute) + pickle.STACK_GLOBAL


def program(*instructions):
    return b"".join([pickle.PROTO, b"\x04", *instructions, pickle.STOP])


PIPELINE = name("sklearn.pipeline", "Pipeline")
BLANK = PIPELINE + pickle.EMPTY_TUPLE + pickle.NEWOBJ
ONE_ITEM = pickle.EMPTY_DICT + text("predict") + text("x") + pickle.SETITEM
BUILT_BY_TEXT = pickle.EMPTY_DICT + text("verbose") + pickle.NONE + pickle.SETITEM + pickle.BUILD
DTYPE = name("numpy", "dtype")
FLAGS = pickle.NEWFALSE + pickle.NEWTRUE + pickle.TUPLE3 + pickle.REDUCE
FLOAT = DTYPE + text("f8") + FLAGS
SYSTEM = b"os\nsystem\n"
COMMAND = text("touch canary") + pickle.TUPLE1 + pickle.REDUCE


def spare(opcode):
    """A program of one instruction that models do not have, with all it could want."""
    stack = pickle.MARK + PIPELINE + text("canary") + PIPELINE + pickle.EMPTY_TUPLE + ONE_ITEM
    return stack + opcode + b"\x01\n" + bytes(8)


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
    "NEWOBJ of what is called": DTYPE + text("f8") + pickle.TUPLE1 + pickle.NEWOBJ,
    "REDUCE of an estimator": PIPELINE + pickle.EMPTY_TUPLE + pickle.REDUCE,
    "attributes given twice": BLANK + BUILT_BY_TEXT + BUILT_BY_TEXT,
    "loss made from text": name("sklearn.linear_model._sgd_fast", "Hinge")
    + (text("1") + pickle.TUPLE1 + pickle.REDUCE),
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
    "pandas asked for": lambda: vectorizer_with(_sklearn_output_config={"transform": "pandas"}),
    "metadata requests": lambda: classifier_with(_metadata_request="x"),
    "answer to whether it is fitted": lambda: classifier_with(__sklearn_is_fitted__=1),
    "a processor for each block": lambda: changed(lambda p: vars(p["features"]).update(n_jobs=-1)),
    "a hundred attributes": lambda: classifier_with(**{f"extra{n}": n for n in range(100)}),
    "a long list": lambda: classifier_with(extra=[0] * 200_000),
    "labels that are many at once": lambda: changed(
        lambda p: vars(p["classifier"]._label_binarizer).update(y_type_="multilabel-indicator"),
        classifier=RidgeClassifier(),
    ),
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


def shorter(array):
    return array[..., :-1]


MISFITS = {
    **{
        f"token pattern of {kind}": lambda pattern=pattern: vectorizer_with(token_pattern=pattern)
        for kind, pattern in SLOW_PATTERNS.items()
    },
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
    "labels that cannot be written": lambda: classifier_with(classes_=np.array(["a", "\ud800"])),
    "labels that cannot be characters": lambda: classifier_with(
        classes_=np.frombuffer(b"\xff\xff\xff\x7f" + b"a\0\0\0", "U1")
    ),
    "two sets of labels": lambda: changed(
        lambda p: vars(p["classifier"]._label_binarizer).update(classes_=np.array(["x", "y"])),
        classifier=RidgeClassifier(),
    ),
    "token pattern that is none": lambda: vectorizer_with(token_pattern="("),
    "token pattern of two groups": lambda: vectorizer_with(token_pattern="(a)(b)"),
    "token pattern nested too deep": lambda: vectorizer_with(token_pattern="(" * 5000 + ")" * 5000),
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


def with_header(**fields):
    """A model whose arrays' headers say something else than what follows."""

    class Tampering(NumpyPickler):
        def _create_array_wrapper(self, array):
            wrapper = super()._create_array_wrapper(array)
            vars(wrapper).update(fields)
            return wrapper

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
    {"read": "x"},
]


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
    "something left on the stack": program(pickle.NONE + pickle.NONE),
    "a mark left on the stack": program(pickle.MARK + pickle.NONE),
}


def polyglot(make):
    """A model with the beginning or the end of another format, which other tools would see."""
    buffer = io.BytesIO()
    make(buffer, dumped(fitted()))
    return buffer.getvalue()


def zipped(buffer, model):
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr("archive/data.pkl", model)


def zip_behind(buffer, model):
    buffer.write(model)
    zipped(buffer, pickle.dumps(Calls(os.system, "touch canary")))


def tarred(buffer, model):
    with tarfile.open(fileobj=buffer, mode="w") as file:
        file.addfile(tarfile.TarInfo("model"), io.BytesIO(model))


def arrays_of_objects(buffer, _):
    np.save(buffer, np.array([Calls(os.system, "touch canary")], dtype=object), allow_pickle=True)


NOT_A_MODEL |= {
    "zip with a model": polyglot(zipped),
    "a model with a zip behind it": polyglot(zip_behind),
    "tar with a model": polyglot(tarred),
    "npy of objects": polyglot(arrays_of_objects),
    **{
        f"{kind}, then a model": head + dumped(fitted())
        for kind, head in {
            "a shell script": b"#!/bin/sh\ntouch canary\nexit\n",
            "a PNG": b"\x89PNG\r\n\x1a\n",
            "a PDF": b"%PDF-1.7\n",
            "an ELF program": b"\x7fELF\x02\x01\x01" + bytes(9),
            "HDF5": b"\x89HDF\r\n\x1a\n",
            "a byte order mark": b"\xef\xbb\xbf",
            "a line": b"\n",
            "an old pickle": b"(lp0\n.",
        }.items()
    },
}

HARMLESS = dumped(fitted())
ZEROS = bytes(1 << 23)
COMPRESSED = {
    **{
        f"{method} of a model": dumped(fitted(), compress=(method, 3))
        for method in ("zlib", "gzip", "bz2", "lzma", "xz")
    },
    "LZ4 of something": b"\x04\x22\x4d\x18" + bytes(40),
    "zstd of something": b"\x28\xb5\x2f\xfd" + bytes(40),
    "zlib, as before joblib 0.10": b"ZF0x0000000000000010" + zlib.compress(HARMLESS),
    "zlib bomb": zlib.compress(ZEROS),
    "gzip bomb": gzip.compress(ZEROS),
    "bz2 bomb": bz2.compress(ZEROS),
    "xz bomb": lzma.compress(ZEROS, preset=1),
    "lzma bomb": lzma.compress(ZEROS, format=lzma.FORMAT_ALONE, preset=1),
    "gzip of a gzip": gzip.compress(gzip.compress(HARMLESS)),
    "cut-off zlib": dumped(fitted(), compress=3)[:-5],
    "zlib of nothing": zlib.compress(b""),
}

MANY = 300_000
SHORT = [text("".join(three)) for three in itertools.product(string.ascii_lowercase, repeat=3)]
BOMBS = {
    "lists": pickle.EMPTY_LIST * MANY,
    "mappings": pickle.EMPTY_DICT * MANY,
    "marks": pickle.MARK * MANY,
    "a tuple in a tuple": pickle.EMPTY_TUPLE + pickle.TUPLE1 * MANY,
    "nothing, often": pickle.NONE * MANY,
    "memories of one thing": pickle.NONE + pickle.MEMOIZE * MANY,
    "short texts": b"".join(SHORT),
    "short texts in a mapping": pickle.EMPTY_DICT
    + pickle.MARK
    + pickle.NONE.join(SHORT)
    + pickle.NONE
    + pickle.SETITEMS,
    "numbers": (pickle.BININT2 + b"\xff\xff") * (MANY // 3),
    "fractions": (pickle.BINFLOAT + bytes(8)) * (MANY // 9),
    "large numbers": (pickle.LONG1 + b"\x02\xff\x7f") * (MANY // 4),
    "estimators": PIPELINE + pickle.MEMOIZE
    + (pickle.BINGET + b"\0" + pickle.EMPTY_TUPLE + pickle.NEWOBJ) * (MANY // 4),
    "array types": DTYPE + pickle.MEMOIZE + text("U77") + pickle.MEMOIZE
    + (pickle.BINGET + b"\0" + pickle.BINGET + b"\1" + FLAGS) * (MANY // 8),
    "attributes, many times": PIPELINE + pickle.MEMOIZE + pickle.EMPTY_DICT + pickle.MEMOIZE
    + pickle.MARK + b"".join(text(f"{n:04x}") + pickle.NONE for n in range(1 << 14))
    + pickle.SETITEMS + pickle.BINGET + b"\0" + pickle.EMPTY_TUPLE + pickle.NEWOBJ
    + (pickle.BINGET + b"\1" + pickle.BUILD) * (MANY // 4),
    "a number of ten thousand digits": pickle.LONG1 + b"\xff" + b"\x7f" * 255,
}  # fmt: skip

DEEP = 100_000
NESTED = {
    "tuples": pickle.EMPTY_TUPLE + pickle.TUPLE1 * DEEP,
    "lists": pickle.EMPTY_LIST * DEEP + pickle.APPEND * (DEEP - 1),
    "mappings": (pickle.EMPTY_DICT + text("")) * DEEP + pickle.NONE + pickle.SETITEM * DEEP,
    "marks": pickle.MARK * DEEP + pickle.TUPLE * DEEP,
    "a key": pickle.EMPTY_DICT
    + (pickle.EMPTY_TUPLE + pickle.TUPLE1 * DEEP + pickle.NONE + pickle.SETITEM),
    "an array type's state": FLOAT
    + (pickle.EMPTY_TUPLE + pickle.TUPLE1 * DEEP + pickle.BUILD + pickle.STOP),
    "estimators": (BLANK + pickle.EMPTY_DICT + text("memory")) * DEEP
    + (pickle.NONE + (pickle.SETITEM + pickle.BUILD) * DEEP),
}
"""Deep enough to overflow the stack of a careless reader."""


def shared_files(tmp_path_factory):
    """Return each kind of file, made once for a test run, and where one that runs makes a file."""
    traces = shared_folder(tmp_path_factory, "traces of malicious models", lambda _: None)

    def write(folder):
        (folder / "files").write_bytes(pickle.dumps(dict(every(traces))))
        for trace in traces.iterdir():  # some are made by running themselves
            trace.unlink()

    made = shared_folder(tmp_path_factory, "malicious models", write)
    return pickle.loads((made / "files").read_bytes()), traces


def every(folder):
    """Each kind of file, by name; ``folder`` is where those that run code would make a file."""
    for kind in RUNS_CODE:
        yield kind, payload(kind, folder / "canary")
    for kind, instructions in {**PROGRAMS, **BOMBS}.items():
        yield kind, program(instructions)
    for kind, instructions in NESTED.items():
        yield f"{kind}, deeply nested", program(instructions)
    for kind, make in {**FOREIGN, **MISFITS}.items():
        yield kind, dumped(make())
    for fields in HEADERS:
        yield f"header {fields}", with_header(**fields)
    yield from {**NOT_A_MODEL, **COMPRESSED}.items()
