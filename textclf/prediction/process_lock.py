"""A lock that survives a fork."""

from __future__ import annotations

import os
import threading


class ProcessLock:
    """A lock that is free in a forked process, where the thread that held it does not exist."""

    def __init__(self) -> None:
        self._lock, self._process = threading.Lock(), os.getpid()

    def current(self) -> threading.Lock:
        """Return the lock of this process."""
        if self._process != os.getpid():
            self._lock, self._process = threading.Lock(), os.getpid()
        return self._lock
