"""What a command imports: start-up time is a feature."""

import json
import os
import subprocess
import sys

import pytest

PROBE = """
import json, sys
from textclf.cli.app import run
try:
    code = run(sys.argv[1:])
except SystemExit as exit:
    code = exit.code
print(json.dumps([code or 0, sorted(sys.modules)]), file=sys.stderr)
"""
HEAVY = {
    "sklearn", "numpy", "scipy", "joblib", "polars", "pydantic", "pandas", "obstore", "boto3",
}  # fmt: skip


@pytest.fixture
def modules(project):
    """Return a function that lists the modules that a command imports, without coverage's own."""
    kept = {k: v for k, v in os.environ.items() if k != "COVERAGE_PROCESS_CONFIG"}

    def call(*command, env=None):
        done = subprocess.run(
            [sys.executable, "-c", PROBE, *command],
            capture_output=True, text=True, check=True, cwd=project, timeout=60,
            env={**kept, **(env or {})},
        )  # fmt: skip
        code, loaded = json.loads(done.stderr.splitlines()[-1])
        assert code == 0, done.stderr
        return set(loaded)

    return call


@pytest.fixture
def imports(modules):
    """Return a function that lists the top-level modules that a command imports."""
    return lambda *command, **more: {name.partition(".")[0] for name in modules(*command, **more)}


@pytest.mark.parametrize(
    "command",
    [
        ("--version",),
        ("versions", "list"),
        ("versions", "show", "latest"),
        ("versions", "compare", "1.0.0", "1.0.1"),
        ("versions", "report", "1.0.0"),
        ("versions", "report", "1.0.0", "1.0.1"),
        ("promote", "1.0.0"),
        ("promote", "1.0.0", "--require", "accuracy=0.1", "--max-class-regression", "0.5"),
        ("rollback",),
        ("history",),
        ("verify",),
        ("versions", "list", "--json"),
        ("versions", "tag", "1.0.0", "prod=eu"),
        ("versions", "prune", "--keep", "9"),
        ("versions", "export", "1.0.0", "model.tar.gz"),
    ],
    ids=" ".join,
)
def test_managing_versions_loads_nothing_heavy(imports, command):
    """Commands that neither train nor predict import nothing numerical, and no Rich in a pipe."""
    assert not imports(*command) & (HEAVY | {"rich"})


@pytest.mark.parametrize("command", [("--help",), ("train", "--help"), ("versions",)], ids=" ".join)
def test_help_loads_nothing_heavy(imports, command):
    """Help imports nothing that is heavy, and no Rich."""
    assert not imports(*command) & (HEAVY | {"rich"})


def test_completion_loads_nothing_heavy(imports):
    """Completion imports nothing heavy."""
    words = {
        "_TEXTCLF_COMPLETE": "complete_bash",
        "COMP_WORDS": "textclf promote ",
        "COMP_CWORD": "2",
    }
    assert not imports(env=words) & HEAVY


@pytest.mark.parametrize(
    "command",
    [
        ("predict", "this is great"),
        ("predict", "great", "awful", "--json", "--top-k", "2"),
        ("predict", "great", "--explain", "--threshold", "0.9"),
        ("predict", "--version", "previous", "great"),
    ],
    ids=" ".join,
)
def test_a_few_texts_are_labelled_with_next_to_nothing(imports, command):
    """Labelling a few texts imports no numerical library, no pickle and no Rich."""
    assert not imports(*command) & (HEAVY | {"numba", "rich", "logging", "hashlib"})


def test_check_loads_no_scikit_learn(imports):
    """Check does not import scikit-learn."""
    assert not imports("check") & {"sklearn", "scipy", "joblib", "rich"}


def test_a_command_is_built_alone(modules, project):
    """No other command is imported, unless there are settings."""
    others = {
        "textclf.cli.commands.train",
        "textclf.cli.commands.versions",
        "textclf.cli.commands.evaluate",
    }
    assert not modules("predict", "great") & others
    (project / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert not modules("predict", "great") & others
    (project / "textclf.toml").write_text("[train]\ncv = 3\n")
    assert modules("predict", "great") >= others
