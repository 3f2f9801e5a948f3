"""The token patterns that a model may have: regular expressions that are quick to compile.

A pattern comes from a file that may be made to hurt, and ``re.compile`` takes up to 15 milliseconds
for a range of characters. What is accepted here compiles within a second. How long it takes on a
text depends on the text, too, and is not bounded.
"""

from __future__ import annotations

import re
from itertools import pairwise
from math import prod
from typing import Final

LONGEST: Final = 1_000
"""Characters of a pattern."""

_MOST_RANGES: Final = 32
"""Ranges of characters that end beyond ASCII, such as ``[à-ÿ]``."""

_MOST_REPEATS: Final = 1_000
"""Repetitions that ``{n}`` prescribes, all multiplied: each character may take so many steps."""


def compile_token_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a token pattern.

    Raises:
        ValueError: it is not valid, it has more than one group, or it is too long or too large; the
            message completes the sentence "its token pattern: …".
    """
    if len(pattern) > LONGEST:
        raise ValueError(f"more than {LONGEST:,} characters")
    ends = [end for dash, end in pairwise(pattern) if dash == "-"]
    if sum(end == "\\" or not end.isascii() for end in ends) > _MOST_RANGES:
        raise ValueError(f"more than {_MOST_RANGES} ranges of characters beyond ASCII")
    if prod(max(1, int(count)) for count in re.findall(r"\{(\d+)", pattern)) > _MOST_REPEATS:
        raise ValueError(f"more than {_MOST_REPEATS:,} repetitions")
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from None
    if compiled.groups > 1:
        raise ValueError("more than one group")
    return compiled
