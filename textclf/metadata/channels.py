"""Names of channels, such as ``staging``: each has a promoted version of its own."""

from __future__ import annotations

import re

from textclf.errors import UsageError

LATEST = "latest"
"""The channel that the alias follows, and that every command means if none is named."""

PREVIOUS = "previous"

_NAME = re.compile(r"(?!v[0-9])[a-z][a-z0-9_-]{0,63}")


def is_channel(name: str) -> bool:
    """Whether a name can be that of a channel: it cannot look like a version."""
    return name != PREVIOUS and _NAME.fullmatch(name) is not None


def require_channel(name: str) -> str:
    """Return the name of a channel. Raises UsageError if it cannot be one."""
    if not is_channel(name):
        raise UsageError(
            f"{name!r} cannot be the name of a channel: use small letters, digits, _ and -, "
            "beginning with a letter, and nothing that looks like a version",
            hint="textclf promote 1.1.0 --to staging",
        )
    return name
