"""The search on a real cluster: two worker processes on this machine."""

import asyncio
import csv
import math
import os
import signal
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from sample_data import sample_rows

distributed = pytest.importorskip("distributed", reason="needs the extra dask")

from textclf.cli.app import run  # noqa: E402 - likewise
from textclf.errors import ClusterError, UsageError  # noqa: E402 - likewise
from textclf.features.counts import Counts  # noqa: E402 - likewise
from textclf.search.dask_cluster import connect  # noqa: E402 - not without dask
from textclf.search.fit import fit_task  # noqa: E402 - likewise
from textclf.search.grid_search import grid_search, stratified_folds  # noqa: E402 - likewise
from textclf.search.results import summarize  # noqa: E402 - likewise
from textclf.search.space import CandidateParams, SpaceSource, list_candidates, parse_space  # noqa: E402 - likewise

FOLDS = 3

GRID = """
    [[space]]
    features.word.ngram_range = [[1, 1], [1, 2]]
    features.word.max_features = 300
    classifier.LinearSVC.C = [0.1, 1]
    classifier.SGDClassifier.alpha = 1e-4
    [[space]]
    features.char_wb.ngram_range = [[2, 3]]
    classifier.LogisticRegression.C = [1, 10]
    [[space]]
    features.word.ngram_range = [[1, 2]]
    features.word.token_pattern = '\\w+ \\w+'
    classifier.ComplementNB.alpha = 1.0
"""
"""Counts, some with ranks, and tokens with spaces, which are left to scikit-learn; five groups."""

FEW = [CandidateParams({"word": {"min_df": n}}, "ComplementNB", {}) for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def sample():
    return sample_rows(300)


@pytest.fixture(scope="module")
def processes():
    """Two workers, as they are on other machines."""
    how = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with distributed.LocalCluster(**how, dashboard_address=":0") as running:
        yield running


@pytest.fixture
def thread():
    """A worker with one thread of this process, for what does not depend on where workers are."""
    how = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "protocol": "tcp://"}
    with distributed.LocalCluster(**how, dashboard_address=":0") as running:
        yield running


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """A busy machine takes long to start a worker again."""
    monkeypatch.setattr("textclf.search.dask_cluster._CONNECT_SECONDS", 60.0)
    monkeypatch.setattr("textclf.search.dask_cluster._WORKER_SECONDS", 60.0)


class Begun(list):
    """Names of threads that have begun a task, which takes some seconds."""

    seconds = 0.2


@pytest.fixture
def begun(monkeypatch):
    names = Begun()

    def slowly(*given):
        names.append(threading.current_thread().name)
        time.sleep(names.seconds)
        return fit_task(*given)

    monkeypatch.setattr("textclf.search.dask_cluster.fit_task", slowly)
    return names


def fits_of(sample, candidates, **how):
    texts, labels = sample
    folds = stratified_folds(labels, FOLDS, seed=7)
    return grid_search(texts, labels, candidates, folds, scoring="accuracy", seed=7, **how)


def scores(candidates, fits):
    return [candidate.fold_scores for candidate in summarize(candidates, fits)]


def kill_at_next_task(run, number):
    """Have some of the workers killed by the next task that each of them begins."""
    client = run._client
    victims = sorted(client.nthreads())[:number]
    client.run(
        exec,
        "import os, textclf.search.dask_cluster\n"
        "textclf.search.dask_cluster.fit_task = lambda *_, os=os: os.kill(os.getpid(), 9)",
        workers=victims,
    )
    return set(victims)


@pytest.mark.parametrize("method", ["exact", "race"])
def test_scores_are_those_of_threads(sample, processes, method):
    """Every score on a cluster is the one in this process, to the last bit."""
    candidates = list_candidates(parse_space(SpaceSource("grid", GRID)))
    here = scores(candidates, fits_of(sample, candidates, method=method))
    with connect(processes.scheduler_address) as run:
        there = scores(candidates, fits_of(sample, candidates, method=method, run=run))
    assert there == here


