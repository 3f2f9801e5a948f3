"""What to search when rows are added: the neighbourhood of the earlier winner."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textclf.errors import UsageError
from textclf.metadata.schema import Metadata, Space
from textclf.search.results import best
from textclf.search.space import SpaceSource, list_candidates
from textclf.search.space_check import check_space
from textclf.training.job import SearchSettings, search_settings
from textclf.training.recorded import recorded_settings

_FACTORS = (0.3, 3)

_STRENGTHS = {
    "LinearSVC": ("C", 1.0),
    "LogisticRegression": ("C", 1.0),
    "RidgeClassifier": ("alpha", 1.0),
    "SGDClassifier": ("alpha", 1e-4),
    "ComplementNB": ("alpha", 1.0),
    "MultinomialNB": ("alpha", 1.0),
}
"""The parameter of each classifier that says how much it is regularised, and its default."""


def settings_for_more_rows(
    metadata: Metadata, source: SpaceSource | None, asked: dict[str, Any]
) -> SearchSettings:
    """Return what to search when rows are added to those of a version.

    Args:
        metadata: the version's.
        source: the search space; ``None`` is the neighbourhood of the version's winner.
        asked: the fields of `SearchSettings` that differ from those of the version.

    Raises:
        UsageError: the search space is not valid, or another seed is asked for, which would choose
            other test rows.
    """
    before = recorded_settings(metadata)
    if asked.get("seed", before.seed) != before.seed:
        raise UsageError(
            f"rows are added with the seed of {metadata.version}, {before.seed}: another one would "
            "turn test rows into training rows",
            hint="leave --seed out",
        )
    if source:
        kept = {name: getattr(before, name) for name in _KEPT} | asked
        return search_settings(source, **kept)
    near = replace(
        before,
        space=neighbourhood(metadata),
        neighbourhood_of=before.neighbourhood_of or before.space,
        **asked,
    )
    check_space(near.space, lambda *path, **_: f"the winner of {metadata.version}: {path}")
    return replace(near, sample=near.sample or None)


_KEPT = ("scoring", "folds", "seed", "method", "threshold", "abstain_unknown")
"""What an added space is searched with as the earlier one was."""


def neighbourhood(metadata: Metadata) -> Space:
    """Return a space with the features of a version's winner, and regularisation around its own."""
    _, search = metadata.training
    winner = list_candidates(search.space)[best(search.candidates)]
    name, default = _STRENGTHS[winner.classifier]
    strength = winner.settings.get(name, default)
    # its own first: of equally good candidates, the first wins
    around = dict.fromkeys([strength, *(_two_digits(factor * strength) for factor in _FACTORS)])
    settings = {key: [value] for key, value in winner.settings.items()}
    features = {
        block: {key: [value] for key, value in table.items()}
        for block, table in winner.features.items()
    }
    classifier = {winner.classifier: {**settings, name: list(around)}}
    return [{"features": features, "classifier": classifier}]


def _two_digits(number: float) -> float:
    rounded = float(f"{number:.2g}")
    return int(rounded) if rounded.is_integer() else rounded
