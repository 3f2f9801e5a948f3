"""Infer which part of the version number goes up, from what changed since an earlier version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from textclf.formatting import plural
from textclf.metadata.json_values import differ, flatten
from textclf.metadata.versions import Bump

SAME_DATA_SET = 0.5
"""The least share of common rows at which two files count as the same data set."""

_NAMED = 5
"""The most labels, or names of another kind, that a reason lists."""


@dataclass(frozen=True)
class Recipe:
    """All that a version's number depends on.

    Attributes:
        labels: the classes.
        features: kinds of feature blocks searched, such as ``word``.
        classifiers: names of the classifiers searched.
        search: search space, scoring, folds and seed, as in the metadata; of a pipeline that was
            fitted elsewhere its parameters.
        rows: digest of the training rows in their order; ``None`` if they are not known.
        test: digest of the test rows.
        code: digest of textclf's own code; of a pipeline that was fitted elsewhere, of its file.
        libraries: versions of Python and of the libraries that shape the model.
        fitted_elsewhere: whether it is that of a pipeline that textclf has not trained.
        added: the number of rows that were added to those of the base, if it was made so.
    """

    labels: frozenset[str]
    features: frozenset[str]
    classifiers: frozenset[str]
    search: Mapping[str, Any]
    rows: str | None
    test: str
    code: str
    libraries: Mapping[str, str]
    fitted_elsewhere: bool = False
    added: int = 0


@dataclass(frozen=True)
class Inference:
    """The bump that the changes call for (``None`` if nothing changed), and the reasons for it."""

    bump: Bump | None
    reasons: tuple[str, ...]


def infer_bump(base: Recipe, new: Recipe, *, rows_in_common: float | None) -> Inference:
    """Return the highest bump that a change calls for.

    Args:
        base: the recipe of the earlier version.
        new: the recipe of what is about to be trained.
        rows_in_common: share of the larger training set's rows that both have (0 to 1); ``None``
            if it is not known.
    """
    for bump, rule in ((Bump.MAJOR, _major), (Bump.MINOR, _minor), (Bump.PATCH, _patch)):
        reasons = tuple(rule(base, new, rows_in_common))
        if reasons:
            return Inference(bump, reasons)
    return Inference(None, ())


def _major(base: Recipe, new: Recipe, rows_in_common: float | None) -> Iterator[str]:
    yield from _set_change("labels", base.labels, new.labels)
    searched = "" if base.fitted_elsewhere or new.fitted_elsewhere else " searched"
    yield from _set_change(f"kinds of features{searched}", base.features, new.features)
    yield from _set_change(f"classifiers{searched}", base.classifiers, new.classifiers)
    if rows_in_common is not None and rows_in_common < SAME_DATA_SET:
        rows = (
            f"{plural(new.added, 'new row')}, more than there were"
            if new.added
            else "a new data set"
        )
        yield f"{rows}: about {rows_in_common:.0%} of the rows in common"


def _minor(base: Recipe, new: Recipe, _rows_in_common: float | None) -> Iterator[str]:
    if base.fitted_elsewhere != new.fitted_elsewhere:
        yield f"{_origin(base)} → {_origin(new)}"
        return
    yield from _mapping_change(base.search, new.search)


def _origin(recipe: Recipe) -> str:
    return "fitted elsewhere" if recipe.fitted_elsewhere else "trained by textclf"


def _patch(base: Recipe, new: Recipe, rows_in_common: float | None) -> Iterator[str]:
    if base.rows != new.rows:
        if rows_in_common is None:
            yield "the training rows are known of one of the two only"
        else:
            rows = (
                f"{plural(new.added, 'new row')}," if new.added else "some training rows changed:"
            )
            yield f"{rows} about {rows_in_common:.0%} in common"
    if base.test != new.test:
        yield "the test rows changed"
    if base.code != new.code:
        what = "the fitted model" if new.fitted_elsewhere else "the code of textclf"
        yield f"{what} changed"
    yield from _mapping_change(base.libraries, new.libraries)


def _set_change(what: str, base: frozenset[str], new: frozenset[str]) -> Iterator[str]:
    changes = [("added", sorted(new - base)), ("removed", sorted(base - new))]
    listed = "; ".join(f"{verb} {_first(names)}" for verb, names in changes if names)
    if listed:
        yield f"{what} changed: {listed}"


def _first(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _mapping_change(base: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    old, now = flatten(base), flatten(new)
    for name in sorted(old.keys() | now.keys()):
        if differ(old.get(name), now.get(name)):
            yield f"{name}: {old.get(name, 'not set')} → {now.get(name, 'not set')}"
