"""``textclf versions``: the commands of the group."""

from __future__ import annotations

from textclf.cli.command import CommandGroup

versions = CommandGroup(
    "versions",
    {
        "list": "versions.list_.list_",
        "show": "versions.show.show",
        "compare": "versions.compare.compare",
        "report": "versions.report.report",
        "tag": "versions.tag.tag",
        "prune": "versions.prune.prune",
        "export": "versions.archives.export",
        "import": "versions.archives.import_",
        "push": "versions.copies.push",
        "pull": "versions.copies.pull",
    },
    """List, show, compare, report on, tag, prune, export, import and copy versions.

    More: docs/registry.md, docs/housekeeping.md
    """,
)
