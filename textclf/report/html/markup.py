"""HTML and SVG, built of elements. Whatever is not an element is text, and is escaped.

No element gets a ``style`` or an event handler: the page's own policy forbids both.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from textclf.formatting import INVISIBLE

# Control characters except tab and line feed, and noncharacters, which a page must not hold
_UNPRINTABLE = re.compile(f"[\x00-\x08\x0b-\x1f{INVISIBLE}\ufdd0-\ufdef\ufffe\uffff]")
_VOID = {"br", "col", "input", "link", "meta"}


class Html(str):
    """Markup, which is not escaped again."""

    __slots__ = ()


def text(value: object) -> Html:
    r"""Return a text as markup; unprintable characters become escapes (``\x1b``)."""
    if isinstance(value, Html):
        return value
    return Html(escape(_UNPRINTABLE.sub(lambda match: repr(match[0])[1:-1], str(value))))


def join(*parts: object) -> Html:
    """Return parts one after the other; ``None`` is left out."""
    return Html("".join(text(part) for part in parts if part is not None))


def el(name: str, /, *children: object, **attributes: Any) -> Html:
    """Return an element.

    Args:
        name: the tag.
        *children: elements and texts; ``None`` is left out.
        **attributes: ``class_`` is ``class``, ``text_anchor`` is ``text-anchor``; those that are
            ``None`` or ``False`` are left out; numbers are rounded to two digits.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    end = "" if name in _VOID else f"{join(*children)}</{name}>"
    return Html(f"<{name}{written}>{end}")


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    written = f"{round(value, 2):g}" if isinstance(value, float) else value
    return f' {name}="{text(written)}"'


def document(title: str, *body: Html, style: Html, referrer: str, policy: str | None = None) -> str:
    """Return a whole page for light and dark screens of any width.

    Args:
        title: its title.
        *body: its content.
        style: the element with its style sheet, or the link to it.
        referrer: what links to elsewhere tell of this page.
        policy: the Content-Security-Policy, if the page itself says it.
    """
    head = el(
        "head",
        el("meta", charset="utf-8"),
        policy and el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name_="color-scheme", content="light dark"),
        el("meta", name_="referrer", content=referrer),
        el("title", title),
        style,
    )
    return f"<!doctype html>\n{el('html', head, el('body', *body), lang='en')}\n"
