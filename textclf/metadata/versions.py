"""Semantic versions of models: how they are written, and which comes next.

The three numbers go up with

* major: another data set, other labels, another kind of features or classifier;
* minor: another search space, other hyperparameters, scoring, folds or seed;
* patch: some rows, the code or a library.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection

from semver import Version

_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_FOLDER = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}")

FIRST = Version(1, 0, 0)


class Bump(enum.StrEnum):
    """Which of the three numbers goes up."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


def parse_version(text: str) -> Version:
    """Parse ``1.1.0`` or ``v1.1.0``.

    Raises:
        ValueError: the text has another form; models have no pre-releases and build tags.
    """
    version = Version.parse(text.removeprefix("v"))
    if version.prerelease or version.build:
        raise ValueError(f"{text} is not of the form 1.2.3")
    return version


def is_version(name: str) -> bool:
    """Whether a folder's name is that of a version: ``1.1.0``, without a ``v``."""
    return _FOLDER.fullmatch(name) is not None


def next_version(base: Version | None, bump: Bump, reserved: Collection[Version]) -> Version:
    """Return the number that follows ``base``; it is never one of the ``reserved`` numbers.

    On an older line (``base`` is not the highest) it is above all that the line has: if 1.1.3
    exists, a patch of 1.1.0 is 1.1.4.
    """
    if base is None:
        return max(reserved).bump_major() if reserved else FIRST
    line = {Bump.PATCH: 2, Bump.MINOR: 1, Bump.MAJOR: 0}[bump]
    prefix = base.to_tuple()[:line]
    highest = max((v for v in reserved if v.to_tuple()[:line] == prefix), default=base)
    return max(base, highest).next_version(bump)
