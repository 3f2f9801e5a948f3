"""Open a model file without running code from it.

A joblib file is a pickle with raw arrays in between, and a pickle is a program for a small stack
machine that may call anything. Here the machine knows the instructions, names and array types that
a textclf model needs and no others; nothing it makes is used before the whole has been checked; and
what is returned holds nothing but scikit-learn's own classes, numbers, text and arrays of them.

Time and memory are bounded by the size of the file: at the worst about 30 bytes of memory for one
of the file, as an honest vocabulary of short terms takes, and 50 MB for what is limited by number;
and no step is done more often than there are bytes. docs/security.md says what is refused, and why.
"""

from __future__ import annotations

import functools
import importlib
import io
import math
import pickle
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from textclf.errors import IntegrityError, UnsafeModel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from numpy.typing import NDArray

_CLASSIFIERS = {
    ("sklearn.linear_model._logistic", "LogisticRegression"),
    ("sklearn.linear_model._ridge", "RidgeClassifier"),
    ("sklearn.linear_model._stochastic_gradient", "SGDClassifier"),
    ("sklearn.naive_bayes", "ComplementNB"),
    ("sklearn.naive_bayes", "MultinomialNB"),
    ("sklearn.svm._classes", "LinearSVC"),
}
_ESTIMATORS = _CLASSIFIERS | {
    ("sklearn.calibration", "CalibratedClassifierCV"),
    ("sklearn.calibration", "_CalibratedClassifier"),
    ("sklearn.calibration", "_TemperatureScaling"),
    ("sklearn.feature_extraction.text", "TfidfTransformer"),
    ("sklearn.feature_extraction.text", "TfidfVectorizer"),
    ("sklearn.pipeline", "FeatureUnion"),
    ("sklearn.pipeline", "Pipeline"),
    ("sklearn.preprocessing._label", "LabelBinarizer"),
}
_LOSSES = {  # of SGDClassifier, made from numbers
    ("_loss", "CyHalfBinomialLoss"),
    ("_loss", "CyHalfSquaredError"),
    ("_loss", "CyHuberLoss"),
    ("sklearn._loss._loss", "CyHalfBinomialLoss"),
    ("sklearn._loss._loss", "CyHalfSquaredError"),
    ("sklearn._loss._loss", "CyHuberLoss"),
    ("sklearn.linear_model._sgd_fast", "EpsilonInsensitive"),
    ("sklearn.linear_model._sgd_fast", "Hinge"),
    ("sklearn.linear_model._sgd_fast", "ModifiedHuber"),
    ("sklearn.linear_model._sgd_fast", "SquaredEpsilonInsensitive"),
    ("sklearn.linear_model._sgd_fast", "SquaredHinge"),
}
_HOMES = {"_loss": "sklearn._loss._loss"}  # misnamed by scikit-learn up to 1.7
_ARRAY_TYPES = {("numpy", "ndarray"), ("numpy", "float32"), ("numpy", "float64")}

# What joblib.dump writes for the six classifiers; APPEND and SETITEM are for a last, single item.
# GLOBAL, INST, OBJ, NEWOBJ_EX, EXT*, PERSID, DUP, sets, buffers … are refused for not being here.
_OPCODES = (
    pickle.PROTO,
    pickle.FRAME,
    pickle.STOP,
    pickle.MARK,
    pickle.MEMOIZE,
    pickle.BINGET,
    pickle.LONG_BINGET,
    pickle.NONE,
    pickle.NEWTRUE,
    pickle.NEWFALSE,
    pickle.BININT,
    pickle.BININT1,
    pickle.BININT2,
    pickle.LONG1,
    pickle.BINFLOAT,
    pickle.SHORT_BINBYTES,
    pickle.SHORT_BINUNICODE,
    pickle.BINUNICODE,
    pickle.EMPTY_TUPLE,
    pickle.TUPLE,
    pickle.TUPLE1,
    pickle.TUPLE2,
    pickle.TUPLE3,
    pickle.EMPTY_LIST,
    pickle.APPEND,
    pickle.APPENDS,
    pickle.EMPTY_DICT,
    pickle.SETITEM,
    pickle.SETITEMS,
    pickle.STACK_GLOBAL,
    pickle.NEWOBJ,
    pickle.REDUCE,
    pickle.BUILD,
)
_CONTAINERS = (
    pickle.MARK,
    pickle.TUPLE,
    pickle.TUPLE1,
    pickle.TUPLE2,
    pickle.TUPLE3,
    pickle.EMPTY_LIST,
    pickle.EMPTY_DICT,
)