def test_the_command_line_trains_on_a_cluster(tmp_path, processes):
    """The model is the one that is trained in this process."""
    (tmp_path / "grid.toml").write_text("[features.word]\n[classifier.ComplementNB]\n")
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *zip(*sample_rows(100), strict=True)])
    command = ("train", str(tmp_path / "a.csv"), "--grid", str(tmp_path / "grid.toml"), "--models")
    cluster = ("--backend", "dask", "--scheduler", processes.scheduler_address)
    assert run([*command, str(tmp_path / "here")]) == 0
    assert run([*command, str(tmp_path / "there"), *cluster]) == 0
    here, there = (
        (tmp_path / name / "1.0.0/text_classifier.joblib").read_bytes()
        for name in ("here", "there")
    )
    assert here == there


def test_a_cluster_over_tls(sample, tmp_path):
    """With certificates in dask's settings the scores come over TLS, and without them nothing."""
    import dask

    security = distributed.Security.temporary()
    (tmp_path / "ca.pem").write_text(security.tls_ca_file)
    (tmp_path / "node.pem").write_text(security.tls_client_cert)
    (tmp_path / "node.key").write_text(security.tls_client_key)
    settings = {
        "distributed.comm.tls.ca-file": str(tmp_path / "ca.pem"),
        "distributed.comm.tls.client.cert": str(tmp_path / "node.pem"),
        "distributed.comm.tls.client.key": str(tmp_path / "node.key"),
    }
    how = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "protocol": "tls://"}
    with distributed.LocalCluster(**how, security=security, dashboard_address=":0") as running:
        address = running.scheduler_address
        assert address.startswith("tls://")
        with dask.config.set(settings), connect(address) as run:
            assert scores(FEW, fits_of(sample, FEW, run=run)) == scores(FEW, fits_of(sample, FEW))
        with pytest.raises(UsageError, match="no certificate to connect to tls://"):
            connect(address).__enter__()


@pytest.mark.parametrize("killed", [1, pytest.param(2, marks=pytest.mark.faults)])
def test_workers_that_are_killed_change_nothing(sample, processes, killed):
    """Where workers are killed on the way, others do their tasks, with the same scores."""
    candidates = list_candidates(parse_space(SpaceSource("grid", GRID)))
    here = scores(candidates, fits_of(sample, candidates))
    with connect(processes.scheduler_address) as run:
        run._client.wait_for_workers(2)
        victims = kill_at_next_task(run, killed)
        there = scores(candidates, fits_of(sample, candidates, run=run))
        assert not victims & set(run._client.nthreads())
    assert there == here


def test_a_task_that_kills_its_workers_is_an_error(sample, processes, monkeypatch):
    """Where dask gives a task up, the search ends with a sentence and does not wait for it."""
    monkeypatch.setattr(processes.scheduler, "allowed_failures", 0)
    with connect(processes.scheduler_address) as run:
        run._client.wait_for_workers(2)
        kill_at_next_task(run, 1)
        with pytest.raises(
            ClusterError, match="1 workers died while running the same task"
        ) as caught:
            list(fits_of(sample, FEW, run=run))
    assert "memory" in caught.value.hint


def test_a_single_thread_of_a_worker_does_the_work(sample, thread, begun):
    """A cluster of one thread runs the tasks, and this process none of them."""
    with connect(thread.scheduler_address) as run:
        fits = list(fits_of(sample, FEW, run=run))
    assert len(begun) == len(fits) == len(FEW) * FOLDS
    assert threading.current_thread().name not in begun


def test_data_is_sent_once_and_texts_only_where_they_are_needed(sample, thread, monkeypatch):
    """Every worker gets labels, counts without names, and folds once, and texts if not counted."""
    sent = []
    scatter = distributed.Client.scatter

    def watched(client, values, **how):
        assert how["broadcast"]
        sent.extend(values)
        return scatter(client, values, **how)

    monkeypatch.setattr(distributed.Client, "scatter", watched)
    with connect(thread.scheduler_address) as run:
        list(fits_of(sample, FEW, method="race", run=run))
    folds = [value for value in sent if isinstance(value, tuple)]
    [labels] = [value.tolist() for value in sent if isinstance(value, np.ndarray)]
    [counts] = [value for value in sent if isinstance(value, Counts)]
    assert len(folds) == FOLDS
    assert len(sent) == FOLDS + 2
    assert labels == sample[1]
    assert counts.vocabulary is None


