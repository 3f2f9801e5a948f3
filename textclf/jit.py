"""Compilation by Numba: at the first call, with the machine code kept on disk."""

from __future__ import annotations

import hashlib
import os
import pickle  # of files that only this user, or who owns textclf's source, can have written
import sys
import warnings
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import numpy as np

from textclf.machine_code import MachineCode, compilation


def _import_numba() -> ModuleType:
    """Import Numba without ``.numba_config.yaml`` of the current folder.

    The file is read at import if PyYAML is there. It may name a cache folder, from which Numba
    unpickles, so a folder from somebody else could run code with it.
    """
    yaml = sys.modules.get("yaml")
    sys.modules["yaml"] = None  # type: ignore[assignment]  # makes its import fail
    try:
        with warnings.catch_warnings(action="ignore"):  # that the file is not read
            import numba
    finally:
        sys.modules.pop("yaml")
        if yaml is not None:
            sys.modules["yaml"] = yaml
    numba.config._config_fname = os.devnull  # noqa: SLF001 - it is looked for at each compilation
    return numba


numba = _import_numba()

_CompileResult: Any = numba.core.compiler.CompileResult
_NullCache: Any = numba.core.caching.NullCache
_events: Any = numba.core.event

Function = TypeVar("Function", bound=Callable[..., object])

SHARED_SOURCES = ("jit.py", "search/svm/prefetching.py", "search/svm/simd.py")
"""Files of this package whose functions compiled functions of other files may call."""


_OPTIONS = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nnan", "ninf", "nsz"},  # no sum is reordered
    "no_cfunc_wrapper": True,  # only C would call it
    "_nrt": False,  # arrays are not made, nor references to them counted
}


def compiled(function: Function) -> Function:
    """Compile a function of NumPy arrays and numbers; it runs without the GIL.

    It cannot make arrays: its caller gives it those that it fills. For ``np.empty`` alone Numba
    compiles four functions of its own, and any array made doubles the time for the function.

    The machine code is kept on disk: see ``textclf.machine_code``. A function is compiled anew when
    its own file has changed, or a file of ``SHARED_SOURCES``. Hence a compiled function must not
    call functions of any other file (tests/test_architecture.py).
    """
    dispatcher: Any = numba.njit(**_OPTIONS)(function)
    dispatcher._cache = _Cache(function)  # noqa: SLF001 - Numba has no public way
    return cast("Function", dispatcher)


class _Cache(_NullCache):  # type: ignore[misc]  # Numba has no types
    """What Numba asks for the machine code of a function."""

    def __init__(self, function: Any) -> None:
        self._source = Path(function.__code__.co_filename)
        self._name = f"{self._source.stem}.{function.__qualname__}.{sys.implementation.cache_tag}"
        self._bytecode = function.__code__.co_code
        self._files = MachineCode(self._source)

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return the function compiled for a signature, or None."""
        context.refresh()
        content = self._files.load(self._file_name(signature, context.codegen()))
        if content is None:
            return None
        return _CompileResult._rebuild(context, *pickle.loads(content))  # noqa: SLF001, S301

    def save_overload(self, signature: Any, result: Any) -> None:
        """Save a function that was compiled for a signature."""
        try:
            content = numba.core.serialize.dumps(result._reduce())  # noqa: SLF001
        except RuntimeError:  # a Ctrl-C in a callback of LLVM, which drops it: there is no copy
            return
        self._files.save(self._file_name(signature, result.codegen), content)

    def _file_name(self, signature: Any, codegen: Any) -> str:
        key = repr((signature, codegen.magic_tuple(), self._bytecode))
        return f"{self._name}-{self._stamp}-{_digest(key.encode())[:24]}.nbc"

    @cached_property
    def _stamp(self) -> str:
        """What the sources and Numba are identified by."""
        sources = self._source.read_bytes() + _SHARED_DIGEST.encode()
        return _digest(sources + numba.__version__.encode())[:12]


class _Listener(_events.Listener):  # type: ignore[misc]  # likewise
    def on_start(self, _: Any) -> None:
        compilation.begin()

    def on_end(self, _: Any) -> None:
        compilation.end()


_events.register("numba:compile", _Listener())


def inlined(function: Function) -> Function:
    """Compile a function as a part of others: Numba puts its code in the place of each call.

    Calls are expensive where SIMD vectors go in and out: a sixth of the solver's time.
    """
    return cast("Function", numba.njit(inline="always")(function))


@inlined
def entries_of(ends: Any, row: Any) -> range:
    """Return the places of the entries of a row of a CSR matrix, without sign.

    For each place with a sign, Numba checks whether it counts from the end: a third of the time.
    """
    return range(np.uint64(ends[row]), np.uint64(ends[row + 1]))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_of_shared_sources() -> str:
    folder = Path(__file__).parent
    return _digest(b"".join((folder / name).read_bytes() for name in SHARED_SOURCES))


_SHARED_DIGEST = _digest_of_shared_sources()
