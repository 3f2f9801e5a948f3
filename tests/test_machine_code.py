"""Where machine code is kept, and what is not opened."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import textclf
from textclf import machine_code
from textclf.jit import SHARED_SOURCES
from textclf.machine_code import MachineCode

NAME = "module.function.cpython-311-stamp-key.nbc"
STRANGER = 4242
AS_ROOT = pytest.mark.skipif(
    getattr(os, "geteuid", lambda: 1)() != 0, reason="only root can give files away"
)


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A source file, whose machine code may be beside it, in the user's cache, or in TMPDIR."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    path = tmp_path / "package" / "module.py"
    path.parent.mkdir()
    path.touch()
    return path


@pytest.fixture
def told(monkeypatch):
    """What is told of problems."""
    problems = []
    monkeypatch.setattr(machine_code, "on_problem", problems.append)
    monkeypatch.setattr(MachineCode, "_problem_told", False)
    return problems


def kept(folder):
    """The machine code in a folder and those below it, by the name of its own folder."""
    return {path.parent.name: path for path in folder.rglob("*.nbc")}


def test_machine_code_is_kept_beside_the_source(source, told):
    """What one process saves, another loads; the files of older sources are removed."""
    MachineCode(source).save(NAME.replace("stamp", "older"), b"old")
    MachineCode(source).save(NAME, b"code")
    MachineCode(source).save(NAME.replace("key", "other"), b"other")
    assert MachineCode(source).load(NAME) == b"code"
    assert MachineCode(source).load("unknown-stamp-key.nbc") is None
    assert len(list(source.parent.rglob("*.nbc"))) == 2
    assert told == []


def cut(file):
    file.write_bytes(file.read_bytes()[:-1])


def empty(file):
    file.write_bytes(b"")


def changed(file):
    file.write_bytes(file.read_bytes()[:-1] + b"?")


def replaced_by_folder(file):
    file.unlink()
    file.mkdir()


def replaced_by_pipe(file):
    file.unlink()
    os.mkfifo(file)


def replaced_by_link(file):
    file.rename(file.with_suffix(".other"))
    file.symlink_to(file.with_suffix(".other"))


def writable_by_group(file):
    file.chmod(0o664)


def in_folder_writable_by_all(file):
    file.parent.chmod(0o777)


def given_away(file):
    os.chown(file, STRANGER, -1)


def in_folder_given_away(file):
    os.chown(file.parent, STRANGER, -1)


@pytest.mark.parametrize(
    "spoil",
    [
        cut, empty, changed, replaced_by_folder, replaced_by_pipe, replaced_by_link,
        writable_by_group, in_folder_writable_by_all,
        pytest.param(given_away, marks=AS_ROOT), pytest.param(in_folder_given_away, marks=AS_ROOT),
    ],
)  # fmt: skip
def test_what_is_damaged_or_may_be_another_users_is_not_opened(source, told, spoil):
    """It is compiled again, which is told once, and kept where this user alone can write."""
    MachineCode(source).save(NAME, b"code")
    spoil(kept(source.parent)["__pycache__"])
    for _ in range(2):
        assert MachineCode(source).load(NAME) is None
    assert len(told) == 1
    assert told[0].startswith("compiled again, for it is damaged or not yours alone: ")
    MachineCode(source).save(NAME, b"code")
    assert MachineCode(source).load(NAME) == b"code"


@AS_ROOT
def test_the_owner_of_the_source_is_trusted(source, told):
    """An image is built by one user and run by another; whoever wrote the code may compile it."""
    MachineCode(source).save(NAME, b"code")
    for path in (source, source.parent / "__pycache__", kept(source.parent)["__pycache__"]):
        os.chown(path, STRANGER, -1)
    assert MachineCode(source).load(NAME) == b"code"
    assert told == []


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({}, "cache"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "~"}, "temporary"),
        ({"XDG_CACHE_HOME": "/dev/null/none"}, "temporary"),
        ({"XDG_CACHE_HOME": "", "HOME": "~", "TMPDIR": "/dev/null"}, None),
        ({"NUMBA_CACHE_DIR": "/dev/null/none"}, "cache"),
        ({"XDG_CACHE_HOME": "", "HOME": "ROOT/nobody"}, "temporary"),
    ],
    ids=str,
)
def test_an_unwritable_installation_is_compiled_around(
    source, told, monkeypatch, variables, folder
):
    """The next folder is the user's if there is a home, the last a temporary one."""
    (source.parent / "__pycache__").touch()  # so that no folder can be made there
    monkeypatch.chdir(source.parent)
    root = source.parents[1]
    for name, value in variables.items():
        monkeypatch.setenv(name, value.replace("ROOT", str(root)))
    for _ in range(2):
        MachineCode(source).load(NAME)
        MachineCode(source).save(NAME, b"code")
    assert MachineCode(source).load(NAME) == (b"code" if folder else None)
    assert {path.relative_to(root).parts[0] for path in root.rglob("*.nbc")} == {folder} - {None}
    assert {path.name for path in source.parent.iterdir()} == {"__pycache__", "module.py"}
    problems = {"temporary": "no other folder can be written", None: "each process compiles it"}
    assert [folder in problems and problems[folder] in text for text in told] == [True] * (
        folder in problems
    )


READS_ALL = "-all,+dac_read_search"
AS_STRANGER = (
    "setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups",
    f"--inh-caps={READS_ALL}", f"--ambient-caps={READS_ALL}", f"--bounding-set={READS_ALL}",
)  # fmt: skip
"""Another user without any right to write, who may read what is root's alone, such as Python."""


@AS_ROOT
@pytest.mark.skipif(not shutil.which("setpriv"), reason="no setpriv (util-linux)")
def test_a_user_without_a_home_and_without_rights_compiles(tmp_path):
    """As in a container with another user: the first process compiles, the second loads."""
    for file in (*SHARED_SOURCES, "machine_code.py"):
        (tmp_path / "textclf" / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(textclf.__file__).parent / file, tmp_path / "textclf" / file)
    (tmp_path / "textclf/__init__.py").touch()
    (tmp_path / "user.py").write_text(
        "from textclf.jit import compiled\n"
        "@compiled\ndef doubled(number):\n    return 2 * number\n"
        "assert doubled(21) == 42\n"
        "print(sum(doubled.stats.cache_hits.values()))\n"
    )
    for folder in ("work", "temporary"):
        (tmp_path / folder).mkdir()
        os.chown(tmp_path / folder, STRANGER, -1)
    variables = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "HOME": "~",
        "TMPDIR": str(tmp_path / "temporary"),
    }  # fmt: skip
    for hits in ("0\n", "1\n"):
        done = subprocess.run(
            [*AS_STRANGER, sys.executable, str(tmp_path / "user.py")],
            env=variables, cwd=tmp_path / "work", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.stdout, done.stderr) == (hits, "")
    assert list((tmp_path / "work").iterdir()) == []
