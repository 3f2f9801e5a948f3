"""The search on other machines: the workers of a dask cluster.

``connect`` gives a ``Cluster``, which takes the place of threads in ``grid_search``. What many
tasks need (labels, counts, folds) is sent to every worker once, so that the tasks are small.
Where a worker dies, others do its tasks; where it alone had some data (dask thins out copies as it
sees fit), the data is sent again.
"""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import joblib
import numpy as np
from numpy.typing import NDArray

from textclf.errors import ClusterError, UsageError
from textclf.features.counts import Counts
from textclf.features.tfidf import CountCache
from textclf.formatting import first_line
from textclf.search.fit import FitTask, Fold, FoldResult, fit_task

if TYPE_CHECKING:
    from textclf.search.dask_backend import Backend

T = TypeVar("T")
Client = Any
"""Of dask; its types leave open whether a method answers or gives a coroutine."""

_CONNECT = 5.0
"""Seconds for the scheduler to answer."""
_PATIENCE = 10.0
"""Seconds to wait for a worker where there is none."""
_POLL = 1.0
"""Seconds between two looks at the workers."""

_LOSSES = 3
"""How often in a row the data may be lost."""

_MEMORY = "mostly workers run out of memory: give each more of it, or fewer threads"

_LIBRARIES = ("textclf-cli", "numpy", "scikit-learn", "scipy", "numba", "joblib", "distributed")
"""What must be the same everywhere for the scores to be the same."""

_NO_ROWS: Fold = (np.zeros(0, np.intp), np.zeros(0, np.intp))


class Cluster:
    """Does the tasks of ``grid_search`` on the workers of a dask cluster; made by ``connect``."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._address: str = client.scheduler.address
        self._sent: dict[int, tuple[object, Any]] = {}

    def __call__(
        self, tasks: Sequence[FitTask], labels: NDArray[np.str_], cache: CountCache
    ) -> Iterator[list[FoldResult]]:
        """Do tasks; the same scores as in threads, to the bit.

        Args:
            tasks: what is to be done.
            labels: of all rows.
            cache: the counts of all rows.

        Raises:
            ClusterError: a task cannot be sent, or there are no workers any more.
        """
        for task in tasks:
            _check_task(task)
        left, losses = dict(enumerate(tasks)), 0
        while left:
            try:
                for number, fits in self._results(left, labels, cache):
                    del left[number]
                    losses = 0
                    yield fits
            except (CancelledError, OSError) as error:  # a worker died that alone had some data
                losses += 1
                self._recover(losses, error)

    def _recover(self, losses: int, error: Exception) -> None:
        """Have the data sent again, unless that would be in vain."""
        if self._client.status != "running":
            raise ClusterError(f"the dask scheduler at {self._address} is gone") from None
        if losses > _LOSSES:
            raise ClusterError(
                f"the cluster failed {losses} times in a row: {first_line(error)}", hint=_MEMORY
            ) from None
        self._sent.clear()

    def _results(
        self, tasks: Mapping[int, FitTask], labels: NDArray[np.str_], cache: CountCache
    ) -> Iterator[tuple[int, list[FoldResult]]]:
        """Do tasks; results come with their numbers."""
        from distributed import KilledWorker

        from textclf.search.dask_backend import Backend

        _await_workers(self._client, self._address)
        calls = [self._call(number, task, labels, cache) for number, task in tasks.items()]
        backend = Backend(self._client)
        pool = joblib.Parallel(
            n_jobs=-1,
            backend=backend,
            return_as="generator_unordered",
            pre_dispatch="all",  # tasks are small, and workers that come later get some
            batch_size=1,
        )
        try:
            with self._watched(backend):
                yield from _closing_quietly(pool(calls))
        except KilledWorker as error:
            died = error.allowed_failures + 1
            raise ClusterError(f"{died} workers died of the same task", hint=_MEMORY) from None

    def _call(self, number: int, task: FitTask, labels: NDArray[np.str_], cache: CountCache) -> Any:
        """A task with its data as references; texts only where they have not been counted."""
        counts = task.counts(cache)
        return joblib.delayed(_do)(
            number,
            replace(task, fold=_NO_ROWS),
            self._send(task.fold),
            self._send(labels),
            cache.texts[:0] if counts else self._send(cache.texts),
            *map(self._send, counts),
        )

    def _send(self, value: object) -> Any:
        """A reference to a value that every worker has, sent at the first time."""
        if id(value) not in self._sent:
            content = value.without_vocabulary() if isinstance(value, Counts) else value
            # without hash=False dask would read through all of it to name it by its content
            [future] = self._client.scatter([content], broadcast=True, hash=False)
            self._sent[id(value)] = value, future
        return self._sent[id(value)][1]

    @contextmanager
    def _watched(self, backend: Backend) -> Iterator[None]:
        """Fail when there has been no worker for a while; dask itself would wait for ever."""
        done = threading.Event()
        threading.Thread(target=self._watch, args=(backend, done), daemon=True).start()
        try:
            yield
        finally:
            done.set()

    def _watch(self, backend: Backend, done: threading.Event) -> None:
        seen = time.monotonic()
        while not done.wait(_POLL):
            with suppress(OSError, RuntimeError):  # no scheduler, no workers
                if self._client.nthreads():
                    seen = time.monotonic()
            if time.monotonic() - seen > _PATIENCE:
                backend.fail(_no_workers(self._address))


@contextmanager
def connect(address: str) -> Iterator[Cluster]:
    """Connect to a dask scheduler; on leaving, whatever is not done yet is cancelled.

    Args:
        address: of the scheduler, such as ``10.0.0.5:8786``.

    Raises:
        UsageError: dask is not installed, or it is no address.
        ClusterError: nobody answers there, there are no workers, or their libraries differ from
            those here.
    """
    client = _client(address)
    with _quiet():
        try:
            _await_workers(client, address)
            _check_workers(client)
            yield Cluster(client)
        finally:
            with suppress(TimeoutError):  # of a scheduler that is gone
                client.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the tracebacks that dask logs of a scheduler that is gone; an error says it."""
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
            "a cluster needs dask, which is not installed", hint="pip install '.[dask]'"
        ) from None
    _check_address(address)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VersionMismatchWarning)  # _check_workers says it
        try:
            return distributed.Client(  # type: ignore[no-untyped-call]
                address, timeout=_CONNECT, set_as_default=False
            )
        except OSError:
            raise ClusterError(
                f"no dask scheduler answers at {address}",
                hint=f"start one with `dask scheduler`, and workers with `dask worker {address}`",
            ) from None


