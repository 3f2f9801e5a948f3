"""What is shown on a terminal while files go to or come from a bucket."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from textclf.cli.output import render
from textclf.formatting import duration, escape_controls, size

if TYPE_CHECKING:
    from textclf.registry.store.requests import Transfer

_PATIENCE = 2.0
"""Seconds after which it is said what is waited for."""


class TransferLine:
    """One line on stderr that is written anew, and removed when no transfer lasts any more."""

    def __init__(self) -> None:
        self._lasting: list[Transfer] = []
        self._lock = threading.Lock()

    def show(self, transfer: Transfer) -> None:
        """Show the transfers that have lasted for two seconds, or remove the line."""
        now = time.monotonic()
        with self._lock:
            self._lasting = [one for one in self._lasting if one is not transfer]
            if not transfer.has_ended and now - transfer.began >= _PATIENCE:
                self._lasting.append(transfer)
            elif not transfer.has_ended:
                return
            if self._lasting:
                first = min(self._lasting, key=lambda one: one.began)
                others = f", and {len(self._lasting) - 1} more" if self._lasting[1:] else ""
                render.status(f"{_described(first)}, {duration(now - first.began)}{others}")
            else:
                render.remove_status()


def _described(transfer: Transfer) -> str:
    name = escape_controls(transfer.path.rpartition("/")[2] or transfer.path)
    if transfer.size is None:
        return f"{transfer.action} the bucket"
    done = "" if transfer.done is None else f"{size(transfer.done)} of "
    return f"{transfer.action} {name}, {done}{size(transfer.size)}"
