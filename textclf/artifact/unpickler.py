"""Open a model file without running code from it.

A joblib file is a pickle with raw arrays in between, and a pickle is a program for a small stack
machine that may call anything. Here the machine knows the instructions, names and array types that
a textclf model needs and no others; nothing it makes is used before all of it has been checked; and
what is returned holds nothing but scikit-learn's own classes, numbers, text and arrays of them.

Time and memory are bounded by the size of the file: at the worst it takes about 30 times its size
in memory, as an ordinary vocabulary of short terms does, and 50 MB for what is limited by number;
no step is done more often than the file has bytes. docs/security.md says what is refused, and why.
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
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from textclf.artifact.allowed import ESTIMATORS, FOREIGN, LOSSES, RefusedError, is_a, refuse
from textclf.artifact.pipeline_check import check_pipeline
from textclf.errors import IntegrityError, UnsafeModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_HOMES = {"_loss": "sklearn._loss._loss"}  # misnamed by scikit-learn up to 1.7
_ARRAY_TYPES = {("numpy", "ndarray"), ("numpy", "float32"), ("numpy", "float64")}

# What joblib.dump writes for the six classifiers; APPEND and SETITEM are for a last, single item.
# GLOBAL, INST, OBJ, NEWOBJ_EX, EXT*, PERSID, DUP, sets, buffers … are refused for not being here.
_OPCODES = (
    pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.MEMOIZE, pickle.BINGET,
    pickle.LONG_BINGET, pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.BININT,
    pickle.BININT1, pickle.BININT2, pickle.LONG1, pickle.BINFLOAT, pickle.SHORT_BINBYTES,
    pickle.SHORT_BINUNICODE, pickle.BINUNICODE, pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1,
    pickle.TUPLE2, pickle.TUPLE3, pickle.EMPTY_LIST, pickle.APPEND, pickle.APPENDS,
    pickle.EMPTY_DICT, pickle.SETITEM, pickle.SETITEMS, pickle.STACK_GLOBAL, pickle.NEWOBJ,
    pickle.REDUCE, pickle.BUILD,
)  # fmt: skip
_CONTAINERS = (
    pickle.MARK, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3, pickle.EMPTY_LIST,
    pickle.EMPTY_DICT,
)  # fmt: skip

_TEXTS = b"|".join(b"%b.{%d}" % (re.escape(bytes([size])), size) for size in range(256))
_TERMS = re.compile(
    b"(?:%b(?:%b)%b(?:%b.|%b..|%b....))++"
    % (
        pickle.SHORT_BINUNICODE, _TEXTS, pickle.MEMOIZE,
        pickle.BININT1, pickle.BININT2, pickle.BININT,
    ),
    re.DOTALL,
)  # fmt: skip
"""Instructions for the items of a vocabulary: each a text of up to 255 bytes, and its number."""

_DTYPE = re.compile(r"f[248]|[iu][1248]|b1|U[1-9][0-9]{0,4}|O8")
_PROTOCOLS = (4, 5)
# The signatures known to joblib: zlib, gzip, bzip2, xz, lzma, LZ4, zstd, zlib before 0.10.
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
_HEADER = frozenset(
    {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}
)
_MAX_LENGTH = 1 << 40  # far below where strides overflow, as they may beside a length of zero
_UNSAFE_HINT = "It was not opened: train the model again, or ask where the file comes from."
_DAMAGED_HINT = "Restore the file from a copy, or train the model again."


def load_pipeline(data: bytes, *, name: str) -> Any:
    """Rebuild the fitted pipeline of a model file; no code from the file is run.

    Args:
        data: The content of the file, as written by ``joblib.dump`` without compression.
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
        pipeline = _Unpickler(data, _MODEL).load_file()
        check_pipeline(pipeline)
    except RefusedError as error:
        message = f"{name} holds {error}, which a model of textclf never does"
        raise UnsafeModel(message, hint=_UNSAFE_HINT) from error
    except Exception as error:  # a damaged file can cause any, even MemoryError and RecursionError
        message = f"{name} is damaged or not a model of textclf"
        raise IntegrityError(message, hint=_DAMAGED_HINT) from error
    return pipeline


