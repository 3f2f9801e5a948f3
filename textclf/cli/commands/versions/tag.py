"""``textclf versions tag``: add, remove and show tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Message, Version, require_utf8
from textclf.cli.output import render
from textclf.errors import UsageError
from textclf.formatting import escape_controls, tag_list


def _all_utf8(texts: list[str] | None) -> list[str]:
    return [text for text in texts or [] if require_utf8(text) is not None]


Tags = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY=VALUE]...",
        callback=_all_utf8,
        help="Tags to add; without any, the version's tags are shown.",
    ),
]
Remove = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY", callback=_all_utf8, help="A tag to remove; repeatable."),
]


@dataclass(frozen=True)
class TagAnswer:
    """The JSON of ``textclf versions tag``."""

    version: str
    tags: Mapping[str, str]


@option_groups
def tag(
    version: Version,
    tags: Tags = None,
    remove: Remove = None,
    message: Message = None,
    *,
    common: CommonOptions,
) -> None:
    """Add tags to a version or remove them; a tagged version is never pruned.

    Examples:
      textclf versions tag 1.0.0 prod=eu approved-by=ada
      textclf versions tag 1.0.0
      textclf versions tag 1.0.0 --remove prod

    More: docs/housekeeping.md
    """
    registry = common.open_registry(to_write=bool(tags or remove))
    resolved = registry.resolve(version)
    changes = {**dict(map(_key_and_value, tags or [])), **dict.fromkeys(remove or [])}
    with deferred_interrupts():
        remaining = registry.tag(resolved, changes, message=message)
    done = f"changed the tags of {resolved}" if changes else ""
    with render.answer_to_change(lambda: done):
        if common.as_json:
            render.json(TagAnswer(str(resolved), remaining))
        else:
            render.sentence(escape_controls(f"{resolved}: {tag_list(remaining) or 'no tags'}"))


def _key_and_value(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(
            f"{text!r} is not a valid tag: write KEY=VALUE", hint=f"--remove {text} removes a tag"
        )
    return key, value
