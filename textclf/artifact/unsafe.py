"""Open a model file without restrictions, running whatever code it holds.

This is for trusted models that were made without textclf, or by an older one; all others are opened
by ``unpickler``.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import joblib
from sklearn.pipeline import Pipeline

from textclf.errors import IntegrityError


def load_anything(data: bytes, *, name: str) -> Any:
    """Return the pipeline in a file that ``joblib.dump`` has written; code in the file is run.

    Raises:
        IntegrityError: it cannot be opened, or is not a pipeline whose labels are text.
    """
    pipeline, labels = _open(data, name)
    if not isinstance(pipeline, Pipeline) or not all(isinstance(label, str) for label in labels):
        raise IntegrityError(
            f"{name} is not a scikit-learn Pipeline that predicts text labels from texts"
        )
    return pipeline


def load_estimator(data: bytes, *, name: str) -> Any:
    """Return the classifier in a file that ``joblib.dump`` has written; code in the file is run.

    Raises:
        IntegrityError: it cannot be opened, or is not a classifier.
    """
    estimator, _ = _open(data, name)
    if not hasattr(estimator, "predict"):
        raise IntegrityError(f"{name} holds a {type(estimator).__name__}, and no classifier")
    return estimator


def _open(data: bytes, name: str) -> tuple[Any, Any]:
    """Return what is in a file, and its labels."""
    try:
        with (
            warnings.catch_warnings()
        ):  # about the version of scikit-learn, which is expected of old models
            warnings.simplefilter("ignore")
            pipeline = joblib.load(io.BytesIO(data))
        return pipeline, getattr(pipeline, "classes_", [0])
    except Exception as error:
        raise IntegrityError(
            f"{name} cannot be opened with the libraries installed here: "
            f"{type(error).__name__}: {error}"
        ) from error
