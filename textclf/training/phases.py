"""The phases of a training, for whoever shows its progress."""

from __future__ import annotations

import enum
from collections.abc import Callable


class Phase(enum.StrEnum):
    """What is being done, in words; the phases follow each other in this order."""

    READING = "reading the data"
    CHECKING = "checking the data"
    COMPARING = "scoring the promoted version"
    COUNTING = "counting n-grams"
    SEARCHING = "searching"
    FITTING = "fitting the best candidate on all rows"
    TESTING = "testing"
    REPORTING = "writing the report"
    PUBLISHING = "publishing"


OnPhase = Callable[[Phase], object]
"""Takes the phase that begins."""
