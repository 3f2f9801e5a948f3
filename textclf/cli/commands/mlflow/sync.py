"""``textclf mlflow sync``: let MLflow follow the promotion logs."""

from __future__ import annotations

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.mlflow import MlflowOptions
from textclf.cli.output import render


@option_groups
def sync(*, mlflow: MlflowOptions, common: CommonOptions) -> None:
    """Give MLflow the promoted versions, and their aliases: champion and one for each channel.

    Examples:
      textclf mlflow sync
      textclf mlflow sync --name reviews
      textclf mlflow sync --tracking-uri http://localhost:5000

    More: docs/mlflow.md
    """
    from textclf.exporters.mlflow import mirror

    registry = common.open_registry()
    synced = mirror.sync(registry, mlflow.connect())
    added = [one.version for one in synced.pushed if one.added]
    with render.answer_to_change(lambda: "MLflow follows the log" if synced.moved else ""):
        if common.as_json:
            render.json(synced)
            return
        if added:
            render.sentence(f"pushed {', '.join(added)}")
        for alias, version in synced.aliases.items():
            now = "now" if alias in synced.moved else "still"
            render.sentence(f"models:/{mlflow.name}@{alias} is {now} {version}")
