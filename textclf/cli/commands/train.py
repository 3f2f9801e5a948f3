"""``textclf train``: read, search, refit, test, publish, promote."""

from __future__ import annotations

import enum
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options import gates
from textclf.cli.options.inputs import (
    DEFAULT_DATA,
    DEFAULT_SHARE,
    require_data,
    test_beside,
)
from textclf.cli.options.options import (
    DEFAULT_MODELS,
    AsJson,
    BadRows,
    Data,
    Delimiter,
    Encoding,
    Folds,
    Jobs,
    LabelColumn,
    Message,
    Models,
    OnBadRows,
    Quiet,
    TestFile,
    TextColumn,
    complete_version,
    read_options,
)
from textclf.cli.options.signing import SignKey, open_to_publish
from textclf.cli.output import training_report as report
from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.search.dask_cluster import Cluster
    from textclf.search.space import SpaceSource
    from textclf.training.job import SearchSettings


_SAMPLE = 50_000
"""Rows that are searched with one of textclf's own search spaces."""


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


class Preset(enum.StrEnum):
    """Search spaces that come with textclf."""

    FAST = "fast"
    DEFAULT = "default"
    THOROUGH = "thorough"


class Method(enum.StrEnum):
    """How a search space is searched."""

    EXACT = "exact"
    RACE = "race"


Grid = Annotated[Path | None, typer.Option(metavar="FILE", help="The search space (TOML).")]
Space = Annotated[Preset | None, typer.Option(help="One of textclf's own search spaces.")]
Search = Annotated[
    Method,
    typer.Option(help="All fits, or a race: whoever is clearly behind after a fold is left out."),
]
Sample = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="ROWS",
        help=f"Rows to search at most, the winner is trained on all; if not given {_SAMPLE:,} with "
        "a preset and all with --grid; 0 is all.",
    ),
]
Score = Annotated[Scoring, typer.Option(help="What the search maximises.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of folds, split and classifiers.")]


class Backend(enum.StrEnum):
    """Where the fits of a search are done."""

    THREADS = "threads"
    DASK = "dask"


On = Annotated[Backend, typer.Option(help="Search here, or on the workers of a dask cluster.")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Of the dask cluster, such as host:8786.")
]
VersionThreshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        min=0,
        max=1,
        metavar="SCORE",
        help="Kept with the version: predict gives no label to a text whose score is below.",
    ),
]
NoPromote = Annotated[
    bool, typer.Option("--no-promote", help="Publish, but leave latest as it is.")
]
IncludeTexts = Annotated[
    bool,
    typer.Option("--include-texts", help="Show test texts in report.html, of the worst mistakes."),
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
    preset: Space = None,
    search: Search = Method.EXACT,
    sample: Sample = None,
    cv: Folds = 5,
    scoring: Score = Scoring.ACCURACY,
    seed: Seed = 0,
    jobs: Jobs = None,
    backend: On = Backend.THREADS,
    scheduler: Scheduler = None,
    threshold: VersionThreshold = None,
    no_promote: NoPromote = False,
    require: gates.Require = None,
    max_regression: gates.MaxRegression = None,
    max_class_regression: gates.MaxClassRegression = None,
    force: gates.Force = False,
    sign: SignKey = None,
    message: Message = None,
    include_texts: IncludeTexts = False,
    dry_run: DryRun = False,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Read, search, refit, test, publish the next version, promote it."""
    from textclf.release.release import ReleaseRequest, release
    from textclf.report.files import page_maker

    _check_flags(search, scoring, backend, scheduler)
    gates.require_reason(message, force=force)
    gate = gates.gate_of(context, require, max_regression, max_class_regression)
    require_data(data)
    registry, signer = open_to_publish(models, sign)
    base = registry.resolve(from_) if from_ else None
    settings = _settings(_space(context, grid, preset), scoring, cv, seed, search, sample)
    test, share = _test_rows(context, data, test, test_size)
    request = ReleaseRequest(
        data,
        replace(settings, threshold=threshold),
        read_options(text_column, label_column, delimiter, encoding, on_bad_rows),
        test,
        share,
        bump.value,
        base,
        promote=not no_promote,
        gate=gate,
        force=force,
        message=message,
        dry_run=dry_run,
    )
    with ExitStack() as stack:  # keeps Ctrl-C deferred until the result is shown
        result = release(
            registry,
            request,
            jobs=jobs,
            cluster=_cluster(backend, scheduler),
            sign=signer,
            report=partial(page_maker, texts=include_texts),
            observer=report.Progress(stack, quiet=quiet),
        )
        report.show(result, registry, as_json=as_json, quiet=quiet)
    if result.refusal:
        raise result.refusal


def _space(context: typer.Context, grid: Path | None, preset: Preset | None) -> SpaceSource:
    """The search space asked for; a flag beats the settings."""
    from textclf.search.space import preset_source, read_source

    if grid and preset:
        sources = [context.get_parameter_source(name) for name in ("grid", "preset")]
        if sources[0] == sources[1]:
            raise UsageError("--grid and --preset exclude each other: there is one search space")
        if sources[0] is not None and sources[0].name != "COMMANDLINE":
            grid = None
    return read_source(grid) if grid else preset_source(preset or Preset.DEFAULT)


def _settings(
    source: SpaceSource, scoring: Scoring, folds: int, seed: int, search: Method, sample: int | None
) -> SearchSettings:
    """How the search goes; its space is one that scikit-learn takes."""
    from textclf.search.space import parse_space
    from textclf.search.space_check import check_space
    from textclf.training.job import SearchSettings

    most = (_SAMPLE if source.preset else 0) if sample is None else sample
    space = parse_space(source)
    check_space(space, source.where)
    return SearchSettings(
        space, scoring.value, folds, seed, method=search.value, sample=most or None
    )


def _check_flags(search: Method, scoring: Scoring, backend: Backend, scheduler: str | None) -> None:
    """Refuse flags that do not go together."""
    if search is Method.RACE and scoring is not Scoring.ACCURACY:
        raise UsageError(
            f"--search race compares rows labelled right, so it cannot go by {scoring.value}",
            hint="--search exact, or --scoring accuracy",
        )
    if backend is Backend.DASK and not scheduler:
        raise UsageError(
            "--backend dask needs the address of a scheduler",
            hint="start one with `dask scheduler`, and give --scheduler ADDRESS",
        )
    if scheduler and backend is not Backend.DASK:
        raise UsageError("--scheduler is for --backend dask")


def _cluster(backend: Backend, scheduler: str | None) -> AbstractContextManager[Cluster | None]:
    """The workers that do the search, where it is not done here."""
    if backend is Backend.THREADS or not scheduler:
        return nullcontext()
    from textclf.search.dask_cluster import connect

    return connect(scheduler)


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
