"""``textclf train``: search, train, test, publish and promote the next version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textclf.cli.options.gates import GateOptions
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import parse_share
from textclf.cli.options.reading import (
    DEFAULT_DATA,
    Data,
    ReadingOptions,
    TestFile,
    choose_test_rows,
    require_data,
)
from textclf.cli.options.search import SearchOptions
from textclf.cli.options.settings import is_typed
from textclf.cli.options.versioning import NotifyOptions, VersioningOptions
from textclf.cli.output import training_report
from textclf.cli.output.progress import loading
from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.data.small_labels import LabelLimits
    from textclf.metadata.schema import Metadata

Add = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel="Data",
        help="Add rows to those of the promoted version, or of --from, and train on all; may be "
        "repeated.",
    ),
]
Moved = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        metavar="FILE",
        rich_help_panel="Data",
        help="With --add: the training data of the version, if it has moved; repeat it for several "
        "files, in their order.",
    ),
]
TestSize = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        parser=parse_share,
        rich_help_panel="Data",
        help="Share of rows to split off for testing, if there is no test data; by default 20%.",
    ),
]
MinRowsPerLabel = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        rich_help_panel="Data",
        help="Refuse labels with fewer rows; by default 1, with --drop-small-labels 2.",
    ),
]
DropSmallLabels = Annotated[
    bool,
    typer.Option(
        "--drop-small-labels",
        rich_help_panel="Data",
        help="Leave out the rows of labels with fewer than --min-rows-per-label.",
    ),
]


@option_groups
def train(
    context: typer.Context,
    data: Data = DEFAULT_DATA,
    test: TestFile = None,
    test_size: TestSize = None,
    add: Add = None,
    moved: Moved = None,
    *,
    reading: ReadingOptions,
    min_rows_per_label: MinRowsPerLabel = None,
    drop_small_labels: DropSmallLabels = False,
    search: SearchOptions,
    gate: GateOptions,
    versioning: VersioningOptions,
    notify: NotifyOptions,
    common: CommonOptions,
) -> None:
    """Search, train, test, publish and promote the next version.

    Examples:
      textclf train reviews.csv --text-column review --label-column stars
      textclf train --add march.csv -m "March data"
      textclf train --require 'macro_f1>=0.85' --max-regression 1%

    More: docs/cli.md, docs/more-data.md, docs/search-space.md, docs/gates.md
    """
    search.require_consistent()
    gate.require_reason(versioning.message)
    _require_one_source(context, add)
    with common.phases() as show_phase:
        with loading(show_phase):
            from textclf.release.release import ReleaseRequest, release

        registry = common.open_registry(to_write=not versioning.dry_run)
        notify.watch(context, registry)
        options = versioning.release_options(context, registry, gate, adds=bool(add))
        publishing = versioning.publishing(registry)
        if not add:
            require_data(data)
        if add and options.base:
            rows = _more_rows(context, registry.metadata(options.base), reading, search)
            rows |= {"data": None, "add": add, "moved": moved if is_typed(context, "moved") else []}
            rows["test"] = test if is_typed(context, "test") else None
        else:
            rows = _rows(context, data, test, test_size, reading, search)
    request = ReleaseRequest(
        **rows,
        labels=_label_limits(min_rows_per_label, drop=drop_small_labels),
        options=options,
    )
    training_report.run(
        lambda callbacks: release(
            registry,
            request,
            jobs=search.jobs,
            cluster=search.cluster(),
            callbacks=callbacks,
            **publishing,
        ),
        registry,
        as_json=common.as_json,
        quiet=common.quiet,
    )


def _require_one_source(context: typer.Context, add: list[Path] | None) -> None:
    """Raise UsageError if rows are added and others are named, or the other way round."""
    if add and is_typed(context, "data"):
        raise UsageError(
            "--add and DATA exclude each other: rows are added to those of a version",
            hint="leave DATA out; --data FILE says where the rows of the version are, if they "
            "have moved",
        )
    if not add and is_typed(context, "moved"):
        raise UsageError(
            "--data is for --add: it says where the rows of the version are",
            hint="textclf train FILE trains on a file",
        )


def _rows(
    context: typer.Context,
    data: Path,
    test: Path | None,
    test_size: float | None,
    reading: ReadingOptions,
    search: SearchOptions,
) -> dict[str, Any]:
    """Return the fields of a request that say on which rows what is searched."""
    settings = search.settings(context)
    test, test_named, share = choose_test_rows(context, data, test, test_size)
    return {
        "data": data,
        "search": settings,
        "read": reading.read_options(),
        "test": test,
        "test_named": test_named,
        "test_share": share,
    }


def _more_rows(
    context: typer.Context, metadata: Metadata, reading: ReadingOptions, search: SearchOptions
) -> dict[str, Any]:
    """Return what is searched and how rows are read that are added to those of a version."""
    if is_typed(context, "test_size"):
        raise UsageError(
            f"--add keeps the test rows of {metadata.version}",
            hint="leave --test-size out",
        )
    return {
        "search": search.settings_for_more_rows(context, metadata),
        "read": reading.options_for_more_rows(context, metadata),
    }


def _label_limits(min_rows: int | None, *, drop: bool) -> LabelLimits:
    from textclf.data.small_labels import LabelLimits

    return LabelLimits(min_rows or (2 if drop else 1), drop)
