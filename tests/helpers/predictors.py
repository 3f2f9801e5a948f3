"""Predictors with small models, made in memory or published."""

import numpy as np
import registries
from sklearn.pipeline import Pipeline

from textclf.artifact.model_file import to_bytes
from textclf.metadata.versions import FIRST, parse_version
from textclf.prediction.predictor import Predictor
from textclf.prediction.scorer_model import ScorerModel
from textclf.scorer.scorer import SCORER, Scorer
from textclf.scorer.writer import compile_scorer
from textclf.search.calibration import calibrate
from textclf.search.estimators import build_pipeline
from textclf.search.space import CandidateParams


def fitted_on(sample, classifier, labels=None, **settings):
    texts, all_labels = sample
    rows = [n for n, label in enumerate(all_labels) if labels is None or label in labels]
    return build_pipeline(CandidateParams({"word": {}}, classifier, settings), 0).fit(
        [texts[n] for n in rows], [all_labels[n] for n in rows]
    )


def opened(fitted):
    return Predictor(ScorerModel(Scorer(compile_scorer(fitted), name="model")), FIRST)


def predictor(sample, classifier, labels=None, **settings):
    fitted = fitted_on(sample, classifier, labels, **settings)
    return opened(fitted), fitted


def with_probabilities(sample, fitted):
    """The pipeline with a temperature, fitted on rows that it has seen: good enough here."""
    pairs = [pair for pair in zip(*sample, strict=True) if pair[1] in fitted.classes_]
    texts, labels = zip(*pairs, strict=True)
    last = calibrate(fitted["classifier"], fitted.decision_function(texts), np.array(labels))
    return Pipeline([fitted.steps[0], ("classifier", last)])


def published(root, sample, classifier="LinearSVC", *, promote=True, **scorer):
    """Publish a real model, and promote it; return the registry and the pipeline.

    ``scorer`` are arguments of its compilation, or ``compiled=False``.
    """
    registry = registries.open_registry(root)
    fitted = fitted_on(sample, classifier)
    data = to_bytes(fitted)
    compiled = scorer.pop("compiled", True)
    files = {SCORER: compile_scorer(fitted, **scorer)} if compiled else None
    number = f"1.{len(registry.numbers())}.0"
    record = registries.metadata(number, data)
    version = parse_version(registry.publish(record, data, files).version)
    if promote:
        registry.promote(version)
    return registry, fitted
