"""Express a fitted pipeline as one that textclf makes, with the same decision for every text.

The result has the two steps of textclf, ``features`` and ``classifier``, and nothing but text and
numbers that were read from the given pipeline; no method of it is called unless it is that of
scikit-learn. What lies between vectorizer and classifier and is linear, such as a selection or a
truncated SVD, is multiplied into the weights.
"""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import FeatureUnion, Pipeline

from textclf.artifact.foreign.classifier import labels_of, rebuild
from textclf.artifact.foreign.features import read_features
from textclf.artifact.foreign.plain import CannotNormalise, steps_of


def normalise(pipeline: Any) -> Pipeline:
    """Return the pipeline in textclf's form.

    Raises:
        CannotNormalise: its decisions are not linear in counts or TF-IDF of n-grams.
    """
    try:
        *transformers, (_, classifier) = steps_of(pipeline)
        features = read_features(step for _, step in transformers)
        made = rebuild(classifier, features, labels_of(classifier))
    except (AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
        raise CannotNormalise(f"it is not as scikit-learn leaves it ({error})") from error
    return Pipeline([("features", FeatureUnion(list(features.blocks))), ("classifier", made)])
