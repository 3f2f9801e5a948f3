"""What a command imports: start-up time is a feature."""

import json
import os
import subprocess
import sys

import pytest

PROBE = """
import json, sys
from textclf.cli.app import run
answers = []
for command in json.loads(sys.argv[1]):
    try:
        code = run(command)
    except SystemExit as exit:
        code = exit.code
    answers.append([command, code or 0, sorted(sys.modules)])
print(json.dumps(answers), file=sys.stderr)
"""
HEAVY = {
    "sklearn", "numpy", "scipy", "joblib", "polars", "pydantic", "pandas", "obstore", "boto3",
}  # fmt: skip


@pytest.fixture
def modules(project):
    """Return a function that lists what each of some commands and those before have imported.

    The commands have one process, which imports nothing for coverage.
    """
    kept = {k: v for k, v in os.environ.items() if k != "COVERAGE_PROCESS_CONFIG"}

    def call(*commands, env=None):
        done = subprocess.run(
            [sys.executable, "-c", PROBE, json.dumps(commands)],
            capture_output=True, text=True, check=True, cwd=project, timeout=60,
            env={**kept, **(env or {})},
        )  # fmt: skip
        answers = json.loads(done.stderr.splitlines()[-1])
        assert [code for _, code, _ in answers] == [0] * len(answers), done.stderr
        return {" ".join(command): set(loaded) for command, _, loaded in answers}

    return call


@pytest.fixture
def imported(modules):
    """Return a function that names the commands that import one of these libraries."""

    def call(libraries, *commands, **more):
        loaded = modules(*commands, **more).items()
        found = {c: libraries & {name.partition(".")[0] for name in names} for c, names in loaded}
        return {command: names for command, names in found.items() if names}

    return call


def test_managing_versions_loads_nothing_heavy(imported):
    """Commands that neither train nor predict import nothing numerical, and no Rich in a pipe."""
    commands = [
        ("--version",),
        ("versions", "list"),
        ("versions", "show", "latest"),
        ("versions", "compare", "1.0.0", "1.0.1"),
        ("versions", "report", "1.0.0"),
        ("versions", "report", "1.0.0", "1.0.1"),
        ("promote", "1.0.0", "--require", "accuracy=0.1", "--max-class-regression", "0.5"),
        ("rollback",),
        ("promote", "1.0.0"),
        ("history",),
        ("verify",),
        ("versions", "list", "--json"),
        ("versions", "tag", "1.0.0", "prod=eu"),
        ("versions", "prune", "--keep", "9"),
        ("versions", "export", "1.0.0", "model.tar.gz"),
    ]
    assert imported(HEAVY | {"rich"}, *commands) == {}


def test_help_loads_nothing_heavy(imported):
    """Help imports nothing that is heavy, and no Rich."""
    assert imported(HEAVY | {"rich"}, ["--help"], ["train", "--help"], ["versions"]) == {}


def test_completion_loads_nothing_heavy(imported):
    """Completion imports nothing heavy."""
    words = {
        "_TEXTCLF_COMPLETE": "complete_bash",
        "COMP_WORDS": "textclf promote ",
        "COMP_CWORD": "2",
    }
    assert imported(HEAVY, [], env=words) == {}


def test_a_few_texts_are_labelled_with_next_to_nothing(imported):
    """Labelling a few texts imports no numerical library, no pickle and no Rich."""
    commands = [
        ("predict", "this is great"),
        ("predict", "great", "awful", "--json", "--top-k", "2"),
        ("predict", "great", "--explain", "--threshold", "0.9"),
        ("predict", "--version", "previous", "great"),
    ]
    rare = {"numba", "rich", "logging", "hashlib", "csv", "tempfile", "random"}
    assert imported(HEAVY | rare, *commands) == {}


def test_picking_from_a_few_texts_loads_no_numerical_library(imported):
    """Picking texts to label imports what predict imports, and what reads the file."""
    assert imported(HEAVY | {"numba", "rich"}, ["pick", "data/test.csv"]) == {}


def test_check_loads_no_scikit_learn(imported):
    """Check does not import scikit-learn."""
    assert imported({"sklearn", "scipy", "joblib", "rich"}, ["check"]) == {}


GARBAGE = """
import gc, sys
from textclf import cli
from textclf.cli import app
run = app.run
app.run = lambda arguments: run(arguments) or print(gc.isenabled(), gc.get_freeze_count())
sys.argv[1:] = ["versions", "list"]
cli.main()
"""


def test_garbage_is_collected_but_not_among_what_a_command_is_built_of(project):
    """The garbage collector is at work when a command begins, and leaves out what is there then."""
    done = subprocess.run(
        [sys.executable, "-c", GARBAGE],
        capture_output=True, text=True, check=True, cwd=project, timeout=60,
    )  # fmt: skip
    is_at_work, left_out = done.stdout.split()[-2:]
    assert is_at_work == "True"
    assert int(left_out) > 10_000


def test_a_command_is_built_alone(modules, project):
    """No other command is imported, unless there are settings."""
    others = {
        "textclf.cli.commands.train",
        "textclf.cli.commands.versions",
        "textclf.cli.commands.evaluate",
    }
    predict = ["predict", "great"]
    listed = modules(["versions", "list"])["versions list"]
    assert {name for name in listed if name.startswith("textclf.cli.commands.")} == {
        "textclf.cli.commands.versions",
        "textclf.cli.commands.versions.list_",
    }
    assert not modules(predict)["predict great"] & others
    (project / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert not modules(predict)["predict great"] & others
    (project / "textclf.toml").write_text("[train]\ncv = 3\n")
    assert modules(predict)["predict great"] >= others
