"""``textclf versions tag``, ``prune``, ``export`` and ``import``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options.options import (
    DEFAULT_MODELS,
    AsJson,
    Message,
    Models,
    Quiet,
    Version,
    open_registry,
    utf8,
)
from textclf.cli.output import answers, render
from textclf.errors import DataError, IntegrityError, NoSuchVersion, StoreError, UsageError
from textclf.formatting import encodable, escape_controls, plural

if TYPE_CHECKING:
    from textclf.metadata.schema import Summary
    from textclf.registry.registry import Registry

_NAMED = 5
"""Versions that are named of those that were kept."""


def _all_utf8(texts: list[str] | None) -> list[str]:
    return [text for text in texts or [] if utf8(text) is not None]


Tags = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY=VALUE]...",
        callback=_all_utf8,
        help="Tags to put on; without any, those that it has are shown.",
    ),
]
Remove = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY", callback=_all_utf8, help="A tag to take off; repeatable."),
]
Keep = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Keep the N versions that were saved last.")
]
OlderThan = Annotated[
    str | None, typer.Option(metavar="AGE", help="Keep what is not older than 90d, 12w or 36h.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")]
Target = Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write, .tar.gz.")]
Source = Annotated[Path, typer.Argument(metavar="FILE", help="An archive that export has made.")]


def tag(
    version: Version,
    tags: Tags = None,
    remove: Remove = None,
    message: Message = None,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,  # noqa: ARG001 - every command takes it
) -> None:
    """Put tags on a version, or take them off; a version with a tag is never pruned."""
    registry = open_registry(models)
    found = registry.resolve(version)
    changes = {**dict(map(_pair, tags or [])), **dict.fromkeys(remove or [])}
    with deferred_interrupts():
        after = registry.tag(found, changes, message=message)
    if as_json:
        render.json({"version": str(found), "tags": after})
    else:
        render.line(escape_controls(f"{found}: {answers.tags(after) or 'no tags'}"))


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(
            f"{text!r} is no tag: write KEY=VALUE", hint=f"--remove {text} takes one off"
        )
    return key, value


def prune(
    keep: Keep = None,
    older_than: OlderThan = None,
    dry_run: DryRun = False,
    message: Message = None,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Remove old versions for good; never latest, previous, or one with a tag."""
    from textclf.registry.retention import RetentionPolicy, parse_age

    if keep is None and older_than is None:
        raise UsageError(
            "say which versions to keep: --keep N, --older-than AGE, or both",
            hint="textclf versions prune --keep 10 --dry-run",
        )
    policy = RetentionPolicy(keep, None if older_than is None else parse_age(older_than))
    registry = open_registry(models)
    decisions = policy.decide(_readable(registry), registry.prune_exemptions(), datetime.now(UTC))
    gone: list[Summary] = []
    kept: dict[str, str] = {}
    for decision in decisions:
        version = decision.version.version
        why = decision.keep_reason
        if why is None and not dry_run:
            why = _removed(registry, version, message)
        if why is not None:
            kept[version] = why
            continue
        gone.append(decision.version)
        if not as_json:
            render.line(f"{'would prune' if dry_run else 'pruned'} {escape_controls(version)}")
    if as_json:
        pruned = [{"version": each.version, "bytes": each.bytes} for each in gone]
        told = [{"version": version, "why": why} for version, why in kept.items()]
        render.json({"dry_run": dry_run, "pruned": pruned, "kept": told})
    else:
        _show_pruned(gone, kept, dry_run=dry_run, quiet=quiet)


def _readable(registry: Registry) -> Iterator[Summary]:
    """The versions whose metadata can be read; of the others nobody knows what they are."""
    for each in registry.summaries():
        if isinstance(each, IntegrityError):
            render.warning(f"{each}; it is kept")
        else:
            yield each


def _removed(registry: Registry, version: str, message: str | None) -> str | None:
    """Why a version was kept, if it was; a Ctrl-C waits until it is gone as a whole."""
    from textclf.metadata.versions import parse_version

    try:
        with deferred_interrupts():
            return registry.prune(parse_version(version), message=message)
    except NoSuchVersion:  # somebody else prunes, too
        return "gone already"
    except StoreError as error:
        error.hint = "when this is mended: textclf verify --repair finishes what was begun"
        raise


def _show_pruned(gone: list[Summary], kept: dict[str, str], *, dry_run: bool, quiet: bool) -> None:
    of = plural(len(gone) + len(kept), "version")
    size = sum(each.bytes for each in gone)
    verb = "would go" if dry_run else "gone"
    render.line(f"{len(gone)} of {of} {verb}, {size:,} bytes" if gone else f"0 of {of} to prune")
    if not quiet and kept:
        some = [f"{version} ({why})" for version, why in list(kept.items())[::-1][:_NAMED]]
        more = f" and {len(kept) - _NAMED} more" if len(kept) > _NAMED else ""
        render.line(escape_controls(f"kept: {', '.join(some)}{more}"))


def export(
    version: Version,
    file: Target,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,  # noqa: ARG001 - every command takes it
) -> None:
    """Write a version with all its files into one archive."""
    from textclf.registry.archive import ExportedVersion, write_archive

    registry = open_registry(models)
    found = registry.resolve(version)
    bundle = ExportedVersion(found, registry.export_files(found))
    with _new(file) as archive:
        write_archive(bundle, archive)
        size = archive.tell()
    names = list(bundle.files)
    if as_json:
        path = encodable(file)
        render.json({"version": str(found), "path": path, "bytes": size, "files": names})
    else:
        render.line(f"{escape_controls(file)}: {found}, {len(names)} files, {size:,} bytes")


@contextmanager
def _new(path: Path) -> Iterator[BinaryIO]:
    """A file that was not there; nor is it afterwards where it could not be written whole."""
    try:
        file = path.open("xb")
    except FileExistsError:
        raise UsageError(f"{path} is there already", hint="give another name") from None
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from None
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StoreError(f"cannot write {path}: {error.strerror}") from None
        raise


def import_(
    file: Source,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Take in a version from an archive, under its own number; nothing is promoted."""
    from textclf.registry.archive import read_archive

    registry = open_registry(models)
    try:
        with file.open("rb") as archive:
            bundle = read_archive(archive, file.stat().st_size, str(file))
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from None
    with deferred_interrupts():
        new = registry.import_version(bundle.version, bundle.files, source=encodable(file))
    promoted = registry.latest() == bundle.version
    if as_json:
        path = encodable(registry.locate(bundle.version))
        render.json({"version": str(bundle.version), "path": path, "changed": new})
    elif new:
        render.line(f"imported {render.strong(str(bundle.version))}")
        if not promoted:
            render.hint(f"not promoted; textclf promote {bundle.version}", quiet=quiet)
    else:
        render.line(f"{bundle.version} is here already, the very same; nothing changed")