def test_data_that_is_lost_again_and_again_is_an_error(sample, thread, monkeypatch):
    """Where the data never stays with the workers, the search ends with a sentence."""

    def lose(*_, **__):
        raise OSError("connection reset")

    with connect(thread.scheduler_address) as run:
        monkeypatch.setattr(distributed.Client, "scatter", lose)
        with pytest.raises(ClusterError, match="failed 4 times in a row: connection reset"):
            list(fits_of(sample, FEW, run=run))


def test_data_that_never_arrives_is_an_error(sample, thread, monkeypatch):
    """Where sending the data has no end, the search ends with a sentence."""

    async def hang(*_, **__):
        await asyncio.sleep(60)

    monkeypatch.setattr("textclf.search.dask_cluster._TRANSFER_SECONDS", 0.1)
    with connect(thread.scheduler_address) as run:
        monkeypatch.setattr(distributed.Client, "scatter", hang)
        with pytest.raises(ClusterError, match="failed 4 times in a row"):
            list(fits_of(sample, FEW, run=run))


@pytest.mark.usefixtures("begun")
def test_no_worker_left_is_an_error(sample, thread, monkeypatch):
    """Where all workers have gone with the data, the search ends with a sentence."""
    with connect(thread.scheduler_address) as run:
        fits = fits_of(sample, FEW, run=run)
        next(fits)
        monkeypatch.setattr("textclf.search.dask_cluster._WORKER_SECONDS", 0.5)
        thread.scale(0)
        with pytest.raises(ClusterError, match="has no workers"):
            list(fits)


@pytest.mark.usefixtures("begun")
def test_waiting_for_workers_has_an_end(sample, thread, monkeypatch):
    """Where the cluster tells of no worker any more, the search does not wait for its tasks."""
    monkeypatch.setattr("textclf.search.dask_cluster._POLL_SECONDS", 0.1)
    with connect(thread.scheduler_address) as run:
        fits = fits_of(sample, FEW, run=run)
        next(fits)
        monkeypatch.setattr("textclf.search.dask_cluster._WORKER_SECONDS", 0.3)
        monkeypatch.setattr(distributed.Client, "nthreads", lambda _: {})
        with pytest.raises(ClusterError, match="has no workers"):
            list(fits)


def test_an_interrupted_search_cancels_its_tasks(sample, thread, begun):
    """After Ctrl-C the tasks that have not begun never begin."""
    with connect(thread.scheduler_address) as run:
        fits = fits_of(sample, FEW, run=run)
        next(fits)
        begun.seconds = 5.0  # however long it takes to cancel the others
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
        with pytest.raises(KeyboardInterrupt):
            list(fits)
        time.sleep(0.8)
        assert len(begun) <= 4


def test_a_search_given_up_cancels_its_tasks(sample, thread, begun):
    """Whoever wants no more results gets no warning, and the other tasks never begin."""
    with connect(thread.scheduler_address) as run:
        fits = fits_of(sample, FEW, run=run)
        next(fits)
        begun.seconds = 5.0
        fits.close()
        time.sleep(0.8)
        assert len(begun) <= 4