def read_foreign(data: bytes, *, name: str) -> Any:
    """Rebuild what a model file of another program holds, to be read and not to be used.

    No code from the file is run. What is returned is made of scikit-learn's own classes, but
    unlike that of `load_pipeline` nothing in it was checked to fit together.

    Args:
        data: the content of the file, as written without compression by ``joblib.dump``, or by
            ``pickle.dump`` with protocol 4 or 5, as ``cloudpickle`` does.
        name: the file as the user knows it, for messages.

    Raises:
        UnsafeModel: the file holds something other than known estimators and their numbers.
        IntegrityError: the file is damaged, or no model file.
    """
    try:
        _check_size(data)
        return _ForeignUnpickler(data, _FOREIGN).load_file()
    except RefusedError as error:
        way = "save it without compression; or, " if data.startswith(_COMPRESSED) else ""
        raise UnsafeModel(
            f"{name} holds {error}, so that opening it may run code from it",
            hint=f"{way}if you trust the file: --unsafe-load opens it",
        ) from error
    except Exception as error:
        raise IntegrityError(
            f"{name} is damaged, or was written by neither joblib.dump nor pickle.dump"
        ) from error


def _check_size(data: bytes) -> None:
    """Refuse what is larger than any model, or may become so."""
    if len(data) > _MAX_BYTES:
        refuse(f"more than {_MAX_BYTES >> 30} GiB")
    if data.startswith(_COMPRESSED):
        refuse("compressed data")


@dataclass(frozen=True)
class _Maker:
    """A stand-in for something that the pickle may call, so that it can call nothing else.

    ``new`` is whether pickle makes one by ``NEWOBJ``, as an object that is given its state later,
    or by ``REDUCE``, as the result of a call.
    """

    make: Callable[..., Any]
    new: bool = False


class _ArrayHeader:
    """A stand-in for joblib's NumpyArrayWrapper, which the array's bytes or a pickle follow."""


class _ObjectArray:
    """A stand-in for an array of objects while its pickle is read.

    Attributes:
        memo: its number in the memo, of a pickle that may name it again.
    """

    memo: int | None = None


def _blank(cls: type) -> _Maker:
    return _Maker(lambda: object.__new__(cls), new=True)


def _loss(cls: type) -> _Maker:
    def make(*numbers: Any) -> Any:
        if not all(type(number) is float for number in numbers):
            refuse("a loss made from something other than numbers")
        return cls(*numbers)

    return _Maker(make)


def _make_dtype(code: Any, align: Any, copy: Any) -> np.dtype[Any]:
    if (
        type(code) is not str
        or not _DTYPE.fullmatch(code)
        or align is not False
        or copy is not True
    ):
        refuse("an array of a type other than numbers and text")
    return np.dtype(code)


def _make_scalar(dtype: Any, data: Any) -> np.generic:
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        refuse("a NumPy scalar that is neither number nor text")
    if type(data) is not bytes or len(data) != dtype.itemsize:
        raise ValueError("a NumPy scalar of the wrong size")
    scalar: np.generic = np.frombuffer(data, dtype)[0]
    return scalar


def _make_object_array(cls: Any, shape: Any, code: Any) -> _ObjectArray:
    if cls is not np.ndarray or shape != (0,) or code != b"b":
        refuse("an array of an unknown kind")
    return _ObjectArray()


