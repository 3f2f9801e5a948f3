"""What the commands that publish a pipeline that was fitted elsewhere have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from textclf.cli.options.gates import GateOptions
from textclf.cli.options.groups import CommonOptions
from textclf.cli.options.loading import UnsafeLoad, warn_of_code
from textclf.cli.options.options import AbstainUnknown, Threshold
from textclf.cli.options.reading import ReadingOptions
from textclf.cli.options.versioning import NotifyOptions, VersioningOptions
from textclf.cli.output import training_report
from textclf.cli.output.progress import loading

if TYPE_CHECKING:
    from textclf.training.foreign_model import ForeignModel

TestRows = Annotated[
    Path,
    typer.Option(
        "--test", metavar="FILE", rich_help_panel="Data", help="The rows that it is tested on."
    ),
]


@dataclass(eq=False, repr=False)
class PipelineOptions:
    """What is known of a pipeline, and how it is used."""

    panel: ClassVar = "Options"

    train: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel="Data",
            help="The rows that it was fitted on; unknown by default.",
        ),
    ] = None
    threshold: Threshold = None
    abstain_unknown: AbstainUnknown = None
    unsafe_load: UnsafeLoad = False


def publish_pipeline(
    context: typer.Context,
    open_model: Callable[[], "ForeignModel"],
    name: str,
    test: Path,
    pipeline: PipelineOptions,
    reading: ReadingOptions,
    gate: GateOptions,
    versioning: VersioningOptions,
    notify: NotifyOptions,
    common: CommonOptions,
) -> None:
    """Test, publish and promote the pipeline that ``open_model`` returns.

    Raises:
        GateRefused: the version is published, and was not promoted.
    """
    gate.require_reason(versioning.message)
    with common.phases() as show_phase:
        with loading(show_phase):
            from textclf.metadata.limits import Limits
            from textclf.release.publish import PublishRequest, publish

        registry = common.open_registry(to_write=not versioning.dry_run)
        notify.watch(context, registry)
        options = versioning.release_options(context, registry, gate)
        publishing = versioning.publishing(registry)
        show_phase("opening the model")
        if pipeline.unsafe_load:
            warn_of_code(name)
        request = PublishRequest(
            open_model(),
            test,
            pipeline.train,
            reading.read_options(),
            Limits(pipeline.threshold, pipeline.abstain_unknown),
            options,
        )
    training_report.run(
        lambda callbacks: publish(registry, request, callbacks=callbacks, **publishing),
        registry,
        as_json=common.as_json,
        quiet=common.quiet,
    )
