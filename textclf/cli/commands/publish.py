"""``textclf publish``: make a version of a scikit-learn pipeline that was fitted elsewhere."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from textclf.cli.options.gates import GateOptions
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.loading import UnsafeLoad
from textclf.cli.options.notify import NotifyOptions
from textclf.cli.options.options import Message
from textclf.cli.options.reading import ReadingOptions
from textclf.cli.options.signing import SignKey
from textclf.cli.options.versioning import Bump, From, IncludeTexts, NoPromote
from textclf.cli.output import render, training_report

ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A file that joblib.dump has written.")
]
TestRows = Annotated[
    Path,
    typer.Option(
        "--test", metavar="FILE", rich_help_panel="Data", help="The rows that it is tested on."
    ),
]
TrainRows = Annotated[
    Path | None,
    typer.Option(
        "--train",
        metavar="FILE",
        rich_help_panel="Data",
        help="The rows that it was fitted on; unknown by default.",
    ),
]


@option_groups
def publish(
    context: typer.Context,
    model: ModelFile,
    test: TestRows,
    train: TrainRows = None,
    *,
    reading: ReadingOptions,
    bump: Bump = "auto",
    from_: From = None,
    no_promote: NoPromote = False,
    gate: GateOptions,
    notify: NotifyOptions,
    sign: SignKey = None,
    message: Message = None,
    include_texts: IncludeTexts = False,
    unsafe_load: UnsafeLoad = False,
    common: CommonOptions,
) -> None:
    """Test, publish and promote a scikit-learn pipeline that was fitted elsewhere.

    Examples:
      textclf publish model.joblib --test test.csv
      textclf publish model.joblib --test test.csv --train train.csv --no-promote
      textclf publish model.joblib --test test.csv --unsafe-load

    More: docs/python.md, docs/security.md
    """
    from textclf.registry.signer import publishing_signer

    with common.phases() as show_phase:
        show_phase("loading the libraries")
        from textclf.release.publish import PublishRequest
        from textclf.release.publish import publish as publish_pipeline
        from textclf.report.files import page_maker
        from textclf.training.foreign_model import ForeignModel

        gate.require_reason(message)
        conditions = gate.gate(context)
        registry = common.open_registry(to_write=True)
        notify.watch(context, registry)
        signer = publishing_signer(registry, sign)
        base = registry.resolve(from_) if from_ else None
        if unsafe_load:
            render.warning(
                f"--unsafe-load: {model} is opened with joblib.load; any code in it runs now"
            )
        opened = ForeignModel.from_path(model, unsafe=unsafe_load)
    request = PublishRequest(
        opened,
        test,
        train,
        reading.read_options(),
        bump=bump,
        base=base,
        promote=not no_promote,
        gate=conditions,
        force=gate.force,
        message=message,
    )
    with ExitStack() as stack:  # keeps Ctrl-C deferred until the result is shown
        with common.phases() as show_phase:
            result = publish_pipeline(
                registry,
                request,
                sign=signer,
                report=partial(page_maker, texts=include_texts),
                callbacks=training_report.callbacks(stack, show_phase, quiet=common.quiet),
            )
        training_report.show(result, registry, as_json=common.as_json, quiet=common.quiet)
    if result.refusal:
        raise result.refusal
