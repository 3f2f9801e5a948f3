"""``textclf mlflow``: a file for each command of the group."""

from __future__ import annotations

import typer

from textclf.cli.command import Command, Group
from textclf.cli.commands.mlflow.pull import pull
from textclf.cli.commands.mlflow.push import push
from textclf.cli.commands.mlflow.sync import sync

mlflow = typer.Typer(name="mlflow", no_args_is_help=False, cls=Group)


@mlflow.callback(invoke_without_command=True)
def group(context: typer.Context) -> None:
    """Copy versions to MLflow, let its aliases follow promotions, and publish pipelines from it.

    More: docs/mlflow.md
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for _name, _command in {"push": push, "sync": sync, "pull": pull}.items():
    mlflow.command(name=_name, cls=Command)(_command)
