"""``textclf cache``: the files of remote registries that are kept on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.output import render
from textclf.errors import StoreError
from textclf.formatting import escape_controls, size

if TYPE_CHECKING:
    from textclf.registry.store.file_cache import CachedRegistry, FileCache

Action = Annotated[
    Literal["show", "clear"],
    typer.Argument(
        metavar="[ACTION]", help="show lists what is in the cache; clear removes all of it."
    ),
]


@dataclass(frozen=True)
class CacheAnswer:
    """The JSON of ``textclf cache``."""

    folder: str | None
    bytes: int
    limit: int
    registries: list[CachedRegistry]


@dataclass(frozen=True)
class ClearAnswer:
    """The JSON of ``textclf cache clear``."""

    folder: str | None
    freed: int


@option_groups
def cache(action: Action = "show", *, common: CommonOptions) -> None:
    """Show or clear the cache of files from registries in buckets.

    Examples:
      textclf cache
      textclf cache show --json
      textclf cache clear

    More: docs/remote.md
    """
    from textclf.registry.store.file_cache import FileCache

    files = FileCache.from_environment()
    if action == "clear":
        _clear(files, as_json=common.as_json)
        return
    if common.as_json:
        folder = str(files.folder) if files.folder else None
        render.json(CacheAnswer(folder, files.size(), files.limit, files.registries()))
        return
    used = f"{size(files.size())} of at most {size(files.limit)}"
    render.sentence(f"{escape_controls(files.folder or 'no folder')}, {used}")
    if registries := files.registries():
        rows = [(one.url, f"{one.files:,}", size(one.bytes)) for one in registries]
        render.table(["registry", "files", "size"], rows, right=["files", "size"])


def _clear(files: FileCache, *, as_json: bool) -> None:
    try:
        freed = files.clear()
    except OSError as error:
        raise StoreError(f"cannot clear {files.folder}: {error.strerror}") from None
    if as_json:
        render.json(ClearAnswer(str(files.folder) if files.folder else None, freed))
    else:
        render.sentence(f"removed {size(freed)}")
