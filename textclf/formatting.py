"""How numbers, texts and paths are written for people, wherever they are shown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

MISSING: Final = "–"
"""What stands for a number that is not known."""

# C1 controls, line separators, marks that change the direction of writing, characters without a
# width (except the two that join letters), tags, and surrogates
INVISIBLE: Final = (
    "\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff"
)
"""Characters that nobody sees or that a terminal obeys, as part of a regular expression's set."""


def escape_controls(text: object) -> str:
    r"""Write control and invisible characters as escapes (``\x1b``), so that none is obeyed."""
    text = str(text)
    if text.isprintable():
        return text
    return re.sub(f"[\x00-\x1f{INVISIBLE}]", lambda match: repr(match[0])[1:-1], text)


def excerpt(text: object, width: int = 60) -> str:
    """Return the beginning of a text in at most ``width`` characters, with controls escaped."""
    escaped = escape_controls(text)
    return escaped if len(escaped) <= width else escaped[: width - 1] + "…"


def code_span(text: str) -> str:
    """Return a text as a code span of Markdown, whose fence is longer than any in the text."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def encodable(path: object) -> str:
    """Return a path as valid Unicode; bytes of a file name that are not UTF-8 become escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def first_line(message: object) -> str:
    """Return the first line of a message, without a colon at its end."""
    return str(message).strip().partition("\n")[0].removesuffix(":")


def suggestion(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return a hint that suggests the known word nearest to one that is not known."""
    import difflib  # rarely needed, and slow to import

    nearest = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {nearest[0]!r}?" if nearest else otherwise


def plural(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 row``, ``2,000 rows``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def first_few(texts: Sequence[str], most: int) -> list[str]:
    """Return the first of some texts, and how many more there are: ``and 3 more``."""
    more = len(texts) - most
    return [*texts[:most], f"and {more:,} more"] if more > 0 else [*texts]


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share between 0 and 1 as a percentage: ``84.4%``."""
    return MISSING if share is None else f"{share:.{digits}%}"


def points(difference: float | None) -> str:
    """Return a difference of two shares in percentage points, with its sign: ``+1.2``."""
    return MISSING if difference is None else f"{100 * difference:+.1f}"


def size(number: int) -> str:
    """Return a number of bytes: ``713 kB``, ``2.8 MB``."""
    for power, unit in ((3, "GB"), (2, "MB"), (1, "kB")):
        if number >= 1000**power:
            return f"{number / 1000**power:.1f} {unit}"
    return plural(number, "byte")


def tag_list(tags: Mapping[str, str]) -> str:
    """Return tags on one line: ``approved-by=ada prod=eu``."""
    return " ".join(f"{key}={value}" for key, value in tags.items())


def duration(seconds: float) -> str:
    """Return a time span: ``0.4 s``, ``12 s``, ``3 min 05 s``, ``1 h 02 min``."""
    if seconds < 10:  # noqa: PLR2004 - below, tenths matter
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def candidate_name(params: Mapping[str, Any], *, without: Collection[str] = ()) -> str:
    """Return a candidate's parameters on one line: ``LinearSVC C=1 word.ngram_range=[1, 2]``.

    Args:
        params: the parameters as they are recorded, ``classifier__C`` and the like.
        without: names of parameters that are left out.
    """
    named = {
        name.removeprefix("classifier__").removeprefix("features__").replace("__", "."): value
        for name, value in params.items()
        if name != "classifier" and name not in without
    }
    return " ".join(
        [str(params.get("classifier", "")), *(f"{name}={value}" for name, value in named.items())]
    )


def candidate_names(
    candidates: Sequence[Mapping[str, Any]], blocks: Sequence[Sequence[str]] = ()
) -> list[str]:
    """Return a name for each candidate, without the parameters in which no two of them differ.

    Args:
        candidates: the parameters of each, as they are recorded.
        blocks: the feature blocks of each, by default those that have parameters; they are named
            if they differ.
    """
    blocks = blocks or list(map(_feature_blocks, candidates))
    values: dict[str, set[str]] = {}
    for params in candidates:
        for name, value in params.items():
            values.setdefault(name, set()).add(repr(value))
    shared = {
        name
        for name, different in values.items()
        if len(different) == 1
        and (name.startswith("features__") or all(name in params for params in candidates))
    }
    several = len(set(map(tuple, blocks))) > 1
    return [
        candidate_name(params, without=shared)
        + (f" on {' + '.join(own)}" if several and own else "")
        for params, own in zip(candidates, blocks, strict=True)
    ]


def _feature_blocks(params: Mapping[str, Any]) -> tuple[str, ...]:
    names = (name.split("__")[1] for name in params if name.startswith("features__"))
    return tuple(dict.fromkeys(names))
