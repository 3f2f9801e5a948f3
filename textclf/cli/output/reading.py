"""What is said about a data set that was read: whose export it is, and what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textclf.cli.output import render

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset


def show_reading(dataset: Dataset, *, quiet: bool) -> None:
    """Say on stderr how a data set was read, and warn of rows that were left out."""
    for note in [] if quiet else dataset.reading_notes:
        render.progress(note)
    for warning in dataset.reading_warnings:
        render.warning(warning)
