"""Train and publish a version from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from textclf.api.arguments import (
    BadRowsPolicy,
    Bump,
    Models,
    Preset,
    SearchMethod,
    publishing,
    require_valid,
    telling_registry,
)
from textclf.api.results import TrainResult
from textclf.data.dataset import Dataset, OnBadRows, ReadOptions
from textclf.data.in_memory import LabelledRows, labelled_rows
from textclf.data.small_labels import LabelLimits
from textclf.errors import UsageError
from textclf.release.gate import parse_gate
from textclf.release.publication import ReleaseCallbacks, ReleaseOptions
from textclf.release.release import ReleaseRequest, release
from textclf.search.dask_cluster import connect
from textclf.search.fit import FoldResult
from textclf.search.space import SpaceSource, preset_source, read_source
from textclf.training.job import search_settings
from textclf.training.neighbourhood import settings_for_more_rows
from textclf.training.recorded import options_for_more_rows

Grid = str | Path | Mapping[str, Any]

_TEST_SIZE = 0.2

_USUAL = {"scoring": "accuracy", "folds": 5, "seed": 0, "method": "exact"}
"""Defaults of settings, by their names in `SearchSettings`."""


def train(  # noqa: PLR0913 - the options of ``textclf train``, by their names
    data: LabelledRows | None = None,
    labels: Iterable[Any] | None = None,
    *,
    models: Models = None,
    test: LabelledRows | None = None,
    test_size: float = _TEST_SIZE,
    add: LabelledRows | list[LabelledRows] | None = None,
    text_column: str = "text",
    label_column: str = "label",
    delimiter: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    sheet: str | None = None,
    on_bad_rows: BadRowsPolicy = "auto",
    min_rows_per_label: int | None = None,
    drop_small_labels: bool = False,
    bump: Bump = "auto",
    from_version: str | None = None,
    grid: Grid | None = None,
    preset: Preset | None = None,
    search: SearchMethod = "exact",
    sample: int | None = None,
    cv: int = 5,
    scoring: str = "accuracy",
    seed: int = 0,
    jobs: int | None = None,
    scheduler: str | None = None,
    threshold: float | None = None,
    abstain_unknown: float | None = None,
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
    on_fit: Callable[[FoldResult], object] | None = None,
) -> TrainResult:
    """Search, train, test, publish and promote the next version, as ``textclf train`` does.

    Args:
        data: the training rows: a path, a table (a DataFrame of pandas or polars, or whatever has
            columns), a pair of texts and labels, or, with ``labels``, the texts. It is needed
            unless rows are added.
        labels: the label of each text.
        models: the folder or URL of the versions, or a registry; by default ``$TEXTCLF_MODELS`` or
            ``models``.
        test: the test rows, in any form that the training rows may have.
        test_size: the share of the training rows that is split off, if there are no test rows
            (0 to 1).
        add: rows to add to those of the promoted version, or of ``from_version``, in any form that
            training rows may have, or a list of such. ``data`` and ``test`` are its own rows, if
            they are no longer where they were; of several files ``data`` is a list. Arguments that
            have their default are as the version had them. A grid or a preset searches all of it,
            and not only around the version's winner.
        text_column: the column of the texts.
        label_column: the column of the labels.
        delimiter: the character between the columns of a file; detected by default.
        encoding: the encoding of a file, by Python's name; by default UTF-8.
        header: whether the first row of a file names the columns; by default it does unless both
            are given by position.
        sheet: the sheet of a workbook that has several.
        on_bad_rows: whether rows that cannot be used fail the training, or are left out; ``auto``
            leaves out up to 1% of the rows.
        min_rows_per_label: how many rows a label needs; by default 1, with ``drop_small_labels`` 2.
        drop_small_labels: whether the rows of labels with fewer are left out, and no error.
        bump: the part of the number to increase; ``auto`` infers it.
        from_version: the version to go on from; by default the highest.
        grid: the search space: a file, or the same as a mapping.
        preset: a built-in search space; ``default`` unless there is a grid.
        search: ``exact`` runs all fits; ``race`` drops worse candidates early.
        sample: the most rows to search; 0 is no limit. By default 50,000 with a preset, and no
            limit with a grid.
        cv: the number of folds.
        scoring: the metric that the search maximises, by scikit-learn's name.
        seed: the random seed of folds and classifiers.
        jobs: the number of fits at once; by default one for each core.
        scheduler: the address of a dask scheduler, such as ``host:8786``, whose workers search.
        threshold: the score below which the version gives a text no label.
        abstain_unknown: the share of known n-grams (0 to 1) below which it gives none.
        promote: whether the version is promoted if it passes the gate.
        require: what it must reach to be promoted, such as ``"macro_f1>=0.85"``.
        max_regression: how far accuracy and macro F1 may be below those of the promoted version
            (0 to 1).
        max_class_regression: how far the F1 of any class may be.
        allow_training_rows: whether it may be judged on rows that it was trained on.
        force: whether it is promoted although it does not pass; needs a message.
        message: why, for the record.
        include_texts: whether the report shows texts of the test rows.
        dry_run: whether to stop once it is known what would be trained.
        sign: the file of the private key that signs the version.
        on_promote: a command to run after a promotion, as ``--on-promote`` is; by default that of
            ``$TEXTCLF_ON_PROMOTE`` or of the user's settings, and none if it is empty.
        webhook: a URL to send the record of a promotion to, in the same way.
        on_fit: called with each result of the search.

    Returns:
        The version and how good it is. A version that the gate refuses is published and not
        promoted.

    Raises:
        DataError: the data cannot be read, or not be trained or tested on.
        UsageError: an argument makes no sense.
        StoreError: the registry cannot be written to.
        TypeError: something in the data is no text or no label; the message names its index.

    Warns:
        UserWarning: the version is promoted, and somebody could not be told of it.
    """
    require_valid(locals())
    read = ReadOptions(
        text_column, label_column, delimiter, encoding, OnBadRows(on_bad_rows), header, sheet
    )
    asked: dict[str, Any] = {
        "scoring": scoring, "folds": cv, "seed": seed, "method": search, "sample": sample,
        "threshold": threshold, "abstain_unknown": abstain_unknown,
    }  # fmt: skip
    additions = [] if add is None else add if isinstance(add, list) else [add]
    gate = parse_gate(
        require, max_regression, max_class_regression, allow_training_rows=allow_training_rows
    )
    with telling_registry(models, on_promote, webhook) as registry:
        base = registry.resolve(from_version or "latest") if from_version or additions else None
        if additions and base:
            earlier = registry.metadata(base)
            space = _space(grid, preset) if grid is not None or preset else None
            read = options_for_more_rows(earlier, _changed(asdict(read), asdict(ReadOptions())))
            settings = settings_for_more_rows(earlier, space, _changed(asked, _USUAL))
        else:
            settings = search_settings(_space(grid, preset), **asked)
        request = ReleaseRequest(
            None if additions or data is None else labelled_rows(data, labels, read),
            settings,
            read,
            LabelLimits(min_rows_per_label or (2 if drop_small_labels else 1), drop_small_labels),
            None if test is None else labelled_rows(test, None, read),
            test_share=test_size,
            add=[labelled_rows(rows, None, read) for rows in additions],
            moved=_moved(data, labels, test_size) if additions else (),
            options=ReleaseOptions(bump, base, promote, gate, force, message, dry_run),
        )
        result = release(
            registry,
            request,
            jobs=jobs,
            cluster=connect(scheduler) if scheduler else None,
            callbacks=ReleaseCallbacks(search=lambda _: nullcontext(on_fit)) if on_fit else None,
            **publishing(registry, sign, include_texts=include_texts),
        )
    return TrainResult.from_release(result)


def _moved(data: Any, labels: Iterable[Any] | None, test_size: float) -> list[Path | Dataset]:
    """Return where the rows of a version are, from a path, rows, or a list of such.

    Raises:
        UsageError: other test rows are asked for, or there are labels without texts.
    """
    if test_size != _TEST_SIZE:
        raise UsageError("added rows do not change which rows are test rows: leave test_size out")
    if data is None:
        if labels is not None:
            raise UsageError("labels are those of data; add takes a pair of texts and labels")
        return []
    if labels is not None:
        return [labelled_rows(data, labels)]
    return [
        Path(one) if isinstance(one, str | Path) else labelled_rows(one)
        for one in (data if isinstance(data, list) else [data])
    ]


def _changed(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value != defaults.get(name)}


def _space(grid: Grid | None, preset: str | None) -> SpaceSource:
    if grid is None:
        return preset_source(preset or "default")
    if preset:
        raise UsageError("there is one search space: give a grid or a preset")
    if isinstance(grid, Mapping):
        return SpaceSource("grid", document=grid)
    return read_source(Path(grid))
