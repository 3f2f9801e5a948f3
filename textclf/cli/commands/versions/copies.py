"""``textclf versions push`` and ``pull``: copy versions to or from another registry."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textclf.cli.options.copies import (
    All,
    Source,
    Target,
    Versions,
    VersionsElsewhere,
    at_once,
    chosen_versions,
    completed_copies,
    open_both,
)
from textclf.cli.options.groups import CommonOptions, OutputOptions, option_groups
from textclf.cli.options.options import Models
from textclf.cli.output import render
from textclf.cli.output.copies import CopyAnswer, copy_line
from textclf.formatting import encodable, escape_controls

if TYPE_CHECKING:
    from textclf.registry.copying import CopiedVersion
    from textclf.registry.registry import Registry


@option_groups
def push(
    versions: Versions = None,
    *,
    to: Target,
    everything: All = False,
    common: CommonOptions,
) -> None:
    """Copy versions to another registry, under their own numbers, without promoting them.

    Examples:
      textclf versions push latest s3://my-bucket/team/reviews
      textclf versions push 1.0.0 1.1.0 /srv/models
      textclf versions push --all gs://my-bucket/reviews --models models

    More: docs/housekeeping.md, docs/remote.md
    """
    _copy(versions, common.models, to, everything=everything, output=common)


@option_groups
def pull(
    versions: VersionsElsewhere = None,
    *,
    source: Source,
    everything: All = False,
    common: CommonOptions,
) -> None:
    """Copy versions from another registry, under their own numbers, without promoting them.

    Examples:
      textclf versions pull latest s3://my-bucket/team/reviews
      textclf versions pull staging /srv/models
      textclf versions pull --all s3://my-bucket/team/reviews --models copy

    More: docs/housekeeping.md, docs/remote.md
    """
    _copy(versions, source, common.models, everything=everything, output=common)


def _copy(
    names: Sequence[str] | None,
    source: Models,
    target: Models,
    *,
    everything: bool,
    output: OutputOptions,
) -> None:
    """Copy versions, and say how to promote them where they are then."""
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
