"""Ask scikit-learn about a search space before anything is read or trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from textclf.errors import UsageError
from textclf.features.tfidf import vectorizer
from textclf.metadata.json_values import differ
from textclf.metadata.schema import Space
from textclf.search.grid_search import classifier
from textclf.search.space import Point, Where


def check_space(space: Space, where: Where) -> None:
    """Check every name and value by scikit-learn's own rules.

    Whether values go together, with each other and with the data, only a fit can tell: such a
    candidate fails in the search, which goes on, as GridSearchCV does.

    Args:
        space: the union of grids.
        where: says where a path such as ``("features", "word", "min_df")`` stands in which grid.

    Raises:
        UsageError: scikit-learn does not know a parameter, or refuses a value.
    """
    for number, grid in enumerate(space):
        here = partial(where, grid=number)
        for block, settings in grid["features"].items():
            for name, value in _each_value(settings):
                probe = partial(_probe_vectorizer, block, name, value)
                _try(probe, partial(here, "features", block, name))
        for kind, settings in grid["classifier"].items():
            for name, value in _each_value(settings):
                probe = partial(_probe_setting, Point({}, kind, {name: value}))
                _try(probe, partial(here, "classifier", kind, name))


def _each_value(settings: Mapping[str, list[Any]]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, values in settings.items() for value in values)


def _check_recordable(value: Any) -> None:
    """A version must be there to be made again from its metadata, so JSON must hold its values."""
    if differ(value, msgspec.json.decode(msgspec.json.encode(value))):
        raise ValueError(f"{value} cannot be recorded: JSON has no inf and no nan")


def _probe_vectorizer(block: str, name: str, value: Any) -> None:
    _check_recordable(value)
    if name == "ngram_range":
        _check_range(value)
    probe = vectorizer(block, {name: value})
    probe._validate_params()  # noqa: SLF001 - the one way to ask about a single parameter
    probe.build_analyzer()


def _check_range(value: Any) -> None:
    if not isinstance(value, list) or [type(n) for n in value] != [int, int]:
        raise ValueError(f"ngram_range has a pair for each alternative, [[1, 2]], not {value!r}")
    shortest, longest = value
    if not 1 <= shortest <= longest:
        raise ValueError(f"ngram_range goes from the shortest (1 or more) to the longest: {value}")


def _probe_setting(only: Point) -> None:
    for value in only.settings.values():
        _check_recordable(value)
    known = classifier(Point({}, only.classifier, {}), 0).get_params()
    for name in only.settings:
        if name == "verbose":
            raise ValueError("verbose would print into the answers of the command line")
        if name not in known:
            raise ValueError(f"{only.classifier} has no parameter {name!r}: {', '.join(known)}")
    classifier(only, 0)._validate_params()  # noqa: SLF001 - as above


def _try(probe: Callable[[], object], at: Callable[[], str]) -> None:
    try:
        probe()
    except Exception as error:  # noqa: BLE001 - whatever scikit-learn says is the user's answer
        first_line = str(error).strip().partition("\n")[0]
        raise UsageError(f"{at()}: {first_line}") from None
