"""``textclf versions``: list and show; further commands from files of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from textclf.cli.commands import compare, housekeeping, versions_report
from textclf.cli.options.options import (
    DEFAULT_MODELS,
    AsJson,
    Models,
    Quiet,
    Version,
    open_registry,
)
from textclf.cli.output import answers, document, render
from textclf.errors import IntegrityError
from textclf.formatting import candidate_name, escape_controls, excerpt, percent

if TYPE_CHECKING:
    from textclf.metadata.schema import Metadata, Summary

versions = typer.Typer(
    name="versions",
    help="List, show, compare, report on, tag, prune, export and import versions.",
    no_args_is_help=False,
)

versions.command()(versions_report.report)


@versions.callback(invoke_without_command=True)
def group(context: typer.Context) -> None:
    """List, show, compare, report on, tag, prune, export and import versions."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@versions.command(name="list")
def list_(models: Models = DEFAULT_MODELS, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Every version, highest first, the promoted one marked."""
    registry = open_registry(models)
    found = list(registry.summaries())
    summaries = [one for one in found if not isinstance(one, IntegrityError)]
    damaged = [one for one in found if isinstance(one, IntegrityError)]
    try:
        promoted = str(registry.latest())
    except IntegrityError as unreadable:
        promoted = ""
        damaged.append(unreadable)
    tags = {version: each.tags for version, each in registry.version_states().items() if each.tags}
    if as_json:
        render.json([_listed(s, promoted, tags.get(s.version, {})) for s in summaries])
    elif summaries:
        heads = ["version", "", "saved", "cv acc", "test acc", "macro F1", "rows"]
        render.table(
            [*heads, *(["tags"] if tags else []), "message"],
            (_row(s, promoted, tags) for s in summaries),
            right=["cv acc", "test acc", "macro F1", "rows"],
        )
    else:
        render.hint(f"no versions in {models} yet: textclf train", quiet=quiet)
    if damaged:
        for error in damaged:
            render.warning(str(error))
        raise typer.Exit(IntegrityError.exit_code)


def _listed(summary: Summary, promoted: str, tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "version": summary.version,
        "latest": summary.version == promoted,
        "saved_at": summary.saved_at,
        "best_cv_accuracy": summary.best_cv_accuracy,
        "test_accuracy": summary.test_accuracy,
        "macro_f1": summary.test.metrics.macro_f1,
        "rows": summary.data.rows,
        "message": summary.message,
        "tags": tags,
    }


def _row(summary: Summary, promoted: str, tags: Mapping[str, Mapping[str, str]]) -> list[object]:
    return [
        summary.version,
        "latest" if summary.version == promoted else "",
        summary.saved_at[:16].replace("T", " "),
        percent(summary.best_cv_accuracy),
        percent(summary.test_accuracy),
        percent(summary.test.metrics.macro_f1),
        summary.data.rows,
        *([answers.tags(tags.get(summary.version, {}))] if tags else []),
        excerpt(summary.message or ""),
    ]


@versions.command()
def show(
    version: Version,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,  # noqa: ARG001 - every command takes it
) -> None:
    """All that is known of one version."""
    from textclf.metadata.schema import METADATA

    registry = open_registry(models)
    found = registry.resolve(version)
    metadata = registry.unverified_metadata(found)
    latest = registry.latest() == found
    state = registry.version_states().get(str(found))
    tags = state.tags if state else {}
    if problem := registry.signature_problem(found):
        render.warning(f"{registry.locate(found, METADATA)} {problem}")
    if as_json:
        render.json(answers.with_more(metadata, latest=latest, tags=tags))
    else:
        _show(metadata, registry.locate(found), tags, latest=latest)


def _show(metadata: Metadata, path: str, tags: Mapping[str, str], *, latest: bool) -> None:
    data, test, code = metadata.data, metadata.test, metadata.code
    skipped = f", {data.skipped_rows} bad rows skipped" if data.skipped_rows else ""
    tested_on = test.path or f"a split of {test.split:.0%}"
    facts = {
        "version": metadata.version + (" (latest)" if latest else ""),
        "saved": metadata.saved_at,
        "message": metadata.message or "–",
        **({"tags": answers.tags(tags)} if tags else {}),
        "bump": f"{metadata.bump.applied} from {metadata.bump.base or 'nothing'}: "
        + "; ".join(metadata.bump.reasons),
        "model": candidate_name(metadata.best_params),
        "cv accuracy": f"{percent(metadata.best_cv_accuracy)} in {metadata.search.folds} "
        f"folds, the best of {len(metadata.search.candidates)} by {metadata.search.scoring}",
        "test": f"accuracy {percent(metadata.test_accuracy)}, macro F1 "
        f"{percent(test.metrics.macro_f1)} on {test.rows} rows of {tested_on}",
        "data": f"{data.path}, {data.rows} rows{skipped}, SHA-256 {data.sha256[:12]}…",
        "made with": f"textclf {code.textclf}, Python {metadata.environment.python}, "
        + ", ".join(f"{n} {v}" for n, v in metadata.environment.libraries.items()),
        "git": f"{code.git_commit[:12]}{' with changes' if code.dirty else ''}"
        if code.git_commit
        else "–",
        "file": f"{path}, {metadata.artifact.bytes:,} bytes, "
        f"SHA-256 {metadata.artifact.sha256[:12]}…",
    }
    width = max(map(len, facts))
    for name, fact in facts.items():
        render.line(f"{render.strong(name.ljust(width))}  {escape_controls(fact)}")
    document.write([answers.class_table(test.metrics)])


versions.command()(compare.compare)
versions.command()(housekeeping.tag)
versions.command()(housekeeping.prune)
versions.command()(housekeeping.export)
versions.command(name="import")(housekeeping.import_)
