"""Load a version to predict with it: by the restricted loader or, if asked for, by joblib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.output import render

if TYPE_CHECKING:
    import semver

    from textclf.prediction.predictor import Predictor
    from textclf.registry.registry import Registry

UnsafeLoad = Annotated[
    bool,
    typer.Option(
        "--unsafe-load",
        help="Open the model file with joblib.load, which runs any code in it. Only for a file "
        "from a source you trust.",
    ),
]


def warn_of_code(name: str) -> None:
    """Warn that a file is opened in a way that runs whatever code it holds."""
    render.warning(f"--unsafe-load: {name} is opened without restrictions; any code in it runs now")


def load_predictor(registry: Registry, version: semver.Version, *, unsafe: bool) -> Predictor:
    """Load a version. Its digest, and its signature if one is required, are checked."""
    from textclf.prediction.predictor import Predictor

    if not unsafe:
        return Predictor.load(registry, version)
    from textclf.artifact.unsafe import load_anything

    data, name = registry.artifact(version), registry.locate(version)
    warn_of_code(name)
    pipeline, limits = load_anything(data, name=name), registry.metadata(version).limits
    return Predictor.from_pipeline(pipeline, version, limits)
