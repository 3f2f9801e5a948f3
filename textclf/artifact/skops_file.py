"""Open a file of skops, as MLflow writes them by default."""

from __future__ import annotations

import io
import zipfile
from typing import Any, Final

from textclf.artifact.model_file import dump
from textclf.artifact.unpickler import read_foreign
from textclf.errors import IntegrityError, UnsafeModel, UsageError, how_to_install

_ZIP: Final = b"PK\x03\x04"
_MOST_BYTES: Final = 1 << 32
_MOST_COMPRESSED: Final = 100
"""How many times as large as the file its content may be."""

_NAMED: Final = 3


def is_skops(data: bytes) -> bool:
    """Whether a file is an archive, as skops writes them: no pickle begins like one."""
    return data.startswith(_ZIP)


def open_skops(data: bytes, *, name: str, unsafe: bool) -> Any:
    """Return what is in a file of skops.

    The types that skops knows are those of scikit-learn, NumPy and SciPy. What was made of them
    must pass the restricted loader, too, as if ``joblib.dump`` had written it.

    Args:
        data: the content of the file.
        name: the file as the user knows it, for messages.
        unsafe: whether it may hold other types, whose code may run.

    Raises:
        UsageError: skops is not installed.
        UnsafeModel: it holds other types than known estimators and their numbers.
        IntegrityError: it is damaged, or not a file of skops.
    """
    try:
        from skops.io import get_untrusted_types, loads
    except ModuleNotFoundError:
        raise UsageError(
            f"{name} is an archive, as skops writes them, and skops is not installed",
            hint=f"{how_to_install('mlflow')}, or save the pipeline with joblib.dump",
        ) from None
    try:
        _check_size(data)
        unknown = get_untrusted_types(data=data)
        opened = loads(data, trusted=unknown) if unsafe or not unknown else None
    except Exception as error:  # a damaged file can cause any
        raise IntegrityError(f"{name} is damaged, or was not written by skops") from error
    if unsafe:
        return opened
    if unknown:
        raise UnsafeModel(
            f"{name} holds {', '.join(unknown[:_NAMED])}, so that opening it may run code from it",
            hint="if you trust the file: --unsafe-load opens it",
        )
    return read_foreign(dump(opened), name=name)


def _check_size(data: bytes) -> None:
    """Refuse what would take far more memory than the file has bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        total = sum(entry.file_size for entry in archive.infolist())
    if total > min(_MOST_BYTES, _MOST_COMPRESSED * len(data)):
        raise ValueError(f"it has {total:,} bytes")