def _view(data: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> NDArray[Any]:
    """Return an array of numbers or text whose bytes are in the pickle, which it shares."""
    if not isinstance(dtype, np.dtype) or dtype.hasobject or type(data) is not bytes:
        refuse("an array of a type other than numbers and text")
    if order not in ("C", "F") or axes is not None or not _is_shape(shape):
        raise ValueError("an array of an impossible shape")
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError("an array that differs from its bytes")
    flat = np.frombuffer(data, dtype) if data else np.empty(0, dtype)
    return flat.reshape(shape, order=order)


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
_PLAIN_MAKERS = _OBJECT_ARRAY_MAKERS | {("numpy._core.numeric", "_frombuffer"): _Maker(_view)}
_MAKERS = _MODEL_MAKERS | _PLAIN_MAKERS

# The names that a model, and the pickle of an object array inside it, may ask for.
_MODEL = frozenset(ESTIMATORS | LOSSES | _ARRAY_TYPES | _MODEL_MAKERS.keys())
_FOREIGN = _MODEL | FOREIGN | _PLAIN_MAKERS.keys() | {("numpy", "int32"), ("numpy", "int64")}
_OBJECT_ARRAY = frozenset({("numpy", "ndarray")} | _OBJECT_ARRAY_MAKERS.keys())


_OBJECTS = ESTIMATORS | FOREIGN
"""Classes whose objects are made blank and given their attributes; `_Unpickler` names them."""


@functools.cache
def _stand_in(module: str, name: str) -> Any:
    """Return what an allowed name means: a maker, or a class that is only ever compared."""
    key = (module, name)
    if key in _MAKERS:
        return _MAKERS[key]
    cls = getattr(importlib.import_module(_HOMES.get(module, module)), name)
    if key in _OBJECTS:
        return _blank(cls)
    return _loss(cls) if key in LOSSES else cls


_PythonUnpickler = pickle._Unpickler  # noqa: SLF001  # as joblib: the C one lets no rule be replaced


def _limited(opcode: bytes) -> Callable[[Any], None]:
    """Return Python's own rule for an instruction that makes a container, which counts it first."""
    load: Callable[[Any], None] = _PythonUnpickler.dispatch[opcode[0]]

    def limited(unpickler: _Unpickler) -> None:
        unpickler.count_container()
        load(unpickler)

    return limited


def _before_terms(load: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return the rule of an instruction that items of a vocabulary may follow."""

    def load_both(unpickler: _Unpickler) -> None:
        load(unpickler)
        unpickler.load_terms()

    return load_both


class _Unpickler(_PythonUnpickler):
    """Python's stack machine, with the allowed instructions and names only.

    It is the one in Python, not the one in C, so that each instruction can have its rule. Nearly
    all instructions are those for the items of a vocabulary, which make text and numbers and
    nothing else. Where a regular expression finds only such, the machine in C carries them out.
    Seconds of processor time, best of several, of MultinomialNB with 4 labels (in brackets those of
    joblib.load, which runs the machine in Python): 20,000 terms 0.01 (0.03), 200,000 terms 0.13
    (0.33), 1,000,000 terms 0.8 (1.9); 200,000 terms numbered by NumPy integers 0.9 (0.8).
    """

    stack: list[Any]
    metastack: list[list[Any]]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]
    _unframer: Any

    def __init__(self, data: bytes, names: frozenset[tuple[str, str]], start: int = 0) -> None:
        self._data = data
        self._names = names
        self._file = io.BytesIO(data)  # shares the bytes
        self._file.seek(start)
        self._memo_list: list[Any] = []  # Python's own memo takes ten times the memory
        self._containers = 0
        super().__init__(self._file, fix_imports=False)

    def load_file(self) -> Any:
        """Return the object of the pickle that makes up the rest of the file."""
        value, end = self.load_embedded()
        if end != len(self._data):
            raise ValueError("something follows the pickle")
        return value

    def load_embedded(self) -> tuple[Any, int]:
        """Return the object of a pickle, and the place in the file where the pickle ends."""
        value = self.load()
        if self.stack or self.metastack:
            raise ValueError("something is left on the stack")
        end = self._file.tell()
        if self.read(1) and self._file.tell() == end:  # read from the frame, not from the file
            raise ValueError("something follows the last instruction")
        return value, end

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._names:
            refuse(f"{module + '.' + name!a:.80}")
        return _stand_in(module, name)

    def load_terms(self) -> None:
        """Carry out instructions for items of a vocabulary, as many as follow in this frame."""
        frame = self._unframer.current_frame or io.BytesIO()
        found = _TERMS.match(frame.getvalue(), frame.tell())  # which shares the bytes
        if found:
            program = pickle.MARK, found[0], pickle.TUPLE, pickle.STOP
            items = pickle.loads(b"".join(program))  # noqa: S301 - it has no other instructions
            self.stack.extend(items)
            self._memo_list.extend(items[::2])
            frame.seek(found.end())

    def load_proto(self) -> None:
        if self.read(1)[0] not in _PROTOCOLS:
            refuse("a pickle of another protocol than 4 or 5")

    def load_memoize(self) -> None:
        self._memo_list.append(self.stack[-1])

    def load_binget(self) -> None:
        self.append(self._memo_list[self.read(1)[0]])

    def load_long_binget(self) -> None:
        self.append(self._memo_list[struct.unpack("<I", self.read(4))[0]])

    def load_newobj(self) -> None:
        self.count_container()
        self._make(new=True)

    def load_reduce(self) -> None:
        self._make(new=False)

    def _make(self, *, new: bool) -> None:
        args = self.stack.pop()
        maker = self.stack.pop()
        if type(maker) is not _Maker or maker.new is not new or type(args) is not tuple:
            refuse("a call of something that cannot be called")
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
            refuse("a mapping from something other than text")
        self._top(dict).update(zip(keys, items[1::2], strict=True))

    def _top(self, kind: type) -> Any:
        top = self.stack[-1]
        if type(top) is not kind:
            refuse(f"items for something that is not a {kind.__name__}")
        return top

    def load_build(self) -> None:
        """Give an object its state: attributes to an estimator, bytes to an array."""
        state = self.stack.pop()
        target = self.stack[-1]
        if type(target) is _ArrayHeader:
            self.stack[-1] = self._read_array(_attributes(state))
        elif type(target) is _ObjectArray:
            self.stack[-1] = self.make_array(target, *state)
        elif isinstance(target, np.dtype):
            # NumPy's __setstate__ trusts what it gets; a native type is complete without it.
            if state != target.__reduce__()[2]:
                refuse("an array type of another machine, or a made-up one")
        elif is_a(target, _OBJECTS):
            # Not by __setstate__, which is free to warn: the metadata holds the versions.
            if vars(target) or len(_attributes(state)) > _MAX_ATTRIBUTES:
                refuse("more attributes than a model has")
            vars(target).update(state)
            vars(target).pop("_sklearn_version", None)
        else:
            refuse("state for something that has none")

    def _read_array(self, header: dict[str, Any]) -> NDArray[Any]:
        """Read the array that follows its header; ``allow_mmap`` is ignored, nothing is mapped."""
        if header.keys() != _HEADER:
            raise ValueError("an array header with fields of its own")
        shape, order, dtype = header["shape"], header["order"], header["dtype"]
        if header["subclass"] is not np.ndarray or not isinstance(dtype, np.dtype):
            refuse("an array of an unknown kind")
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
        array, end = inner.load_embedded()
        if type(array) is not np.ndarray or array.shape != shape:
            raise ValueError("an array of objects that differs from its header")
        self._file.seek(end)
        return array

    def make_array(self, _array: _ObjectArray, *state: Any) -> NDArray[Any]:
        """Return what an array becomes that was given its state."""
        return _text_array(*state)

    def load_refused(self) -> None:
        refuse("a pickle instruction that no model needs")

    def count_container(self) -> None:
        self._containers += 1
        if self._containers > _MAX_CONTAINERS:
            refuse("more lists, mappings and objects than a model has")

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **dict.fromkeys(_PythonUnpickler.dispatch, load_refused),
        **{opcode[0]: _PythonUnpickler.dispatch[opcode[0]] for opcode in _OPCODES},
        **{opcode[0]: _limited(opcode) for opcode in _CONTAINERS},
        pickle.PROTO[0]: load_proto,
        pickle.FRAME[0]: _before_terms(_PythonUnpickler.dispatch[pickle.FRAME[0]]),
        pickle.MARK[0]: _before_terms(_limited(pickle.MARK)),
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


class _ForeignUnpickler(_Unpickler):
    """The same machine for files of other programs: arrays may be in the pickle itself."""

    def load_memoize(self) -> None:
        if type(self.stack[-1]) is _ObjectArray:
            self.stack[-1].memo = len(self._memo_list)
        super().load_memoize()

    def make_array(self, array: _ObjectArray, *state: Any) -> NDArray[Any]:
        _version, shape, dtype, fortran, data = state
        if isinstance(dtype, np.dtype) and dtype.hasobject:
            made = _text_array(*state)
        else:
            made = _view(data, dtype, shape, "F" if fortran is True else "C")
        if array.memo is not None:
            self._memo_list[array.memo] = made
        return made

    def load_bytes(self) -> None:
        self._append_bytes("<I")

    def load_long_bytes(self) -> None:
        self._append_bytes("<Q")

    def _append_bytes(self, length: str) -> None:
        [expected] = struct.unpack(length, self.read(struct.calcsize(length)))
        if expected > len(self._data):
            raise ValueError("bytes that are longer than the file")
        self.append(self.read(expected))

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **_Unpickler.dispatch,
        pickle.MEMOIZE[0]: load_memoize,
        pickle.BINBYTES[0]: load_bytes,
        pickle.BINBYTES8[0]: load_long_bytes,
        pickle.BYTEARRAY8[0]: load_long_bytes,
    }


def _attributes(state: Any) -> dict[str, Any]:
    if type(state) is not dict:
        refuse("state that is not a mapping of attributes")
    attributes: dict[str, Any] = state  # none of the instructions makes another key
    return attributes


def _is_shape(shape: Any) -> bool:
    return (
        type(shape) is tuple
        and len(shape) in (1, 2)
        and all(type(length) is int and 0 <= length < _MAX_LENGTH for length in shape)
    )


def _text_array(version: Any, shape: Any, dtype: Any, fortran: Any, items: Any) -> NDArray[Any]:
    """Return an array of objects, of which only text in one dimension is allowed, as labels are."""
    if version != 1 or type(fortran) is not bool:  # of one row there is one order
        raise ValueError("an array of objects of an unknown format")
    if not isinstance(dtype, np.dtype) or not dtype.hasobject or type(items) is not list:
        raise ValueError("an array of objects with the state of another")
    if not all(type(item) is str for item in items):
        refuse("an array of objects that are not text")
    if not _is_shape(shape) or shape != (len(items),):
        raise ValueError("an array of objects of the wrong shape")
    return np.array(items, dtype=object)
