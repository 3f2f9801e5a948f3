"""joblib's dask backend without its ways to hang; imports dask, so import it where it is needed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from joblib._dask import DaskDistributedBackend

Callback = Callable[[Any], object]


class Backend(DaskDistributedBackend):  # type: ignore[misc]  # joblib ships no types
    """joblib's backend, which tells of every task that it has ended, however it ended.

    Of joblib 1.6: where dask gives a task up (its workers died, or its data was lost) nobody is
    told, and ``Parallel`` waits for ever; tasks that were aborted go on; and with a single worker
    thread all the work is done here.
    """

    def __init__(self, client: Any) -> None:
        super().__init__(client=client)
        self._submitted: list[Future[Any]] = []

    def effective_n_jobs(self, n_jobs: int) -> int:  # noqa: ARG002 - the workers decide
        """How many tasks can go on at once, but two at least: one would be done in this process."""
        threads: int = sum(self.client.nthreads().values())
        return max(2, threads)

    def submit(self, func: Any, callback: Callback) -> Future[Any]:
        """Schedule a batch; the callback is called with what it returns, or with its error."""
        future: Future[Any] = super().submit(func, callback)
        future.add_done_callback(partial(_report, callback))
        self._submitted.append(future)
        return future

    def retrieve_result_callback(self, out: Any) -> Any:
        """Unpack a result, or raise the error that came instead."""
        if isinstance(out, BaseException):
            raise out
        return super().retrieve_result_callback(out)

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Cancel what has not been done."""
        with self.waiting_futures.lock:
            pending = list(self.waiting_futures.futures)
        super().abort_everything(ensure_ready)
        with suppress(OSError, RuntimeError):  # no scheduler, no tasks
            self.client.cancel(pending)

    def fail(self, error: Exception) -> None:
        """End the call with an error, whatever its tasks do."""
        for future in self._submitted:
            if not future.done():
                future.set_exception(error)


def _report(callback: Callback, future: Future[Any]) -> None:
    if error := future.exception():
        callback(error)
