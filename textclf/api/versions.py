"""Look at versions, score them, and change which one is promoted, from Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textclf.api.arguments import Models, registry_of, require_valid, telling_registry
from textclf.api.results import CompareResult
from textclf.data.dataset import ReadOptions
from textclf.data.in_memory import LabelledRows, labelled_rows
from textclf.errors import TextclfError, UsageError
from textclf.metadata.channels import LATEST
from textclf.prediction.predictor import Predictor
from textclf.registry.promotion import Promotion
from textclf.release.gate import parse_gate
from textclf.release.promote import gather_evidence, promote_through_gate

if TYPE_CHECKING:
    from textclf.evaluation.evaluate import Evaluation
    from textclf.metadata.schema import Summary


def versions(models: Models = None) -> list[Summary]:
    """Return the main fields of every version, highest first.

    Args:
        models: the folder or URL of the versions, or a registry; by default ``$TEXTCLF_MODELS`` or
            ``models``.

    Raises:
        IntegrityError: the metadata of a version are damaged.
        StoreError: they cannot be read.
    """
    listed: list[Summary] = []
    for summary in registry_of(models).summaries():
        if isinstance(summary, TextclfError):
            raise summary
        listed.append(summary)
    return listed


def evaluate(  # noqa: PLR0913 - the options of ``textclf evaluate``
    data: LabelledRows,
    labels: Iterable[Any] | None = None,
    *,
    version: str = "latest",
    models: Models = None,
    text_column: str = "text",
    label_column: str = "label",
) -> Evaluation:
    """Score a version on labelled rows.

    Args:
        data: the rows, in any form that `train` takes.
        labels: the label of each text, if ``data`` are texts.
        version: ``1.1.0``, ``latest`` or ``previous``.
        models: see `versions`.
        text_column: the column of the texts.
        label_column: the column of the labels.

    Raises:
        NoSuchVersion: there is none of that name.
        IntegrityError: a file of it is not what was published.
        DataError: the rows cannot be read.
    """
    from textclf.evaluation.evaluate import evaluate as score

    registry = registry_of(models)
    rows = labelled_rows(data, labels, ReadOptions(text_column, label_column))
    return score(Predictor.load(registry, registry.resolve(version)), rows)


def compare(  # noqa: PLR0913 - the options of ``textclf versions compare``
    a: str,
    b: str,
    data: LabelledRows | None = None,
    labels: Iterable[Any] | None = None,
    *,
    models: Models = None,
    text_column: str = "text",
    label_column: str = "label",
) -> CompareResult:
    """Return what differs between two versions.

    Args:
        a: the first version, such as ``previous``.
        b: the second version, such as ``latest``.
        data: rows on which both are scored, in any form that `train` takes.
        labels: the label of each text, if ``data`` are texts.
        models: see `versions`.
        text_column: the column of the texts.
        label_column: the column of the labels.

    Raises:
        NoSuchVersion: one of them does not exist.
        IntegrityError: a file of one is not what was published.
        DataError: the rows cannot be read.
    """
    from textclf.evaluation.metadata_diff import compare_metadata
    from textclf.evaluation.paired import compare_predictions

    registry = registry_of(models)
    numbers = registry.resolve(a), registry.resolve(b)
    metadata = registry.metadata(numbers[0]), registry.metadata(numbers[1])
    recorded = compare_metadata(*metadata)
    if data is None:
        return CompareResult(recorded)
    rows = labelled_rows(data, labels, ReadOptions(text_column, label_column))
    before, after = (Predictor.load(registry, number).label(rows.texts) for number in numbers)
    return CompareResult(recorded, compare_predictions(rows, (before, after), metadata))


def promote(  # noqa: PLR0913 - the options of ``textclf promote``, by their names
    version: str,
    *,
    models: Models = None,
    data: LabelledRows | None = None,
    require: Sequence[str] = (),
    max_regression: float | None = None,
    max_class_regression: float | None = None,
    allow_training_rows: bool = False,
    force: bool = False,
    message: str | None = None,
    to: str = LATEST,
    on_promote: str | None = None,
    webhook: str | None = None,
    text_column: str = "text",
    label_column: str = "label",
) -> Promotion:
    """Promote a version, newer or older, if it passes the gate.

    Args:
        version: ``1.1.0``, or ``previous``.
        models: see `versions`.
        data: rows that the version and the promoted one are judged by; by default what was
            recorded of them at their training.
        require: what the version must reach, such as ``"f1[spam]>=0.95"``.
        max_regression: how far accuracy and macro F1 may be below those of the promoted version
            (0 to 1).
        max_class_regression: how far the F1 of any class may be.
        allow_training_rows: whether it may be judged on rows that it was trained on.
        force: whether it is promoted although it does not pass; needs a message.
        message: why, for the record.
        to: the channel in which it is promoted, such as ``staging``.
        on_promote: a command to run then, as ``--on-promote`` is; by default that of
            ``$TEXTCLF_ON_PROMOTE`` or of the user's settings, and none if it is empty.
        webhook: a URL to send the record of the promotion to, in the same way.
        text_column: the column of the texts in ``data``.
        label_column: the column of the labels.

    Raises:
        GateRefused: it does not pass; ``verdict`` says why.
        NoSuchVersion: it does not exist.
        IntegrityError: a file of it is not what was published.
        UsageError: an argument makes no sense.

    Warns:
        UserWarning: it is promoted, and somebody could not be told of it.
    """
    require_valid(locals())
    gate = parse_gate(
        require, max_regression, max_class_regression, allow_training_rows=allow_training_rows
    )
    if data is not None and not gate:
        raise UsageError("data is what a gate is judged by, and there is no gate: see require")
    options = ReadOptions(text_column, label_column)
    rows = None if data is None else labelled_rows(data, None, options)
    with telling_registry(models, on_promote, webhook) as registry:
        resolved = registry.resolve(version)
        evidence = gather_evidence(registry, resolved, gate, rows, to)
        return promote_through_gate(
            registry, resolved, gate, evidence, message=message, force=force, channel=to
        )


def rollback(  # noqa: PLR0913 - the options of ``textclf rollback``, by their names
    *,
    models: Models = None,
    steps: int = 1,
    to: str | None = None,
    channel: str = LATEST,
    message: str | None = None,
    on_promote: str | None = None,
    webhook: str | None = None,
) -> Promotion:
    """Promote again what was promoted before; each rollback goes further back.

    Args:
        models: see `versions`.
        steps: how many promotions to go back.
        to: the version to go back to, instead; it was promoted before.
        channel: the channel to roll back.
        message: why, for the record.
        on_promote: see `promote`.
        webhook: see `promote`.

    Raises:
        NoSuchVersion: the log does not go back that far.
        UsageError: an argument makes no sense.

    Warns:
        UserWarning: it is done, and somebody could not be told of it.
    """
    require_valid(locals())
    if to and steps != 1:
        raise UsageError("steps and to exclude each other")
    with telling_registry(models, on_promote, webhook) as registry:
        target = registry.resolve(to) if to else None
        return registry.rollback(steps=steps, to=target, channel=channel, message=message)
