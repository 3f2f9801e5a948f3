"""The job that made a version, from its metadata: its rows, which are checked, and its settings."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from textclf.data.dataset import Dataset, OnBadRows, ReadOptions, read_dataset
from textclf.data.in_memory import NAME
from textclf.data.joining import join, joined_path
from textclf.data.small_labels import LabelLimits, limit_labels, without_labels
from textclf.errors import DataError, IntegrityError, UsageError
from textclf.formatting import percent, plural
from textclf.metadata.schema import DataPart, DataRecord, Metadata, TestRecord
from textclf.metadata.sketch import Sketch
from textclf.training.job import Job, SearchSettings, prepare

Given = Path | Dataset


@dataclass(frozen=True)
class Moved:
    """Where recorded data is now, if it is no longer where it was.

    Attributes:
        data: the files of the training rows, in the recorded order; the others are where they were.
        test: the file of the test rows.
    """

    data: Sequence[Given] = ()
    test: Given | None = None


class Addition(NamedTuple):
    """Rows to add to those of a version, and how they were read."""

    rows: Dataset
    options: ReadOptions


class Extended(NamedTuple):
    """The job of a version with more rows, and a sentence on each addition."""

    job: Job
    notes: list[str]


class _Recorded(NamedTuple):
    """What was read again.

    Attributes:
        rows: the training rows, before some were split off.
        test: the test rows, if they have a file.
        options: how the first file was read.
        changed: the paths of the files of training rows that do not have the recorded digest.
    """

    rows: Dataset
    test: Dataset | None
    options: ReadOptions
    changed: Sequence[str]

    @property
    def source(self) -> str:
        """The files that are not the recorded ones, or all if each of them is."""
        return " + ".join(self.changed) or self.rows.path


def recorded_job(metadata: Metadata, moved: Moved = Moved()) -> Job:
    """Return the job that made a version, with its rows checked against their digests.

    Raises:
        UsageError: test data is given, but the test rows were split off the training data; or the
            version was fitted outside of textclf.
        DataError: the rows are missing, or are not the recorded ones.
    """
    return _checked(metadata, _read_again(metadata, moved))


def extended_job(
    metadata: Metadata,
    additions: Sequence[Addition],
    settings: SearchSettings,
    limits: LabelLimits,
    moved: Moved,
) -> Extended:
    """Return the job that trains on the rows of a version and on further ones.

    Its test rows stay test rows: those of a file are the same, and further rows with their texts
    are left out. If they were split off by a hash of the text, further rows are split alike.

    Args:
        metadata: the version's.
        additions: the further rows.
        settings: what is searched, and how.
        limits: how many rows a label needs.
        moved: where the recorded data is now.

    Raises:
        UsageError: its test rows would not stay test rows, or as `recorded_job` does.
        DataError: the rows of the version are missing or have changed.
    """
    (record, _), tested = metadata.training, metadata.test
    if tested.path is None and tested.split_method is None:
        raise UsageError(
            f"the test rows of {metadata.version} were chosen at random, and some of them would "
            "become training rows if there were more rows",
            hint="train once without --add, which chooses test rows by their texts",
        )
    found = _read_again(metadata, moved)
    _checked(metadata, found, "; or put the new rows with the changed ones, and train on that file")
    rows, notes, added = found.rows, list[str](), 0
    parts = record.parts or [_part(Addition(rows, found.options), len(rows))]
    for more in additions:
        joined = join(rows, more.rows, frozenset(found.test.texts if found.test else ()))
        rows, added = joined.rows, added + joined.added
        notes.append(joined.note)
        if joined.added:
            parts = [*parts, _part(more, joined.added, joined.repeated, joined.tested)]
    rows = replace(rows, path=joined_path([part.path for part in parts]))
    named = {label for more in additions for label in more.rows.labels}
    rows, test = _without(rows, found.test, record.dropped_labels.keys() - named)
    rows, test = limit_labels(rows, test, limits)
    job = _prepare(metadata, found._replace(rows=rows, test=test), settings)
    return Extended(replace(job, parts=tuple(parts) if len(parts) > 1 else (), added=added), notes)


def recorded_settings(metadata: Metadata) -> SearchSettings:
    """Return what was searched for a version, and how."""
    _, search = metadata.training
    names = ("space", "scoring", "folds", "seed", "method", "sample", "neighbourhood_of")
    return SearchSettings(
        **{name: getattr(search, name) for name in names},
        threshold=metadata.threshold,
        abstain_unknown=metadata.abstain_unknown,
    )


def recorded_options(part: DataPart, version: str) -> ReadOptions:
    """Return how a file was read. Raises IntegrityError."""
    try:
        return msgspec.convert(part.read, ReadOptions, strict=False)
    except msgspec.ValidationError as error:
        raise IntegrityError(
            f"the metadata of {version} does not say correctly how its data was read: {error}"
        ) from None


def options_for_more_rows(metadata: Metadata, asked: Mapping[str, Any]) -> ReadOptions:
    """Return how rows are read that are added to those of a version.

    Args:
        metadata: the version's.
        asked: the options that differ from those its own first file was read with.
    """
    first, *_ = metadata.training[0].files()
    return replace(recorded_options(first, metadata.version), **asked)


def _part(of: Addition, rows: int, repeated: int = 0, tested: int = 0) -> DataPart:
    data, read = of.rows, of.options.as_recorded()
    return DataPart(data.path, data.sha256, data.format, read, rows, repeated, tested)


def _checked(metadata: Metadata, found: _Recorded, otherwise: str = "") -> Job:
    """Return the recorded job. Raises DataError unless these are its rows, in their order.

    ``otherwise`` ends the hint on training rows that are not those.
    """
    record, _ = metadata.training
    rows, test = _without(found.rows, found.test, record.dropped_labels)
    job = _prepare(metadata, found._replace(rows=rows, test=test), recorded_settings(metadata))
    _check(replace(job.train, path=found.source), record, metadata, "--data FILE", otherwise)
    _check(job.test, metadata.test, metadata, "--test FILE")
    return replace(job, parts=tuple(record.parts))


def _prepare(metadata: Metadata, found: _Recorded, settings: SearchSettings) -> Job:
    share, method = metadata.test.split or 0.0, metadata.test.split_method
    return prepare(found.rows, found.test, share, found.options, settings, split_method=method)


def _without(
    rows: Dataset, test: Dataset | None, labels: Collection[str]
) -> tuple[Dataset, Dataset | None]:
    if not labels:
        return rows, test
    return without_labels(rows, labels), test and without_labels(test, labels)


def _read_again(metadata: Metadata, moved: Moved) -> _Recorded:
    (record, _), tested = metadata.training, metadata.test
    if moved.test is not None and tested.path is None:
        raise UsageError(
            f"{metadata.version} was tested on a part of its training data, not on a file",
            hint="leave --test out",
        )
    parts = record.files()
    read = _read_parts(parts, metadata.version, moved)
    options = recorded_options(parts[0], metadata.version)
    test = None
    if tested.path is not None:
        test = _read(tested.path, moved.test, options, "--test FILE")
    rows, texts = read[0], frozenset(test.texts if test else ())
    for more in read[1:]:
        rows = join(rows, more, texts).rows
    pairs = zip(read, parts, strict=True)
    changed = [data.path for data, part in pairs if data.sha256 != part.sha256]
    named = replace(rows, path=joined_path([data.path for data in read]))
    return _Recorded(named, test, options, changed)


def _read_parts(parts: Sequence[DataPart], version: str, moved: Moved) -> list[Dataset]:
    if len(moved.data) > len(parts):
        raise UsageError(
            f"{version} was trained on {plural(len(parts), 'file')}, and --data names "
            f"{len(moved.data)}"
        )
    places = [*moved.data, *[None] * (len(parts) - len(moved.data))]
    each = ", once for each file in their order," if len(parts) > 1 else ""
    return [
        _read(part.path, place, recorded_options(part, version), f"--data FILE{each}")
        for part, place in zip(parts, places, strict=True)
    ]


def _read(recorded: str, moved: Given | None, options: ReadOptions, option: str) -> Dataset:
    """Read a file without its bad rows; if there were none at training, the digest will differ."""
    if isinstance(moved, Dataset):
        return moved
    if not moved and recorded == NAME:
        raise DataError(
            "the rows of the version were given from memory, and are in no file",
            hint=f"{option} names a file that has them",
        )
    path = moved or Path(recorded)
    if not moved and not os.path.exists(path):  # noqa: PTH110 - Path.exists may raise
        raise DataError(f"{recorded} does not exist", hint=f"{option} names it where it is now")
    return read_dataset(path, replace(options, on_bad_rows=OnBadRows.SKIP))


def _check(
    rows: Dataset,
    record: DataRecord | TestRecord,
    metadata: Metadata,
    option: str,
    otherwise: str = "",
) -> None:
    """Raise DataError unless these are the recorded rows, in their order."""
    if rows.rows_sha256 == record.rows_sha256:
        return
    use = "trained" if isinstance(record, DataRecord) else "tested"
    if rows.sha256 == (record.sha256 or metadata.training[0].sha256):
        raise DataError(
            f"{rows.path} is the file that {metadata.version} was {use} on, but it is read "
            f"differently: textclf {metadata.code.textclf} read it as "
            f"{metadata.training[0].format}, this version reads it as {rows.format}",
            hint="give the file its former extension, or use that version of textclf",
        )
    raise DataError(
        f"{rows.path} is not what {metadata.version} was {use} on: it has "
        f"{plural(len(rows), 'row')} (recorded: {record.rows:,}){_overlap(rows, record)}",
        hint=f"{option} names the recorded rows, in their order{otherwise}",
    )


def _overlap(rows: Dataset, record: DataRecord | TestRecord) -> str:
    if not isinstance(record, DataRecord):
        return ""
    share = record.sketch.overlap(Sketch.from_rows(rows.texts, rows.labels))
    return f"; about {percent(share, 0)} are the same"