HOSTILE = {
    "none": lambda _: None,
    "a number": lambda _: 1,
    "none of them": lambda _: [],
    "more than asked for": lambda results: [*results, *results],
    "something else": lambda results: [vars(result) for result in results],
    "another candidate": lambda results: [replace(r, candidate=-1) for r in results],
    "another fold": lambda results: [replace(r, fold=99) for r in results],
    "a score of text": lambda results: [replace(r, score="1") for r in results],
    "an infinite score": lambda results: [replace(r, score=math.inf) for r in results],
    "negative seconds": lambda results: [replace(r, seconds=-1.0) for r in results],
    "warnings of numbers": lambda results: [replace(r, warnings=(1,)) for r in results],
    "fewer rows": lambda results: [replace(r, correct=r.correct[1:]) for r in results],
    "rows of numbers": lambda results: [replace(r, correct=r.correct * 1.0) for r in results],
    "decisions of text": lambda results: [replace(r, decisions="no") for r in results],
    "decisions for other labels": lambda results: [
        replace(r, decisions=np.zeros((len(r.correct), 99), np.float32)) for r in results
    ],
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_result_is_refused(sample, thread, monkeypatch, change):
    """A cluster that returns anything but the results asked for ends the search with a sentence."""
    monkeypatch.setattr(
        "textclf.search.dask_cluster.fit_task", lambda *given: change(fit_task(*given))
    )
    candidates = list_candidates(parse_space(SpaceSource("grid", GRID)))[:1]
    with (
        connect(thread.scheduler_address) as run,
        pytest.raises(ClusterError, match="returned something other than the results of a task"),
    ):
        list(fits_of(sample, candidates, run=run))


def test_what_cannot_be_pickled_is_refused(sample, thread):
    """A task that cannot be sent fails at once, with a sentence."""
    odd = CandidateParams({"word": {}}, "ComplementNB", {"alpha": threading.Lock()})
    with (
        connect(thread.scheduler_address) as run,
        pytest.raises(ClusterError, match="ComplementNB cannot be sent to workers: cannot pickle"),
    ):
        list(fits_of(sample, [odd], run=run))


@pytest.mark.parametrize(
    ("library", "version", "said"),
    [
        ("numpy", "1.0", "has numpy 1.0; here it is "),
        ("python", "3.10.1.final.0", "has python 3.10; here it is 3"),
        ("textclf-cli", None, "does not have textclf-cli; here it is "),
    ],
)
def test_other_versions_are_refused(thread, monkeypatch, library, version, said):
    """A worker with another version of a library is named, before anything is sent."""
    get_versions = distributed.Client.get_versions

    def other(client, **how):
        found = get_versions(client, **how)
        worker = max(found["workers"])
        found["workers"][worker]["packages"][library] = version
        return found

    monkeypatch.setattr(distributed.Client, "get_versions", other)
    with (
        pytest.raises(ClusterError, match=rf"worker tcp://\S+ {said}"),
        connect(thread.scheduler_address),
    ):
        pass


def test_no_scheduler_is_an_error(monkeypatch):
    """Where nobody answers, the sentence has the address, and the hint how to start one."""
    monkeypatch.setattr("textclf.search.dask_cluster._CONNECT_SECONDS", 0.5)
    with pytest.raises(ClusterError, match=r"answers at 127\.0\.0\.1:9") as caught:
        connect("127.0.0.1:9").__enter__()
    assert "dask scheduler" in caught.value.hint
    assert "dask worker 127.0.0.1:9" in caught.value.hint


@pytest.mark.parametrize("address", ["", "nonsense", "ftp://here:1", "::::", "host:many"])
def test_what_is_no_address_is_refused(address):
    """An address that cannot be one is a mistake in the command."""
    with pytest.raises(UsageError, match="is not the address of a scheduler"):
        connect(address).__enter__()


def test_a_missing_certificate_is_named():
    """An address with TLS asks for a certificate in dask's settings."""
    with pytest.raises(UsageError, match="no certificate to connect to tls://here:1"):
        connect("tls://here:1").__enter__()


def test_a_cluster_without_workers_is_an_error(monkeypatch):
    """Where no worker comes in time, the hint says how to start one."""
    monkeypatch.setattr("textclf.search.dask_cluster._WORKER_SECONDS", 0.2)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as empty,
        pytest.raises(ClusterError, match="has no workers") as caught,
        connect(empty.scheduler_address),
    ):
        pass
    assert "dask worker " in caught.value.hint


def test_without_dask_there_is_a_hint(monkeypatch):
    """Where dask is not installed, the hint is what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="not installed") as caught:
        connect("127.0.0.1:8786").__enter__()
    assert "[dask]" in caught.value.hint