_DTYPE = re.compile(r"f[248]|[iu][1248]|b1|U[1-9][0-9]{0,4}|O8")
_PROTOCOLS = (4, 5)
# As joblib tells them: zlib, gzip, bzip2, xz, lzma, LZ4, zstd, and zlib before joblib 0.10.
_COMPRESSED = (
    b"\x78",
    b"\x1f\x8b",
    b"BZ",
    b"\xfd7zXZ",
    b"\x5d\x00",
    b"\x04\x22\x4d\x18",
    b"\x28\xb5\x2f\xfd",
    b"ZF",
)
_MAX_BYTES = 1 << 32
_MAX_CONTAINERS = 1 << 18  # an empty list is one byte in the file and 80 in memory
_MAX_ATTRIBUTES = 64  # the estimators have up to 40
_MAX_ITEMS = 100_000  # of a list of stop words, or of class weights
_HEADER = frozenset(
    {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}
)
_MAX_LENGTH = 1 << 40  # far below where strides overflow, as they may beside a length of zero
_UNSAFE_HINT = "It was not opened: train the model again, or ask where the file comes from."
_DAMAGED_HINT = "Restore the file from a copy, or train the model again."
_SCALARS = frozenset({type(None), bool, int, float, str})

_BLOCKS = {"word", "char", "char_wb"}
# All that fitted estimators keep under such names; others would steer scikit-learn from inside.
_PRIVATE = {
    "_average_coef",
    "_average_intercept",
    "_expanded_class_weight",
    "_label_binarizer",
    "_loss_function_",
    "_standard_coef",
    "_standard_intercept",
    "_stop_words_id",
    "_tfidf",
}
# Settings that scikit-learn would call, open as a file, keep pickles in or start processes for.
_SETTINGS: dict[str, dict[str, tuple[str | int | None, ...]]] = {
    "Pipeline": {"memory": (None,)},
    "FeatureUnion": {"n_jobs": (None,)},
    "LabelBinarizer": {"y_type_": ("binary", "multiclass"), "sparse_output": (False,)},
    "TfidfVectorizer": {
        "input": ("content",),
        "analyzer": ("word", "char", "char_wb"),
        "preprocessor": (None,),
        "tokenizer": (None,),
        "strip_accents": (None, "ascii", "unicode"),
    },
    "CalibratedClassifierCV": {
        "method": ("temperature",),
        "ensemble": (False,),
        "cv": (None,),
        "n_jobs": (None,),
    },
    "_CalibratedClassifier": {"method": ("temperature",)},
}


def load_pipeline(data: bytes, *, name: str) -> Any:
    """Rebuild the fitted pipeline of a model file; no code from the file is run.

    Args:
        data: The whole file, as written by ``joblib.dump`` without compression.
        name: The file as the user knows it, for messages.

    Returns:
        A ``sklearn.pipeline.Pipeline`` of TF-IDF features and one of the classifiers, bare or in a
        ``CalibratedClassifierCV`` with a temperature.

    Raises:
        UnsafeModel: The file holds something that a textclf model never holds.
        IntegrityError: The file is damaged, or no model file.
    """
    try:
        _check_size(data)
        pipeline = _Unpickler(data, _MODEL).load_whole()
        _check_pipeline(pipeline)
    except _RefusedError as error:
        message = f"{name} holds {error}, which a model of textclf never does"
        raise UnsafeModel(message, hint=_UNSAFE_HINT) from error
    except Exception as error:  # damage has many faces, MemoryError and RecursionError included
        message = f"{name} is damaged or not a model of textclf"
        raise IntegrityError(message, hint=_DAMAGED_HINT) from error
    return pipeline


