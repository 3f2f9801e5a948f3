"""What is shown on a terminal while a file goes to or comes from a bucket."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from textclf.formatting import duration, escape_controls, size

if TYPE_CHECKING:
    from textclf.registry.store.requests import Transfer

_PATIENCE = 2.0
"""Seconds after which it is said what is waited for."""
_LONGEST = 76
"""Characters of the line, which must not wrap."""


class TransferLine:
    """One line on stderr that is written anew, and removed when the transfer has ended."""

    def __init__(self) -> None:
        self._is_shown = False

    def show(self, transfer: Transfer) -> None:
        """Show a transfer that has lasted for two seconds, or remove the line."""
        seconds = time.monotonic() - transfer.began
        if transfer.has_ended:
            self._write("")
        elif seconds >= _PATIENCE:
            self._write(f"{_described(transfer)}, {duration(seconds)}")

    def _write(self, text: str) -> None:
        if text or self._is_shown:
            sys.stderr.write(f"\r\x1b[K{text[:_LONGEST]}")
            sys.stderr.flush()
        self._is_shown = bool(text)


def _described(transfer: Transfer) -> str:
    name = escape_controls(transfer.path.rpartition("/")[2] or transfer.path)
    if transfer.size is None:
        return f"{transfer.action} the bucket"
    done = "" if transfer.done is None else f"{size(transfer.done)} of "
    return f"{transfer.action} {name}, {done}{size(transfer.size)}"
