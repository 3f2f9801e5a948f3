"""What is said about a data set that was read: whose export it is, and what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textclf.cli.output import render

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset


def show_reading(dataset: Dataset, *, quiet: bool) -> None:
    """Say on stderr whose export a data set is, and warn of rows that were left out."""
    if dataset.export_note and not quiet:
        render.progress(dataset.export_note)
    for note in (dataset.bad_rows_note, dataset.dropped_labels_note):
        if note:
            render.warning(note)