class _RefusedError(Exception):
    """Something outside the list; the message is what, as the object of a sentence."""


def _refuse(what: str) -> NoReturn:
    raise _RefusedError(what)


# --- from bytes to the objects of the pickle


def _check_size(data: bytes) -> None:
    """Refuse what is larger than any model, or may become so."""
    if len(data) > _MAX_BYTES:
        _refuse(f"more than {_MAX_BYTES >> 30} GiB")
    if data.startswith(_COMPRESSED):
        _refuse("compressed data")


@dataclass(frozen=True)
class _Maker:
    """Stands in the pickle for what may be called, so that nothing else can be.

    ``new`` is whether pickle makes one by ``NEWOBJ``, as an object that is given its state later,
    or by ``REDUCE``, as the result of a call.
    """

    make: Callable[..., Any]
    new: bool = False


class _ArrayHeader:
    """Stands for joblib's NumpyArrayWrapper: the array's bytes, or a pickle of objects, follow."""


class _ObjectArray:
    """Stands for an array of objects while its pickle is read."""


def _blank(cls: type) -> _Maker:
    return _Maker(lambda: object.__new__(cls), new=True)


def _loss(cls: type) -> _Maker:
    def make(*numbers: Any) -> Any:
        if not all(type(number) is float for number in numbers):
            _refuse("a loss made from something other than numbers")
        return cls(*numbers)

    return _Maker(make)


def _make_dtype(code: Any, align: Any, copy: Any) -> np.dtype[Any]:
    if (
        type(code) is not str
        or not _DTYPE.fullmatch(code)
        or align is not False
        or copy is not True
    ):
        _refuse("an array of a type other than numbers and text")
    return np.dtype(code)


def _make_scalar(dtype: Any, data: Any) -> np.generic:
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        _refuse("a NumPy scalar that is neither number nor text")
    if type(data) is not bytes or len(data) != dtype.itemsize:
        raise ValueError("a NumPy scalar of the wrong size")
    scalar: np.generic = np.frombuffer(data, dtype)[0]
    return scalar


def _make_object_array(cls: Any, shape: Any, code: Any) -> _ObjectArray:
    if cls is not np.ndarray or shape != (0,) or code != b"b":
        _refuse("an array of an unknown kind")
    return _ObjectArray()


_ARRAY_MAKERS = {
    ("numpy", "dtype"): _Maker(_make_dtype),
    ("numpy._core.multiarray", "scalar"): _Maker(_make_scalar),
}
_OBJECT_ARRAY_MAKERS = _ARRAY_MAKERS | {
    ("numpy._core.multiarray", "_reconstruct"): _Maker(_make_object_array),
}
_MODEL_MAKERS = _ARRAY_MAKERS | {
    ("joblib.numpy_pickle", "NumpyArrayWrapper"): _Maker(_ArrayHeader, new=True),
}
_MAKERS = _MODEL_MAKERS | _OBJECT_ARRAY_MAKERS

# The names that a model, and the pickle of an object array inside it, may ask for.
_MODEL = frozenset(_ESTIMATORS | _LOSSES | _ARRAY_TYPES | _MODEL_MAKERS.keys())
_OBJECT_ARRAY = frozenset({("numpy", "ndarray")} | _OBJECT_ARRAY_MAKERS.keys())


@functools.cache
def _stand_in(module: str, name: str) -> Any:
    """What an allowed name means: a maker, or a class that is only ever compared."""
    key = (module, name)
    if key in _MAKERS:
        return _MAKERS[key]
    cls = getattr(importlib.import_module(_HOMES.get(module, module)), name)
    if key in _ESTIMATORS:
        return _blank(cls)
    return _loss(cls) if key in _LOSSES else cls


def _is_a(value: Any, names: Iterable[tuple[str, str]]) -> bool:
    return (type(value).__module__, type(value).__qualname__) in names


_PythonUnpickler = pickle._Unpickler  # noqa: SLF001  # as joblib: the C one lets no rule be replaced


def _counted(opcode: bytes) -> Callable[[Any], None]:
    """Python's own rule for an instruction that makes a container, after that was counted."""
    load: Callable[[Any], None] = _PythonUnpickler.dispatch[opcode[0]]

    def counted(unpickler: _Unpickler) -> None:
        unpickler.count_container()
        load(unpickler)

    return counted


