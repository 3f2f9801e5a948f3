"""A published version → the model to predict with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textclf.errors import UnsafeModel
from textclf.prediction.scorer_model import ScorerModel
from textclf.scorer.scorer import SCORER, Scorer

if TYPE_CHECKING:
    from semver import Version

    from textclf.metadata.limits import Limits
    from textclf.prediction.model import Model
    from textclf.registry.registry import Registry


def open_model(registry: Registry, version: Version, *, in_memory: bool = False) -> Model:
    """Open a version: its compiled scorer, which runs no code from a file.

    A version without one is opened by the restricted unpickler, after its digest was checked. If it
    was trained before there were scorers, it is compiled here.

    Args:
        registry: the versions.
        version: the version to open.
        in_memory: whether the scorer is read as a whole and its digest is checked, so that nothing
            that happens to the file later matters. Otherwise it is mapped, which takes no time.

    Raises:
        NoSuchVersion: it is not published.
        IntegrityError: a file is not what was published, or holds more than a model.
        UnsafeModel: it was published as untrusted.
    """
    view = (registry.file if in_memory else registry.view)(version, SCORER)
    if view is not None:
        return ScorerModel(Scorer(view, name=registry.locate(version, SCORER)))
    metadata = registry.metadata(version)
    if metadata.is_untrusted:
        raise UnsafeModel(
            f"{version} was published as untrusted: opening its model file runs any code in it",
            hint="if you trust it: predict, pick, evaluate and versions compare open it with "
            "--unsafe-load, and load() with unsafe_load=True; no other command does",
        )
    from textclf.artifact.unpickler import load_pipeline

    name = registry.locate(version)
    pipeline = load_pipeline(registry.artifact(version), name=name)
    return _compile(pipeline, version, metadata.limits, name)


def open_unsafe(registry: Registry, version: Version) -> Model:
    """Open a version by its compiled scorer or, if it has none, by ``joblib.load``.

    That runs any code in the model file; its digest is checked before.

    Raises:
        NoSuchVersion: it is not published.
        IntegrityError: a file is not what was published, or cannot be opened.
    """
    if registry.view(version, SCORER) is not None:
        return open_model(registry, version)
    from textclf.artifact.unsafe import load_anything
    from textclf.prediction.pipeline_model import PipelineModel

    name = registry.locate(version)
    pipeline = load_anything(registry.artifact(version), name=name)
    return PipelineModel(pipeline, version, registry.metadata(version).limits)


def _compile(pipeline: Any, version: Version, limits: Limits, name: str) -> Model:
    """Return the pipeline compiled, or as it is if its weights are infinite."""
    from textclf.prediction.pipeline_model import PipelineModel, installed_libraries_suit
    from textclf.scorer.writer import CannotCompile, compile_scorer

    try:
        with installed_libraries_suit(version):
            return ScorerModel(Scorer(compile_scorer(pipeline, **limits.given()), name=name))
    except CannotCompile:
        return PipelineModel(pipeline, version, limits)
