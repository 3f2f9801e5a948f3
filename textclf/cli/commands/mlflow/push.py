"""``textclf mlflow push``: copy a version to MLflow."""

from __future__ import annotations

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.mlflow import MlflowOptions
from textclf.cli.options.options import Version
from textclf.cli.output import render


@option_groups
def push(version: Version, *, mlflow: MlflowOptions, common: CommonOptions) -> None:
    """Register a version in MLflow, with a run that has its metrics; once, however often it is run.

    Examples:
      textclf mlflow push latest
      textclf mlflow push 1.1.0 --name reviews
      textclf mlflow push 1.1.0 --tracking-uri http://localhost:5000

    More: docs/mlflow.md
    """
    from textclf.exporters.mlflow import mirror
    from textclf.exporters.mlflow.run import alias_of

    registry = common.open_registry()
    resolved = registry.resolve(version)
    pushed = mirror.push(registry, resolved, mlflow.connect())
    with render.answer_to_change(lambda: f"pushed {resolved}" if pushed.added else ""):
        if common.as_json:
            render.json(pushed)
            return
        uri = f"models:/{mlflow.name}@{alias_of(resolved)}"
        done = "pushed" if pushed.added else "is there already:"
        render.sentence(
            f"{done} {resolved} as version {pushed.mlflow_version} of {mlflow.name}, {uri}"
        )