class _Unpickler(_PythonUnpickler):
    """The stack machine, with the allowed instructions and names only.

    It is Python's own, not the C one, so that each instruction can have its rule. joblib.load runs
    it too and takes about as long. Seconds of processor time, best of several, of MultinomialNB
    with 4 labels (joblib.load in brackets): 20,000 terms 0.03 (0.03), 200,000 terms 0.30 (0.31),
    1,000,000 terms 1.6 (1.7); 200,000 terms numbered by NumPy integers 0.9 (0.8).
    """

    stack: list[Any]
    metastack: list[list[Any]]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, data: bytes, names: frozenset[tuple[str, str]], start: int = 0) -> None:
        self._data = data
        self._names = names
        self._file = io.BytesIO(data)  # shares the bytes
        self._file.seek(start)
        self._kept: list[Any] = []  # Python's own memo takes ten times the memory
        self._containers = 0
        super().__init__(self._file, fix_imports=False)

    def load_whole(self) -> Any:
        """The object of a pickle that is all there is."""
        value, end = self.load_part()
        if end != len(self._data):
            raise ValueError("something follows the pickle")
        return value

    def load_part(self) -> tuple[Any, int]:
        """The object of the pickle and where that ends."""
        value = self.load()
        if self.stack or self.metastack:
            raise ValueError("something is left on the stack")
        end = self._file.tell()
        if self.read(1) and self._file.tell() == end:  # read from the frame, not from the file
            raise ValueError("something follows the last instruction")
        return value, end

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._names:
            _refuse(f"{module + '.' + name!a:.80}")
        return _stand_in(module, name)

    def load_proto(self) -> None:
        if self.read(1)[0] not in _PROTOCOLS:
            raise ValueError("a pickle of an unknown protocol")

    def load_memoize(self) -> None:
        self._kept.append(self.stack[-1])

    def load_binget(self) -> None:
        self.append(self._kept[self.read(1)[0]])

    def load_long_binget(self) -> None:
        self.append(self._kept[struct.unpack("<I", self.read(4))[0]])

    def load_newobj(self) -> None:
        self.count_container()
        self._make(new=True)

    def load_reduce(self) -> None:
        self._make(new=False)

    def _make(self, *, new: bool) -> None:
        args = self.stack.pop()
        maker = self.stack.pop()
        if type(maker) is not _Maker or maker.new is not new or type(args) is not tuple:
            _refuse("a call of something that cannot be called")
        self.append(maker.make(*args))

    def load_append(self) -> None:
        item = self.stack.pop()
        self._top(list).append(item)

    def load_appends(self) -> None:
        items = self.pop_mark()
        self._top(list).extend(items)

    def load_setitem(self) -> None:
        value = self.stack.pop()
        self._set_items([self.stack.pop(), value])

    def load_setitems(self) -> None:
        self._set_items(self.pop_mark())

    def _set_items(self, items: list[Any]) -> None:
        keys = items[::2]
        if not set(map(type, keys)) <= {str}:  # to hash a deeply nested one overflows C's stack
            _refuse("a mapping from something other than text")
        self._top(dict).update(zip(keys, items[1::2], strict=True))

    def _top(self, kind: type) -> Any:
        top = self.stack[-1]
        if type(top) is not kind:
            _refuse(f"items for something that is not a {kind.__name__}")
        return top

    def load_build(self) -> None:
        """Give an object its state: attributes to an estimator, bytes to an array."""
        state = self.stack.pop()
        target = self.stack[-1]
        if type(target) is _ArrayHeader:
            self.stack[-1] = self._read_array(_dict(state))
        elif type(target) is _ObjectArray:
            self.stack[-1] = _filled(*state)
        elif isinstance(target, np.dtype):
            # NumPy's __setstate__ trusts what it gets; a native type is complete without it.
            if state != target.__reduce__()[2]:
                _refuse("an array type of another machine, or a made-up one")
        elif _is_a(target, _ESTIMATORS):
            # Not by __setstate__, which is free to warn: the metadata tells the versions.
            if vars(target) or len(_dict(state)) > _MAX_ATTRIBUTES:
                _refuse("more attributes than a model has")
            vars(target).update(state)
            vars(target).pop("_sklearn_version", None)
        else:
            _refuse("state for something that has none")

    def _read_array(self, header: dict[str, Any]) -> NDArray[Any]:
        """The array that follows its header; ``allow_mmap`` is ignored, nothing is mapped."""
        if header.keys() != _HEADER:
            raise ValueError("an array header with fields of its own")
        shape, order, dtype = header["shape"], header["order"], header["dtype"]
        if header["subclass"] is not np.ndarray or not isinstance(dtype, np.dtype):
            _refuse("an array of an unknown kind")
        if order not in ("C", "F") or not _is_shape(shape):
            raise ValueError("an array of an impossible shape")
        if dtype.hasobject:
            return self._read_objects(shape)
        if header["numpy_array_alignment_bytes"] is not None:
            self._file.seek(self._file.read(1)[0], io.SEEK_CUR)
        start, count = self._file.tell(), math.prod(shape)
        if start + count * dtype.itemsize > len(self._data):
            raise ValueError("an array that is larger than the file")
        self._file.seek(start + count * dtype.itemsize)
        flat = np.frombuffer(self._data, dtype, count, start) if count else np.empty(0, dtype)
        return flat.copy().reshape(shape, order=order)  # a copy: aligned and writable

    def _read_objects(self, shape: tuple[int, ...]) -> NDArray[Any]:
        inner = _Unpickler(self._data, _OBJECT_ARRAY, self._file.tell())
        array, end = inner.load_part()
        if type(array) is not np.ndarray or array.shape != shape:
            raise ValueError("an array of objects that differs from its header")
        self._file.seek(end)
        return array

    def load_refused(self) -> None:
        _refuse("a pickle instruction that no model needs")

    def count_container(self) -> None:
        self._containers += 1
        if self._containers > _MAX_CONTAINERS:
            _refuse("more lists, mappings and objects than a model has")

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **dict.fromkeys(_PythonUnpickler.dispatch, load_refused),
        **{opcode[0]: _PythonUnpickler.dispatch[opcode[0]] for opcode in _OPCODES},
        **{opcode[0]: _counted(opcode) for opcode in _CONTAINERS},
        pickle.PROTO[0]: load_proto,
        pickle.MEMOIZE[0]: load_memoize,
        pickle.BINGET[0]: load_binget,
        pickle.LONG_BINGET[0]: load_long_binget,
        pickle.NEWOBJ[0]: load_newobj,
        pickle.REDUCE[0]: load_reduce,
        pickle.APPEND[0]: load_append,
        pickle.APPENDS[0]: load_appends,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.BUILD[0]: load_build,
    }


