"""Semantic versions of models: how they are written, and which comes next.

Pure functions over values; the meaning of the three numbers is this project's:

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
    """Read ``1.1.0`` or ``v1.1.0``.

    Raises:
        ValueError: it is not of that form; pre-releases and build tags are not used for models.
    """
    version = Version.parse(text.removeprefix("v"))
    if version.prerelease or version.build:
        raise ValueError(f"{text} is not of the form 1.2.3")
    return version


def is_version(name: str) -> bool:
    """Whether a folder of this name is a version: ``1.1.0``, without a ``v``."""
    return _FOLDER.fullmatch(name) is not None


def next_version(base: Version | None, bump: Bump, reserved: Collection[Version]) -> Version:
    """The number that follows ``base``; a number in ``reserved`` is never given again.

    On an older line (``base`` is not the highest) the numbers go on above all that the line has:
    a patch of 1.1.0 where 1.1.3 exists is 1.1.4.
    """
    if base is None:
        return max(reserved).bump_major() if reserved else FIRST
    line = {Bump.PATCH: 2, Bump.MINOR: 1, Bump.MAJOR: 0}[bump]
    prefix = base.to_tuple()[:line]
    highest = max((v for v in reserved if v.to_tuple()[:line] == prefix), default=base)
    return _bumped(max(base, highest), bump)


def _bumped(version: Version, bump: Bump) -> Version:
    match bump:
        case Bump.PATCH:
            return version.bump_patch()
        case Bump.MINOR:
            return version.bump_minor()
        case Bump.MAJOR:
            return version.bump_major()
