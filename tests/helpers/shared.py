"""Folders that are made once for all workers of a test run."""

import fcntl
import os


def shared_folder(tmp_path_factory, name, make):
    """Return a folder that the first worker to ask for it fills, for tests to read or to copy.

    Args:
        tmp_path_factory: the fixture of pytest.
        name: the name of the folder, the same in each worker.
        make: called with the empty folder.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # whose own folder is in that of the whole run
        base = base.parent
    folder, unfinished = base / name, base / f"{name}.unfinished"
    with (base / f"{name}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished.mkdir()  # fails where another worker has failed to fill it
            make(unfinished)
            unfinished.rename(folder)
    return folder