def _dict(state: Any) -> dict[str, Any]:
    if type(state) is not dict:
        _refuse("state that is not a mapping of attributes")
    attributes: dict[str, Any] = state  # none of the instructions makes another key
    return attributes


def _is_shape(shape: Any) -> bool:
    return (
        type(shape) is tuple
        and len(shape) in (1, 2)
        and all(type(length) is int and 0 <= length < _MAX_LENGTH for length in shape)
    )


def _filled(version: Any, shape: Any, dtype: Any, fortran: Any, items: Any) -> NDArray[Any]:
    """The array of an object array's state: only text in one row, as labels are."""
    if version != 1 or type(fortran) is not bool:  # of one row there is one order
        raise ValueError("an array of objects of an unknown format")
    if not isinstance(dtype, np.dtype) or not dtype.hasobject or type(items) is not list:
        raise ValueError("an array of objects with the state of another")
    if not all(type(item) is str for item in items):
        _refuse("an array of objects that are not text")
    if not _is_shape(shape) or shape != (len(items),):
        raise ValueError("an array of objects of the wrong shape")
    return np.array(items, dtype=object)


# --- from objects to a pipeline that is safe to use


def _check_pipeline(pipeline: Any) -> None:
    """Refuse what textclf does not make; raise ValueError where the parts do not fit together."""
    own = _attributes(pipeline, "Pipeline", parts={"steps"})
    steps = _named(own["steps"])
    if list(steps) != ["features", "classifier"]:
        _refuse("a pipeline of other steps")
    width = _check_features(steps["features"])
    if _is_a(steps["classifier"], {("sklearn.calibration", "CalibratedClassifierCV")}):
        _check_calibrated(steps["classifier"], width)
    else:
        _check_classifier(steps["classifier"], width)


