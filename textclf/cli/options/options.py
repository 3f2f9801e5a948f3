"""Options that several commands have, and the registry they name."""

from __future__ import annotations

import contextlib
import enum
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.settings import read_settings, required_key
from textclf.errors import TextclfError, UsageError

if TYPE_CHECKING:
    from textclf.data.dataset import ReadOptions
    from textclf.registry.registry import Registry

DEFAULT_MODELS = Path("models")


def open_registry(models: Path, key: Path | None = None) -> Registry:
    """The registry in a folder, which need not exist yet.

    Its versions must be signed if a public ``key`` is given, or required by the settings.
    """
    return _registry(models, key or required_key())


def _registry(models: Path, signed_by: Path | None) -> Registry:
    from textclf.registry.registry import Registry
    from textclf.registry.signing import PublicKey
    from textclf.registry.store.local import LocalStore

    return Registry(LocalStore(models), PublicKey(signed_by) if signed_by else None)


def complete_version(context: typer.Context, incomplete: str) -> list[str]:
    """Versions that begin with what was typed, highest first."""
    numbers = reversed(_registry(_models_folder(context), None).numbers())
    names = ["latest", "previous", *map(str, numbers)]
    return [name for name in names if name.startswith(incomplete)]


def _models_folder(context: typer.Context) -> Path:
    """Where versions are, as the command will say; settings are not read yet when completing."""
    given = context.params.get("models") or os.environ.get("TEXTCLF_MODELS")
    if given and Path(given) != DEFAULT_MODELS:
        return Path(given)
    with contextlib.suppress(TextclfError):
        return Path(str(read_settings().get("models", DEFAULT_MODELS)))
    return DEFAULT_MODELS


def _folder(name: str | Path) -> Path:
    """An empty name (of a variable that is not set) would be the current folder."""
    if not str(name):
        raise typer.BadParameter("it is empty")
    return Path(name)


Models = Annotated[
    Path,
    typer.Option(
        "--models",
        envvar="TEXTCLF_MODELS",
        metavar="DIR",
        parser=_folder,
        help="Folder of the versions.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints.")]
Version = Annotated[
    str,
    typer.Argument(
        metavar="VERSION",
        help="1.1.0, latest or previous.",
        autocompletion=complete_version,
        show_default=False,
    ),
]
VersionOption = Annotated[
    str,
    typer.Option(
        "--version",
        metavar="VERSION",
        help="1.1.0, latest or previous.",
        autocompletion=complete_version,
    ),
]


Threshold = Annotated[
    float | None,
    typer.Option(
        metavar="SCORE",
        help="Below this score a text gets no label; if not given, the version's own threshold.",
    ),
]


def utf8(text: str | None) -> str | None:
    """The text, if it can be written to a file."""
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("it holds bytes that are not UTF-8") from None
    return text


Message = Annotated[
    str | None,
    typer.Option("--message", "-m", metavar="TEXT", callback=utf8, help="Why; kept in the record."),
]
Data = Annotated[
    Path, typer.Argument(metavar="[DATA]", help="Labelled texts: a file, or a folder per class.")
]
TestFile = Annotated[
    Path | None,
    typer.Option(
        "--test", metavar="FILE", help="Test data; test.EXT beside train.EXT if it is there."
    ),
]
TextColumn = Annotated[
    str,
    typer.Option(metavar="NAME|N", help="Column of the texts; its position if there is no header."),
]
LabelColumn = Annotated[
    str,
    typer.Option(
        metavar="NAME|N", help="Column of the labels; its position if there is no header."
    ),
]
Delimiter = Annotated[
    str | None, typer.Option(metavar="CHAR", help="What separates columns; found if not given.")
]
Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="Encoding of the file, if not UTF-8.")
]


class BadRows(enum.StrEnum):
    """What ``--on-bad-rows`` takes."""

    FAIL = "fail"
    SKIP = "skip"


OnBadRows = Annotated[
    BadRows, typer.Option(help="Rows without text or label, or that cannot be read.")
]
Folds = Annotated[
    int, typer.Option(min=2, metavar="FOLDS", help="Folds of the stratified cross-validation.")
]


def _not_zero(jobs: int | None) -> int | None:
    if jobs == 0:
        raise UsageError("--jobs takes a number of fits, or -1 for one on each core")
    return jobs


Jobs = Annotated[
    int | None,
    typer.Option(
        min=-1,
        metavar="N",
        callback=_not_zero,
        help="Fits at once; one for each core if not given.",
    ),
]


def read_options(
    text_column: str,
    label_column: str,
    delimiter: str | None,
    encoding: str | None,
    on_bad_rows: BadRows,
) -> ReadOptions:
    """The options of reading data, as the core wants them."""
    from textclf.data import dataset

    return dataset.ReadOptions(
        text_column, label_column, delimiter, encoding, dataset.OnBadRows(on_bad_rows.value)
    )
