"""Train, version, compare, promote and serve text classifiers.

The public names are loaded when they are first used, so that importing the package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from textclf._version import __version__

if TYPE_CHECKING:
    from textclf.api.labelling import check_labels, pick
    from textclf.api.publishing import publish
    from textclf.api.results import CompareResult, TrainResult
    from textclf.api.training import train
    from textclf.api.versions import compare, evaluate, promote, rollback, versions
    from textclf.data.dataset import Dataset, ReadOptions, read_dataset
    from textclf.errors import TextclfError
    from textclf.metadata.schema import Metadata
    from textclf.prediction.explanation import Explanation
    from textclf.prediction.load import load
    from textclf.prediction.model import Prediction
    from textclf.prediction.predictor import Predictor
    from textclf.registry.open import open_registry
    from textclf.registry.registry import Registry
    from textclf.registry.signing import PublicKey
    from textclf.registry.store.local import LocalStore

__all__ = [
    "CompareResult",
    "Dataset",
    "Explanation",
    "LocalStore",
    "Metadata",
    "Prediction",
    "Predictor",
    "PublicKey",
    "ReadOptions",
    "Registry",
    "TextclfError",
    "TrainResult",
    "__version__",
    "check_labels",
    "compare",
    "evaluate",
    "load",
    "open_registry",
    "pick",
    "promote",
    "publish",
    "read_dataset",
    "rollback",
    "train",
    "versions",
]

_HOMES = {
    "CompareResult": "textclf.api.results",
    "Dataset": "textclf.data.dataset",
    "Explanation": "textclf.prediction.explanation",
    "LocalStore": "textclf.registry.store.local",
    "Metadata": "textclf.metadata.schema",
    "Prediction": "textclf.prediction.model",
    "Predictor": "textclf.prediction.predictor",
    "PublicKey": "textclf.registry.signing",
    "ReadOptions": "textclf.data.dataset",
    "Registry": "textclf.registry.registry",
    "TextclfError": "textclf.errors",
    "TrainResult": "textclf.api.results",
    "check_labels": "textclf.api.labelling",
    "compare": "textclf.api.versions",
    "evaluate": "textclf.api.versions",
    "load": "textclf.prediction.load",
    "open_registry": "textclf.registry.open",
    "pick": "textclf.api.labelling",
    "promote": "textclf.api.versions",
    "publish": "textclf.api.publishing",
    "read_dataset": "textclf.data.dataset",
    "rollback": "textclf.api.versions",
    "train": "textclf.api.training",
    "versions": "textclf.api.versions",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'textclf' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
