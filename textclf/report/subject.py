"""A version as a report sees it, and the names of its parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from textclf.metadata.schema import Candidate, Metadata
from textclf.report.evidence import Evidence
from textclf.report.html.markup import Html, el, join, shorten


@dataclass(frozen=True)
class Subject:
    """A version to report on.

    Attributes:
        metadata: what is recorded of it.
        evidence: what was gathered of it, if it was.
        rescored: the test record is not of its training, but of rows that were scored for this.
    """

    metadata: Metadata
    evidence: Evidence | None
    rescored: bool = False

    @property
    def version(self) -> str:
        """Its number."""
        return self.metadata.version

    def name(self, part: str) -> str:
        """Of a part of the page, for its ``id``."""
        return f"v{self.version.replace('.', '-').replace('+', '-')}-{part}"

    @property
    def tested_on(self) -> Html:
        """Which rows its metrics are of."""
        test, data = self.metadata.test, self.metadata.data
        if test.path is None:
            return join(f"a split of {test.split or 0:.0%} of ", bdi(data.path, 200))
        return join(bdi(test.path, 200), ", scored for this report" if self.rescored else None)

    def without_texts(self) -> Subject:
        """The same, without any text of the test rows."""
        if not self.evidence or not self.evidence.texts:
            return self
        mistakes = [msgspec.structs.replace(m, text=None) for m in self.evidence.mistakes]
        evidence = msgspec.structs.replace(self.evidence, mistakes=mistakes, texts=False)
        return replace(self, evidence=evidence)

    def missing(self) -> Html:
        """The sentence that stands where there is no evidence."""
        return el(
            "p",
            f"Version {self.version} was published without the data for this part. ",
            el("code", f"textclf versions report {self.version} --data FILE"),
            " scores the rows of a file and shows it.",
            class_="note",
        )


def same_rows(a: Subject, b: Subject) -> bool:
    """Whether two versions were tested on the same rows."""
    return a.metadata.test.rows_sha256 == b.metadata.test.rows_sha256


def bdi(label: object, width: int = 80) -> Html:
    """A label or another text of the user's, kept from turning the writing around it."""
    return el("bdi", shorten(label, width))


def described(params: Mapping[str, Any], *, without: Collection[str] = ()) -> str:
    """Parameters on one line: ``LinearSVC C=1 word.ngram_range=[1, 2]``."""
    named = (
        (name.removeprefix("classifier__").removeprefix("features__").replace("__", "."), value)
        for name, value in params.items()
        if name != "classifier" and name not in without
    )
    return " ".join([str(params.get("classifier")), *(f"{name}={value}" for name, value in named)])


def blocks(params: Mapping[str, Any]) -> list[str]:
    """The kinds of n-grams of a candidate, from the names of its parameters."""
    names = (name.split("__")[1] for name in params if name.startswith("features__"))
    return list(dict.fromkeys(names))


def told_apart(candidates: Sequence[Candidate]) -> list[str]:
    """Each candidate by its classifier, its blocks and the parameters that differ among them."""
    values: dict[str, set[str]] = {}
    for candidate in candidates:
        for name, value in candidate.params.items():
            values.setdefault(name, set()).add(repr(value))
    shared = {
        name
        for name, found in values.items()
        if len(found) == 1
        and (name.startswith("features__") or all(name in c.params for c in candidates))
    }
    several = len({tuple(blocks(candidate.params)) for candidate in candidates}) > 1
    return [
        described(candidate.params, without=shared)
        + (f" on {' + '.join(blocks(candidate.params))}" if several else "")
        for candidate in candidates
    ]
