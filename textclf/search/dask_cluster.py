"""The search on other machines: a runner that uses the workers of a dask cluster.

``connect`` gives a ``Cluster``, which takes the place of threads in ``grid_search``. Whatever many
tasks need (labels, counts, folds) is sent to every worker once, so the tasks themselves are small.
If a worker dies, others run its tasks; if it held the only copy of some data (dask thins out copies
as it sees fit), the data is sent again.
"""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from textclf.errors import ClusterError, UsageError, how_to_install
from textclf.features.counts import Counts
from textclf.features.tfidf import CountCache
from textclf.formatting import first_line
from textclf.search.fit import FitTask, Fold, FoldResult, fit_task

Client = Any
"""A dask client; its types do not say whether a method returns a result or a coroutine."""

_CONNECT_SECONDS = 5.0
"""How long to wait for an answer of the scheduler."""
_WORKER_SECONDS = 10.0
"""How long to wait for a worker while there is none."""
_POLL_SECONDS = 1.0
"""How often to look for workers while no result comes."""
_TRANSFER_SECONDS = 300.0
"""How long a transfer of data or of a result may take."""

_MAX_LOSSES = 3
"""How often in a row the data may be lost."""

_MEMORY_HINT = "mostly workers run out of memory: give each more of it, or fewer threads"

_LIBRARIES = ("textclf-cli", "numpy", "scikit-learn", "scipy", "numba", "joblib", "distributed")
"""The libraries that must have the same version everywhere for the scores to be the same."""

_NO_ROWS: Fold = (np.zeros(0, np.intp), np.zeros(0, np.intp))


class Cluster:
    """Runs the tasks of ``grid_search`` on the workers of a dask cluster; made by ``connect``."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._address: str = client.scheduler.address
        self._sent: dict[int, tuple[object, Any]] = {}

    def __call__(
        self, tasks: Sequence[FitTask], labels: NDArray[np.str_], cache: CountCache
    ) -> Iterator[list[FoldResult]]:
        """Run tasks; the scores are those of threads, to the bit.

        Args:
            tasks: the tasks to run.
            labels: the labels of all rows.
            cache: the counts of all rows.

        Raises:
            ClusterError: a task cannot be sent, or there are no workers any more.
        """
        for task in tasks:
            _check_picklable(task)
        pending, losses = dict(enumerate(tasks)), 0
        while pending:
            try:
                for number, results in self._results(pending, labels, cache):
                    if not _are_results(results, pending[number], labels):
                        raise ClusterError(
                            f"the cluster at {self._address} returned something other than the "
                            "results of a task",
                            hint="use a cluster that you trust: it runs code, here and there",
                        )
                    del pending[number]
                    losses = 0
                    yield results
            except (CancelledError, OSError) as error:  # the only worker with some data died
                losses += 1
                self._check_recoverable(losses, error)
                self._sent.clear()

    def _check_recoverable(self, losses: int, error: Exception) -> None:
        if self._client.status != "running":
            raise ClusterError(
                f"the connection to the dask scheduler at {self._address} is lost"
            ) from None
        if losses > _MAX_LOSSES:
            raise ClusterError(
                f"the cluster failed {losses} times in a row: {first_line(error)}",
                hint=_MEMORY_HINT,
            ) from None

    def _results(
        self, tasks: Mapping[int, FitTask], labels: NDArray[np.str_], cache: CountCache
    ) -> Iterator[tuple[int, list[FoldResult]]]:
        """Submit tasks, and yield their numbers and results; cancel them when given up."""
        from distributed import KilledWorker

        _await_workers(self._client, self._address)
        # all data is sent before the first task begins: a worker might die of it meanwhile
        calls = {number: self._arguments(task, labels, cache) for number, task in tasks.items()}
        numbers: dict[Any, int] = {}
        try:
            for number, arguments in calls.items():
                numbers[self._client.submit(_fit_on_worker, *arguments, pure=False)] = number
            for future in self._as_completed(numbers):
                yield numbers.pop(future), future.result(_TRANSFER_SECONDS)
        except KilledWorker as error:
            deaths = error.allowed_failures + 1
            raise ClusterError(
                f"{deaths} workers died while running the same task", hint=_MEMORY_HINT
            ) from None
        finally:
            with suppress(OSError, RuntimeError):  # there is no scheduler any more
                self._client.cancel(list(numbers))

    def _arguments(
        self, task: FitTask, labels: NDArray[np.str_], cache: CountCache
    ) -> tuple[Any, ...]:
        """A task with references to its data; to texts only if they have not been counted."""
        counts = task.counts(cache)
        return (
            replace(task, fold=_NO_ROWS),
            self._send(task.fold),
            self._send(labels),
            cache.texts[:0] if counts else self._send(cache.texts),
            *map(self._send, counts),
        )

    def _send(self, value: object) -> Any:
        """A reference to a value on every worker; the value is sent the first time."""
        if id(value) not in self._sent:
            content = value.without_vocabulary() if isinstance(value, Counts) else value
            # without hash=False dask would read through all of it to name it by its content
            scatter = partial(self._client.scatter, [content], broadcast=True, hash=False)
            [future] = self._client.sync(
                partial(scatter, asynchronous=True), callback_timeout=_TRANSFER_SECONDS
            )
            self._sent[id(value)] = value, future
        return self._sent[id(value)][1]

    def _as_completed(self, futures: Mapping[Any, int]) -> Iterator[Any]:
        """Yield futures as they complete; fail if there is no worker for a while."""
        from distributed import as_completed

        pending, last_seen = set(futures), time.monotonic()
        while pending:
            try:
                completed: Any = as_completed  # it has no types
                for future in completed(pending, loop=self._client.loop, timeout=_POLL_SECONDS):
                    pending.discard(future)
                    yield future
            except TimeoutError:
                with suppress(OSError, RuntimeError):  # without a scheduler there are no workers
                    if self._client.nthreads():
                        last_seen = time.monotonic()
                if time.monotonic() - last_seen > _WORKER_SECONDS:
                    raise _no_workers(self._address) from None


def _fit_on_worker(
    task: FitTask,
    fold: Fold,
    labels: NDArray[np.str_],
    texts: NDArray[np.object_],
    *counts: Counts,
) -> list[FoldResult]:
    """Run a task on a worker, in one thread: the worker has a thread for each core already."""
    with joblib.parallel_config("sequential"):
        return fit_task(replace(task, fold=fold), labels, texts, *counts)


def _are_results(results: Any, task: FitTask, labels: NDArray[np.str_]) -> bool:
    """Whether what a worker returned can be the results of a task."""
    rows, classes = len(task.fold[1]), len(set(labels))
    return (
        type(results) is list
        and all(type(result) is FoldResult for result in results)
        and [result.candidate for result in results] == [number for number, _ in task.group]
        and all(_is_result(result, task.number, rows, classes) for result in results)
    )


def _is_result(result: Any, fold: int, rows: int, classes: int) -> bool:
    numbers = (result.score, result.seconds)
    return (
        result.fold == fold
        and all(isinstance(number, float) and not math.isinf(number) for number in numbers)
        and result.seconds >= 0
        and type(result.warnings) is tuple
        and all(type(line) is str for line in result.warnings)
        and _is_array(result.correct, "b", {(rows,)})
        and _is_array(result.decisions, "f", {(rows,), (rows, classes)})
    )


def _is_array(value: Any, kind: str, shapes: set[tuple[int, ...]]) -> bool:
    return value is None or (
        type(value) is np.ndarray and value.dtype.kind == kind and value.shape in shapes
    )


def _check_picklable(task: FitTask) -> None:
    import cloudpickle  # type: ignore[import-untyped]

    try:
        cloudpickle.dumps(replace(task, fold=_NO_ROWS))
    except Exception as error:  # pickling calls arbitrary code of the objects
        _, candidate = task.group[0]
        raise ClusterError(
            f"{candidate.classifier} cannot be sent to workers: {first_line(error)}"
        ) from error


@contextmanager
def connect(address: str) -> Iterator[Cluster]:
    """Connect to a dask scheduler; on leaving, unfinished tasks are cancelled.

    Args:
        address: the address of the scheduler, such as ``10.0.0.5:8786``.

    Raises:
        UsageError: dask is not installed, or the address is not valid.
        ClusterError: nothing answers there, there are no workers, or their libraries differ from
            those here.
    """
    client = _client(address)
    with _quiet():
        try:
            _await_workers(client, address)
            _check_versions(client)
            yield Cluster(client)
        finally:
            with suppress(TimeoutError):  # the scheduler is gone
                client.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the tracebacks that dask logs when the scheduler is gone; an error reports it."""
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _client(address: str) -> Client:
    try:
        import distributed
        from distributed.versions import VersionMismatchWarning
    except ImportError:
        raise UsageError(
            "a cluster needs dask, which is not installed",
            hint=how_to_install("dask"),
        ) from None
    _check_address(address)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VersionMismatchWarning)  # _check_versions reports it
        try:
            return distributed.Client(  # type: ignore[no-untyped-call]
                address, timeout=_CONNECT_SECONDS, set_as_default=False
            )
        except OSError:
            raise ClusterError(
                f"no dask scheduler answers at {address}",
                hint=f"start one with `dask scheduler`, and workers with `dask worker {address}`",
            ) from None


