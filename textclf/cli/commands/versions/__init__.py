"""``textclf versions``: a file for each command of the group."""

from __future__ import annotations

import typer

from textclf.cli.command import Command, Group
from textclf.cli.commands.versions.compare import compare
from textclf.cli.commands.versions.export import export
from textclf.cli.commands.versions.import_ import import_
from textclf.cli.commands.versions.list_ import list_
from textclf.cli.commands.versions.prune import prune
from textclf.cli.commands.versions.pull import pull
from textclf.cli.commands.versions.push import push
from textclf.cli.commands.versions.report import report
from textclf.cli.commands.versions.show import show
from textclf.cli.commands.versions.tag import tag

versions = typer.Typer(name="versions", no_args_is_help=False, cls=Group)


@versions.callback(invoke_without_command=True)
def group(context: typer.Context) -> None:
    """List, show, compare, report on, tag, prune, export, import and copy versions.

    More: docs/registry.md, docs/housekeeping.md
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for _name, _command in {
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
}.items():
    versions.command(name=_name, cls=Command)(_command)
