"""What a run of the benchmarks is asked for, beside the data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Settings of all parts.

    Attributes:
        repeat: how often each side runs.
        features: kinds of features to search over and to count.
        rows: of a set at most, in search and count; ``None`` is each part's own limit.
        search: the mode of the search.
        sizes: numbers of rows to grow through.
        vocabularies: numbers of n-grams of the models that are opened.
    """

    repeat: int
    features: tuple[str, ...]
    rows: int | None
    search: str
    sizes: tuple[int, ...]
    vocabularies: tuple[int, ...]
