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
from typing import NamedTuple

from textclf.errors import TextclfError

_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_FOLDER = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}")


class Bump(enum.StrEnum):
    """Which of the three numbers goes up."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


_KEPT = {Bump.PATCH: 2, Bump.MINOR: 1, Bump.MAJOR: 0}
"""How many of the numbers a bump leaves as they are."""


class Version(NamedTuple):
    """The three numbers of a version, which are compared in turn; it also equals its own text."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    def __eq__(self, other: object) -> bool:
        return str(self) == other if isinstance(other, str) else tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return tuple.__hash__(self)

    def next(self, bump: Bump) -> Version:
        """Return the version after a bump: one number goes up, and those behind it are 0."""
        kept = _KEPT[bump]
        return Version(*(*self[:kept], self[kept] + 1, 0, 0)[:3])


FIRST = Version(1, 0, 0)


def parse_version(text: str) -> Version:
    """Parse ``1.1.0`` or ``v1.1.0``.

    Raises:
        ValueError: the text has another form; models have no pre-releases and build tags.
    """
    number = text.removeprefix("v")
    if not is_version(number):
        raise ValueError(f"{text} is not of the form 1.2.3")
    return Version(*map(int, number.split(".")))


def is_version(name: str) -> bool:
    """Whether a folder's name is that of a version: ``1.1.0``, without a ``v``."""
    return _FOLDER.fullmatch(name) is not None


def line(base: Version | None, bump: Bump) -> tuple[int, ...]:
    """Return the numbers that a version and all that may follow it by a bump begin with."""
    return base[: _KEPT[bump]] if base else ()


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
    rivals = [v for v in used if v[: len(prefix)] == prefix]
    highest = max([*rivals, *([base] if base else [])], default=None)
    bump = bump if base else Bump.MAJOR
    version = highest.next(bump) if highest else FIRST
    while version in reserved:
        version = version.next(bump)
    if not is_version(str(version)):
        raise TextclfError(
            f"no {bump} number follows {highest}: the parts of a version have at most nine digits",
            hint="textclf train --from VERSION --bump minor goes on from an earlier version",
        )
    return version
