"""Hostile model files and the command line, in processes that are watched."""

import json
import re
import subprocess
import sys

import malicious_models
import pytest
from fitted_models import CLASSIFIERS, dumped, fitted, with_probabilities
from paths import HELPERS
from registries import filled, publish
from slow_lines import without_slow_lines

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

MEGA = 1 << 20


def attempted(models, scratch, files, *flags):
    """Each file as a version whose digests are right, and what became of opening it.

    What a process does to refuse a file of text is not told again of the others.
    """
    registry = filled(models, versions=0)
    models_in_order = [*(fitted(classifier()) for classifier in CLASSIFIERS), with_probabilities()]
    in_order = [publish(registry, data=dumped(model)).version for model in models_in_order]
    plain = publish(registry, data=b"no model").version
    kinds = {publish(registry, data=data).version: kind for kind, data in files.items()}
    done = subprocess.run(
        [sys.executable, HELPERS / "sandboxed_predict.py", models, scratch, *in_order, *flags],
        input="\n".join([plain, *kinds]), capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    usual, *told = map(json.loads, done.stdout.splitlines())
    outcomes = {kinds[one["version"]]: one for one in told}
    for kind, one in outcomes.items():
        one["did"] = sorted(set(one["did"]) - set(usual["did"]))
        one["size"] = len(files[kind])
    return outcomes


@pytest.fixture(scope="module")
def malicious(tmp_path_factory):
    """Each kind of file, and where the processes are and a payload that runs leaves its mark."""
    return malicious_models.shared_files(tmp_path_factory)


@pytest.fixture(scope="module")
def attempts(tmp_path_factory, malicious):
    """What became of each kind of file."""
    files, traces = malicious
    return attempted(tmp_path_factory.mktemp("models"), traces, files)


def test_every_kind_is_refused_with_6_and_a_sentence(attempts):
    """None opens, ends the process, or makes it say more than one error and one hint."""
    assert len(attempts) > 200
    wrong = {
        kind: (one["code"], one["said"])
        for kind, one in attempts.items()
        if one["code"] != 6
        or not re.fullmatch(
            r"error: \S+ (holds|is) [^\n\x1b]+\nhint: [^\n]+\n", without_slow_lines(one["said"])
        )
    }
    assert wrong == {}


def test_no_kind_does_anything_but_being_read(attempts, malicious):
    """No process, no import, no file but the registry's, and none of those for writing."""
    assert {kind: one["did"] for kind, one in attempts.items() if one["did"]} == {}
    assert list(malicious[1].iterdir()) == []


def test_memory_is_bounded_by_the_size_of_the_file(attempts):
    """A file takes at most 35 times its size, and some megabytes for what is limited by number."""
    grown = {kind: one["grown"] - 35 * one["size"] for kind, one in attempts.items()}
    assert {kind: more for kind, more in grown.items() if more > 40 * MEGA} == {}


def test_what_runs_would_be_seen(tmp_path):
    """The same watch sees each payload at work where it is told to let it."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    files = {
        kind: malicious_models.payload(kind, scratch / "canary")
        for kind in malicious_models.RUNS_CODE
    }
    seen = attempted(tmp_path / "models", scratch, files, "--unsafe-load")
    assert {kind for kind, one in seen.items() if not one["did"]} == set()
    assert (scratch / "canary").exists()
