"""``textclf versions``: the commands of the group."""

from __future__ import annotations

from textclf.cli.command import command_group
from textclf.cli.commands.versions.archives import export, import_
from textclf.cli.commands.versions.compare import compare
from textclf.cli.commands.versions.copies import pull, push
from textclf.cli.commands.versions.list_ import list_
from textclf.cli.commands.versions.prune import prune
from textclf.cli.commands.versions.report import report
from textclf.cli.commands.versions.show import show
from textclf.cli.commands.versions.tag import tag

versions = command_group(
    "versions",
    {
        "list": list_,
        "show": show,
        "compare": compare,
        "report": report,
        "tag": tag,
        "prune": prune,
        "export": export,
        "import": import_,
        "push": push,
        "pull": pull,
    },
    """List, show, compare, report on, tag, prune, export, import and copy versions.

    More: docs/registry.md, docs/housekeeping.md
    """,
)
