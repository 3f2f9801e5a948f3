"""``textclf promote``: change which version clients load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options.gates import GateOptions
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Message, Version, complete_channel
from textclf.cli.options.reading import ReadingOptions
from textclf.cli.options.versioning import NotifyOptions
from textclf.cli.output import document, render
from textclf.cli.output.promotions import PromotionAnswer, show_promotion, verdict_blocks
from textclf.errors import GateRefused, UsageError
from textclf.metadata.channels import LATEST, require_channel

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FILE",
        help="Judge both versions by their scores on these rows, not by their recorded metrics.",
    ),
]
To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="CHANNEL",
        callback=require_channel,
        autocompletion=complete_channel,
        rich_help_panel="Versioning",
        help="The channel to promote it in, such as staging; clients load latest.",
    ),
]


@option_groups
def promote(
    context: typer.Context,
    version: Version,
    message: Message = None,
    channel: To = LATEST,
    *,
    gate: GateOptions,
    data: Data = None,
    reading: ReadingOptions,
    notify: NotifyOptions,
    common: CommonOptions,
) -> None:
    """Promote a version, newer or older, if it passes the gate.

    Examples:
      textclf promote 1.1.0 --to staging -m "approved"
      textclf promote 1.1.0 --require 'accuracy>=0.9' --max-class-regression 2%
      textclf promote 1.1.0 --data fresh.csv --max-regression 1%

    More: docs/gates.md, docs/events.md
    """
    from textclf.release.promote import gather_evidence, promote_through_gate

    gate.require_reason(message)
    conditions = gate.gate(context)
    registry = common.open_registry(to_write=True)
    notify.watch(context, registry)
    resolved = registry.resolve(version)
    if data and not conditions:
        raise UsageError(
            "--data is what a gate is judged by, and there is no gate",
            hint="--require 'accuracy>=0.9', or "
            f"textclf versions compare latest {resolved} --data …",
        )
    with common.phases() as show_phase:
        show_phase("reading the data" if data else None)
        rows = reading.read(data, quiet=common.quiet) if data else None
        show_phase("labelling the texts" if data else None)
        evidence = gather_evidence(registry, resolved, conditions, rows, channel)
    try:
        with deferred_interrupts():
            done = promote_through_gate(
                registry,
                resolved,
                conditions,
                evidence,
                message=message,
                force=gate.force,
                channel=channel,
            )
    except GateRefused as refusal:
        _show_refusal(str(resolved), refusal, channel, as_json=common.as_json)
        raise
    show_promotion(done, as_json=common.as_json, quiet=common.quiet)


def _show_refusal(version: str, refusal: GateRefused, channel: str, *, as_json: bool) -> None:
    verdict = refusal.verdict
    if as_json:
        render.json(PromotionAnswer(version, verdict.against, False, verdict, channel))
    else:
        document.write(verdict_blocks(verdict))