def _check_address(address: str) -> None:
    """Refuse an address that a client would only refuse after a long wait."""
    import dask
    from distributed.comm.addressing import parse_address, parse_host_port
    from distributed.comm.registry import get_backend

    try:
        scheme, place = parse_address(address)
        get_backend(scheme)
        parse_host_port(place)
    except ValueError as error:
        raise UsageError(
            f"{address!r} is not the address of a scheduler: {first_line(error)}",
            hint="write HOST:PORT, as printed by `dask scheduler`",
        ) from None
    if scheme == "tls" and not dask.config.get("distributed.comm.tls.client.cert", None):
        raise UsageError(
            f"dask has no certificate to connect to {address}",
            hint="name it in dask's setting distributed.comm.tls.client.cert",
        )


def _await_workers(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_WORKER_SECONDS)
    except TimeoutError:
        raise _no_workers(address) from None


def _no_workers(address: str) -> ClusterError:
    return ClusterError(
        f"the cluster at {address} has no workers", hint=f"start some with `dask worker {address}`"
    )


def _check_versions(client: Client) -> None:
    """Refuse workers with other versions of libraries, which might give other scores."""
    reports = client.get_versions(packages=_LIBRARIES)
    here = _versions(reports["client"])
    for worker, report in sorted(reports["workers"].items()):
        for library, version in _versions(report).items():
            if version != here[library]:
                has = f"has {library} {version}" if version else f"does not have {library}"
                raise ClusterError(
                    f"worker {worker} {has}; here it is {here[library]}",
                    hint="install the same versions on all machines and start the workers again",
                )


def _versions(report: Any) -> dict[str, str | None]:
    """The versions in a report; of Python only the part that matters to results, such as 3.11."""
    packages = report["packages"]
    python = ".".join(packages["python"].split(".")[:2])
    return {"python": python, **{name: packages[name] for name in _LIBRARIES}}
