"""Many texts at once through a compiled scorer: compiled loops on all cores, the same answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from textclf.features.tokens import chunks
from textclf.scorer.batch_ngrams import (
    Lookup,
    Places,
    Values,
    add_contributions,
    count_known,
    room_for_ngrams,
)
from textclf.scorer.batch_tokens import token_finder
from textclf.scorer.ngrams import preprocessor
from textclf.scorer.scorer import Scorer, damaged, known_blocks

_Of = TypeVar("_Of", Values, Places)

CHUNK = 1 << 18
"""Characters that a thread handles at a time; one text may have more."""

_NORMS = {None: 0, "l1": 1, "l2": 2}


class BatchScorer:
    """A scorer for many texts; its methods may be called from any thread."""

    def __init__(self, scorer: Scorer) -> None:
        """Make one.

        Raises:
            IntegrityError: the index of the scorer leads out of it.
        """
        self._scorer = scorer
        self._parts = [
            (block, token_finder(block), preprocessor(block), Lookup.from_table(table, scorer.name))
            for block, table in zip(scorer.settings.blocks, scorer.tables, strict=True)
        ]
        self._intercept = np.asarray(scorer.settings.intercept)

    def decide(self, texts: Sequence[str]) -> Values:
        """Return the decision values of texts, (texts, outputs).

        Raises:
            IntegrityError: the file is damaged, and a value is not a number.
        """
        parts = _in_threads(self._decide, texts)
        return np.concatenate([np.empty((0, len(self._intercept))), *parts])

    def count_known(self, texts: Sequence[str]) -> Places:
        """Return what `Scorer.count_known` does, of texts, (texts, 2)."""
        parts = _in_threads(self._count_known, texts)
        return np.concatenate([np.empty((0, 2), np.int64), *parts])

    def scores(self, decisions: Values) -> Values:
        """Return a score for each label, (texts, labels), from decision values."""
        settings = self._scorer.settings
        return self._require_finite(_LINKS[settings.link](decisions, settings.scale))

    def _decide(self, texts: Sequence[str]) -> Values:
        values = np.tile(self._intercept, (len(texts), 1))
        prepared: dict[Any, list[str]] = {}
        for block, find_tokens, prepare, lookup in self._parts:
            key = block.lowercase, block.strip_accents
            if key not in prepared:
                prepared[key] = list(map(prepare, texts))
            lo, hi = block.ngram_range
            tokens = find_tokens(prepared[key])
            ngrams = room_for_ngrams(tokens, lo, hi)
            add_contributions(
                tokens, lookup, lo, hi, block.kind == "char_wb",
                block.binary, block.sublinear_tf, _NORMS[block.norm],
                ngrams, np.zeros(2 << len(ngrams).bit_length(), np.int64),
                np.empty(len(ngrams), np.int64), np.empty(values.shape[1]), values,
            )  # fmt: skip
        return self._require_finite(values)

    def _count_known(self, texts: Sequence[str]) -> Places:
        counts = np.zeros((len(texts), 2), np.int64)
        for number in known_blocks(self._scorer.settings.blocks):
            block, find_tokens, prepare, lookup = self._parts[number]
            tokens = find_tokens(list(map(prepare, texts)))
            lo, hi = block.ngram_range
            ngrams = room_for_ngrams(tokens, lo, hi)
            count_known(tokens, lookup, lo, hi, block.kind == "char_wb", ngrams, counts)
        return counts

    def _require_finite(self, values: Values) -> Values:
        if not np.isfinite(values).all():
            raise damaged(self._scorer.name, "a score is not a number")
        return values


def _in_threads(function: Callable[[Sequence[str]], _Of], texts: Sequence[str]) -> Iterator[_Of]:
    """Yield what a function returns of each part of some texts; the parts are handled at once."""
    parts = list(chunks(texts, CHUNK))
    if len(parts) < 2:  # noqa: PLR2004 - one needs no second thread
        yield from map(function, parts)
        return
    with ThreadPoolExecutor(cores()) as pool:
        yield from pool.map(function, parts)


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def label_indices(decisions: Values) -> Places:
    """Return the index of the label of each text, from decision values."""
    if decisions.shape[1] == 1:
        return (decisions[:, 0] > 0).astype(np.int64)
    indices: Places = decisions.argmax(axis=1)
    return indices


def _both(decisions: Values) -> Values:
    """Return decision values with one for each label."""
    return decisions if decisions.shape[1] > 1 else np.column_stack([-decisions, decisions])


def _softmax(decisions: Values, scale: float) -> Values:
    values = scale * _both(decisions)
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    shares: Values = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _shares(parts: Values) -> Values:
    if parts.shape[1] == 1:
        return np.column_stack([1 - parts, parts])
    totals = parts.sum(axis=1, keepdims=True)
    return np.where(totals == 0, 1 / parts.shape[1], parts / np.where(totals == 0, 1, totals))


def _sigmoid(values: Values) -> Values:
    shares: Values = 1 / (1 + np.exp(-np.maximum(values, -700)))
    return shares


_LINKS: dict[str, Callable[[Values, float], Values]] = {
    "softmax": _softmax,
    "logistic": lambda decisions, _: _shares(_sigmoid(decisions)),
    "clip": lambda decisions, _: _shares((np.clip(decisions, -1, 1) + 1) / 2),
    "none": lambda decisions, _: _both(decisions),
}
