"""Loops that Python is too slow for, compiled by Numba at their first call and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a function of NumPy arrays and numbers; it runs without the GIL.

    The machine code is kept beside the source, or in the user's cache where that cannot be written;
    where neither can, it is compiled anew in each process. What is kept is renewed when its own
    file changes, so a compiled function calls none of another file, but for those of ``vectors``.
    """
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"contract", "nnan", "ninf", "nsz"},  # no sum is reordered
    }
    try:
        return cast("Function", numba.njit(cache=True, **options)(function))
    except RuntimeError:  # no folder to keep it in
        return cast("Function", numba.njit(**options)(function))


def inlined(function: Function) -> Function:
    """A part of compiled functions: Numba puts its code in the place of each call.

    Calls are not free where vectors (``vectors``) go in and out: a sixth of the solver's time.
    """
    return cast("Function", numba.njit(inline="always")(function))
