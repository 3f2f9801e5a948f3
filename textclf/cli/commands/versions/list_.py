"""``textclf versions list``: a table of all versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.output import render
from textclf.errors import IntegrityError, TextclfError
from textclf.formatting import excerpt, percent, tag_list

if TYPE_CHECKING:
    from textclf.registry.listing import ListedVersion

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
    from textclf.registry.listing import read_marks

    registry = common.open_registry()
    results = list(registry.summaries())
    marks = read_marks(registry)
    versions = [marks.listed(one) for one in results if not isinstance(one, TextclfError)]
    damaged = [one for one in results if isinstance(one, TextclfError)]
    if common.as_json:
        render.json(versions)
    elif versions:
        tags = ["tags"] if marks.tags else []
        columns = ["version", "", "saved (UTC)", *_RIGHT, *tags, "message"]
        rows = (_row(version, with_tags=bool(tags)) for version in versions)
        render.table(columns, rows, right=_RIGHT, spare=_SPARE)
    else:
        common.hint(f"no versions in {common.models} yet; to train one: textclf train")
    problems = [*damaged, *marks.problems]
    for error in problems:
        render.warning(str(error))
    if problems:
        raise typer.Exit(IntegrityError.exit_code)


def _row(version: ListedVersion, *, with_tags: bool) -> list[object]:
    return [
        version.version,
        ", ".join(version.marks),
        version.saved,
        percent(version.best_cv_accuracy),
        percent(version.test_accuracy),
        percent(version.macro_f1),
        "unknown" if version.rows is None else version.rows,
        *([tag_list(version.tags)] if with_tags else []),
        excerpt(version.message or ""),
    ]
