"""``textclf reproduce``: train a version again from its metadata, and compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textclf.cli.options.options import (
    DEFAULT_MODELS,
    AsJson,
    Jobs,
    Models,
    Quiet,
    Version,
    open_registry,
)
from textclf.cli.output import render
from textclf.cli.output.leaderboard import leaderboard
from textclf.errors import TextclfError
from textclf.formatting import escape_controls, excerpt, plural

if TYPE_CHECKING:
    from textclf.metadata.schema import Metadata
    from textclf.training.job import Job
    from textclf.training.reproduce import Reproduction

_SHOWN = 5
"""Differences of a kind that are shown; JSON has all."""

Moved = Annotated[
    Path | None,
    typer.Option("--data", metavar="FILE", help="Where the training data is, if it has moved."),
]
MovedTest = Annotated[
    Path | None,
    typer.Option("--test", metavar="FILE", help="Where the test data is, if it has moved."),
]
Exact = Annotated[
    bool, typer.Option("--exact", help="Exit with 1 unless the model is the same to the byte.")
]


def reproduce(
    context: typer.Context,
    version: Version,
    data: Moved = None,
    test: MovedTest = None,
    exact: Exact = False,
    jobs: Jobs = None,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train a version again from its metadata and say whether the same model came out."""
    from textclf.training.reproduce import Outcome, recorded_job, same_files
    from textclf.training.reproduce import reproduce as run

    registry = open_registry(models)
    found = registry.resolve(version)
    metadata, artifact = registry.metadata(found), registry.artifact(found)
    job = recorded_job(metadata, _typed(context, "data", data), _typed(context, "test", test))
    if not same_files(job, metadata):
        render.warning("the files are not the recorded ones, but the rows in them are")
    _announce(metadata, job, quiet=quiet)
    with leaderboard(job.points(), job.settings.folds, quiet=quiet) as seen:
        done = run(metadata, artifact, job, jobs=jobs, on_fit=seen)
    if as_json:
        render.json(_as_json(done, job, metadata))
    else:
        _show(done, quiet=quiet)
    if done.outcome is Outcome.DIFFERENT or (exact and done.outcome is not Outcome.SAME_BYTES):
        raise typer.Exit(TextclfError.exit_code)


def _typed(context: typer.Context, name: str, path: Path | None) -> Path | None:
    """A setting of that name is of what is trained next, not of what was trained then."""
    source = context.get_parameter_source(name)
    return path if source is not None and source.name == "COMMANDLINE" else None


def _announce(metadata: Metadata, job: Job, *, quiet: bool) -> None:
    """What is about to be trained again; on stderr."""
    if quiet:
        return
    tested_on = job.test.path if job.split is None else "a split of it"
    render.progress(
        f"{job.train.path}: the {plural(len(job.train), 'row')} of {metadata.version}, "
        f"and its {plural(len(job.test), 'test row')} from {tested_on}"
    )
    candidates = len(job.points())
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


def _show(done: Reproduction, *, quiet: bool) -> None:
    render.line(f"{render.strong(done.version)}: {done.outcome}{_how(done)}")
    for title, changes in (
        ("made with", done.environment),
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
        render.hint(
            "libraries and code are the recorded ones; another processor may round otherwise",
            quiet=quiet,
        )


def _how(done: Reproduction) -> str:
    """What is behind the word."""
    if done.recorded == done.made:
        return f", SHA-256 {done.made[:12]}…"
    if done.predictions is None:
        return "; the recorded model does not work with the libraries here"
    rows, other = done.predictions.rows, done.predictions.labelled_otherwise
    if other:
        return f"; {other} of {plural(rows, 'test row')} get another label"
    largest = done.predictions.largest_difference
    by = "" if largest is None else f", probabilities differ by {largest:.1g} at most"
    return f" on {plural(rows, 'test row')}{by}; other bytes"