def _check_features(union: Any) -> int:
    """The number of columns that the union gives."""
    own = _attributes(union, "FeatureUnion", parts={"transformer_list"})
    blocks = _named(own["transformer_list"])
    if not blocks or not blocks.keys() <= _BLOCKS:
        _refuse("features of an unknown kind")
    weights = own["transformer_weights"]
    if weights is not None and (type(weights) is not dict or not weights.keys() <= blocks.keys()):
        raise ValueError("weights for unknown features")
    return sum(_check_vectorizer(vectorizer) for vectorizer in blocks.values())


def _check_vectorizer(vectorizer: Any) -> int:
    """The number of columns that the vectoriser gives."""
    own = _attributes(
        vectorizer, "TfidfVectorizer", parts={"dtype", "vocabulary", "vocabulary_", "_tfidf"}
    )
    if not any(own["dtype"] is dtype for dtype in (np.float32, np.float64)):
        _refuse("a vectoriser of something other than floating-point numbers")
    if type(own["token_pattern"]) is not str:
        _refuse("a token pattern that is not text")
    if re.compile(own["token_pattern"]).groups > 1:
        raise ValueError("a token pattern that finds more than tokens")
    width = _check_vocabulary(own["vocabulary_"])
    if own["vocabulary"] is not None:
        _check_vocabulary(own["vocabulary"])
    tfidf = _attributes(own["_tfidf"], "TfidfTransformer")
    if tfidf["use_idf"] or "idf_" in tfidf:
        _check_floats(tfidf["idf_"], (width,))
    return width


def _check_vocabulary(vocabulary: Any) -> int:
    """The number of terms; each must have its own column, for scipy trusts these numbers."""
    if type(vocabulary) is not dict:
        _refuse("a vocabulary that is not a mapping")
    width = len(vocabulary)
    kinds = set(map(type, vocabulary.values()))
    if not all(kind is int or issubclass(kind, np.integer) for kind in kinds):
        _refuse("a vocabulary that does not map terms to numbers")
    columns = np.fromiter(vocabulary.values(), np.int64, width)
    if not width or columns.min() < 0 or columns.max() >= width or np.bincount(columns).min() == 0:
        raise ValueError("a vocabulary with wrong columns")
    return width


def _check_calibrated(model: Any, width: int) -> None:
    parts = {"estimator", "calibrated_classifiers_"}
    own = _attributes(model, "CalibratedClassifierCV", parts=parts)
    parts = {"estimator", "calibrators"}
    inner = _attributes(_only(own["calibrated_classifiers_"]), "_CalibratedClassifier", parts=parts)
    scaling = _attributes(_only(inner["calibrators"]), "_TemperatureScaling")
    classifier = inner["estimator"]
    labels = _check_classifier(classifier, width)
    if hasattr(classifier, "predict_proba"):
        _refuse("a calibration of what has probabilities of its own")
    _attributes(own["estimator"], type(classifier).__name__)  # only its settings are of use
    if own["n_features_in_"] != width:
        raise ValueError("a calibration of other features")
    if _labels(own["classes_"]) != labels or _labels(inner["classes"]) != labels:
        raise ValueError("a calibration of other labels")
    if type(scaling["beta_"]) is not np.float64 or not 0 < scaling["beta_"] < math.inf:
        raise ValueError("a temperature that is none")


def _only(items: Any) -> Any:
    """The item of a list of one."""
    if type(items) is not list or len(items) != 1:
        _refuse("a calibration of more or less than one classifier")
    return items[0]


