"""Search spaces: TOML in, a union of grids, and every point of it in scikit-learn's order.

The format is described in docs/search-space.md. This file checks names and shapes; whether scikit-
learn takes a value is asked in ``space_check.check_space``, which needs scikit-learn.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from textclf import files
from textclf.errors import UsageError
from textclf.metadata.schema import Space

BLOCKS = ("word", "char_wb", "char")
"""Kinds of feature blocks: the ``analyzer`` of a TfidfVectorizer."""

VECTORIZER_PARAMETERS = (
    "binary", "lowercase", "max_df", "max_features", "min_df", "ngram_range", "norm", "smooth_idf",
    "stop_words", "strip_accents", "sublinear_tf", "token_pattern", "use_idf",
)  # fmt: skip
"""Of TfidfVectorizer; those that take functions or vocabularies are left out."""

CLASSIFIERS = {
    "LinearSVC": "sklearn.svm",
    "LogisticRegression": "sklearn.linear_model",
    "RidgeClassifier": "sklearn.linear_model",
    "SGDClassifier": "sklearn.linear_model",
    "ComplementNB": "sklearn.naive_bayes",
    "MultinomialNB": "sklearn.naive_bayes",
}
"""Classifiers that can be searched, and where scikit-learn keeps them."""

_MOST_CANDIDATES = 100_000
"""Days of searching; far more than that would not even fit in memory."""

Where = Callable[..., str]
"""Says in which file and line a path of names stands: ``where("features", "word", "min_df")``."""


@dataclass(frozen=True)
class Point:
    """One candidate: the settings of each feature block, a classifier and its settings."""

    features: Mapping[str, Mapping[str, Any]]
    classifier: str
    settings: Mapping[str, Any]

    @property
    def params(self) -> dict[str, Any]:
        """As one flat mapping: its pipeline's ``set_params``, and the name of the classifier."""
        return {
            "classifier": self.classifier,
            **{f"classifier__{name}": value for name, value in self.settings.items()},
            **{
                f"features__{block}__{name}": value
                for block, settings in self.features.items()
                for name, value in settings.items()
            },
        }


@dataclass(frozen=True)
class SpaceSource:
    """The text of a search space and the name of its file, to say where something stands in it."""

    name: str
    text: str
    preset: bool = False

    def where(self, *path: str, grid: int = 0) -> str:
        """``grid.toml:7`` for a path such as ``("classifier", "LinearSVC", "C")``.

        The nearest enclosing table is named where the key itself is not found on a line of its own;
        ``grid`` counts the ``[[space]]`` tables from 0.
        """
        best, depth = 1, -1
        table: tuple[str, ...] = ()
        spaces = -1
        for number, line in enumerate(self.text.split("\n"), 1):
            if header := re.match(r"\s*\[+([^][#]+)\]", line):
                table = found = _names(header[1])
                spaces += found == ("space",)
            elif key := re.match(r"\s*([\w\"'.-]+)\s*=", line):
                found = table + _names(key[1])
            else:
                continue
            if found[0] == "space" != path[0]:
                found = found[1:]
            shared = min(len(found), len(path))
            if depth < shared and spaces in (-1, grid) and path[:shared] == found[:shared]:
                best, depth = number, shared
        return f"{self.name}:{best}"


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def preset_source(name: str) -> SpaceSource:
    """One of the search spaces that come with textclf."""
    path = Path(__file__).parent / "presets" / f"{name}.toml"
    return SpaceSource(path.name, path.read_text("utf-8"), preset=True)


def read_source(path: Path) -> SpaceSource:
    """Read a TOML file. Raises UsageError when it cannot be read."""
    try:
        return SpaceSource(path.as_posix(), files.read_toml_text(path))
    except OSError as error:
        raise UsageError(f"cannot read the search space {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the search space {path} is not UTF-8 text") from None


