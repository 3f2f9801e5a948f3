"""Publish a pipeline that was fitted elsewhere, from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textclf.api.arguments import (
    BadRowsPolicy,
    Bump,
    Models,
    publishing,
    require_valid,
    telling_registry,
)
from textclf.api.results import TrainResult
from textclf.data.dataset import OnBadRows, ReadOptions
from textclf.data.in_memory import LabelledRows, labelled_rows
from textclf.metadata.limits import Limits
from textclf.release.gate import parse_gate
from textclf.release.publication import ReleaseOptions
from textclf.release.publish import PublishRequest
from textclf.release.publish import publish as publish_pipeline
from textclf.training.foreign_model import ForeignModel


def publish(  # noqa: PLR0913 - the options of ``textclf publish``, by their names
    pipeline: Any,
    *,
    test: LabelledRows,
    train: LabelledRows | None = None,
    models: Models = None,
    text_column: str = "text",
    label_column: str = "label",
    delimiter: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    sheet: str | None = None,
    on_bad_rows: BadRowsPolicy = "auto",
    threshold: float | None = None,
    abstain_unknown: float | None = None,
    bump: Bump = "auto",
    from_version: str | None = None,
    promote: bool = True,
    require: Sequence[str] = (),
    max_regression: float | None = None,
    max_class_regression: float | None = None,
    allow_training_rows: bool = False,
    force: bool = False,
    message: str | None = None,
    include_texts: bool = False,
    dry_run: bool = False,
    sign: str | Path | None = None,
    on_promote: str | None = None,
    webhook: str | None = None,
    unsafe_load: bool = False,
) -> TrainResult:
    """Publish a scikit-learn pipeline that was fitted elsewhere, as ``textclf publish`` does.

    If it is linear in counts or TF-IDF of n-grams, it is compiled, and predicts as what textclf
    trains does. Otherwise it is kept as it is, and published as untrusted: only ``unsafe_load``
    opens it, because that may run code from the file.

    Args:
        pipeline: the fitted pipeline, or the path of a file that ``joblib.dump`` has written.
        test: the test rows, in any form that `train` takes.
        train: the rows that it was fitted on, if they are known: their number, their labels, and
            how many of the test rows are among them are recorded, and unknown otherwise.
        models: the folder or URL of the versions, or a registry; by default ``$TEXTCLF_MODELS`` or
            ``models``.
        text_column: the column of the texts.
        label_column: the column of the labels.
        delimiter: the character between the columns of a file; detected by default.
        encoding: the encoding of a file, by Python's name; by default UTF-8.
        header: whether the first row of a file names the columns; by default it does unless both
            are given by position.
        sheet: the sheet of a workbook that has several.
        on_bad_rows: whether rows that cannot be used are an error, or are left out; ``auto`` leaves
            out up to 1% of the rows.
        threshold: the score below which the version gives a text no label.
        abstain_unknown: the share of known n-grams (0 to 1) below which it gives none, if the
            pipeline is compiled.
        bump: the part of the number to increase; ``auto`` infers it.
        from_version: the version to go on from; by default the highest.
        promote: whether the version is promoted if it passes the gate.
        require: what it must reach to be promoted, such as ``"macro_f1>=0.85"``.
        max_regression: how far accuracy and macro F1 may be below those of the promoted version
            (0 to 1).
        max_class_regression: how far the F1 of any class may be.
        allow_training_rows: whether it may be judged on rows that it was fitted on.
        force: whether it is promoted although it does not pass; needs a message.
        message: why, for the record.
        include_texts: whether the report shows texts of the test rows.
        dry_run: whether to stop once it is tested, and known which number it would get.
        sign: the file of the private key that signs the version.
        on_promote: a command to run after a promotion, as ``--on-promote`` is; by default that of
            ``$TEXTCLF_ON_PROMOTE`` or of the user's settings, and none if it is empty.
        webhook: a URL to send the record of a promotion to, in the same way.
        unsafe_load: whether a file is opened by ``joblib.load``, which runs any code in it.

    Returns:
        The version and how good it is. A version that the gate refuses is published and not
        promoted.

    Raises:
        UnsafeModel: opening the file may run code from it, and ``unsafe_load`` is not set.
        IntegrityError: the file cannot be opened.
        UsageError: the pipeline cannot label texts or has no scores, or an argument makes no sense.
        DataError: the rows cannot be read, or have none of the pipeline's labels.
        StoreError: the registry cannot be written to.
        TypeError: it is no pipeline, or something in the data is no text or no label.

    Warns:
        UserWarning: the version is promoted, and somebody could not be told of it.
    """
    require_valid(locals())
    read = ReadOptions(
        text_column, label_column, delimiter, encoding, OnBadRows(on_bad_rows), header, sheet
    )
    gate = parse_gate(
        require, max_regression, max_class_regression, allow_training_rows=allow_training_rows
    )
    with telling_registry(models, on_promote, webhook) as registry:
        base = registry.resolve(from_version) if from_version else None
        request = PublishRequest(
            _model(pipeline, unsafe=unsafe_load),
            labelled_rows(test, None, read),
            None if train is None else labelled_rows(train, None, read),
            read,
            Limits(threshold, abstain_unknown),
            ReleaseOptions(bump, base, promote, gate, force, message, dry_run),
        )
        result = publish_pipeline(
            registry, request, **publishing(registry, sign, include_texts=include_texts)
        )
    return TrainResult.from_release(result)


def _model(pipeline: Any, *, unsafe: bool) -> ForeignModel:
    if not isinstance(pipeline, str | Path):
        return ForeignModel.from_object(pipeline)
    return ForeignModel.from_path(Path(pipeline), unsafe=unsafe)
