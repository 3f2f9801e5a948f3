"""Train, version, compare, promote and serve text classifiers.

The public names are loaded when they are first used, so that importing the package costs nothing.
"""

from textclf._version import __version__

TYPE_CHECKING = False  # as typing has it, whose import takes as long as to press Ctrl-C
if TYPE_CHECKING:
    from textclf.api.labelling import check_labels as check_labels
    from textclf.api.labelling import pick as pick
    from textclf.api.publishing import publish as publish
    from textclf.api.results import CompareResult as CompareResult
    from textclf.api.results import TrainResult as TrainResult
    from textclf.api.training import train as train
    from textclf.api.versions import compare as compare
    from textclf.api.versions import evaluate as evaluate
    from textclf.api.versions import promote as promote
    from textclf.api.versions import rollback as rollback
    from textclf.api.versions import versions as versions
    from textclf.data.dataset import Dataset as Dataset
    from textclf.data.dataset import ReadOptions as ReadOptions
    from textclf.data.dataset import read_dataset as read_dataset
    from textclf.errors import TextclfError as TextclfError
    from textclf.metadata.schema import Metadata as Metadata
    from textclf.prediction.explanation import Explanation as Explanation
    from textclf.prediction.load import load as load
    from textclf.prediction.model import Prediction as Prediction
    from textclf.prediction.predictor import Predictor as Predictor
    from textclf.registry.open import open_registry as open_registry
    from textclf.registry.registry import Registry as Registry
    from textclf.registry.signing import PublicKey as PublicKey
    from textclf.registry.store.local import LocalStore as LocalStore

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
__all__ = ["__version__", *_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'textclf' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
