"""Open a model file of any make, as its maker meant it: whatever code it holds is run.

For models from before textclf, or of an older one, whose maker is known. All others are for
``safe_load``.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import joblib
from sklearn.pipeline import Pipeline

from textclf.errors import IntegrityError


def load_anything(data: bytes, *, name: str) -> Any:
    """The pipeline in a file that ``joblib.dump`` has written; code in the file is run.

    Raises:
        IntegrityError: it cannot be opened, or is no pipeline that gives texts a label of text.
    """
    try:
        with warnings.catch_warnings():  # of other versions of scikit-learn: that is why it is old
            warnings.simplefilter("ignore")
            pipeline = joblib.load(io.BytesIO(data))
        labels = getattr(pipeline, "classes_", [0])
    except Exception as error:
        raise IntegrityError(
            f"{name} cannot be opened with the libraries installed here: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(pipeline, Pipeline) or not all(isinstance(label, str) for label in labels):
        raise IntegrityError(
            f"{name} is not a scikit-learn Pipeline that gives texts a label of text"
        )
    return pipeline
