"""Compiled functions and their cache on disk."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import textclf
from textclf.jit import SHARED_SOURCES, compiled

USER = """
from textclf.jit import compiled


@compiled
def doubled(number):
    return 2 * number


if __name__ == "__main__":
    assert doubled(21) == 42
    print("cached" if doubled.stats.cache_hits else "compiled")
"""


@pytest.fixture
def package(tmp_path):
    """A copy of the sources that compiled functions depend on, and a module with one."""
    root = Path(textclf.__file__).parent
    for source in (*SHARED_SOURCES, "machine_code.py"):
        target = tmp_path / "textclf" / source
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / source, target)
    (tmp_path / "textclf" / "__init__.py").touch()
    (tmp_path / "user.py").write_text(USER)
    return tmp_path


def run(package):
    """Whether a new process compiles the module's function or takes it from the cache."""
    settings = {"PYTHONPATH": str(package), "NUMBA_CACHE_DIR": str(package / "cache")}
    command = [sys.executable, str(package / "user.py")]
    done = subprocess.run(
        command, env={**os.environ, **settings}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("source", SHARED_SOURCES)
def test_an_edit_of_a_shared_source_renews_the_machine_code(package, source):
    """The second process uses the cache; after an edit of a shared file the next one does not."""
    assert [run(package), run(package)] == ["compiled", "cached"]
    with (package / "textclf" / source).open("a") as file:
        file.write("# edited\n")
    assert [run(package), run(package)] == ["compiled", "cached"]


def test_a_function_whose_machine_code_was_lost_runs_and_is_not_kept(monkeypatch, tmp_path):
    """A Ctrl-C in a callback of LLVM loses the copy that would be kept, and nothing else."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))

    def lost(_):
        raise RuntimeError("no compiled object yet")

    monkeypatch.setattr("numba.core.codegen.CodeLibrary._get_compiled_object", lost)
    assert compiled(lambda number: 2 * number)(21) == 42
    assert list(tmp_path.rglob("*.nbc")) == []
