"""Options that several commands share."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Annotated

import typer

from textclf.cli.options.settings import read_settings
from textclf.errors import TextclfError, UsageError

DEFAULT_MODELS = Path("models")


def complete_version(context: typer.Context, incomplete: str) -> list[str]:
    """Return the versions that begin with what was typed, highest first."""
    from textclf.registry import open as opening

    names = ["latest", "previous"]
    with contextlib.suppress(TextclfError):
        numbers = opening.open_registry(_models_folder(context)).numbers()
        names += map(str, reversed(numbers))
    return [name for name in names if name.startswith(incomplete)]


def _models_folder(context: typer.Context) -> Path:
    """Return the models folder; during completion the settings have not been read yet."""
    given = context.params.get("models") or os.environ.get("TEXTCLF_MODELS")
    if given and Path(given) != DEFAULT_MODELS:
        return Path(given)
    with contextlib.suppress(TextclfError):
        return Path(str(read_settings().get("models", DEFAULT_MODELS)))
    return DEFAULT_MODELS


def folder(name: str | Path) -> Path:
    """Refuse an empty name, as of a variable that is not set: it would be the current folder."""
    if not str(name):
        raise typer.BadParameter("it is empty")
    return Path(name)


Version = Annotated[
    str,
    typer.Argument(
        metavar="VERSION",
        help="A version number such as 1.1.0, or latest or previous.",
        autocompletion=complete_version,
        show_default=False,
    ),
]
VersionOption = Annotated[
    str,
    typer.Option(
        "--version",
        metavar="VERSION",
        help="A version number such as 1.1.0, or latest or previous.",
        autocompletion=complete_version,
    ),
]


def require_utf8(text: str | None) -> str | None:
    """Return the text. Raises BadParameter if it is not valid Unicode."""
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("it contains bytes that are not UTF-8") from None
    return text


Message = Annotated[
    str | None,
    typer.Option(
        "--message",
        "-m",
        metavar="TEXT",
        callback=require_utf8,
        help="A message to record, such as the reason.",
    ),
]
Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="Encoding of the file; by default UTF-8.")
]


Folds = Annotated[
    int,
    typer.Option(
        min=2, metavar="FOLDS", help="Number of folds in the stratified cross-validation."
    ),
]


def _not_zero(jobs: int | None) -> int | None:
    if jobs == 0:
        raise UsageError("--jobs takes a number of parallel fits, or -1 for one per core")
    return jobs


Jobs = Annotated[
    int | None,
    typer.Option(
        min=-1,
        metavar="N",
        callback=_not_zero,
        help="Number of parallel fits; by default one per core.",
    ),
]
