"""The options of the hyperparameter search of ``train``."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import typer

from textclf.cli.options.options import AbstainUnknown, Folds, Jobs, Threshold
from textclf.cli.options.settings import is_typed, option_to_ignore
from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.metadata.schema import Metadata
    from textclf.search.dask_cluster import Cluster
    from textclf.search.space import SpaceSource
    from textclf.training.job import SearchSettings

_SAMPLE = 50_000
"""Rows that are searched at most with a built-in search space."""


# scikit-learn's scorers that work for any labels and any classifier
Scoring = Literal[
    "accuracy",
    "balanced_accuracy",
    "f1_macro",
    "f1_weighted",
    "precision_macro",
    "precision_weighted",
    "recall_macro",
    "matthews_corrcoef",
]


@dataclass(eq=False, repr=False)
class SearchOptions:
    """What is searched, how, and where."""

    panel: ClassVar = "Search"

    grid: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file that defines the search space (TOML)."),
    ] = None
    preset: Annotated[
        Literal["fast", "default", "thorough"] | None,
        typer.Option(help="A built-in search space; 'default' unless --grid is given."),
    ] = None
    search: Annotated[
        Literal["exact", "race"],
        typer.Option(help="exact runs all fits; race drops worse candidates early."),
    ] = "exact"
    sample: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="ROWS",
            help="Search on at most this many rows; the winner is trained on all. 0: no limit, as "
            f"with --grid; by default {_SAMPLE:,} with a preset.",
        ),
    ] = None
    cv: Folds = 5
    scoring: Annotated[Scoring, typer.Option(help="The metric that the search maximises.")] = (
        "accuracy"
    )
    seed: Annotated[
        int,
        typer.Option(
            min=0, max=2**32 - 1, metavar="N", help="Random seed of folds, split and classifiers."
        ),
    ] = 0
    jobs: Jobs = None
    backend: Annotated[
        Literal["threads", "dask"],
        typer.Option(help="Search on this machine, or on a dask cluster."),
    ] = "threads"
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Address of the dask scheduler, such as host:8786."),
    ] = None
    threshold: Threshold = None
    abstain_unknown: AbstainUnknown = None

    def require_consistent(self) -> None:
        """Raise UsageError if options contradict each other."""
        if self.backend == "dask" and not self.scheduler:
            raise UsageError(
                "--backend dask needs the address of a scheduler",
                hint="start one with `dask scheduler`, and give --scheduler ADDRESS",
            )
        if self.scheduler and self.backend != "dask":
            raise UsageError("--scheduler needs --backend dask")

    def settings(self, context: typer.Context) -> "SearchSettings":
        """Read the search space and return the settings of the search.

        Raises:
            UsageError: the search space is not valid.
        """
        from textclf.training.job import search_settings

        return search_settings(self._space(context), **self._fields())

    def settings_for_more_rows(
        self, context: typer.Context, metadata: "Metadata"
    ) -> "SearchSettings":
        """Return the settings of a search for which rows are added to those of a version.

        They are the version's own, but for what is typed.

        Raises:
            UsageError: the search space is not valid, or another seed is typed.
        """
        from textclf.training.neighbourhood import settings_for_more_rows

        source = None
        if is_typed(context, "grid") or is_typed(context, "preset"):
            source = self._space(context)
        options = {"folds": "cv", "method": "search"}
        asked = {
            name: value
            for name, value in self._fields().items()
            if is_typed(context, options.get(name, name))
        }
        return settings_for_more_rows(metadata, source, asked)

    def _fields(self) -> dict[str, Any]:
        """Return the fields of `SearchSettings` that are options."""
        return {
            "sample": self.sample, "folds": self.cv, "scoring": self.scoring, "seed": self.seed,
            "method": self.search, "threshold": self.threshold,
            "abstain_unknown": self.abstain_unknown,
        }  # fmt: skip

    def _space(self, context: typer.Context) -> "SpaceSource":
        from textclf.search.space import preset_source, read_source

        grid = self.grid
        if grid and self.preset:
            why = "there is one search space"
            if option_to_ignore(context, "grid", "preset", why) == "grid":
                grid = None
        return read_source(grid) if grid else preset_source(self.preset or "default")

    def cluster(self) -> "AbstractContextManager[Cluster | None]":
        """Connect to the cluster on which the search runs, if it does not run here."""
        if self.backend == "threads" or not self.scheduler:
            return nullcontext()
        from textclf.search.dask_cluster import connect

        return connect(self.scheduler)
