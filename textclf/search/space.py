"""Search spaces: a TOML file as a union of grids, and its candidates in scikit-learn's order.

The format is described in docs/search-space.md. This file checks names and shapes; whether
scikit-learn accepts the values is checked by ``space_check``, which imports it.
"""

from __future__ import annotations

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
from textclf.formatting import suggestion
from textclf.metadata.schema import Space
from textclf.search.writing import WORDS_WITH_MARKS, Writing

BLOCKS = ("word", "char_wb", "char")
"""Kinds of feature blocks: the ``analyzer`` of a TfidfVectorizer."""

VECTORIZER_PARAMETERS = (
    "binary", "lowercase", "max_df", "max_features", "min_df", "ngram_range", "norm", "smooth_idf",
    "stop_words", "strip_accents", "sublinear_tf", "token_pattern", "use_idf",
)  # fmt: skip
"""Parameters of TfidfVectorizer, without those that take functions or vocabularies."""

CLASSIFIERS = {
    "LinearSVC": "sklearn.svm",
    "LogisticRegression": "sklearn.linear_model",
    "RidgeClassifier": "sklearn.linear_model",
    "SGDClassifier": "sklearn.linear_model",
    "ComplementNB": "sklearn.naive_bayes",
    "MultinomialNB": "sklearn.naive_bayes",
}
"""Classifiers that can be searched, and the modules that have them."""

_MOST_CANDIDATES = 100_000
"""This many take days to search, and far more would not even fit in memory."""

Where = Callable[..., str]
"""Names the file and line of a path of keys: ``where("features", "word", "min_df")``."""


@dataclass(frozen=True)
class CandidateParams:
    """The parameters of a candidate: the settings of its feature blocks and of its classifier."""

    features: Mapping[str, Mapping[str, Any]]
    classifier: str
    settings: Mapping[str, Any]

    def flattened(self) -> dict[str, Any]:
        """Return the classifier's name, and the parameters as keys of ``Pipeline.set_params``."""
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
    """Where a search space is from, for messages that name a line.

    Attributes:
        name: the name of its file.
        text: the text of the file.
        preset: the name of a search space that comes with textclf.
        document: the space itself, if it is not from a file.
    """

    name: str
    text: str = ""
    preset: str | None = None
    document: Mapping[str, Any] | None = None

    def where(self, *path: str, grid: int = 0) -> str:
        """Locate a path of keys such as ``("classifier", "LinearSVC", "C")``: ``grid.toml:7``.

        The line is that of the nearest enclosing table if the key has no line of its own. ``grid``
        is the number of the ``[[space]]`` table, from 0.
        """
        if self.document is not None:
            return self.name + "".join(f"[{key!r}]" for key in path)
        best, depth = 1, -1
        table: tuple[str, ...] = ()
        spaces = -1
        for number, line in enumerate(self.text.split("\n"), 1):
            if header := re.match(r"\s*\[+([^][#]+)\]", line):
                table = keys = _keys(header[1])
                spaces += keys == ("space",)
            elif assignment := re.match(r"\s*([\w\"'.-]+)\s*=", line):
                keys = table + _keys(assignment[1])
            else:
                continue
            if keys[0] == "space" != path[0]:
                keys = keys[1:]
            shared = min(len(keys), len(path))
            if depth < shared and spaces in (-1, grid) and path[:shared] == keys[:shared]:
                best, depth = number, shared
        return f"{self.name}:{best}"


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def preset_source(name: str) -> SpaceSource:
    """Read one of the search spaces that come with textclf."""
    path = Path(__file__).parent / "presets" / f"{name}.toml"
    return SpaceSource(path.name, path.read_text("utf-8"), preset=name)


def preset_space(name: str, writing: Writing, *, unequal: bool = False) -> Space:
    """Return the space that a preset searches.

    Args:
        name: the preset.
        writing: that of the texts: word n-grams, character n-grams or both are searched, and words
            may include combining marks.
        unequal: whether labels are so unequal that balanced weights are searched, too.
    """
    sources = [name] * writing.has_spaced + [f"unspaced/{name}"] * writing.has_unspaced
    space = [grid for source in sources for grid in parse_space(preset_source(source))]
    if writing.has_marked:
        space = [_with_marks(grid) for grid in space]
    return space + [_balanced(grid) for grid in space if unequal]


def _with_marks(grid: dict[str, Any]) -> dict[str, Any]:
    """Return a copy whose words, if it has any, include combining marks."""
    features = dict(grid["features"])
    if "word" in features:
        features["word"] = {**features["word"], "token_pattern": [WORDS_WITH_MARKS]}
    return {**grid, "features": features}


def _balanced(grid: dict[str, Any]) -> dict[str, Any]:
    """Return a copy whose LinearSVC, its only classifier, gives all labels the same weight."""
    settings = {**grid["classifier"]["LinearSVC"], "class_weight": ["balanced"]}
    return {**grid, "classifier": {"LinearSVC": settings}}


