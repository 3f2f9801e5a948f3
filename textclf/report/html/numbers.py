"""How numbers look on a page: shares, differences, sizes, intervals."""

from __future__ import annotations

import math

_Z = 1.959963984540054
"""Of the normal distribution 95 % lies within so many standard deviations."""

MINUS = "\u2212"
SPACE = "\u00a0"
"""One that no line ends at."""


def percent(value: float | None, digits: int = 1) -> str:
    """A share: ``85.3 %``."""
    return "–" if value is None else f"{100 * value:.{digits}f}{SPACE}%"


def between(low: float, high: float) -> str:
    """Two shares as the bounds of an interval: ``80.7–88.5 %``."""
    return f"{100 * low:.1f}–{percent(high)}"


def points(value: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    if value is None:
        return "–"
    shown = f"{100 * value:+.1f}"
    return "±0.0" if float(shown) == 0 else shown.replace("-", MINUS)


def count(value: int) -> str:
    """``12,345``."""
    return f"{value:,}"


def counted(value: int, noun: str) -> str:
    """``1 row``, ``2,000 rows``."""
    return f"{value:,} {noun}" + ("" if value == 1 else "s")


def size(number: int) -> str:
    """Bytes: ``713 kB``, ``2.8 MB``."""
    for power, unit in ((3, "GB"), (2, "MB"), (1, "kB")):
        if number >= 1000**power:
            return f"{number / 1000**power:.1f} {unit}"
    return counted(number, "byte")


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 05 s``, ``1 h 02 min``."""
    if seconds < 10:  # noqa: PLR2004 - below, tenths matter
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def wilson(share: float, rows: int) -> tuple[float, float]:
    """Bounds of a share seen in so many rows, with 95 % confidence.

    E. B. Wilson, 1927, "Probable inference, the law of succession, and statistical inference". It
    stays within 0 and 1, and is not empty where no row, or every row, is right.
    """
    if not rows:
        return 0.0, 1.0
    spread = _Z * _Z / rows
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
