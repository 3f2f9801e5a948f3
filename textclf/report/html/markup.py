"""HTML and SVG, built of elements. Whatever is not an element is text, and becomes escaped.

No element gets a ``style`` or a handler: the page forbids both to itself.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

# What a text can do harm or mischief with, or what a page must not hold: controls (but tab and line
# end), marks that turn the direction of writing around, halves of surrogate pairs, non-characters
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_VOID = {"br", "col", "meta"}


class Html(str):
    """Markup, to be left as it is."""

    __slots__ = ()


def visible(value: object) -> str:
    r"""Text with control characters written out (``\x1b``)."""
    return _UNSEEN.sub(lambda match: repr(match[0])[1:-1], str(value))


def shorten(value: object, width: int) -> str:
    """The beginning of a text, visible, in at most ``width`` characters."""
    shown = visible(value)
    return shown if len(shown) <= width else shown[: width - 1] + "…"


def elide(value: object, width: int) -> str:
    """A text, visible, in at most ``width`` characters; both ends tell names apart."""
    shown = visible(value)
    head = width // 2
    return shown if len(shown) <= width else f"{shown[:head]}…{shown[head + 1 - width :]}"


def text(value: object) -> Html:
    """A text as markup."""
    return value if isinstance(value, Html) else Html(escape(visible(value)))


def join(*parts: object) -> Html:
    """Parts one after the other; ``None`` is nothing."""
    return Html("".join(text(part) for part in parts if part is not None))


def el(name: str, /, *children: object, **attributes: Any) -> Html:
    """An element.

    Args:
        name: of the tag.
        *children: elements, and texts; ``None`` is nothing.
        **attributes: ``class_`` is ``class``, ``text_anchor`` is ``text-anchor``; ``None`` and
            ``False`` leave one out; numbers are rounded to two digits.
    """
    shown = "".join(_attribute(key, value) for key, value in attributes.items())
    end = "" if name in _VOID else f"{join(*children)}</{name}>"
    return Html(f"<{name}{shown}>{end}")


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    shown = f"{round(value, 2):g}" if isinstance(value, float) else value
    return f' {name}="{text(shown)}"'
