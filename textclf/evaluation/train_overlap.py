"""The share of rows that a version was trained on: its scores on them are too optimistic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textclf.metadata.sketch import Sketch

if TYPE_CHECKING:
    from textclf.data.dataset import Dataset

NOTABLE_OVERLAP = 0.05
"""The share above which the scores of a version say nothing about new texts."""


def train_overlap(rows: Dataset, *trained_on: Sketch | None) -> list[float | None]:
    """Return the share of the rows that is in each of some sets of training rows.

    Args:
        rows: the labelled rows, of which the distinct ones count.
        *trained_on: the sketches of the training rows; ``None`` if they are not known.

    Returns:
        Shares from 0 to 1, as `Sketch.containment_in` has them; ``None`` if it is not known.
    """
    sketch = Sketch.from_rows(rows.texts, rows.labels)
    return [
        None if other is None else round(sketch.containment_in(other), 3) for other in trained_on
    ]


def is_notable(share: float | None) -> bool:
    """Whether a share, ``None`` if it is not known, is above `NOTABLE_OVERLAP`."""
    return (share or 0.0) > NOTABLE_OVERLAP


def overlap_warning(version: str, share: float | None) -> str | None:
    """Return the warning that a version was trained on rows that it is scored on, if on many."""
    if not is_notable(share):
        return None
    how_many = "all" if share == 1 else f"at least {share:.0%}"
    return f"{version} was trained on {how_many} of these rows: its scores are too optimistic"
