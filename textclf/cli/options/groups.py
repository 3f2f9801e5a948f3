"""Groups of options: a dataclass that a command takes as one parameter, and Typer as options.

The ``panel`` of a group is where the help lists its options.

Annotations are evaluated when the module is imported, which is faster than by Typer from strings.
What is not needed of a dataclass is turned off: it is made anew each time that a command starts.
"""

import copy
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_args, get_type_hints

import typer

from textclf.cli.options.options import DEFAULT_MODELS, Models, parse_models, with_source
from textclf.cli.options.settings import required_key
from textclf.cli.output import render
from textclf.cli.output.progress import ShowPhase, phases

if TYPE_CHECKING:
    from textclf.registry.registry import Registry
    from textclf.registry.store.requests import Watch


@dataclass(eq=False, repr=False)
class OutputOptions:
    """The options of every command: how it answers."""

    panel: ClassVar = "Output"

    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print no progress and no hints.")
    ] = False

    def progress(self, text: str) -> None:
        """Print on stderr how far the work is, unless ``--quiet`` is given."""
        if not self.quiet:
            render.progress(text)

    def phases(self) -> AbstractContextManager[ShowPhase]:
        """Name on stderr what takes long, unless ``--quiet`` is given."""
        return phases(quiet=self.quiet)

    def hint(self, text: str) -> None:
        """Print a hint on stderr, unless ``--quiet`` is given."""
        if not self.quiet:
            render.hint(text)


@dataclass(eq=False, repr=False)
class CommonOptions(OutputOptions):
    """The options of every command that works on one registry."""

    models: Annotated[
        Models,
        typer.Option(
            "--models",
            envvar="TEXTCLF_MODELS",
            metavar="DIR|URL",
            parser=parse_models,
            callback=with_source,
            rich_help_panel="Versioning",
            help="The folder or URL (s3://…, az://…, gs://…, https://…) of the versions.",
        ),
    ] = DEFAULT_MODELS

    def open_registry(
        self,
        public_key: Path | None = None,
        *,
        to_write: bool = False,
        offline_ok: bool = False,
        use_cache: bool = True,
    ) -> "Registry":
        """Open the models folder, which need not exist yet.

        Args:
            public_key: the key that must have signed every version; else that of the settings.
            to_write: whether the command changes the registry. Then it says which one if that is a
                URL in a settings file, which a stranger may have written.
            offline_ok: whether to go on with what is in the cache if a bucket cannot be reached.
            use_cache: whether a command that only reads may take files of a bucket from the cache.
        """
        from textclf.registry.open import open_registry
        from textclf.registry.store.location import Folder, Server

        models = self.models
        if to_write and models.settings_file and not isinstance(models.location, Folder):
            render.progress(f"registry: {models} ({models.settings_file})")
        registry = open_registry(
            models.location,
            public_key or required_key(),
            read_only=use_cache and not to_write,
            offline_ok=offline_ok,
            watch=self._watch(),
        )
        if to_write and isinstance(models.location, Server):
            registry.store.require_writable()  # which raises, before anything else is done
        return registry

    def _watch(self) -> "Watch | None":
        """Return what shows transfers that take long, on a terminal."""
        if self.quiet or self.as_json or not sys.stderr.isatty():
            return None
        from textclf.cli.output.progress import TransferLine

        return TransferLine().show


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
        hint: Any = hints[parameter.name]
        if not is_dataclass(hint):
            yield parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY)
            continue
        annotations = get_type_hints(hint, include_extras=True)
        panel = getattr(hint, "panel", "Options")
        for field in fields(hint):
            yield inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=field.default,
                annotation=_in_panel(annotations[field.name], panel),
            )


def _in_panel(annotation: Any, panel: str) -> Any:
    """Return an annotation whose option is listed in a panel of the help, if it is in none yet."""
    kind, option = get_args(annotation)
    option = copy.copy(option)  # groups and commands share options
    option.rich_help_panel = option.rich_help_panel or panel
    return Annotated[kind, option]