def _check_address(address: str) -> None:
    """Refuse here what a client would only find out after a long wait."""
    import dask
    from distributed.comm.addressing import parse_address, parse_host_port
    from distributed.comm.registry import get_backend

    try:
        scheme, place = parse_address(address)
        get_backend(scheme)
        parse_host_port(place)
    except ValueError as error:
        raise UsageError(
            f"{address!r} is no address of a scheduler: {first_line(error)}",
            hint="write HOST:PORT, as `dask scheduler` says it",
        ) from None
    if scheme == "tls" and not dask.config.get("distributed.comm.tls.client.cert", None):
        raise UsageError(
            f"dask has no certificate to connect to {address}",
            hint="name it in dask's setting distributed.comm.tls.client.cert",
        )


def _await_workers(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise _no_workers(address) from None


def _check_workers(client: Client) -> None:
    """Refuse workers with libraries that might give other scores."""
    found = client.get_versions(packages=_LIBRARIES)
    here = _versions(found["client"])
    for worker, report in sorted(found["workers"].items()):
        for library, version in _versions(report).items():
            if version != here[library]:
                has = f"has {library} {version}" if version else f"does not have {library}"
                raise ClusterError(
                    f"worker {worker} {has}; here it is {here[library]}",
                    hint="install the same versions on all machines and start the workers again",
                )


def _versions(report: Any) -> dict[str, str | None]:
    """Of a process; of Python only what decides about results: 3.11, say."""
    packages = report["packages"]
    python = ".".join(packages["python"].split(".")[:2])
    return {"python": python, **{name: packages[name] for name in _LIBRARIES}}


def _no_workers(address: str) -> ClusterError:
    return ClusterError(
        f"the cluster at {address} has no workers", hint=f"start some with `dask worker {address}`"
    )


def _check_task(task: FitTask) -> None:
    """Pickle it as dask will do: in joblib's own thread a failure would go unnoticed for ever."""
    import cloudpickle  # type: ignore[import-untyped]

    try:
        cloudpickle.dumps(replace(task, fold=_NO_ROWS))
    except Exception as error:  # pickling calls whatever code the objects bring along
        raise ClusterError(
            f"{task.group[0][1].classifier} cannot be sent to workers: {first_line(error)}"
        ) from error


def _closing_quietly(results: Generator[T]) -> Iterator[T]:
    """The same results; joblib would warn where they are not asked for to the last."""
    try:
        for result in results:  # noqa: UP028 - `yield from` would close them first
            yield result
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.close()


def _do(
    number: int,
    task: FitTask,
    fold: Fold,
    labels: NDArray[np.str_],
    texts: NDArray[np.object_],
    *counts: Counts,
) -> tuple[int, list[FoldResult]]:
    """Do a task, on a worker and in one thread: joblib would submit its parts as tasks again."""
    with joblib.parallel_config("sequential"):
        return number, fit_task(replace(task, fold=fold), labels, texts, *counts)
