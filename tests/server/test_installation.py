"""Installations that only serve: what `textclf serve` needs, and what it can do without."""

import json
import re
import subprocess
import sys

import pytest
import yaml
from paths import ROOT

PROGRAM = """
import importlib.abc, json, sys

ABSENT = set(sys.argv[3:])


class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])


sys.meta_path.insert(0, Absent())
sys.path.insert(0, sys.argv[1])
from served import serving
from textclf import open_registry

TEXTS = ["this is great", "waste of money", ""]
with serving(open_registry(sys.argv[2])) as served:
    few, many = served.predict(*TEXTS), served.predict(*TEXTS * 100)
    rows = served.post("/v1/predict", b"text\\n" + b"great\\n" * 100, content_type="text/csv")
    pages = ["/", "/?text=a+great+thing", "/versions", "/history", "/metrics",
             "/v1/versions/1.0.0", "/v1/history", "/openapi.json", "/v1/registry/names"]
    failed = [page for page in pages if served.get(page).status != 200]
print(json.dumps([few.json(), many.json(), rows.body.decode(), failed, list(sys.modules)]))
"""
TRAINING = ["sklearn", "scipy", "joblib", "charset_normalizer"]
LOOPS = ["numba", "llvmlite", "numpy"]


@pytest.fixture(scope="module")
def answers(registry):
    """Return a function that serves without some libraries and returns what was answered."""

    def ask(*absent):
        command = [sys.executable, "-c", PROGRAM, ROOT / "tests/helpers", registry.store.root]
        done = subprocess.run(
            [*command, *absent], capture_output=True, text=True, check=False, timeout=100
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def test_neither_scikit_learn_nor_the_compiled_loops_are_needed(answers):
    """Every route works without them, with the same labels and, but for rounding, scores."""
    *compiled, failed, modules = answers(*TRAINING)
    assert failed == []
    assert "numba" in modules
    *plain, failed, modules = answers(*TRAINING, *LOOPS)
    assert failed == []
    assert not set(modules) & {*TRAINING, *LOOPS}
    for one, other in zip(compiled[:2], plain[:2], strict=True):
        for a, b in zip(one["predictions"], other["predictions"], strict=True):
            assert a["label"] == b["label"]
            assert a["scores"] == pytest.approx(b["scores"])
    assert rounded(compiled[2]) == rounded(plain[2])


def rounded(rows):
    return re.sub(r"(\d\.\d{9})\d*", r"\1", rows)


def test_manifests_name_options_and_routes_that_exist(capsys):
    """In deploy/: the arguments of the containers and of the unit, and what is probed."""
    from textclf.cli.app import run

    run(["serve", "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    [deployment, _] = yaml.safe_load_all((ROOT / "deploy/kubernetes.yaml").read_text())
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]["textclf"]
    unit = (ROOT / "deploy/textclf.service").read_text()
    [command] = re.findall(r"^ExecStart=\S+textclf (.*)$", unit, re.MULTILINE)
    docker = (ROOT / "Dockerfile").read_text()
    [default] = re.findall(r"^CMD (.*)$", docker, re.MULTILINE)
    for arguments in (container["args"], compose["command"], command.split(), json.loads(default)):
        assert arguments[0] == "serve"
        assert {a for a in arguments if a.startswith("--")} <= known
    probed = {
        container[probe]["httpGet"]["path"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert probed == {"/readyz", "/healthz"}
    grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > float(container["args"][container["args"].index("--drain") + 1])


def test_the_image_copies_files_that_exist():
    """The Dockerfile and what .dockerignore lets through; both locks hold what serve imports."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [line[1:].partition("*")[0] for line in lines if line.startswith("!")]
    docker = (ROOT / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.*)$", docker, re.MULTILINE):
        *sources, _ = line.replace("${SERVE}", "serve").split()
        for source in sources:
            assert (ROOT / source).exists()
            assert source.startswith(tuple(kept))
    for name in ("serve", "serve-slim"):
        lock = (ROOT / f"requirements-{name}.lock").read_text()
        assert not re.search(r"^(scikit-learn|scipy|joblib)==", lock, re.MULTILINE)
        assert bool(re.search(r"^numba==", lock, re.MULTILINE)) == (name == "serve")
