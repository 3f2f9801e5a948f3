"""What can be read of an estimator without calling it: its class and its plain parameters."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from textclf.artifact.allowed import SCALARS

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
    """Return a value as JSON has it. Raises CannotNormalise if it is not plain data."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if type(value) is str:
        return sys.intern(value)  # equal texts are one object, so that equal models are equal bytes
    if type(value) in SCALARS:
        return value
    if type(value) in {list, tuple}:
        return type(value)(map(as_plain, value))
    if type(value) is dict and all(type(key) is str for key in value):
        return {key: as_plain(inner) for key, inner in value.items()}
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
    """Return the named steps of a pipeline, those of pipelines within it too."""
    if not is_exactly(pipeline, Pipeline):
        return [("classifier", pipeline)]
    steps = []
    for name, step in pipeline.steps:
        inner = steps_of(step) if is_exactly(step, Pipeline) else [(name, step)]
        steps += [(n, s) for n, s in inner if not (isinstance(s, str) or s is None)]
    return steps


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


def _changed(estimator: Any, prefix: str) -> dict[str, Any]:
    """Return the class of an estimator and the parameters that are not at their default."""
    found: dict[str, Any] = {prefix: kind(estimator)}
    parameters = inspect.signature(type(estimator).__init__).parameters
    for name, value in vars(estimator).items():
        default = parameters[name].default if name in parameters else value
        if value is default or name.endswith("_"):
            continue
        found |= _shown(f"{prefix}__{name}", value, default)
    return found


def _shown(name: str, value: Any, default: Any) -> dict[str, Any]:
    if isinstance(value, BaseEstimator):
        return _changed(value, name)
    if type(value) is list and value and all(isinstance(v, tuple) for v in value):
        pairs = {pair[0]: pair[-1] for pair in value if isinstance(pair[0], str)}
        return {
            k: v
            for n, inner in pairs.items()
            for k, v in _shown(f"{name}__{n}", inner, None).items()
        }
    try:
        plain = as_plain(value)
    except CannotNormalise:
        return {name: getattr(value, "__qualname__", type(value).__name__)}
    return {} if _equal(plain, default) else {name: plain}


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def fitted(estimator: Any, name: str) -> Any:
    """Return an attribute that fitting has left. Raises CannotNormalise if it has none."""
    attributes: Mapping[str, Any] = vars(estimator)
    if name in attributes:
        return attributes[name]
    raise CannotNormalise(f"{kind(estimator)} is not fitted")
