"""Find labels that may not be meant: written in several ways, missing, or several in one."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final

_LOOKALIKES: Final = str.maketrans(
    dict(
        zip(
            "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u0456"
            "\u0458\u03b1\u03bf\u03c1\u03bd\u03b9\u03ba\u03c7",
            "abekmhopctyxsijaopvikx",
            strict=True,
        )
    )
)
"""Letters of Cyrillic and Greek → the Latin ones that look like them, also in upper case."""

_MISSING: Final = {
    *("nan", "NaN", "NAN", "null", "NULL", "None", "NoneType", "nil", "\\N", "N/A", "n/a", "NA"),
    *("#N/A", "#NA", "#N/A N/A", "<NA>", "<null>", "(null)", "undefined", "-", "--", "?", "."),
}
"""What programs write where there is no value."""

_AROUND = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb[](){} \t.,;:!"
_LIST = re.compile(r"\[.*\]|\{.*\}|\(.*\)", re.DOTALL)
_JOINTS: Final = (",", ";", "|", "/", "+", "&", "#")


def written_in_several_ways(labels: Iterable[str]) -> list[list[str]]:
    """Return groups of labels that differ only in how they are written.

    That is in case, in Unicode's composition of characters, in characters without a width, in
    letters that look alike, in the quotes, brackets or punctuation around them, in blanks, hyphens
    and underscores, or in ``1`` and ``1.0``.
    """
    groups: dict[str, list[str]] = {}
    for label in labels:
        if label not in _MISSING:
            groups.setdefault(_folded(label), []).append(label)
    return [group for key, group in groups.items() if key and len(group) > 1]


def _folded(label: str) -> str:
    composed = unicodedata.normalize("NFKC", label)
    visible = "".join(c for c in composed if unicodedata.category(c) != "Cf")
    bare = visible.casefold().translate(_LOOKALIKES).strip(_AROUND)
    number = re.fullmatch(r"(-?\d+)\.0+", bare)
    return number[1] if number else re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", bare)


def missing_values(labels: Iterable[str]) -> list[str]:
    """Return the labels that programs write where there is none."""
    return [label for label in labels if label in _MISSING]


def several_in_one(labels: Collection[str]) -> list[str]:
    """Return the labels that are written as a list, or of which a part is a label, too."""
    known = {_folded(label) for label in labels}
    return [label for label in labels if _LIST.fullmatch(label) or _is_joined(label, known)]


def _is_joined(label: str, known: set[str]) -> bool:
    for joint in _JOINTS:
        parts = [_folded(part) for part in label.split(joint)]
        if len(parts) > 1 and all(parts) and len(set(parts)) > 1 and not known.isdisjoint(parts):
            return True
    return False
