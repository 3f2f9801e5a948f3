"""``textclf mirror``: copy a registry as a whole."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from textclf.cli.options.copies import Source, Target, at_once, completed_copies, open_both
from textclf.cli.options.groups import OutputOptions, option_groups
from textclf.cli.output import render
from textclf.cli.output.copies import MirrorAnswer, mirror_line
from textclf.cli.output.promotions import warn_of_kept_file
from textclf.formatting import encodable, escape_controls

if TYPE_CHECKING:
    from textclf.cli.options.options import Models
    from textclf.registry.mirroring import Mirrored


@option_groups
def mirror(source: Source, target: Target, *, output: OutputOptions) -> None:
    """Copy a registry as a whole, or what has changed in it: versions, logs, signatures, alias.

    Examples:
      textclf mirror models s3://my-bucket/team/reviews
      textclf mirror s3://my-bucket/team/reviews /mnt/backup/reviews
      textclf mirror s3://my-bucket/team/reviews gs://other-bucket/reviews --json

    More: docs/housekeeping.md, docs/remote.md
    """
    from textclf.registry import mirroring

    ours, theirs = open_both(output, source, target)
    with completed_copies(output) as stop:
        done = mirroring.mirror(
            ours,
            theirs,
            at_once=at_once(source, target),
            stop=stop,
            tell=lambda version: output.progress(f"copied {version}"),
        )
        _show(done, source, target, output)


def _show(done: Mirrored, source: Models, target: Models, output: OutputOptions) -> None:
    warn_of_kept_file(done.kept)
    line = mirror_line(done, str(source), str(target))
    with render.answer_to_change(lambda: line if done.changed else ""):
        if output.as_json:
            render.json(MirrorAnswer.from_mirroring(done, encodable(source), encodable(target)))
        else:
            render.sentence(escape_controls(line))
    if done.lost:
        lost = " ".join(done.lost)
        render.warning(f"lost in {source}, and kept in {target}: {lost.replace(' ', ', ')}")
        command = f"textclf versions pull {lost} {_quoted(target)} --models {_quoted(source)}"
        output.hint(f"to bring back what was lost: {command}")


def _quoted(models: Models) -> str:
    return shlex.quote(str(models))
