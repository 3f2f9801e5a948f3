"""What is given to be labelled → a list of texts, or a sentence that says what is no text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def list_texts(texts: Iterable[str]) -> list[str]:
    """Return the texts of a list, an array, a Series, a generator or any other iterable.

    Raises:
        TypeError: it is not an iterable of texts; the message names the index of what is no text.
    """
    if isinstance(texts, str | bytes | bytearray | Mapping) or hasattr(texts, "columns"):
        raise _not_texts(texts)
    try:
        listed = list(texts)
    except TypeError:  # not iterable, or an array without dimensions
        raise _not_texts(texts) from None
    for index, text in enumerate(listed):
        if type(text) is not str:
            listed[index] = _plain(text, index)
    return listed


def require_text(text: Any) -> str:
    """Return a single text. Raises TypeError if it is not one."""
    if not isinstance(text, str):
        raise TypeError(f"a text is a str, not {_kind(text)}")
    return str(text)


def _plain(text: Any, index: int) -> str:
    if not isinstance(text, str):
        raise TypeError(f"the text at index {index} is {_kind(text)}, not a str")
    return str(text)  # an element of a NumPy array of strings


def _not_texts(texts: Any) -> TypeError:
    column = "; give one column of it" if hasattr(texts, "columns") else ""
    return TypeError(f"texts are a str or an iterable of str, not {_kind(texts)}{column}")


def _kind(value: Any) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"
