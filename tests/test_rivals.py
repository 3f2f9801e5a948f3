"""Many writers and a reader at once, each a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

RIVALS, ROUNDS = 8, 4


@pytest.fixture
def root(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def rivals(root):
    """Return processes that wait for a line to start."""
    script = Path(__file__).with_name("rivals.py")
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "error", script, root, str(seed), str(ROUNDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(RIVALS)
    ]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    yield started
    for process in started:
        process.kill()
        process.communicate()


def watch(registries, root, rivals):
    """Read the alias and every version as they come, until all rivals are done.

    Returns:
        The aliases seen, by digest, and everything that should not have been seen.
    """
    aliases, bad, seen = set(), [], set()
    while any(process.poll() is None for process in rivals):
        data = registries.alias(root)
        if data is None and aliases:
            bad.append("the alias was gone")
        elif data is not None:
            aliases.add(registries.sha256(data))
            if not registries.is_whole(data):
                bad.append("the alias was torn")
        for folder in root.glob("*.*.*"):
            if folder.name not in seen:
                seen.add(folder.name)
                names = {path.name for path in folder.iterdir()}
                if names != {registries.ARTIFACT, registries.METADATA}:
                    bad.append(f"{folder.name} was seen with {names}")
    return aliases, bad


def test_rivals_get_what_they_were_told(registries, root, rivals):
    """Eight that publish, promote and roll back at once: distinct numbers, one log, one alias.

    A reader at their side never sees a torn or missing alias, nor a half-written version.
    """
    for process in rivals:
        process.stdin.write("\n")
        process.stdin.flush()
    aliases, bad = watch(registries, root, rivals)
    told = []
    for process in rivals:
        out, err = process.communicate()
        assert (process.returncode, err) == (0, "")
        told += out.split()
    assert bad == []
    assert len(told) == len(set(told)) == RIVALS * ROUNDS
    published = {Path(path).parts[0] for path in registries.version_files(root)}
    assert published == set(told)
    assert registries.violations(root, settled=True) == []
    log = registries.log(root)
    assert {record["to"] for record in log} == set(told), "each was promoted once at least"
    assert len(aliases) > 1
    assert aliases <= {record["sha256"] for record in log}
    assert registries.staged(root) == []
    registry = registries.open_registry(root)
    assert registry.verify().ok
    assert len(registry.versions()) == RIVALS * ROUNDS
