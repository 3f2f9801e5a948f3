"""What ``textclf versions push`` and ``textclf versions pull`` both do."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textclf.cli.options.copies import at_once, chosen_versions, completed_copies, open_both
from textclf.cli.output import render
from textclf.cli.output.copies import CopyAnswer, copy_line
from textclf.formatting import encodable, escape_controls

if TYPE_CHECKING:
    from textclf.cli.options.groups import OutputOptions
    from textclf.cli.options.options import Models
    from textclf.registry.copying import CopiedVersion
    from textclf.registry.registry import Registry


def copy(
    names: Sequence[str] | None,
    source: Models,
    target: Models,
    *,
    everything: bool,
    output: OutputOptions,
) -> None:
    """Copy versions from one registry to another, and say how to promote them there."""
    from textclf.registry.copying import copy_versions

    ours, theirs = open_both(output, source, target)
    versions = chosen_versions(names, ours, theirs, everything=everything)
    copied: list[CopiedVersion] = []
    with render.answer_to_change(lambda: _done(copied, target)):
        with completed_copies(output) as stop:
            for one in copy_versions(
                ours, theirs, versions, at_once=at_once(source, target), stop=stop
            ):
                copied.append(one)
                if not output.as_json:
                    render.sentence(escape_controls(copy_line(one, str(target))))
        if output.as_json:
            copied.sort(key=lambda one: list(map(str, versions)).index(one.version))
            render.json(CopyAnswer(encodable(source), encodable(target), copied))
    _hint_at_promotion(copied, theirs, target, output)


def _done(copied: Sequence[CopiedVersion], target: Models) -> str:
    new = [one.version for one in copied if one.changed]
    return f"copied {', '.join(new)} to {target}" if new else ""


def _hint_at_promotion(
    copied: Sequence[CopiedVersion], registry: Registry, target: Models, output: OutputOptions
) -> None:
    """Say how to promote the highest version that was copied, unless it is promoted."""
    from textclf.metadata.versions import parse_version

    new = [parse_version(one.version) for one in copied if one.changed]
    if new and not output.as_json and registry.latest() != max(new):
        which = "it" if len(new) == 1 else "the highest"
        where = shlex.quote(str(target))
        output.hint(
            f"not promoted; to promote {which}: textclf promote {max(new)} --models {where}"
        )
