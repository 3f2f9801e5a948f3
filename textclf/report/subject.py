"""A version as the subject of a report."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from textclf.evaluation.records import Intervals
from textclf.evaluation.train_overlap import overlap_warning
from textclf.formatting import excerpt, percent
from textclf.metadata.schema import Metadata
from textclf.report.html.markup import Html, el, join
from textclf.report.report_data import ReportData


@dataclass(frozen=True)
class Subject:
    """A version to report on.

    Attributes:
        metadata: what is recorded of it.
        data: the further data of its report; ``None`` if there is none.
        rescored: whether the metrics are not those of its test at training, but of rows that were
            scored for the report.
    """

    metadata: Metadata
    data: ReportData | None
    rescored: bool = False

    @property
    def version(self) -> str:
        """The number of the version."""
        return self.metadata.version

    @property
    def intervals(self) -> Intervals:
        """The confidence intervals of its accuracy and macro F1."""
        if self.data and self.data.intervals:
            return self.data.intervals
        from textclf.evaluation.statistics import intervals

        return intervals(self.metadata.test.metrics)

    def name(self, part: str) -> str:
        """Return the ``id`` of a part of the page."""
        return f"v{self.version.replace('.', '-').replace('+', '-')}-{part}"

    @property
    def tested_on(self) -> Html:
        """The rows that its metrics are computed from."""
        test = self.metadata.test
        if test.path is None:
            return join(f"{split_of(self.metadata)} ", bdi(self.metadata.training[0].path, 200))
        return join(bdi(test.path, 200), ", scored for this report" if self.rescored else None)

    def overlap_warning(self) -> Html | None:
        """Return the warning that it was trained on rows that its metrics are computed from."""
        warning = overlap_warning(self.version, self.metadata.test.train_overlap)
        if warning is None:
            return None
        return el("p", warning, " (", self.tested_on, ").", class_="warning", role="note")

    def without_texts(self) -> Subject:
        """Return the same subject without any text of the test rows."""
        if not self.data or not self.data.texts:
            return self
        mistakes = [msgspec.structs.replace(m, text=None) for m in self.data.mistakes]
        return replace(
            self, data=msgspec.structs.replace(self.data, mistakes=mistakes, texts=False)
        )

    def missing_data(self) -> Html:
        """Return the sentence that takes the place of a part without data."""
        return el(
            "p",
            f"Version {self.version} was published without the data for this part. ",
            el("code", f"textclf versions report {self.version} --data FILE"),
            " scores the rows of a file and shows it.",
            class_="note",
        )


def split_of(metadata: Metadata) -> str:
    """Return how large a part was split off as test rows: ``a 20% split of``."""
    return f"a {percent(metadata.test.split or 0, 0)} split of"


def same_rows(a: Subject, b: Subject) -> bool:
    """Return whether two versions were tested on the same rows."""
    return a.metadata.test.rows_sha256 == b.metadata.test.rows_sha256


def bdi(label: object, width: int = 80) -> Html:
    """Return a label or another text of the user's, isolated from the direction of the page."""
    return el("bdi", excerpt(label, width))