def _check_classifier(classifier: Any, width: int) -> list[str]:
    """Return the labels."""
    if not _is_a(classifier, _CLASSIFIERS):
        _refuse("a classifier of an unknown kind")
    parts = {"_label_binarizer", "_loss_function_"}
    own = _attributes(classifier, type(classifier).__name__, parts=parts)
    if "_label_binarizer" in own:  # before scikit-learn 1.9 it alone knows the labels
        binarizer = _attributes(own["_label_binarizer"], "LabelBinarizer")
        if _labels(binarizer["classes_"]) != _labels(own.get("classes_", binarizer["classes_"])):
            raise ValueError("a classifier of two sets of labels")
        own = binarizer | own
    if "_loss_function_" in own and not _is_a(own["_loss_function_"], _LOSSES):
        _refuse("a loss of an unknown kind")
    if own["n_features_in_"] != width:
        raise ValueError("a classifier of other features")
    labels = _labels(own["classes_"])
    _check_weights(own, len(labels), width)
    return labels


def _labels(classes: Any) -> list[str]:
    if type(classes) is not np.ndarray or not all(type(label) is str for label in classes.tolist()):
        raise ValueError("labels that are not text")
    labels: list[str] = classes.tolist()
    if len(labels) < 2 or len(set(labels)) < len(labels):  # noqa: PLR2004  # one is no choice
        raise ValueError("labels that leave no choice or are there twice")
    "".join(labels).encode()  # a half of a surrogate pair cannot be written in an answer
    return labels


def _check_weights(own: dict[str, Any], labels: int, width: int) -> None:
    linear = "coef_" in own
    rows = 1 if linear and labels == 2 else labels  # noqa: PLR2004  # one row tells two apart
    weights = own["coef_" if linear else "feature_log_prob_"]
    if rows == 1 and weights.ndim == 1:  # RidgeClassifier's may be a plain row
        weights = weights.reshape(1, -1)
    _check_floats(weights, (rows, width))
    if not linear:
        _check_floats(own["class_log_prior_"], (rows,))
    elif type(own["intercept_"]) is not float:  # one that was not fitted
        _check_floats(own["intercept_"], (rows,))


def _check_floats(array: Any, shape: tuple[int, ...]) -> None:
    if type(array) is not np.ndarray or array.dtype.kind != "f" or array.shape != shape:
        raise ValueError("numbers that do not fit the rest")


def _named(steps: Any) -> dict[str, Any]:
    """The named parts of a pipeline or union."""
    if type(steps) is not list or not all(
        type(step) is tuple and len(step) == 2 and type(step[0]) is str  # noqa: PLR2004  # a pair
        for step in steps
    ):
        _refuse("steps that are not named parts")
    named = dict(steps)
    if len(named) != len(steps):
        _refuse("two steps of one name")
    return named


def _attributes(
    estimator: Any, kind: str, *, parts: Collection[str] = frozenset()
) -> dict[str, Any]:
    """The attributes of an estimator of the class ``kind``, all but ``parts`` found to be data."""
    if not _is_a(estimator, {key for key in _ESTIMATORS if key[1] == kind}):
        _refuse(f"something else in the place of a {kind}")
    own: dict[str, Any] = vars(estimator)
    for name, value in own.items():
        if callable(getattr(type(estimator), name, None)):
            _refuse(f"a {kind} with a method replaced")
        if name.startswith("_") and name not in _PRIVATE:
            _refuse(f"a {kind} with an unknown {name!a:.40}")
        if name not in parts and not _is_plain(value):
            _refuse(f"a {kind} with something other than data in {name!a:.40}")
    for name, allowed in _SETTINGS.get(kind, {}).items():
        if type(own[name]) not in _SCALARS or own[name] not in allowed:
            _refuse(f"a {kind} whose {name} is not a plain setting")
    return own


def _is_plain(value: Any) -> bool:
    """Whether a value is a number, text, an array of them, or a flat collection of them."""
    if type(value) in (list, tuple):
        items: Collection[Any] = value
    elif type(value) is dict:
        items = value.values()
    else:
        return type(value) in _SCALARS or isinstance(value, np.ndarray | np.generic)
    return len(items) <= _MAX_ITEMS and all(
        type(item) in _SCALARS or isinstance(item, np.generic) for item in items
    )
