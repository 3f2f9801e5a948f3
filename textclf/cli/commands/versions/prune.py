"""``textclf versions prune``: delete old versions by a retention policy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Message
from textclf.cli.output import prune_report, render
from textclf.errors import IntegrityError, NoSuchVersion, StoreError, UsageError
from textclf.formatting import escape_controls

if TYPE_CHECKING:
    from textclf.metadata.schema import Summary
    from textclf.registry.registry import Registry

Keep = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Keep the N most recently saved versions.")
]
OlderThan = Annotated[
    str | None, typer.Option(metavar="AGE", help="Keep versions younger than AGE: 90d, 12w or 36h.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")]


@option_groups
def prune(
    keep: Keep = None,
    older_than: OlderThan = None,
    dry_run: DryRun = False,
    message: Message = None,
    *,
    common: CommonOptions,
) -> None:
    """Delete old versions permanently, but never latest, previous or a tagged one.

    Examples:
      textclf versions prune --keep 10 --dry-run
      textclf versions prune --keep 10
      textclf versions prune --keep 10 --older-than 90d

    More: docs/housekeeping.md
    """
    from textclf.registry.pruning import prune_exemptions
    from textclf.registry.retention import RetentionPolicy, parse_age

    if keep is None and older_than is None:
        raise UsageError(
            "say which versions to keep: --keep N, --older-than AGE, or both",
            hint="textclf versions prune --keep 10 --dry-run",
        )
    policy = RetentionPolicy(keep, None if older_than is None else parse_age(older_than))
    registry = common.open_registry(to_write=not dry_run)
    decisions = policy.decide(_readable(registry), prune_exemptions(registry), datetime.now(UTC))
    removed: list[Summary] = []
    kept: dict[str, str] = {}
    failures: list[StoreError] = []
    with render.answer_to_change(lambda: "" if dry_run else _removed(removed)):
        for decision in decisions:
            version, reason = decision.version.version, decision.keep_reason
            if reason is None and not dry_run:
                reason = _prune_one(registry, version, message, failures)
            if reason is not None:
                kept[version] = reason
                continue
            removed.append(decision.version)
            if not common.as_json:
                render.line(f"{'would prune' if dry_run else 'pruned'} {escape_controls(version)}")
        if common.as_json:
            render.json(prune_report.answer(removed, kept, dry_run=dry_run))
        else:
            prune_report.show(removed, kept, dry_run=dry_run, quiet=common.quiet)
    for failure in failures[:-1]:
        render.warning(str(failure))
    for failure in failures[-1:]:
        raise failure


def _removed(removed: list[Summary]) -> str:
    return f"removed {', '.join(version.version for version in removed)}" if removed else ""


def _readable(registry: Registry) -> Iterator[Summary]:
    """Yield the versions whose metadata can be relied on; the others are kept and not counted."""
    for summary in registry.summaries():
        if isinstance(summary, IntegrityError | StoreError):
            render.warning(f"{summary}; it is kept")
        elif problem := _problem(registry, summary.version):
            render.warning(f"{problem}; it is kept")
        else:
            yield summary


def _problem(registry: Registry, version: str) -> IntegrityError | StoreError | None:
    """Return why the metadata cannot be relied on, such as a missing signature."""
    from textclf.metadata.versions import parse_version

    try:
        registry.metadata(parse_version(version))
    except NoSuchVersion:
        pass  # removed since, which is found again below
    except (IntegrityError, StoreError) as problem:
        return problem
    return None


def _prune_one(
    registry: Registry, version: str, message: str | None, failures: list[StoreError]
) -> str | None:
    """Remove a version, or return why it was kept; a Ctrl-C waits until it is removed."""
    from textclf.metadata.versions import parse_version

    try:
        with deferred_interrupts():
            return registry.prune(parse_version(version), message=message)
    except NoSuchVersion:  # another process prunes at the same time
        return "already removed"
    except StoreError as error:
        error.hint = "fix the cause, then complete the removal: textclf verify --repair"
        failures.append(error)
        return str(error)
