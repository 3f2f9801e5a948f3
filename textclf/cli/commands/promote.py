"""``textclf promote`` and ``textclf rollback``: which version clients load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options import gates
from textclf.cli.options.options import (
    DEFAULT_MODELS,
    AsJson,
    BadRows,
    Delimiter,
    Encoding,
    LabelColumn,
    Message,
    Models,
    OnBadRows,
    Quiet,
    TextColumn,
    Version,
    open_registry,
    read_options,
)
from textclf.cli.output import answers, document, render
from textclf.cli.output.gate_report import verdict_blocks
from textclf.errors import GateRefused, UsageError

if TYPE_CHECKING:
    from textclf.registry.registry import Promotion


def promote(
    context: typer.Context,
    version: Version,
    message: Message = None,
    require: gates.Require = None,
    max_regression: gates.MaxRegression = None,
    max_class_regression: gates.MaxClassRegression = None,
    data: gates.Data = None,
    force: gates.Force = False,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    on_bad_rows: OnBadRows = BadRows.FAIL,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Point the latest alias at a version, forward or back, if it passes the gate."""
    from textclf.release import promote as promotion

    gates.require_reason(message, force=force)
    gate = gates.gate_of(context, require, max_regression, max_class_regression)
    registry = open_registry(models)
    found = registry.resolve(version)
    if data and not gate:
        raise UsageError(
            "--data is what a gate is judged by, and there is no gate",
            hint=f"--require 'accuracy>=0.9', or textclf versions compare latest {found} --data …",
        )
    options = read_options(text_column, label_column, delimiter, encoding, on_bad_rows)
    evidence = gates.evidence_on(registry, found, gate, data, options)
    try:
        with deferred_interrupts():
            done = promotion.promote(registry, found, gate, evidence, message=message, force=force)
    except GateRefused as refusal:
        _show_refused(str(found), refusal, as_json=as_json)
        raise
    show(done, as_json=as_json, quiet=quiet)


def _show_refused(version: str, refusal: GateRefused, *, as_json: bool) -> None:
    verdict = refusal.verdict
    if as_json:
        answer = {"version": version, "previous": verdict.against, "changed": False}
        render.json({**answer, "gate": verdict})
    else:
        document.write(verdict_blocks(verdict))


def rollback(
    message: Message = None,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Promote the version that was promoted before; no gate stands in the way back."""
    registry = open_registry(models)
    with deferred_interrupts():
        show(registry.rollback(message=message), as_json=as_json, quiet=quiet)


def show(done: Promotion, *, as_json: bool, quiet: bool) -> None:
    """Say what a promotion changed, and the way back."""
    answers.warn_of_kept_file(done.kept)
    if as_json:
        answer = {"version": done.version, "previous": done.previous, "changed": done.changed}
        render.json({**answer, "gate": done.gate})
    else:
        if done.gate:
            document.write(verdict_blocks(done.gate))
        render.line(answers.promotion_line(done, quiet=quiet))
