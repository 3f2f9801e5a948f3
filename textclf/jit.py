"""Compilation by Numba: at the first call, with the machine code cached on disk."""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import numpy as np


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

Function = TypeVar("Function", bound=Callable[..., object])

SHARED_SOURCES = ("jit.py", "search/svm/simd.py")
"""Files of this package whose functions compiled functions of other files may call."""


def compiled(function: Function) -> Function:
    """Compile a function of NumPy arrays and numbers; it runs without the GIL.

    The machine code is cached beside the source, or in the user's cache folder if that is not
    writable; if neither is, each process compiles it again. Numba compiles a function anew when its
    own file has changed, and so it does here when a file of ``SHARED_SOURCES`` has. Hence a
    compiled function must not call functions of any other file (tests/test_architecture.py).
    """
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"contract", "nnan", "ninf", "nsz"},  # no sum is reordered
        "no_cfunc_wrapper": True,  # only C would call it
    }
    try:
        dispatcher: Any = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder to cache it in
        return cast("Function", numba.njit(**options)(function))
    cache = dispatcher._cache._cache_file  # noqa: SLF001 - Numba has no public way to add a stamp
    cache._source_stamp = (cache._source_stamp, _SHARED_DIGEST)  # noqa: SLF001
    return cast("Function", dispatcher)


def inlined(function: Function) -> Function:
    """Compile a function as a part of others: Numba puts its code in the place of each call.

    Calls are expensive where SIMD vectors go in and out: a sixth of the solver's time.
    """
    return cast("Function", numba.njit(inline="always")(function))


def _digest_of_shared_sources() -> str:
    folder = Path(__file__).parent
    sources = b"".join((folder / name).read_bytes() for name in SHARED_SOURCES)
    return hashlib.sha256(sources).hexdigest()


_SHARED_DIGEST = _digest_of_shared_sources()


@compiled
def grown(array: Any, size: int) -> Any:
    """Return an array, or a copy of at least twice its length if it is shorter than ``size``."""
    if size <= len(array):
        return array
    new = np.empty(max(size, 2 * len(array)), array.dtype)
    for at in range(len(array)):  # a slice takes Numba three times as long to compile
        new[at] = array[at]
    return new
