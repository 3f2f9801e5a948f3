"""``textclf train``: search, train, test, publish and promote the next version."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.gates import GateOptions
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.notify import NotifyOptions
from textclf.cli.options.options import Message, parse_share
from textclf.cli.options.reading import (
    DEFAULT_DATA,
    Data,
    ReadingOptions,
    TestFile,
    choose_test_rows,
    require_data,
)
from textclf.cli.options.search import SearchOptions
from textclf.cli.options.signing import SignKey
from textclf.cli.options.versioning import Bump, From, IncludeTexts, NoPromote
from textclf.cli.output import training_report

if TYPE_CHECKING:
    from textclf.data.small_labels import LabelLimits

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
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        rich_help_panel="Output",
        help="Check the data, and only say what would be trained.",
    ),
]


@option_groups
def train(
    context: typer.Context,
    data: Data = DEFAULT_DATA,
    test: TestFile = None,
    test_size: TestSize = None,
    *,
    reading: ReadingOptions,
    min_rows_per_label: MinRowsPerLabel = None,
    drop_small_labels: DropSmallLabels = False,
    bump: Bump = "auto",
    from_: From = None,
    search: SearchOptions,
    no_promote: NoPromote = False,
    gate: GateOptions,
    notify: NotifyOptions,
    sign: SignKey = None,
    message: Message = None,
    include_texts: IncludeTexts = False,
    dry_run: DryRun = False,
    common: CommonOptions,
) -> None:
    """Search, train, test, publish and promote the next version.

    Examples:
      textclf train
      textclf train reviews.csv --text-column review --label-column stars
      textclf train --require 'macro_f1>=0.85' --max-regression 1% -m "March data"

    More: docs/cli.md, docs/search-space.md, docs/gates.md
    """
    from textclf.registry.signer import publishing_signer

    with common.phases() as show_phase:
        show_phase("loading the libraries")
        from textclf.release.release import ReleaseRequest, release
        from textclf.report.files import page_maker

        search.require_consistent()
        gate.require_reason(message)
        conditions = gate.gate(context)
        require_data(data)
        registry = common.open_registry(to_write=not dry_run)
        notify.watch(context, registry)
        signer = publishing_signer(registry, sign)
        base = registry.resolve(from_) if from_ else None
        settings = search.settings(context)
        test, test_named, share = choose_test_rows(context, data, test, test_size)
    request = ReleaseRequest(
        data,
        settings,
        reading.read_options(),
        _label_limits(min_rows_per_label, drop=drop_small_labels),
        test,
        test_named=test_named,
        test_share=share,
        bump=bump,
        base=base,
        promote=not no_promote,
        gate=conditions,
        force=gate.force,
        message=message,
        dry_run=dry_run,
    )
    with ExitStack() as stack:  # keeps Ctrl-C deferred until the result is shown
        with common.phases() as show_phase:
            result = release(
                registry,
                request,
                jobs=search.jobs,
                cluster=search.cluster(),
                sign=signer,
                report=partial(page_maker, texts=include_texts),
                callbacks=training_report.callbacks(stack, show_phase, quiet=common.quiet),
            )
        training_report.show(result, registry, as_json=common.as_json, quiet=common.quiet)
    if result.refusal:
        raise result.refusal


def _label_limits(min_rows: int | None, *, drop: bool) -> LabelLimits:
    from textclf.data.small_labels import LabelLimits

    return LabelLimits(min_rows or (2 if drop else 1), drop)
