"""Texts of other sets: how many of them ``--abstain-unknown`` leaves without a label.

``textclf train`` trains on a set with the default search space. Its model labels the test rows of
that set and of all other sets of the folder, at most 1,000 of each. For each share the table has
the part of the own and of the foreign texts of which a smaller share of the n-grams is known (the
mean over the other sets, and the sets with the least and the most), and the accuracy of the own
ones that keep their label.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.children import run_textclf
from benchmarks.options import Options
from benchmarks.report import Skipped
from benchmarks.sets import DataSet, find_sets, read_rows

_SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
_MOST = 1000


@dataclass(frozen=True)
class UnknownRow:
    """One set and one share, with the parts of texts (0 to 1)."""

    set: str
    share: float
    own: float
    foreign: dict[str, float]
    accuracy: float
    accuracy_of_rest: float

    def cells(self) -> dict[str, str]:
        """The line of the table."""
        return {
            "set": self.set,
            "SHARE": str(self.share),
            "own refused": f"{self.own:.1%}",
            "foreign refused, mean": f"{mean(self.foreign.values()):.0%}",
            "least": f"{min(self.foreign.values()):.0%}",
            "most": f"{max(self.foreign.values()):.0%}",
            "accuracy": f"{self.accuracy:.1%}",
            "of the rest": f"{self.accuracy_of_rest:.1%}",
        }


def run(data: DataSet, _options: Options) -> Iterator[UnknownRow | Skipped]:
    """Measure one set, with the others of its folder."""
    from textclf import load

    others = [one for one in find_sets(data.train.parent.parent) if one.train != data.train]
    if not others:
        yield Skipped(data.name, "no other set is beside it")
        return
    with tempfile.TemporaryDirectory() as models:
        files = [str(data.train), "--test", str(data.test), "--models", models]
        run_textclf("train", *files, "--quiet")
        predictor = load(Path(models))
        rows = read_rows(data.test, _MOST)
        own = predictor.predict(rows.texts, abstain_unknown=0)
        foreign = {
            other.name: predictor.predict(read_rows(other.test, _MOST).texts, abstain_unknown=0)
            for other in others
        }
    correct = [found.label == label for found, label in zip(own, rows.labels, strict=True)]
    for share in _SHARES:
        kept = [
            right for found, right in zip(own, correct, strict=True) if (found.known or 0) >= share
        ]
        yield UnknownRow(
            set=data.name,
            share=share,
            own=1 - len(kept) / len(own),
            foreign={
                name: sum((one.known or 0) < share for one in found) / len(found)
                for name, found in foreign.items()
            },
            accuracy=sum(correct) / len(correct),
            accuracy_of_rest=sum(kept) / len(kept) if kept else 0.0,
        )
