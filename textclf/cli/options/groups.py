"""Dataclasses whose fields are options: defined once, taken by a command as one parameter."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from textclf.cli.options.options import (
    DEFAULT_MODELS,
    BadRows,
    Encoding,
    folder,
    open_registry,
)
from textclf.cli.output import render

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset, ReadOptions
    from textclf.registry.registry import Registry


@dataclass(frozen=True)
class CommonOptions:
    """The options of every command."""

    models: Annotated[
        Path,
        typer.Option(
            "--models",
            envvar="TEXTCLF_MODELS",
            metavar="DIR",
            parser=folder,
            help="The models folder, which holds the versions.",
        ),
    ] = DEFAULT_MODELS
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print no progress and no hints.")
    ] = False

    def open_registry(self, public_key: Path | None = None) -> Registry:
        """Open the models folder, which need not exist yet.

        Args:
            public_key: the key that must have signed every version; else that of the settings.
        """
        return open_registry(self.models, public_key)

    def hint(self, text: str) -> None:
        """Print a hint on stderr, unless ``--quiet`` is given."""
        if not self.quiet:
            render.hint(text)


@dataclass(frozen=True)
class FormatOptions:
    """The options that say how a file of labelled rows is written."""

    text_column: Annotated[
        str,
        typer.Option(
            metavar="NAME|N",
            help="Column of the texts, or its position in a file without a header.",
        ),
    ] = "text"
    label_column: Annotated[
        str,
        typer.Option(
            metavar="NAME|N",
            help="Column of the labels, or its position in a file without a header.",
        ),
    ] = "label"
    delimiter: Annotated[
        str | None, typer.Option(metavar="CHAR", help="Column separator; detected by default.")
    ] = None
    encoding: Encoding = None


@dataclass(frozen=True)
class ReadingOptions(FormatOptions):
    """The options of every command that reads labelled rows and uses all of them."""

    on_bad_rows: Annotated[
        BadRows, typer.Option(help="What to do if rows have no text or label, or cannot be read.")
    ] = BadRows.FAIL

    def read_options(self) -> ReadOptions:
        """Return the options as the core takes them."""
        from textclf.data.dataset import OnBadRows, ReadOptions

        return ReadOptions(
            self.text_column,
            self.label_column,
            self.delimiter,
            self.encoding,
            OnBadRows(self.on_bad_rows.value),
        )

    def read(self, path: Path) -> Dataset:
        """Read a data set. Raises DataError."""
        from textclf.data.dataset import read_dataset

        return read_dataset(path, self.read_options())


def option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Let Typer see the fields of a parameter that is a dataclass, in its place, as options.

    Typer reads a command's options from its signature. The function returned has the signature
    with ``--models``, ``--json`` and ``--quiet`` in place of ``common: CommonOptions``; called with
    their values, it calls the command with a ``CommonOptions``.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {n: hint for n, hint in hints.items() if is_dataclass(hint)}

    @functools.wraps(command)
    def flat(**values: Any) -> None:
        packed = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        command(**values, **packed)

    parameters = list(_flat_parameters(command, hints))
    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return flat


def _flat_parameters(
    command: Callable[..., None], hints: dict[str, Any]
) -> Iterator[inspect.Parameter]:
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        if not is_dataclass(hint):
            yield parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY)
            continue
        annotations = get_type_hints(hint, include_extras=True)
        for field in fields(hint):
            yield inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=field.default,
                annotation=annotations[field.name],
            )
