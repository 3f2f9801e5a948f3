"""A published version → the model to predict with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textclf.prediction.scorer_model import ScorerModel
from textclf.scorer.scorer import SCORER, Scorer

if TYPE_CHECKING:
    from semver import Version

    from textclf.prediction.model import Model
    from textclf.registry.registry import Registry


def open_model(registry: Registry, version: Version) -> Model:
    """Open a version: its compiled scorer, which runs no code from a file.

    A version from before there were scorers is opened by the restricted unpickler, after its digest
    was checked, and compiled here.

    Raises:
        NoSuchVersion: it is not published.
        IntegrityError: a file is not what was published, or holds more than a model.
    """
    view = registry.view(version, SCORER)
    if view is not None:
        return ScorerModel(Scorer(view, name=registry.locate(version, SCORER)))
    from textclf.artifact.unpickler import load_pipeline

    name = registry.locate(version)
    return _compile(load_pipeline(registry.artifact(version), name=name), version, name)


def _compile(pipeline: Any, version: Version, name: str) -> Model:
    """Return the pipeline compiled, or as it is if its weights are infinite."""
    from textclf.prediction.pipeline_model import PipelineModel, installed_libraries_suit
    from textclf.scorer.writer import CannotCompile, compile_scorer

    try:
        with installed_libraries_suit(version):
            return ScorerModel(Scorer(compile_scorer(pipeline), name=name))
    except CannotCompile:
        return PipelineModel(pipeline, version)
