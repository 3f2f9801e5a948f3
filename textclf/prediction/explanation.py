"""Why a text has its label: how much each of its n-grams contributed, and where it stands."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textclf.metadata.token_pattern import compile_token_pattern
from textclf.scorer.ngrams import Block, preprocessor
from textclf.scorer.scorer import Scorer, Table, weighted_ngrams

if TYPE_CHECKING:
    from textclf.prediction.model import Prediction

Span = tuple[int, int]
"""A part of a text, from its first character to its last + 1."""


@dataclass(frozen=True)
class Contribution:
    """What one n-gram adds to the decision value of the explained label.

    Attributes:
        kind: ``word``, ``char`` or ``char_wb``.
        ngram: the n-gram as it is in the vocabulary, lower-cased if the model does that.
        count: how often it occurs in the text.
        contribution: above 0 if it supports the label.
        spans: the places in the text where it occurs.
    """

    kind: str
    ngram: str
    count: int
    contribution: float
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Explanation:
    """A prediction and what the decision value of its label is made of.

    Attributes:
        prediction: label and scores.
        explained: the label with the highest score, which is explained even where the threshold
            leaves the text without a label.
        decision: the decision value of that label: the sum of all contributions and the intercept.
            The scores are made of the decision values of all labels.
        intercept: the decision value of a text without any known n-gram.
        contributions: what the known n-grams of the text add, the largest in absolute value first.
    """

    prediction: Prediction
    explained: str
    decision: float
    intercept: float
    contributions: tuple[Contribution, ...]

    def marks(self) -> list[float]:
        """Return for each character of the text its share of the contributions that cover it."""
        marks = [0.0] * len(self.prediction.text)
        for part in self.contributions:
            covered = sum(end - begin for begin, end in part.spans)
            for begin, end in part.spans:
                for place in range(begin, end):
                    marks[place] += part.contribution / covered
        return marks

    def _repr_html_(self) -> str:
        from textclf.prediction.html import explanation_html

        return explanation_html(self)


def explain(scorer: Scorer, prediction: Prediction, label_index: int) -> Explanation:
    """Return the contributions of a text's n-grams to the decision value of a label."""
    single = scorer.settings.outputs == 1  # the one decision value is that of the second label
    sign = -1.0 if single and label_index == 0 else 1.0
    output = 0 if single else label_index
    contributions = [
        contribution
        for block, table in zip(scorer.settings.blocks, scorer.tables, strict=True)
        for contribution in _contributions(prediction.text, block, table, output, sign)
    ]
    contributions.sort(key=lambda part: -abs(part.contribution))
    intercept = sign * scorer.settings.intercept[output]
    decision = math.fsum([intercept, *(part.contribution for part in contributions)])
    label = scorer.labels[label_index]
    return Explanation(prediction, label, decision, intercept, tuple(contributions))


def _contributions(
    text: str, block: Block, table: Table, output: int, sign: float
) -> Iterator[Contribution]:
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    for ngram, span in _locate_ngrams(block, text):
        spans[ngram].append(span)
    counts = Counter({ngram: len(places) for ngram, places in spans.items()})
    known, norm = weighted_ngrams(counts, block, table)
    for ngram, value, row in known:
        visible = tuple(span for span in spans[ngram] if span[0] < span[1])
        amount = sign * value / norm * row[1 + output]
        yield Contribution(block.kind, ngram, counts[ngram], amount, visible)


def _locate_ngrams(block: Block, text: str) -> Iterator[tuple[str, Span]]:
    """Yield the n-grams that ``ngrams.analyzer`` gives, each with its place in the text."""
    prepared, places = _prepared(block, text)
    lo, hi = block.ngram_range
    if block.kind == "char":
        single_spaced, origins = _single_spaces(prepared)
        yield from _slices(single_spaced, [places[n] for n in origins], lo, hi)
    elif block.kind == "char_wb":
        for word in re.finditer(r"\S+", prepared):
            inner = places[word.start() : word.end() + 1]
            padded = f" {word[0]} "
            if len(padded) < lo:
                yield padded, (inner[0], inner[-1])
            yield from _slices(padded, [inner[0], *inner, inner[-1]], lo, hi)
    else:
        tokens = _tokens(block, prepared)
        for n in range(lo, min(hi, len(tokens)) + 1):
            for at in range(len(tokens) - n + 1):
                ngram = tokens[at : at + n]
                joined = " ".join(token for token, _, _ in ngram)
                yield joined, (places[ngram[0][1]], places[ngram[-1][2]])


def _prepared(block: Block, text: str) -> tuple[str, list[int]]:
    """Return the prepared text, and for each place in it (and its end) the place in the text."""
    prepare = preprocessor(block)
    sizes = [len(prepare(char)) for char in text]  # a character may become none, or several
    places = [place for place, size in enumerate(sizes) for _ in range(size)]
    return prepare(text), [*places, len(text)]


def _single_spaces(text: str) -> tuple[str, list[int]]:
    """Replace long white space by one space; return the places of all characters and the end."""
    kept: list[str] = []
    places: list[int] = []
    for match in re.finditer(r"\s\s+|.", text, re.DOTALL):
        kept.append(" " if len(match[0]) > 1 else match[0])
        places.append(match.start())
    return "".join(kept), [*places, len(text)]


def _slices(text: str, places: list[int], lo: int, hi: int) -> Iterator[tuple[str, Span]]:
    for n in range(lo, min(hi, len(text)) + 1):
        for at in range(len(text) - n + 1):
            yield text[at : at + n], (places[at], places[at + n])


def _tokens(block: Block, text: str) -> list[tuple[str, int, int]]:
    """Return the tokens that are not stop words, with their places."""
    pattern = compile_token_pattern(block.token_pattern)
    group = min(pattern.groups, 1)
    stop_words = frozenset(block.stop_words)
    tokens = ((match[group] or "", *match.span(group)) for match in pattern.finditer(text))
    return [token for token in tokens if token[0] not in stop_words]
