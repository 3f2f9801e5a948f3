"""Train, version, compare, promote and serve text classifiers.

The public names are loaded when they are first used, so that importing the package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textclf.dataset import Dataset, ReadOptions, read_dataset
    from textclf.errors import TextclfError
    from textclf.explanation import Explanation
    from textclf.metadata import Metadata
    from textclf.prediction import Prediction, Predictor, load
    from textclf.registry import Registry
    from textclf.signing import PublicKey
    from textclf.store.local import LocalStore

__version__ = "0.1.0"

__all__ = [
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
    "load",
    "read_dataset",
]

_HOMES = {
    "Dataset": "textclf.dataset",
    "Explanation": "textclf.explanation",
    "LocalStore": "textclf.store.local",
    "Metadata": "textclf.metadata",
    "Prediction": "textclf.prediction",
    "Predictor": "textclf.prediction",
    "PublicKey": "textclf.signing",
    "ReadOptions": "textclf.dataset",
    "Registry": "textclf.registry",
    "TextclfError": "textclf.errors",
    "load": "textclf.prediction",
    "read_dataset": "textclf.dataset",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'textclf' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
