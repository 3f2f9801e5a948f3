"""Why a text has its label: how much each of its n-grams weighed, and where in the text it is."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from textclf.prediction.prediction import Prediction
from textclf.scorer.ngrams import Block, preprocessor
from textclf.scorer.scorer import Scorer, weighed

Span = tuple[int, int]


@dataclass(frozen=True)
class Contribution:
    """What one n-gram added to the decision value of the label.

    Attributes:
        kind: ``word``, ``char`` or ``char_wb``.
        ngram: as the model knows it: lower-cased, if it does that.
        count: how often it is in the text.
        contribution: above 0 if it speaks for the label.
        spans: where it is in the text, each from its first character to its last + 1.
    """

    kind: str
    ngram: str
    count: int
    contribution: float
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Explanation:
    """A prediction and what it is made of.

    Attributes:
        prediction: label and scores.
        explained: the label with the highest score, which is what is explained even where the
            threshold leaves a text without one.
        decision: that label's decision value: the sum of all contributions and the intercept.
            Scores are made of these values, of each label one.
        intercept: what the model says without any n-gram.
        contributions: of the known n-grams, the weightiest first.
    """

    prediction: Prediction
    explained: str
    decision: float
    intercept: float
    contributions: tuple[Contribution, ...]

    def marks(self) -> list[float]:
        """For each character of the text its share of the contributions that cover it."""
        marks = [0.0] * len(self.prediction.text)
        for each in self.contributions:
            covered = sum(end - begin for begin, end in each.spans)
            for begin, end in each.spans:
                for place in range(begin, end):
                    marks[place] += each.contribution / covered
        return marks


def explained(scorer: Scorer, prediction: Prediction, number: int) -> Explanation:
    """Explain the label of a number."""
    found: list[Contribution] = []
    outputs = scorer.settings.outputs
    sign = -1.0 if outputs == 1 and number == 0 else 1.0
    output = 0 if outputs == 1 else number
    for block, table in zip(scorer.settings.blocks, scorer.tables, strict=True):
        spans: defaultdict[str, list[Span]] = defaultdict(list)
        for gram, span in located(block, prediction.text):
            spans[gram].append(span)
        counts = Counter({gram: len(places) for gram, places in spans.items()})
        known, norm = weighed(counts, block, table)
        found += [
            Contribution(
                block.kind, gram, counts[gram], sign * value / norm * row[1 + output],
                tuple(span for span in spans[gram] if span[0] < span[1]),
            )
            for gram, value, row in known
        ]  # fmt: skip
    found.sort(key=lambda each: -abs(each.contribution))
    intercept = sign * scorer.settings.intercept[output]
    decision = math.fsum([intercept, *(each.contribution for each in found)])
    return Explanation(prediction, scorer.labels[number], decision, intercept, tuple(found))


def located(block: Block, text: str) -> Iterator[tuple[str, Span]]:
    """The n-grams of a text as ``ngrams.analyzer`` finds them, each with its place in the text."""
    prepared, places = _prepared(block, text)
    lo, hi = block.ngram_range
    if block.kind == "char":
        whole, at = _single_spaces(prepared)
        yield from _slices(whole, [places[n] for n in at], lo, hi)
    elif block.kind == "char_wb":
        for word in re.finditer(r"\S+", prepared):
            inner = places[word.start() : word.end() + 1]
            padded = f" {word[0]} "
            at = [inner[0], *inner, inner[-1]]
            if len(padded) < lo:
                yield padded, (inner[0], inner[-1])
            yield from _slices(padded, at, lo, hi)
    else:
        tokens = _tokens(block, prepared)
        for n in range(lo, hi + 1):
            for some in zip(*(tokens[skip:] for skip in range(n)), strict=False):
                joined = " ".join(token for token, _, _ in some)
                yield joined, (places[some[0][1]], places[some[-1][2]])


def _prepared(block: Block, text: str) -> tuple[str, list[int]]:
    """The prepared text, and for each place in it (and its end) the place in the text."""
    prepare = preprocessor(block)
    sizes = [len(prepare(char)) for char in text]  # a character may become none, or several
    places = [place for place, size in enumerate(sizes) for _ in range(size)]
    return prepare(text), [*places, len(text)]


def _single_spaces(text: str) -> tuple[str, list[int]]:
    """The text with long white space made one, and the place of each character and of the end."""
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
    """Tokens that are no stop words, with their places."""
    pattern = re.compile(block.token_pattern)
    group = min(pattern.groups, 1)
    dropped = frozenset(block.stop_words)
    found = ((match[group] or "", *match.span(group)) for match in pattern.finditer(text))
    return [token for token in found if token[0] not in dropped]
