"""What the commands that copy versions from one registry to another have in common."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options.groups import CommonOptions, OutputOptions
from textclf.cli.options.options import Models, complete_version, parse_models
from textclf.cli.output import render
from textclf.errors import UsageError
from textclf.registry.store.location import Folder, lies_within

if TYPE_CHECKING:
    from collections.abc import Callable

    from semver import Version

    from textclf.registry.registry import Registry

_VERSIONS = "Version numbers, latest, previous, or channels."
Versions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[VERSION]...",
        help=_VERSIONS,
        autocompletion=complete_version,
        show_default=False,
    ),
]
VersionsElsewhere = Annotated[
    list[str] | None,
    typer.Argument(metavar="[VERSION]...", help=_VERSIONS, show_default=False),
]
Source = Annotated[
    Models,
    typer.Argument(
        metavar="FROM",
        parser=parse_models,
        show_default=False,
        help="The folder or URL of the registry to copy from.",
    ),
]
Target = Annotated[
    Models,
    typer.Argument(
        metavar="TO",
        parser=parse_models,
        show_default=False,
        help="The folder or URL of the registry to copy to, which need not exist yet.",
    ),
]
All = Annotated[
    bool,
    typer.Option(
        "--all", help="Copy every version, except those that were pruned in the other registry."
    ),
]


def open_both(output: OutputOptions, source: Models, target: Models) -> tuple[Registry, Registry]:
    """Open the registry to copy from and the one to copy to.

    Raises:
        UsageError: the second lies within the first.
    """
    if lies_within(target.location, source.location):
        where = "the same" if lies_within(source.location, target.location) else "a part of it"
        raise UsageError(
            f"{source} cannot be copied to {target}, which is {where}",
            hint="name a folder or a URL outside the registry",
        )
    ours, theirs = (CommonOptions(output.as_json, output.quiet, end) for end in (source, target))
    return ours.open_registry(use_cache=False), theirs.open_registry(to_write=True)


def chosen_versions(
    names: Sequence[str] | None, source: Registry, target: Registry, *, everything: bool
) -> list[Version]:
    """Return the versions to copy, lowest first.

    Raises:
        UsageError: none are named, or some besides ``--all``.
        NoSuchVersion: one is not published, or there is none.
    """
    from textclf.registry.copying import unpruned_versions
    from textclf.registry.naming import no_versions

    if bool(names) == everything:
        problem = "--all is every version" if everything else "no version is named"
        raise UsageError(
            problem,
            hint="first the versions, then the other registry: latest s3://bucket/prefix; or --all "
            "instead of the versions",
        )
    if not everything:
        return sorted({source.resolve(name) for name in names or ()})
    versions = source.versions()
    if not versions:
        raise no_versions(source, "there is nothing to copy")
    chosen = unpruned_versions(target, versions)
    if pruned := [str(version) for version in versions if version not in chosen]:
        render.warning(f"left out, because pruned in {target.store.locate()}: {', '.join(pruned)}")
    return chosen


def at_once(*locations: Models) -> int:
    """Return how many versions are copied at the same time: more than one if one is far away."""
    from textclf.registry.copying import AT_ONCE

    return 1 if all(isinstance(one.location, Folder) for one in locations) else AT_ONCE


def completed_copies(output: OutputOptions) -> AbstractContextManager[Callable[[], bool]]:
    """Let a Ctrl-C wait until what is being copied is complete, and say so."""
    return deferred_interrupts(
        lambda: output.progress("completing what is being copied; Ctrl-C again ends it at once")
    )
