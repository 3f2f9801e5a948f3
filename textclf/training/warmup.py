"""Compile ahead what training and predicting will call, as when an image is built."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from textclf import machine_code
from textclf.features.tfidf import CountCache, fit_tfidf, join
from textclf.machine_code import compilation
from textclf.scorer.batch import BatchScorer
from textclf.scorer.scorer import SCORER, Scorer
from textclf.scorer.writer import compile_scorer
from textclf.search.column_merging import find_mergeable_columns
from textclf.search.refit import refit
from textclf.search.space import CandidateParams
from textclf.search.svm import liblinear, primal
from textclf.search.svm.dual import WIDTHS, BinaryProblem, DualSolver
from textclf.search.svm.linear_svc import held_out_decisions

_TEXTS = (
    *("a good day, and a fine one!", "a bad day for us all", "the parcel comes today") * 8,
    " ".join(map(str, range(1000))),  # more words than hash tables have room for at first
)
_LABELS = (*("good", "bad", "other") * 8, "other")

_FEATURES: tuple[Mapping[str, Mapping[str, Any]], ...] = (
    {"word": {"ngram_range": (1, 2), "stop_words": "english"}, "char_wb": {"ngram_range": (2, 3)}},
    {"char": {"ngram_range": (1, 3)}},
)
"""Blocks that together use every way to find tokens."""


@dataclass(frozen=True)
class Warmup:
    """What was compiled.

    Attributes:
        compiled: the number of functions, each for one kind of arguments, that were compiled now.
        loaded: the number of those that had been compiled before.
        seconds: how long compiling took.
        folder: the folder that all of them are in or below; ``None`` if they could not be kept.
    """

    compiled: int
    loaded: int
    seconds: float
    folder: str | None


def compile_ahead() -> Warmup:
    """Call every compiled function on a few texts, so that its machine code is on disk."""
    before = compilation.seconds
    for features in _FEATURES:
        _count_and_score(CandidateParams(features, "LinearSVC", {"dual": True}))
    for width in WIDTHS:
        _solve(width)
    saved, loaded = machine_code.saved, machine_code.loaded
    folders = {path.parent for path in (*saved, *loaded)}
    return Warmup(
        len(saved),
        len(loaded),
        round(compilation.seconds - before, 1),
        os.path.commonpath(folders) if folders else None,
    )


def _count_and_score(candidate: CandidateParams) -> None:
    """Train on the texts, and score them in a batch."""
    cache = CountCache.from_texts(_TEXTS, [candidate.features])
    model = refit(cache, _LABELS, candidate, seed=0)
    scorer = BatchScorer(Scorer(compile_scorer(model), name=SCORER))
    scorer.decide(_TEXTS)
    scorer.count_known(_TEXTS)


def _solve(width: int) -> None:
    """Solve linear SVMs in blocks of a width, on what a search would solve them on."""
    settings = {"ngram_range": (1, 2)}
    [counts] = CountCache.from_texts(_TEXTS, [{"word": settings}]).counts_for({"word": settings})
    rows = np.arange(len(_TEXTS))
    matrix: csr_matrix = join([fit_tfidf(counts, "word", settings, rows).of(counts)], rows)
    merged = find_mergeable_columns(matrix).apply(matrix)
    codes = np.unique(_LABELS, return_inverse=True)[1]
    problems = [BinaryProblem(number % 3, 1.0, 1.0) for number in range(width)]
    DualSolver(merged, codes, problems).solve(np.arange(width), 1e-2, 10, seed=0)
    primal.solve(merged, codes, problems)
    liblinear.solve(merged, codes == 0, 1.0, 1.0, seed=0)
    labels = np.asarray(_LABELS)
    for dual in (True, False):
        svc = LinearSVC(dual=dual, random_state=0)
        held_out_decisions([svc], merged, labels, merged)
