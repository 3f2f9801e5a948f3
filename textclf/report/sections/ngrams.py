"""The n-grams that speak most for each label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from textclf.metadata.schema import Metadata
from textclf.report.evidence import Ngram
from textclf.report.html import charts
from textclf.report.html.markup import Html, el, join, shorten
from textclf.report.subject import Subject, bdi

_LABELS = 100
"""The most that are shown."""

_NGRAM = 40
"""Characters."""


def one(subject: Subject) -> Html:
    """A list for each label."""
    if not subject.evidence:
        return subject.missing()
    found = subject.evidence.ngrams
    several = _several_blocks(found.values())
    parts = (
        el("section", el("h3", bdi(label)), _list(found[label], several=several))
        for label in _chosen(subject.metadata, list(found))
    )
    return join(_note(len(found)), el("div", *parts, class_="classes"))


def both(a: Subject, b: Subject) -> Html:
    """The lists of two versions, label by label."""
    if not a.evidence or not b.evidence:
        return join(*(join(el("h3", f"Version {each.version}"), one(each)) for each in (a, b)))
    before, after = a.evidence.ngrams, b.evidence.ngrams
    several = _several_blocks([*before.values(), *after.values()])
    labels = [*after, *(label for label in before if label not in after)]

    def part(label: str) -> Html:
        lists = (
            el(
                "div",
                el("p", each.version, class_="note"),
                _list(found.get(label, []), several=several),
            )
            for each, found in ((a, before), (b, after))
        )
        return el("section", el("h3", bdi(label)), el("div", *lists, class_="pair"))

    parts = map(part, _chosen(b.metadata, labels))
    return join(_note(len(labels)), el("div", *parts, class_="classes wide"))


def _several_blocks(lists: Iterable[Sequence[Ngram]]) -> bool:
    return len({ngram.block for each in lists for ngram in each}) > 1


def _note(labels: int) -> Html:
    chosen = f" Of the {_LABELS} labels with the most test rows." if labels > _LABELS else ""
    return el(
        "p",
        "The n-grams with the largest weights: the more of them a text has, the more speaks for "
        f"the label. A raised dot is a space.{chosen}",
        class_="note",
    )


def _chosen(metadata: Metadata, labels: Sequence[str]) -> Sequence[str]:
    """All labels in their order, or of very many those with the most test rows."""
    if len(labels) <= _LABELS:
        return labels
    tested = metadata.test.metrics.per_class
    by_rows = sorted(labels, key=lambda one: (-tested[one].support if one in tested else 0, one))
    return by_rows[:_LABELS]


def _list(found: Sequence[Ngram], *, several: bool) -> Html:
    if not found:
        return el("p", "None.", class_="note")
    items = (
        el(
            "li",
            el("span", _spaced(n.ngram), _block(n) if several else None),
            charts.bar(n.weight / found[0].weight),
            el("span", f"{n.weight:.2f}", class_="weight"),
        )
        for n in found
    )
    return el("ol", *items)


def _block(ngram: Ngram) -> Html:
    return el("span", f" {ngram.block}", class_="block")


def _spaced(ngram: str) -> Html:
    """An n-gram with its spaces to be seen."""
    words = shorten(ngram, _NGRAM).split(" ")
    gap = el("span", "·", class_="gap")
    parts: list[object] = [words[0]]
    for _, word in pairwise(words):
        parts += [gap, word]
    return el("code", el("bdi", *parts))
