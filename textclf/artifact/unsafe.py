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
    pipeline = load_object(data, name=name)
    labels = getattr(pipeline, "classes_", [0])
    if not isinstance(pipeline, Pipeline) or not all(isinstance(label, str) for label in labels):
        raise IntegrityError(
            f"{name} is not a scikit-learn Pipeline that predicts text labels from texts"
        )
    return pipeline


def load_object(data: bytes, *, name: str) -> Any:
    """Return what is in a file that ``joblib.dump`` has written; code in the file is run.

    Raises:
        IntegrityError: it cannot be opened.
    """
    try:
        # of the version of scikit-learn, which is expected of old models
        with warnings.catch_warnings(action="ignore"):
            return joblib.load(io.BytesIO(data))
    except Exception as error:
        raise IntegrityError(
            f"{name} cannot be opened with the libraries installed here: "
            f"{type(error).__name__}: {error}"
        ) from error