def read_source(path: Path) -> SpaceSource:
    """Read the file of a search space.

    Raises:
        UsageError: it cannot be read, or is not UTF-8 text.
    """
    try:
        return SpaceSource(path.as_posix(), files.read_toml_text(path))
    except OSError as error:
        raise UsageError(f"cannot read the search space {path}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None


def parse_space(source: SpaceSource) -> Space:
    """Parse a search space into a list of grids, with a list of alternatives for each parameter.

    Raises:
        UsageError: it is not TOML, or a name is unknown, or a part is missing; with the line.
    """
    document = source.document
    space = _grids(_parse_toml(source) if document is None else document, source)
    if sum(map(_size, space)) > _MOST_CANDIDATES:
        raise UsageError(
            f"{source.name}: the search space has more than {_MOST_CANDIDATES:,} candidates",
            hint="each list multiplies their number; [[space]] tables only add to it",
        )
    return space


def _parse_toml(source: SpaceSource) -> Mapping[str, Any]:
    try:
        return files.parse_toml(source.text)
    except ValueError as error:
        line = re.search(r"line (\d+)", str(error))
        at = f"{source.name}:{line[1]}" if line else source.name
        raise UsageError(f"{at}: not TOML: {error}") from None


def _grids(document: Mapping[str, Any], source: SpaceSource) -> Space:
    if "space" not in document:
        return [_grid(document, source.where)]
    _refuse_unknown(("space",), document, source.where, ())
    grids = document["space"]
    if not isinstance(grids, list) or not all(isinstance(grid, dict) for grid in grids):
        raise UsageError(f"{source.where('space')}: write [[space]], once for each grid")
    return [_grid(grid, partial(source.where, grid=number)) for number, grid in enumerate(grids)]


def _size(grid: dict[str, dict[str, dict[str, list[Any]]]]) -> int:
    """The number of candidates of a grid."""
    features, classifiers = (
        [prod(map(len, table.values())) for table in grid[part].values()]
        for part in ("features", "classifier")
    )
    return prod(features) * sum(classifiers)


def _grid(document: Mapping[str, Any], where: Where) -> dict[str, dict[str, dict[str, list[Any]]]]:
    _refuse_unknown(("features", "classifier"), document, where, ())
    features = _tables(document, "features", BLOCKS, where)
    classifiers = _tables(document, "classifier", CLASSIFIERS, where)
    for block, settings in features.items():
        _refuse_unknown(VECTORIZER_PARAMETERS, settings, where, ("features", block))
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
    document: Mapping[str, Any], part: str, known: Iterable[str], where: Where
) -> dict[str, dict[str, Any]]:
    tables = document.get(part)
    if not isinstance(tables, dict) or not tables:
        example = next(iter(known))
        raise UsageError(
            f"{where(part)}: the search space has no [{part}.…] table",
            hint=f"add one, such as [{part}.{example}]",
        )
    _refuse_unknown(known, tables, where, (part,))
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise UsageError(f"{where(part, name)}: {part}.{name} must be a table")
    return tables


def _refuse_unknown(
    known: Iterable[str], given: Mapping[str, Any], where: Where, path: tuple[str, ...]
) -> None:
    """Refuse unknown names, and suggest the nearest known one."""
    known = list(known)
    for name in given:
        if name not in known:
            raise UsageError(
                f"{where(*path, name)}: unknown name {'.'.join((*path, name))!r}",
                hint=suggestion(name, known, f"known names: {', '.join(known)}"),
            )


def _alternatives(value: Any, where: Where, path: tuple[str, ...]) -> list[Any]:
    if value == []:
        raise UsageError(f"{where(*path)}: the list of {'.'.join(path)} has no alternatives")
    return value if isinstance(value, list) else [value]


def list_candidates(space: Space) -> list[CandidateParams]:
    """List every candidate, in the order of scikit-learn's ``ParameterGrid`` per classifier."""
    return [
        candidate
        for grid in space
        for classifier, settings in grid["classifier"].items()
        for candidate in _product(grid["features"], classifier, settings)
    ]


def _product(
    features: dict[str, dict[str, list[Any]]], classifier: str, settings: dict[str, list[Any]]
) -> Iterator[CandidateParams]:
    axes = {("classifier", classifier, name): values for name, values in settings.items()}
    for block, table in features.items():
        axes |= {("features", block, name): values for name, values in table.items()}
    names = sorted(axes)
    for values in itertools.product(*(axes[name] for name in names)):
        chosen = dict(zip(names, values, strict=True))
        yield CandidateParams(
            {block: _chosen(chosen, "features", block) for block in features},
            classifier,
            _chosen(chosen, "classifier", classifier),
        )


def _chosen(chosen: dict[tuple[str, str, str], Any], part: str, table: str) -> dict[str, Any]:
    return {name: value for (p, t, name), value in chosen.items() if (p, t) == (part, table)}
