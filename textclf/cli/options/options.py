"""Options that several commands share."""

from __future__ import annotations

import contextlib
import os
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.settings import is_typed, read_settings, settings_file
from textclf.cli.output import render
from textclf.errors import TextclfError, UsageError
from textclf.metadata.channels import LATEST, PREVIOUS
from textclf.registry.store.location import Folder, Location, parse_location

if TYPE_CHECKING:
    from textclf.registry.registry import Registry


@dataclass(frozen=True)
class Models:
    """The value of ``--models``.

    Attributes:
        location: where the registry is.
        settings_file: the name of the settings file that names it, if one does.
    """

    location: Location
    settings_file: str | None = None

    def __str__(self) -> str:
        return str(self.location)


DEFAULT_MODELS = Models(Folder(Path("models")))


def parse_models(given: str | Models) -> Models:
    """Return the value of ``--models``. Raises UsageError."""
    return given if isinstance(given, Models) else Models(parse_location(given))


def with_source(context: typer.Context, models: Models) -> Models:
    """Return the value of ``--models`` with the settings file that it comes from, if it does."""
    source = context.get_parameter_source("models")
    if is_typed(context, "models") and str(models).isprintable():
        render.name_registry(f"--models {shlex.quote(str(models))}")
    if source is not None and source.name == "DEFAULT_MAP":
        return replace(models, settings_file=settings_file())
    return models


def complete_version(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of versions that begin with what was typed, the highest first."""
    names = [LATEST, PREVIOUS]
    with contextlib.suppress(TextclfError):
        if registry := _registry_of_completion(context):
            names += [log.channel for log in registry.channels()[1:]]
            names += map(str, reversed(registry.numbers()))
    return [name for name in names if name.startswith(incomplete)]


def complete_channel(context: typer.Context, incomplete: str) -> list[str]:
    """Return the channels that begin with what was typed."""
    names = [LATEST]
    with contextlib.suppress(TextclfError):
        if registry := _registry_of_completion(context):
            names = [log.channel for log in registry.channels()]
    return [name for name in names if name.startswith(incomplete)]


def _registry_of_completion(context: typer.Context) -> Registry | None:
    """Return the registry if it is a folder: nobody waits for a network on pressing Tab."""
    from textclf.registry import open as opening

    location = _models_of_completion(context).location
    return opening.open_registry(location) if isinstance(location, Folder) else None


def _models_of_completion(context: typer.Context) -> Models:
    """Return the value of ``--models``; during completion the settings have not been read yet."""
    given = context.params.get("models") or os.environ.get("TEXTCLF_MODELS")
    if given and given != DEFAULT_MODELS:
        return parse_models(given)
    return parse_models(str(read_settings().get("models", DEFAULT_MODELS)))


def parse_share(text: str | float) -> float:
    """Return a share that is written as ``0.2`` or ``20%``. Raises BadParameter."""
    from textclf.release import gate

    try:
        return gate.parse_share(str(text))
    except UsageError as error:
        raise typer.BadParameter(f"{error}, such as {error.hint}") from None


class Percentage(float):
    """A score that was written as a percentage, which only a probability can be."""


def parse_score(text: str | float) -> float:
    """Return a score: any number, or a percentage of a probability. Raises BadParameter."""
    if str(text).endswith("%"):
        return Percentage(parse_share(text))
    with contextlib.suppress(ValueError):
        score = float(text)
        if score == score:  # noqa: PLR0124 - it is a number
            return score
    raise typer.BadParameter(f"{text!r} is not a number")


Version = Annotated[
    str,
    typer.Argument(
        metavar="VERSION",
        help="A version number such as 1.1.0, latest, previous, or another channel.",
        autocompletion=complete_version,
        show_default=False,
    ),
]
VersionOption = Annotated[
    str,
    typer.Option(
        "--version",
        metavar="VERSION",
        help="A version number such as 1.1.0, latest, previous, or another channel.",
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
        rich_help_panel="Versioning",
        help="A message to record, such as the reason.",
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        parser=parse_share,
        metavar="SCORE",
        help="Stored with the version: predict gives no label to texts with a lower score.",
    ),
]
AbstainUnknown = Annotated[
    float | None,
    typer.Option(
        parser=parse_share,
        metavar="SHARE",
        help="Stored with the version: predict gives no label to texts with a smaller share of "
        "known n-grams.",
    ),
]
Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="Encoding of the file; by default UTF-8.")
]


Folds = Annotated[
    int,
    typer.Option(min=2, metavar="FOLDS", help="Folds of the stratified cross-validation."),
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