def parse_space(source: SpaceSource) -> Space:
    """A search space as a list of grids in which every parameter has a list of alternatives.

    Raises:
        UsageError: it is not TOML, or a name is unknown, or a part is missing; with the line.
    """
    try:
        document = files.parse_toml(source.text)
    except ValueError as error:
        line = re.search(r"line (\d+)", str(error))
        at = f"{source.name}:{line[1]}" if line else source.name
        raise UsageError(f"{at}: not TOML: {error}") from None
    space = _grids(document, source)
    if sum(map(_size, space)) > _MOST_CANDIDATES:
        raise UsageError(
            f"{source.name}: the search space has more than {_MOST_CANDIDATES:,} candidates",
            hint="every list multiplies their number; [[space]] tables only add",
        )
    return space


def _grids(document: dict[str, Any], source: SpaceSource) -> Space:
    if "space" not in document:
        return [_grid(document, source.where)]
    _only(("space",), document, source.where, ())
    grids = document["space"]
    if not isinstance(grids, list) or not all(isinstance(grid, dict) for grid in grids):
        raise UsageError(f"{source.where('space')}: write [[space]], once for each grid")
    return [_grid(grid, partial(source.where, grid=number)) for number, grid in enumerate(grids)]


def _size(grid: dict[str, dict[str, dict[str, list[Any]]]]) -> int:
    """Number of candidates."""
    features, classifiers = (
        [prod(map(len, table.values())) for table in grid[part].values()]
        for part in ("features", "classifier")
    )
    return prod(features) * sum(classifiers)


def _grid(document: dict[str, Any], where: Where) -> dict[str, dict[str, dict[str, list[Any]]]]:
    _only(("features", "classifier"), document, where, ())
    features = _tables(document, "features", BLOCKS, where)
    classifiers = _tables(document, "classifier", CLASSIFIERS, where)
    for block, settings in features.items():
        _only(VECTORIZER_PARAMETERS, settings, where, ("features", block))
    return {
        part: {
            name: {
                key: _alternatives(value, where, (part, name, key)) for key, value in table.items()
            }
            for name, table in tables.items()
        }
        for part, tables in (("features", features), ("classifier", classifiers))
    }


def _tables(
    document: dict[str, Any], part: str, known: Iterable[str], where: Where
) -> dict[str, dict[str, Any]]:
    tables = document.get(part)
    if not isinstance(tables, dict) or not tables:
        example = next(iter(known))
        raise UsageError(
            f"{where(part)}: the search space has no [{part}.…] table",
            hint=f"add one, such as [{part}.{example}]",
        )
    _only(known, tables, where, (part,))
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise UsageError(f"{where(part, name)}: {part}.{name} must be a table")
    return tables


def _only(
    known: Iterable[str], given: Mapping[str, Any], where: Where, path: tuple[str, ...]
) -> None:
    """Refuse names that are not known, with the nearest one that is."""
    known = list(known)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise UsageError(
                f"{where(*path, name)}: unknown name {'.'.join((*path, name))!r}",
                hint=f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}",
            )


def _alternatives(value: Any, where: Where, path: tuple[str, ...]) -> list[Any]:
    if value == []:
        raise UsageError(f"{where(*path)}: {'.'.join(path)} has no alternative in its list")
    return value if isinstance(value, list) else [value]


def points(space: Space) -> list[Point]:
    """Every candidate, in the order of scikit-learn's ``ParameterGrid`` for each classifier."""
    return [
        point
        for grid in space
        for classifier, settings in grid["classifier"].items()
        for point in _product(grid["features"], classifier, settings)
    ]


def _product(
    features: dict[str, dict[str, list[Any]]], classifier: str, settings: dict[str, list[Any]]
) -> Iterator[Point]:
    axes = {("classifier", classifier, name): values for name, values in settings.items()}
    for block, table in features.items():
        axes |= {("features", block, name): values for name, values in table.items()}
    names = sorted(axes)
    for values in itertools.product(*(axes[name] for name in names)):
        chosen = dict(zip(names, values, strict=True))
        yield Point(
            {block: _chosen(chosen, "features", block) for block in features},
            classifier,
            _chosen(chosen, "classifier", classifier),
        )


def _chosen(chosen: dict[tuple[str, str, str], Any], part: str, table: str) -> dict[str, Any]:
    return {name: value for (p, t, name), value in chosen.items() if (p, t) == (part, table)}
