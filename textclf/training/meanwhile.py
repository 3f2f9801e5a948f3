"""Two things at once: one in the background while a block runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def meanwhile(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Iterator[Future[T]]:
    """Call a function in a thread while the block runs; both have ended when the block is left.

    The block is given the result to come. An error of the function is raised where the result is
    asked for, and one of the block where the block is left.
    """
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(function, *args, **kwargs)
