"""``textclf versions show``: everything that is recorded about one version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Version
from textclf.cli.output import render, version_facts


@dataclass(frozen=True)
class FurtherFields:
    """What the JSON of ``textclf versions show`` has after the fields of the metadata."""

    latest: bool
    tags: Mapping[str, str]


@option_groups
def show(version: Version, *, common: CommonOptions) -> None:
    """Show everything that is recorded about one version.

    Examples:
      textclf versions show latest
      textclf versions show 1.0.0
      textclf versions show previous --json

    More: docs/metadata.md
    """
    from textclf.metadata.schema import METADATA

    registry = common.open_registry()
    resolved = registry.resolve(version)
    metadata = registry.unverified_metadata(resolved)
    latest = registry.latest() == resolved
    tags = registry.events.version_state(resolved).tags
    if problem := registry.signature_problem(resolved):
        render.warning(f"{registry.locate(resolved, METADATA)} {problem}")
    if common.as_json:
        render.json(version_facts.metadata_with(metadata, FurtherFields(latest, tags)))
        return
    version_facts.show(metadata, registry.locate(resolved), tags, latest=latest)
