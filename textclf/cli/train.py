"""``textclf train``: read, search, refit, test, publish, promote."""

from __future__ import annotations

import enum
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli import answers, render
from textclf.cli.inputs import DEFAULT_DATA, test_beside, warn_of
from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.leaderboard import leaderboard
from textclf.cli.options import (
    DEFAULT_MODELS,
    AsJson,
    BadRows,
    Data,
    Delimiter,
    Encoding,
    Folds,
    LabelColumn,
    Message,
    Models,
    OnBadRows,
    Quiet,
    TestFile,
    TextColumn,
    complete_version,
    open_registry,
    read_options,
)
from textclf.errors import DataError, TextclfError, UsageError

if TYPE_CHECKING:
    import semver

    from textclf.metadata import Metadata
    from textclf.registry import Plan, Promotion, Registry
    from textclf.training import Job


DEFAULT_SHARE = 0.2
"""Of the rows, split off for testing where no test data is given."""

_REASONS = 3


class BumpChoice(enum.StrEnum):
    """What ``--bump`` takes."""

    AUTO = "auto"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


class Scoring(enum.StrEnum):
    """Scikit-learn's scorers that work for any labels and any classifier."""

    ACCURACY = "accuracy"
    BALANCED_ACCURACY = "balanced_accuracy"
    F1_MACRO = "f1_macro"
    F1_WEIGHTED = "f1_weighted"
    PRECISION_MACRO = "precision_macro"
    PRECISION_WEIGHTED = "precision_weighted"
    RECALL_MACRO = "recall_macro"
    MATTHEWS_CORRCOEF = "matthews_corrcoef"


TestSize = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Without test data: this share is split off (0.2)."),
]
Bump = Annotated[
    BumpChoice, typer.Option(help="Which number goes up; auto works it out and says why.")
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="VERSION",
        help="Go on from this version instead of the highest.",
        autocompletion=complete_version,
    ),
]
Grid = Annotated[Path | None, typer.Option(metavar="FILE", help="The search space (TOML).")]
Score = Annotated[Scoring, typer.Option(help="What the search maximises.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of folds, split and classifiers.")]
Jobs = Annotated[
    int | None,
    typer.Option(min=-1, metavar="N", help="Processes; as many as it pays if not given."),
]
NoPromote = Annotated[
    bool, typer.Option("--no-promote", help="Publish, but leave latest as it is.")
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Read and check; say what would be trained, and its number."),
]


