"""The answer of ``textclf reproduce``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textclf.cli.output import render
from textclf.formatting import escape_controls, excerpt, plural

if TYPE_CHECKING:
    from textclf.evaluation.metadata_diff import Change
    from textclf.metadata.schema import Metadata
    from textclf.training.job import Job
    from textclf.training.reproduce import Outcome, PredictionComparison, Reproduction

_SHOWN = 5
"""Differences of each kind that are shown; JSON has all."""


def announce(metadata: Metadata, job: Job) -> None:
    """Say on stderr what is about to be trained again."""
    tested_on = job.test.path if job.split is None else "a split of it"
    render.progress(
        f"{job.train.path}: the {plural(len(job.train), 'row')} of {metadata.version}, "
        f"and its {plural(len(job.test), 'test row')} from {tested_on}"
    )
    candidates = len(job.candidates())
    render.progress(f"{plural(candidates, 'candidate')} × {job.settings.folds} folds again")


@dataclass(frozen=True)
class Digests:
    """The SHA-256 of the recorded and of the reproduced model file."""

    recorded: str
    made: str


@dataclass(frozen=True)
class UsedRows:
    """The rows that a version was trained or tested on again; no path: they were split off."""

    path: str | None
    rows: int


@dataclass(frozen=True)
class ReproduceAnswer:
    """The JSON of ``textclf reproduce``."""

    version: str
    outcome: Outcome
    sha256: Digests
    data: UsedRows
    test: UsedRows
    same_files: bool
    predictions: PredictionComparison | None
    environment: list[Change]
    params: list[Change]
    scores: list[Change]


def answer(done: Reproduction, job: Job, metadata: Metadata) -> ReproduceAnswer:
    """Return the answer as it is written as JSON."""
    from textclf.training.reproduce import same_files

    return ReproduceAnswer(
        version=done.version,
        outcome=done.outcome,
        sha256=Digests(done.recorded, done.made),
        data=UsedRows(job.train.path, len(job.train)),
        test=UsedRows(None if job.split else job.test.path, len(job.test)),
        same_files=same_files(job, metadata),
        predictions=done.predictions,
        environment=done.environment,
        params=done.params,
        scores=done.scores,
    )


def show(done: Reproduction) -> None:
    """Show the outcome and the first differences of each kind."""
    render.sentence(f"{render.strong(done.version)}: {done.outcome}{_details(done)}")
    for title, changes in (
        ("environment", done.environment),
        ("parameters", done.params),
        ("scores", done.scores),
    ):
        for change in changes[:_SHOWN]:
            name = f"{title}: {change.name}"
            values = ("not set" if v is None else excerpt(v) for v in (change.before, change.after))
            render.sentence(f"  {escape_controls(name)}: {' → '.join(values)}")
        if len(changes) > _SHOWN:
            render.sentence(f"  {title}: and {len(changes) - _SHOWN} more")


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
