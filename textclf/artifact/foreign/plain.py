"""What can be read of an estimator without calling it: its class and its plain parameters."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from textclf.artifact.allowed import SCALARS
from textclf.errors import UsageError

_MOST_ITEMS = 100_000
"""The most stop words, or weights of classes."""

_MOST_STEPS = 100

_DEEPEST = 4
"""How deep the parameters of classifiers within classifiers are listed."""

SKIPPED = (None, "passthrough", "drop")
"""What stands for a step that does nothing."""


class CannotNormalise(Exception):
    """A pipeline cannot be expressed as one that textclf makes; the message says why."""


def kind(estimator: Any) -> str:
    """Return the name of an estimator's class."""
    return type(estimator).__name__


def is_exactly(estimator: Any, *classes: type) -> bool:
    """Whether an estimator is of one of the classes, subclasses excluded."""
    return type(estimator) in classes


def as_plain(value: Any) -> Any:
    """Return a value as JSON has it. Raises CannotNormalise if it is not plain, flat data."""
    if type(value) in {list, tuple} and len(value) <= _MOST_ITEMS:
        return type(value)(map(_scalar, value))
    if type(value) is dict and len(value) <= _MOST_ITEMS and set(map(type, value)) <= {str}:
        return {key: _scalar(inner) for key, inner in value.items()}
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) is str:
        return sys.intern(value)  # equal texts are one object, so that equal models are equal bytes
    if type(value) in SCALARS:
        return value
    raise CannotNormalise(f"it has a {type(value).__name__} among its parameters")


def plain_parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters of an estimator that are plain data, by name."""
    given = vars(estimator)
    plain = {}
    for name in inspect.signature(type(estimator).__init__).parameters:
        if name in given:
            try:
                plain[name] = as_plain(given[name])
            except CannotNormalise:
                continue
    return plain


def steps_of(pipeline: Any) -> list[tuple[str, Any]]:
    """Return the named steps of a pipeline, those of pipelines within it too.

    Raises:
        UsageError: it has too many.
    """
    pending: list[tuple[str, Any]] = [("classifier", pipeline)]
    steps: list[tuple[str, Any]] = []
    for _ in range(_MOST_STEPS):
        if not pending:
            return steps
        (name, step), *pending = pending
        if is_exactly(step, Pipeline):
            pending = [*fitted(step, "steps"), *pending]
        elif step is not None and not isinstance(step, str):
            steps.append((name, step))
    raise UsageError(f"the pipeline has {_MOST_STEPS} steps or more")


def feature_kinds(pipeline: Any) -> list[str]:
    """Return the kinds of features of a pipeline: analyzers, and classes of other transformers."""
    return list(dict.fromkeys(_kinds([step for _, step in steps_of(pipeline)[:-1]])))


def _kinds(transformers: list[Any]) -> Iterator[str]:
    for transformer in transformers:
        if isinstance(transformer, FeatureUnion):
            for _, part in transformer.transformer_list:
                if part not in SKIPPED:
                    yield from _kinds([step for _, step in steps_of(part)])
        elif kind(transformer) in {"CountVectorizer", "TfidfVectorizer"}:
            analyzer = vars(transformer).get("analyzer")
            yield analyzer if isinstance(analyzer, str) else "callable analyzer"
        elif kind(transformer) != "TfidfTransformer":
            yield kind(transformer)


def known_parameters(pipeline: Any) -> dict[str, Any]:
    """Return what is known of a pipeline's parameters, under the names that textclf gives them.

    Parameters at scikit-learn's default are left out; of a function, the name is kept.
    """
    *transformers, (_, classifier) = steps_of(pipeline)
    found = _changed(classifier, "classifier")
    for name, transformer in transformers:
        found |= _of_transformer(name, transformer)
    return found


def _of_transformer(name: str, transformer: Any) -> dict[str, Any]:
    if isinstance(transformer, FeatureUnion):
        found: dict[str, Any] = {}
        for part, inner in transformer.transformer_list:
            for step, estimator in [] if inner in SKIPPED else steps_of(inner):
                found |= _of_transformer(part if step == "classifier" else step, estimator)
        return found
    analyzer = vars(transformer).get("analyzer")
    block = analyzer if isinstance(analyzer, str) else name
    found = _changed(transformer, f"features__{block}")
    found.pop(f"features__{block}__analyzer", None)
    if kind(transformer) == "TfidfVectorizer":  # as a search names it
        found.pop(f"features__{block}")
    return found


def _changed(estimator: Any, prefix: str, depth: int = 0) -> dict[str, Any]:
    """Return the class of an estimator and the parameters that are not at their default."""
    found: dict[str, Any] = {prefix: kind(estimator)}
    parameters = inspect.signature(type(estimator).__init__).parameters
    for name, value in vars(estimator).items() if depth < _DEEPEST else ():
        if name in parameters and value is not parameters[name].default:
            default = parameters[name].default
            found |= _shown(f"{prefix}__{name}", value, default, depth + 1)
    return found


def _shown(name: str, value: Any, default: Any, depth: int) -> dict[str, Any]:
    if isinstance(value, BaseEstimator):
        return _changed(value, name, depth)
    if type(value) is list and value and isinstance(value[0], tuple):
        shown: dict[str, Any] = {}
        for inner, estimator, *_ in value[:_MOST_STEPS]:
            shown |= _shown(f"{name}__{inner}", estimator, None, depth)
        return shown
    try:
        plain = as_plain(value)
    except CannotNormalise:
        return {name: getattr(value, "__qualname__", type(value).__name__)}
    return {} if type(plain) is type(default) and plain == default else {name: plain}


def fitted(estimator: Any, name: str) -> Any:
    """Return an attribute that fitting has left. Raises CannotNormalise if it has none."""
    attributes: Mapping[str, Any] = vars(estimator)
    if name in attributes:
        return attributes[name]
    raise CannotNormalise(f"{kind(estimator)} is not fitted")
