"""The n-grams that support each label most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from textclf.formatting import excerpt
from textclf.metadata.schema import Metadata
from textclf.report.html import charts
from textclf.report.html.markup import Html, el, join
from textclf.report.report_data import Ngram
from textclf.report.subject import Subject, bdi

_LABELS = 100
"""The most labels that are shown."""

_WIDTH = 40
"""Characters of an n-gram that are shown."""


def section(subject: Subject) -> Html:
    """Show a list for each label."""
    if not subject.data:
        return subject.missing_data()
    ngrams = subject.data.ngrams
    if not ngrams:
        return el("p", "The n-grams of a pipeline that is not compiled are not known to textclf.")
    with_block = _has_several_blocks(ngrams.values())
    parts = (
        el("section", el("h3", bdi(label)), _list(ngrams[label], with_block=with_block))
        for label in _most_tested(subject.metadata, list(ngrams))
    )
    return join(_note(len(ngrams)), el("div", *parts, class_="classes"))


def comparison(a: Subject, b: Subject) -> Html | None:
    """Show the lists of two versions side by side; ``None`` if a version has no report data."""
    if not a.data or not b.data:
        return None
    before, after = a.data.ngrams, b.data.ngrams
    with_block = _has_several_blocks([*before.values(), *after.values()])
    labels = [*after, *(label for label in before if label not in after)]

    def part(label: str) -> Html:
        lists = (
            el(
                "div",
                el("p", subject.version, class_="note"),
                _list(ngrams.get(label, []), with_block=with_block),
            )
            for subject, ngrams in ((a, before), (b, after))
        )
        return el("section", el("h3", bdi(label)), el("div", *lists, class_="pair"))

    parts = map(part, _most_tested(b.metadata, labels))
    return join(_note(len(labels)), el("div", *parts, class_="classes wide"))


def _has_several_blocks(lists: Iterable[Sequence[Ngram]]) -> bool:
    return len({ngram.block for ngrams in lists for ngram in ngrams}) > 1


def _note(labels: int) -> Html:
    limit = f" Only the {_LABELS} labels with the most test rows are shown." * (labels > _LABELS)
    return el(
        "p",
        "The n-grams with the largest weights: each occurrence in a text supports the label. "
        f"A raised dot is a space.{limit}",
        class_="note",
    )


def _most_tested(metadata: Metadata, labels: Sequence[str]) -> Sequence[str]:
    """Return all labels in their order, or of very many those with the most test rows."""
    if len(labels) <= _LABELS:
        return labels
    tested = metadata.test.metrics.per_class

    def rank(label: str) -> tuple[int, str]:
        return (-tested[label].support if label in tested else 0, label)

    return sorted(labels, key=rank)[:_LABELS]


def _list(ngrams: Sequence[Ngram], *, with_block: bool) -> Html:
    if not ngrams:
        return el("p", "None.", class_="note")
    items = (
        el(
            "li",
            el("span", _visible_spaces(n.ngram), _block(n) if with_block else None),
            charts.bar(n.weight / ngrams[0].weight),
            el("span", f"{n.weight:.2f}", class_="weight"),
        )
        for n in ngrams
    )
    return el("ol", *items)


def _block(ngram: Ngram) -> Html:
    return el("span", f" {ngram.block}", class_="block")


def _visible_spaces(ngram: str) -> Html:
    words = excerpt(ngram, _WIDTH).split(" ")
    gap = el("span", "·", class_="gap")
    parts: list[object] = [words[0]]
    for _, word in pairwise(words):
        parts += [gap, word]
    return el("code", el("bdi", *parts))