def train(
    context: typer.Context,
    data: Data = DEFAULT_DATA,
    test: TestFile = None,
    test_size: TestSize = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    on_bad_rows: OnBadRows = BadRows.FAIL,
    bump: Bump = BumpChoice.AUTO,
    from_: From = None,
    grid: Grid = None,
    cv: Folds = 5,
    scoring: Score = Scoring.ACCURACY,
    seed: Seed = 0,
    jobs: Jobs = None,
    no_promote: NoPromote = False,
    message: Message = None,
    dry_run: DryRun = False,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Read, search, refit, test, publish the next version, promote it."""
    from textclf.dataset import read_dataset
    from textclf.space import default_source, parse_space, read_source
    from textclf.space_check import check_space
    from textclf.training import Settings, prepare
    from textclf.training import train as run

    if jobs == 0:
        raise UsageError("--jobs takes a number of processes, or -1 for one on each core")
    registry = open_registry(models)
    start = registry.resolve(from_) if from_ else None
    source = read_source(grid) if grid else default_source()
    settings = Settings(parse_space(source), scoring.value, cv, seed)
    options = read_options(text_column, label_column, delimiter, encoding, on_bad_rows)
    test, share = _test_rows(context, data, test, test_size)
    began = time.perf_counter()
    rows = read_dataset(data, options)
    test_rows = read_dataset(test, options) if test else None
    read_seconds = time.perf_counter() - began
    check_space(settings.space, source.where, labels=len(rows.label_counts))
    job = prepare(rows, test_rows, share, options, settings)
    _check(job)
    plan = registry.plan(job.recipe(), job.sketch, requested=bump.value, start=start)
    if plan.version is None:
        _show_unchanged(registry, plan, as_json=as_json, quiet=quiet)
        return
    if dry_run:
        _show_plan(plan, job, as_json=as_json)
        return
    _announce(plan, job, quiet=quiet)
    with leaderboard(job.points(), cv, quiet=quiet) as on_fit:
        metadata, artifact = run(
            job,
            str(plan.version),
            plan.bump,
            message=message,
            jobs=jobs,
            read_seconds=read_seconds,
            on_fit=on_fit,
        )
    with deferred_interrupts():
        published = registry.publish(metadata, artifact)
        version = registry.resolve(published.version)
        promotion = None if no_promote else _promote(registry, version, message)
        answers.tell_kept(promotion.kept if promotion else registry.heal())
        _show(published, registry.locate(version), promotion, as_json=as_json, quiet=quiet)


def _promote(registry: Registry, version: semver.Version, message: str | None) -> Promotion:
    try:
        return registry.promote(version, message=message)
    except TextclfError as error:
        error.hint = f"{version} is published, and kept; textclf promote {version}"
        raise


def _test_rows(
    context: typer.Context, data: Path, test: Path | None, share: float | None
) -> tuple[Path | None, float]:
    """The test file, if there is one, and the share to split off if there is none."""
    if share is not None and not 0 < share < 1:
        raise UsageError("--test-size takes a share between 0 and 1", hint="--test-size 0.2")
    if test and share is not None:
        sources = [context.get_parameter_source(name) for name in ("test", "test_size")]
        if sources[0] == sources[1]:
            raise UsageError(
                "--test and --test-size exclude each other: the test rows come from one place"
            )
        if sources[0] is not None and sources[0].name != "COMMANDLINE":
            test = None  # a flag beats the settings
    if share is None:
        test = test or test_beside(data)
    return test, share or DEFAULT_SHARE


def _check(job: Job) -> None:
    from textclf.checks import Severity, find_problems

    problems = find_problems(job.train, job.test, folds=job.settings.folds)
    errors = [
        problem
        for problem in problems
        if problem.severity is Severity.ERROR and problem.kind != "bad-rows"
    ]
    if errors:
        raise DataError(
            f"{job.train.path}: {errors[0].message}", hint=f"textclf check {job.train.path}"
        )
    warn_of(problems)


def _announce(plan: Plan, job: Job, *, quiet: bool) -> None:
    if quiet:
        return
    tested_on = job.test.path if job.split is None else f"a split of {job.split:.0%}"
    candidates = len(job.points())
    render.progress(
        f"{job.train.path}: {len(job.train)} rows, {len(job.train.label_counts)} labels; "
        f"tested on {len(job.test)} rows of {tested_on}"
    )
    render.progress(
        f"{candidates} candidates × {job.settings.folds} folds = "
        f"{candidates * job.settings.folds} fits, by {job.settings.scoring}"
    )
    if plan.inferred and plan.bump.requested not in ("auto", plan.inferred.value):
        render.hint(
            f"auto would make this a {plan.inferred} version: {'; '.join(plan.bump.reasons)}"
        )


def _show_unchanged(registry: Registry, plan: Plan, *, as_json: bool, quiet: bool) -> None:
    base = registry.resolve(plan.bump.base or "latest")
    promoted = registry.latest() == base
    if as_json:
        metadata = registry.metadata(base)
        render.json(_answer(metadata, registry.locate(base), promoted=promoted, published=False))
        return
    render.line(f"{plan.bump.reasons[0]}: no new version")
    if not promoted:
        render.hint(f"{base} is not promoted; textclf promote {base}", quiet=quiet)
    else:
        render.hint("--bump patch publishes one all the same", quiet=quiet)


def _show_plan(plan: Plan, job: Job, *, as_json: bool) -> None:
    candidates = len(job.points())
    if as_json:
        render.json(
            {
                "dry_run": True,
                "version": str(plan.version),
                "bump": plan.bump,
                "rows": len(job.train),
                "test_rows": len(job.test),
                "candidates": candidates,
                "fits": candidates * job.settings.folds,
            }
        )
        return
    render.line(f"would publish {plan.version} ({_why(plan.bump.applied, plan.bump.reasons)})")
    render.line(
        f"from {len(job.train)} rows with {len(job.train.label_counts)} labels, "
        f"tested on {len(job.test)} rows; {candidates} candidates × {job.settings.folds} folds"
    )


def _show(
    metadata: Metadata, path: str, promotion: Promotion | None, *, as_json: bool, quiet: bool
) -> None:
    _tell_notes(metadata)
    if as_json:
        render.json(_answer(metadata, path, promoted=promotion is not None, published=True))
        return
    bump, test = metadata.bump, metadata.test
    render.line(f"published {render.strong(metadata.version)} ({_why(bump.applied, bump.reasons)})")
    render.line(f"  {render.visible(render.params(metadata.best_params))}")
    render.line(
        f"  accuracy {render.percent(metadata.best_cv_accuracy)} in cross-validation, "
        f"{render.percent(metadata.test_accuracy)} on {test.rows} test rows; "
        f"macro F1 {render.percent(test.metrics.macro_f1)}"
    )
    render.line(
        f"  {render.visible(path)}, {metadata.artifact.bytes:,} bytes, "
        f"{render.duration(sum(metadata.seconds.values()))}"
    )
    if promotion:
        render.line(answers.promoted(promotion, quiet=quiet))
    else:
        render.hint(f"not promoted; textclf promote {metadata.version}", quiet=quiet)


def _answer(metadata: Metadata, path: str, *, promoted: bool, published: bool) -> dict[str, object]:
    shown = path.encode("utf-8", "backslashreplace").decode()  # a name need not be UTF-8
    return answers.with_more(metadata, path=shown, promoted=promoted, published=published)


def _why(applied: str, reasons: list[str]) -> str:
    more = f"; and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
    return render.visible(f"{applied}: {'; '.join(reasons[:_REASONS])}{more}")


def _tell_notes(metadata: Metadata) -> None:
    """What scikit-learn warned of during the search, each once."""
    counts: dict[str, int] = {}
    for candidate in metadata.search.candidates:
        for note in candidate.notes:
            counts[note] = counts.get(note, 0) + 1
    for note, count in counts.items():
        render.warning(f"{count} of {len(metadata.search.candidates)} candidates: {note}")
