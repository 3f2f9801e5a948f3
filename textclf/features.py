"""Texts → matrices: the TF-IDF features of a candidate, as scikit-learn objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

Settings = Mapping[str, Any]


def vectorizer(block: str, settings: Settings) -> TfidfVectorizer:
    """The vectoriser of one block: ``word``, ``char_wb`` or ``char`` n-grams."""
    given = dict(settings)
    if "ngram_range" in given:  # TOML and JSON have no tuples, scikit-learn wants one
        given["ngram_range"] = tuple(given["ngram_range"])
    return TfidfVectorizer(analyzer=block, **given)


def feature_union(features: Mapping[str, Settings]) -> FeatureUnion:
    """All blocks of a candidate side by side; always a union, so that every model has one shape."""
    return FeatureUnion([(block, vectorizer(block, given)) for block, given in features.items()])
