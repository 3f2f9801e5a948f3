"""``textclf versions push``: copy versions to another registry."""

from __future__ import annotations

from textclf.cli.commands.versions.copies import copy
from textclf.cli.options.copies import All, Target, Versions
from textclf.cli.options.groups import CommonOptions, option_groups


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
    copy(versions, common.models, to, everything=everything, output=common)
