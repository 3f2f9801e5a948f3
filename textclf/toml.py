"""TOML as people write it: a megabyte at most, and all that is wrong is a ``ValueError``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from textclf.files import read_bytes

_LARGEST: Final = 1 << 20
_MOST_DOTS: Final = 500
"""On a line: for a key of so many parts tomllib's memory grows with the square of their number."""


def read_text(path: Path) -> str:
    """Read a file. Raises OSError, UnicodeDecodeError."""
    return read_bytes(path, _LARGEST).decode()


def parse(text: str) -> dict[str, Any]:
    """Parse a document. Raises ValueError with a sentence, which names the line if it can."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _MOST_DOTS:
            raise ValueError(f"More than {_MOST_DOTS} dots on one line (at line {number})")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("Nested too deeply") from None
