"""The search while it runs: a live table on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textclf.cli.output import render
from textclf.formatting import candidate_names, duration, escape_controls

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from textclf.search.fit import FoldResult
    from textclf.search.space import CandidateParams

_RANKS = 5
_SECONDS_BETWEEN_LINES = 5.0


class Leaderboard:
    """The scores so far, and what to show of them."""

    def __init__(self, candidates: Sequence[CandidateParams], folds: int) -> None:
        self._names = candidate_names(
            [candidate.flattened() for candidate in candidates],
            [tuple(candidate.features) for candidate in candidates],
        )
        self._folds = folds
        self._scores: dict[int, list[float]] = {}
        self._started = 0.0
        self._closed = False

    def add(self, fit: FoldResult) -> None:
        """Add a result. The clock starts at the first one: before it, code may be compiled."""
        self._started = self._started or time.monotonic()
        self._scores.setdefault(fit.candidate, []).append(fit.score)

    def ranked(self) -> list[tuple[str, int, float]]:
        """Return the best candidates: name, folds done, mean score."""
        means = [(n, len(s), sum(s) / len(s)) for n, s in self._scores.items()]
        means = [entry for entry in means if not math.isnan(entry[2])]
        ranked = sorted(means, key=lambda entry: (-entry[2], entry[0]))[:_RANKS]
        return [(self._names[n], done, mean) for n, done, mean in ranked]

    def status(self) -> str:
        """Return one line: ``12/40 fits, best 0.8511 (LinearSVC C=1), about 3 s left``."""
        done, total = sum(map(len, self._scores.values())), len(self._names) * self._folds
        best = "".join(f", best {mean:.4f} ({name})" for name, _, mean in self.ranked()[:1])
        if done <= 1 or self._closed:
            return f"{done}/{total} fits{best}"
        left = (time.monotonic() - self._started) * (total - done) / (done - 1)
        return f"{done}/{total} fits{best}, about {duration(left)} left"

    def close(self) -> None:
        """Say that there are no more results; a race ends with fewer than all fits."""
        self._closed = True

    def table(self) -> Table:
        """Return a table for a live display."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            caption=Text(escape_controls(self.status())),
            caption_justify="left",
        )
        table.add_column("candidate", overflow="fold")
        table.add_column("folds", justify="right")
        table.add_column("mean score", justify="right")
        for name, done, mean in self.ranked():
            table.add_row(Text(escape_controls(name)), f"{done}/{self._folds}", f"{mean:.4f}")
        return table


@contextmanager
def leaderboard(
    candidates: Sequence[CandidateParams], folds: int, *, quiet: bool
) -> Iterator[Callable[[FoldResult], object]]:
    """Show the search while the block runs; the block calls what it is given with each fit."""
    board = Leaderboard(candidates, folds)
    if quiet:
        yield lambda _: None
        return
    display = _live(board) if sys.stderr.isatty() else _lines(board)
    with display as on_fit:
        yield on_fit


@contextmanager
def _live(board: Leaderboard) -> Iterator[Callable[[FoldResult], object]]:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    with Live(console=console, get_renderable=board.table, refresh_per_second=4, transient=True):
        yield board.add
    board.close()
    console.print(board.table())


@contextmanager
def _lines(board: Leaderboard) -> Iterator[Callable[[FoldResult], object]]:
    last_line = time.monotonic()

    def on_fit(fit: FoldResult) -> None:
        nonlocal last_line
        board.add(fit)
        if time.monotonic() - last_line >= _SECONDS_BETWEEN_LINES:
            last_line = time.monotonic()
            render.progress(board.status())

    yield on_fit
    board.close()
    render.progress(board.status())
