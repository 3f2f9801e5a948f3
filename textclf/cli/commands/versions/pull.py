"""``textclf versions pull``: copy versions from another registry."""

from __future__ import annotations

from textclf.cli.commands.versions.copies import copy
from textclf.cli.options.copies import All, Source, VersionsElsewhere
from textclf.cli.options.groups import CommonOptions, option_groups


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
    copy(versions, source, common.models, everything=everything, output=common)
