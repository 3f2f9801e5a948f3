"""``textclf reproduce``: train a version again from its metadata and compare the models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Jobs, Version
from textclf.cli.options.settings import is_typed
from textclf.cli.output import render
from textclf.cli.output.leaderboard import leaderboard
from textclf.errors import TextclfError
from textclf.formatting import escape_controls, excerpt, plural

if TYPE_CHECKING:
    from textclf.metadata.schema import Metadata
    from textclf.training.job import Job
    from textclf.training.reproduce import Reproduction

_SHOWN = 5
"""Differences of each kind that are shown; JSON has all."""

Moved = Annotated[
    Path | None,
    typer.Option("--data", metavar="FILE", help="The training data, if it has moved."),
]
MovedTest = Annotated[
    Path | None,
    typer.Option("--test", metavar="FILE", help="The test data, if it has moved."),
]
Exact = Annotated[
    bool, typer.Option("--exact", help="Exit with 1 unless the model is identical byte for byte.")
]


@option_groups
def reproduce(
    context: typer.Context,
    version: Version,
    data: Moved = None,
    test: MovedTest = None,
    exact: Exact = False,
    jobs: Jobs = None,
    *,
    common: CommonOptions,
) -> None:
    """Train a version again from its metadata and say whether the model is the same."""
    from textclf.training.reproduce import Outcome, recorded_job, same_files
    from textclf.training.reproduce import reproduce as run

    registry = common.open_registry()
    resolved = registry.resolve(version)
    metadata, artifact = registry.metadata(resolved), registry.artifact(resolved)
    job = recorded_job(metadata, _typed(context, "data", data), _typed(context, "test", test))
    if not same_files(job, metadata):
        render.warning("the files differ from the recorded ones, but their rows are the same")
    if not common.quiet:
        _announce(metadata, job)
    with leaderboard(job.candidates(), job.settings.folds, quiet=common.quiet) as on_fit:
        done = run(metadata, artifact, job, jobs=jobs, on_fit=on_fit)
    if common.as_json:
        render.json(_as_json(done, job, metadata))
    else:
        _show(done, common)
    if done.outcome is Outcome.DIFFERENT or (exact and done.outcome is not Outcome.SAME_BYTES):
        raise typer.Exit(TextclfError.exit_code)


def _typed(context: typer.Context, name: str, path: Path | None) -> Path | None:
    """Ignore a setting: it names what is trained next, not what was trained then."""
    return path if is_typed(context, name) else None


def _announce(metadata: Metadata, job: Job) -> None:
    """Say on stderr what is about to be trained again."""
    tested_on = job.test.path if job.split is None else "a split of it"
    render.progress(
        f"{job.train.path}: the {plural(len(job.train), 'row')} of {metadata.version}, "
        f"and its {plural(len(job.test), 'test row')} from {tested_on}"
    )
    candidates = len(job.candidates())
    render.progress(f"{plural(candidates, 'candidate')} × {job.settings.folds} folds again")


def _as_json(done: Reproduction, job: Job, metadata: Metadata) -> dict[str, Any]:
    from textclf.training.reproduce import same_files

    return {
        "version": done.version,
        "outcome": done.outcome,
        "sha256": {"recorded": done.recorded, "made": done.made},
        "data": {"path": job.train.path, "rows": len(job.train)},
        "test": {"path": None if job.split else job.test.path, "rows": len(job.test)},
        "same_files": same_files(job, metadata),
        "predictions": done.predictions,
        "environment": done.environment,
        "params": done.params,
        "scores": done.scores,
    }


def _show(done: Reproduction, common: CommonOptions) -> None:
    render.line(f"{render.strong(done.version)}: {done.outcome}{_details(done)}")
    for title, changes in (
        ("environment", done.environment),
        ("parameters", done.params),
        ("scores", done.scores),
    ):
        for change in changes[:_SHOWN]:
            name = f"{title}: {change.name}"
            values = ("not set" if v is None else excerpt(v) for v in (change.before, change.after))
            render.line(f"  {escape_controls(name)}: {' → '.join(values)}")
        if len(changes) > _SHOWN:
            render.line(f"  {title}: and {len(changes) - _SHOWN} more")
    if done.recorded != done.made and not done.environment:
        common.hint(
            "libraries and code are the recorded ones; another processor may round differently"
        )


def _details(done: Reproduction) -> str:
    """Return what the outcome is based on."""
    if done.recorded == done.made:
        return f", SHA-256 {done.made[:12]}…"
    if done.predictions is None:
        return "; the recorded model does not work with the installed libraries"
    rows, other = done.predictions.rows, done.predictions.changed_labels
    if other:
        return f"; {other} of {plural(rows, 'test row')} get a different label"
    largest = done.predictions.largest_difference
    by = "" if largest is None else f", probabilities differ by {largest:.1g} at most"
    return f" on {plural(rows, 'test row')}{by}; the bytes differ"
