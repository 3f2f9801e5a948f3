"""Semantic versions of models: how they are written, which comes next, and why.

Pure functions over values; the meaning of the three numbers is this project's:

* major: another data set, other labels, another kind of features or classifier;
* minor: another search space, other hyperparameters, scoring, folds or seed;
* patch: some rows, the code or a library.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from semver import Version

_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_FOLDER = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}")

FIRST = Version(1, 0, 0)
SAME_DATA_SET = 0.5
"""Share of rows in common from which on two files count as the same data set."""


_NAMED = 5
"""Labels and the like that a reason names."""


class Bump(enum.StrEnum):
    """Which of the three numbers goes up."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


@dataclass(frozen=True)
class Recipe:
    """What a version is made of, as far as its number depends on it.

    Attributes:
        labels: the classes.
        features: kinds of feature blocks searched, such as ``word``.
        classifiers: names of the classifiers searched.
        search: search space, scoring, folds and seed, as in the metadata.
        rows: digest of the training rows in their order.
        test: digest of the test rows.
        code: digest of textclf's own code.
        libraries: versions of Python and of the libraries that shape the model.
    """

    labels: frozenset[str]
    features: frozenset[str]
    classifiers: frozenset[str]
    search: Mapping[str, Any]
    rows: str
    test: str
    code: str
    libraries: Mapping[str, str]


@dataclass(frozen=True)
class Inference:
    """The bump that the changes call for (``None``: nothing changed), and the reasons for it."""

    bump: Bump | None
    reasons: tuple[str, ...]


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


def next_version(base: Version | None, bump: Bump, taken: Collection[Version]) -> Version:
    """The number that follows ``base``; a number in ``taken`` is never given again.

    On an older line (``base`` is not the highest) the numbers go on above all that the line has:
    a patch of 1.1.0 where 1.1.3 exists is 1.1.4.
    """
    if base is None:
        return max(taken).bump_major() if taken else FIRST
    line = {Bump.PATCH: 2, Bump.MINOR: 1, Bump.MAJOR: 0}[bump]
    prefix = base.to_tuple()[:line]
    highest = max((v for v in taken if v.to_tuple()[:line] == prefix), default=base)
    return _bumped(max(base, highest), bump)


def _bumped(version: Version, bump: Bump) -> Version:
    match bump:
        case Bump.PATCH:
            return version.bump_patch()
        case Bump.MINOR:
            return version.bump_minor()
        case Bump.MAJOR:
            return version.bump_major()


def infer_bump(base: Recipe, new: Recipe, *, rows_in_common: float) -> Inference:
    """What a training is, seen from ``base``: the highest bump that some change calls for.

    Args:
        base: what the earlier version was made of.
        new: what is about to be trained.
        rows_in_common: share of training rows that both have, of the larger set (0 to 1).
    """
    for bump, rule in ((Bump.MAJOR, _major), (Bump.MINOR, _minor), (Bump.PATCH, _patch)):
        reasons = tuple(rule(base, new, rows_in_common))
        if reasons:
            return Inference(bump, reasons)
    return Inference(None, ())


def _major(base: Recipe, new: Recipe, rows_in_common: float) -> Iterator[str]:
    yield from _set_change("labels", base.labels, new.labels)
    yield from _set_change("kinds of features searched", base.features, new.features)
    yield from _set_change("classifiers searched", base.classifiers, new.classifiers)
    if rows_in_common < SAME_DATA_SET:
        yield f"a new data set: about {rows_in_common:.0%} of the rows in common"


def _minor(base: Recipe, new: Recipe, _rows_in_common: float) -> Iterator[str]:
    yield from _mapping_change(base.search, new.search)


def _patch(base: Recipe, new: Recipe, rows_in_common: float) -> Iterator[str]:
    if base.rows != new.rows:
        yield f"some training rows changed: about {rows_in_common:.0%} in common"
    if base.test != new.test:
        yield "the test rows changed"
    if base.code != new.code:
        yield "the code of textclf changed"
    yield from _mapping_change(base.libraries, new.libraries)


def _set_change(what: str, base: frozenset[str], new: frozenset[str]) -> Iterator[str]:
    changes = [("added", sorted(new - base)), ("removed", sorted(base - new))]
    told = "; ".join(f"{verb} {_some(names)}" for verb, names in changes if names)
    if told:
        yield f"{what} changed: {told}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _mapping_change(base: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    old, now = flatten(base), flatten(new)
    for name in sorted(old.keys() | now.keys()):
        if differ(old.get(name), now.get(name)):
            yield f"{name}: {_shown(old, name)} → {_shown(now, name)}"


def differ(one: Any, other: Any) -> bool:
    """Whether two JSON values differ; 1 and 1.0 do: to scikit-learn a count and a share."""
    import json  # here, and so the start of every command is sooner

    return json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True)


def _shown(values: Mapping[str, Any], name: str) -> str:
    return str(values[name]) if name in values else "not set"


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings and lists of mappings as one level with dotted names."""
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        path = f"{prefix}{name}"
        if isinstance(inner, Mapping) and inner:
            flat |= flatten(inner, f"{path}.")
        elif isinstance(inner, list | tuple) and inner and isinstance(inner[0], Mapping):
            flat |= flatten({str(n): x for n, x in enumerate(inner, 1)}, f"{path}.")
        else:
            flat[path] = list(inner) if isinstance(inner, tuple) else inner
    return flat
