"""``textclf versions list``: a table of all versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.output import render
from textclf.cli.output.answers import tag_list
from textclf.errors import IntegrityError, StoreError, TextclfError
from textclf.formatting import excerpt, percent
from textclf.metadata.channels import LATEST

if TYPE_CHECKING:
    from textclf.metadata.schema import Summary

_RIGHT = ["cv acc", "test acc", "macro F1", "rows"]
_SPARE = ["cv acc", "rows", "test acc"]


@option_groups
def list_(common: CommonOptions) -> None:
    """List every version, highest first, with the promoted one marked.

    Examples:
      textclf versions list
      textclf versions list --models /srv/models
      textclf versions list --json

    More: docs/registry.md
    """
    registry = common.open_registry()
    results = list(registry.summaries())
    summaries = [result for result in results if not isinstance(result, TextclfError)]
    damaged: list[TextclfError] = [result for result in results if isinstance(result, TextclfError)]
    channels, unknown = registry.promoted_in()
    damaged += unknown
    tags = {}
    try:
        states = registry.events.version_states().items()
        tags = {version: state.tags for version, state in states if state.tags}
    except StoreError as unreadable:
        damaged.append(unreadable)
    if common.as_json:
        render.json([_listed(s, channels, tags.get(s.version, {})) for s in summaries])
    elif summaries:
        columns = ["version", "", "saved (UTC)", *_RIGHT, *(["tags"] if tags else []), "message"]
        render.table(
            columns, (_row(s, channels, tags) for s in summaries), right=_RIGHT, spare=_SPARE
        )
    else:
        common.hint(f"no versions in {common.models} yet; to train one: textclf train")
    for error in damaged:
        render.warning(str(error))
    if damaged:
        raise typer.Exit(IntegrityError.exit_code)


@dataclass(frozen=True)
class ListedVersion:
    """An entry of the JSON of ``textclf versions list``."""

    version: str
    latest: bool
    saved_at: str
    best_cv_accuracy: float | None
    test_accuracy: float
    macro_f1: float
    rows: int | None
    message: str | None
    tags: Mapping[str, str]
    channels: Sequence[str]
    untrusted: bool


def _listed(
    summary: Summary, channels: Mapping[str, Sequence[str]], tags: Mapping[str, str]
) -> ListedVersion:
    promoted_in = channels.get(summary.version, [])
    return ListedVersion(
        version=summary.version,
        latest=LATEST in promoted_in,
        saved_at=summary.saved_at,
        best_cv_accuracy=summary.best_cv_accuracy,
        test_accuracy=summary.test_accuracy,
        macro_f1=summary.test.metrics.macro_f1,
        rows=summary.rows,
        message=summary.message,
        tags=tags,
        channels=promoted_in,
        untrusted=summary.is_untrusted,
    )


def _row(
    summary: Summary,
    channels: Mapping[str, Sequence[str]],
    tags: Mapping[str, Mapping[str, str]],
) -> list[object]:
    marks = [*channels.get(summary.version, []), *(["untrusted"] if summary.is_untrusted else [])]
    return [
        summary.version,
        ", ".join(marks),
        summary.saved_at[:16].replace("T", " "),
        percent(summary.best_cv_accuracy),
        percent(summary.test_accuracy),
        percent(summary.test.metrics.macro_f1),
        "unknown" if summary.rows is None else summary.rows,
        *([tag_list(tags.get(summary.version, {}))] if tags else []),
        excerpt(summary.message or ""),
    ]
