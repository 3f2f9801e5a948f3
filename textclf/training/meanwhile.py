"""Two things at once: one in the background while a block runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.pool import ThreadPool
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def meanwhile(
    function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> Iterator[Callable[[], T]]:
    """Call a function in a thread while the block runs; both have ended when the block is left.

    The block is given what returns the result, or raises the function's error. If the block itself
    fails or is interrupted, the function is not waited for.
    """
    with ThreadPool(1) as pool:  # of daemons: none of them keeps the process
        result = pool.apply_async(function, args, kwargs)
        yield result.get
        result.wait()
