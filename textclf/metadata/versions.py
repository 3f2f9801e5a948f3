"""Semantic versions of models: how they are written, and which comes next.

The three numbers go up with

* major: another data set, other labels, another kind of features or classifier;
* minor: another search space, other hyperparameters, scoring, folds or seed;
* patch: some rows, the code or a library.

Each has at most nine digits, wherever a version is named, read or written.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection

from semver import Version

from textclf.errors import TextclfError

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
    number = text.removeprefix("v")
    if not is_version(number):
        raise ValueError(f"{text} is not of the form 1.2.3")
    return Version.parse(number)


def is_version(name: str) -> bool:
    """Whether a folder's name is that of a version: ``1.1.0``, without a ``v``."""
    return _FOLDER.fullmatch(name) is not None


def line(base: Version | None, bump: Bump) -> tuple[int, ...]:
    """Return the numbers that a version and all that may follow it by a bump begin with."""
    kept = {Bump.PATCH: 2, Bump.MINOR: 1, Bump.MAJOR: 0}[bump]
    return (base.major, base.minor)[:kept] if base else ()


def next_version(
    base: Version | None,
    bump: Bump,
    used: Collection[Version],
    reserved: Collection[Version] = (),
) -> Version:
    """Return the number that follows ``base``.

    On an older line (``base`` is not the highest) it is above all that the line has: if 1.1.3 was
    used, a patch of 1.1.0 is 1.1.4.

    Args:
        base: the version to go on from; without one the next major is returned.
        bump: which of the three numbers goes up.
        used: numbers of versions: the next number is above those of the same line.
        reserved: further numbers that are not given, but may be above the next one.

    Raises:
        TextclfError: there is none: a part of it would have more than nine digits.
    """
    prefix = line(base, bump)
    rivals = [v for v in used if v.to_tuple()[: len(prefix)] == prefix]
    highest = max([*rivals, *([base] if base else [])], default=None)
    bump = bump if base else Bump.MAJOR
    version = highest.next_version(bump) if highest else FIRST
    while version in reserved:
        version = version.next_version(bump)
    if not is_version(str(version)):
        raise TextclfError(
            f"no {bump} number follows {highest}: the parts of a version have at most nine digits",
            hint="textclf train --from VERSION --bump minor goes on from an earlier version",
        )
    return version
