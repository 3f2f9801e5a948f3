"""What MLflow loads a registered version with: ``mlflow.pyfunc.load_model`` calls it.

It opens the compiled scorer, which holds data and no code, and never the pickle beside it.
"""

from __future__ import annotations

from typing import Any

from textclf.errors import IntegrityError
from textclf.prediction.predictor import Predictor
from textclf.registry.open import open_registry
from textclf.scorer.scorer import SCORER


def _load_pyfunc(path: str) -> LabellingModel:
    """Return the model of a folder that holds the folder of one version.

    A signature is required if ``TEXTCLF_REQUIRE_SIGNATURE`` requires one.

    Raises:
        IntegrityError: it is not what was published, or has no scorer.
    """
    registry = open_registry(path)
    versions = registry.versions()
    if len(versions) != 1:
        raise IntegrityError(f"{path} holds {len(versions)} versions, not one")
    if registry.file(versions[0], SCORER) is None:
        raise IntegrityError(f"{path}: version {versions[0]} has no {SCORER}")
    return LabellingModel(Predictor.load(registry, versions[0]))


class LabellingModel:
    """Labels texts as MLflow hands them over: a column, or a table of one."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> list[str | None]:
        """Return the label of each text; ``None`` where the version gives none."""
        del params
        if getattr(model_input, "ndim", 1) == 2:  # noqa: PLR2004 - a table of rows and columns
            columns = list(model_input.columns) if hasattr(model_input, "columns") else [0]
            column = "text" if "text" in columns else columns[0]
            model_input = (
                model_input[column] if hasattr(model_input, "columns") else model_input[:, 0]
            )
        return [prediction.label for prediction in self._predictor.predict(list(model_input))]
