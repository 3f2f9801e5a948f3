"""``textclf reproduce``: train a version again from its metadata and compare the models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Jobs, Version
from textclf.cli.options.settings import is_typed
from textclf.cli.output import render, reproduction_report
from textclf.cli.output.progress import loading
from textclf.cli.output.training_progress import TrainingProgress
from textclf.errors import TextclfError

MovedData = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        metavar="FILE",
        help="The training data, if it has moved; repeat it for several files, in their order.",
    ),
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
    data: MovedData = None,
    test: MovedTest = None,
    exact: Exact = False,
    jobs: Jobs = None,
    *,
    common: CommonOptions,
) -> None:
    """Train a version again from its metadata and say whether the model is the same.

    Examples:
      textclf reproduce latest
      textclf reproduce 1.0.0 --data old/train.csv --test old/test.csv
      textclf reproduce 1.0.0 --exact

    More: docs/reproduce.md
    """
    with common.phases() as show_phase:
        with loading(show_phase):
            from textclf.training.recorded import Moved, recorded_job
            from textclf.training.reproduce import Outcome, same_files
            from textclf.training.reproduce import reproduce as run

        registry = common.open_registry()
        resolved = registry.resolve(version)
        metadata, artifact = registry.metadata(resolved), registry.artifact(resolved)
        show_phase("reading the data")
        # settings name what is trained next, not what was trained then
        moved_data = data if data and is_typed(context, "data") else ()
        moved = Moved(moved_data, test if is_typed(context, "test") else None)
        job = recorded_job(metadata, moved)
    if not same_files(job, metadata):
        render.warning("the files differ from the recorded ones, but their rows are the same")
    if not common.quiet:
        reproduction_report.announce(metadata, job)
    with common.phases() as show_phase:
        progress = TrainingProgress(show_phase, quiet=common.quiet)
        with progress.of_search(job.candidates(), job.settings.folds) as on_fit:
            done = run(
                metadata, artifact, job, jobs=jobs, on_fit=on_fit, on_phase=progress.on_phase
            )
    if common.as_json:
        render.json(reproduction_report.answer(done, job, metadata))
    else:
        reproduction_report.show(done)
        if done.recorded != done.made and not done.environment:
            common.hint(
                "libraries and code are the recorded ones; another processor may round differently"
            )
    if done.outcome is Outcome.DIFFERENT or (exact and done.outcome is not Outcome.SAME_BYTES):
        raise typer.Exit(TextclfError.exit_code)
