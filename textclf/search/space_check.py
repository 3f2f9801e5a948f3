"""Validation of a search space by scikit-learn, before anything is read or trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from textclf.errors import UsageError
from textclf.features.tfidf import build_vectorizer
from textclf.formatting import first_line
from textclf.metadata.json_values import differ
from textclf.metadata.schema import Space
from textclf.metadata.token_pattern import compile_token_pattern
from textclf.search.estimators import build_classifier
from textclf.search.space import CandidateParams, Where

_TOO_LONG = 1 << 31
"""A length of n-grams that a scorer cannot hold."""


def check_space(space: Space, where: Where) -> None:
    """Check every name and value by scikit-learn's own rules.

    Whether values are compatible, with each other and with the data, shows only in a fit: such a
    candidate fails in the search, which goes on, as GridSearchCV does.

    Args:
        space: the union of grids.
        where: locates a path of keys in a grid, for messages.

    Raises:
        UsageError: scikit-learn does not know a parameter, or refuses a value.
    """
    for number, grid in enumerate(space):
        here = partial(where, grid=number)
        for block, settings in grid["features"].items():
            for name, value in _values(settings):
                probe = partial(_probe_vectorizer, block, name, value)
                _try(probe, partial(here, "features", block, name))
        for kind, settings in grid["classifier"].items():
            for name, value in _values(settings):
                probe = partial(_probe_classifier, kind, name, value)
                _try(probe, partial(here, "classifier", kind, name))


def _values(settings: Mapping[str, list[Any]]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, values in settings.items() for value in values)


def _check_recordable(value: Any) -> None:
    """Refuse values that JSON changes: a version is reproduced from its metadata."""
    if differ(value, msgspec.json.decode(msgspec.json.encode(value))):
        raise ValueError(f"{value} cannot be recorded: JSON has no inf and no nan")


def _probe_vectorizer(block: str, name: str, value: Any) -> None:
    _check_recordable(value)
    if name == "ngram_range":
        _check_range(value)
    if name == "token_pattern" and isinstance(value, str):
        compile_token_pattern(value)
    probe = build_vectorizer(block, {name: value})
    probe._validate_params()  # noqa: SLF001 - the only way to check a single parameter
    probe.build_analyzer()


def _check_range(value: Any) -> None:
    if not isinstance(value, list) or [type(n) for n in value] != [int, int]:
        raise ValueError(f"ngram_range takes pairs of numbers, such as [[1, 2]], not {value!r}")
    shortest, longest = value
    if not 1 <= shortest <= longest < _TOO_LONG:
        raise ValueError(f"ngram_range is the shortest (1 or more) and the longest length: {value}")


def _probe_classifier(kind: str, name: str, value: Any) -> None:
    _check_recordable(value)
    if name == "verbose":
        raise ValueError("verbose would print into the output of the command line")
    known = build_classifier(CandidateParams({}, kind, {}), 0).get_params()
    if name not in known:
        raise ValueError(f"{kind} has no parameter {name!r}; it has {', '.join(known)}")
    probe = build_classifier(CandidateParams({}, kind, {name: value}), 0)
    probe._validate_params()  # noqa: SLF001 - as above


def _try(probe: Callable[[], object], at: Callable[[], str]) -> None:
    try:
        probe()
    except Exception as error:  # noqa: BLE001 - scikit-learn's message is the user's answer
        raise UsageError(f"{at()}: {first_line(error)}") from None
