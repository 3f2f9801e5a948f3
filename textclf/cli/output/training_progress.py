"""The progress of a training: its phases, and the search as a leaderboard.

The leaderboard is a live table on a terminal, and a line every few seconds elsewhere.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from textclf.cli.output import render
from textclf.formatting import candidate_names, duration, escape_controls, excerpt

if TYPE_CHECKING:
    from rich.console import Group

    from textclf.cli.output.progress import ShowPhase
    from textclf.search.fit import FoldResult
    from textclf.search.space import CandidateParams
    from textclf.training.phases import Phase


_RANKS = 5

_NUMBERS_WIDTH = 24
"""Columns of the table that are not for names."""


class Leaderboard:
    """The scores so far, and what to show of them."""

    def __init__(self, candidates: Sequence[CandidateParams], folds: int) -> None:
        self._names = candidate_names(
            [candidate.flattened() for candidate in candidates],
            [tuple(candidate.features) for candidate in candidates],
        )
        self._folds = folds
        self._scores: dict[int, list[float]] = {}
        self._started = self._last_result = time.monotonic()
        self._closed = False

    def add(self, fit: FoldResult) -> None:
        """Add a result."""
        self._last_result = time.monotonic()
        self._scores.setdefault(fit.candidate, []).append(fit.score)

    def ranked(self) -> list[tuple[str, int, float]]:
        """Return the best candidates: name, folds done, mean score."""
        means = [(n, len(s), sum(s) / len(s)) for n, s in list(self._scores.items())]
        means = [entry for entry in means if not math.isnan(entry[2])]
        ranked = sorted(means, key=lambda entry: (-entry[2], entry[0]))[:_RANKS]
        return [(self._names[n], done, mean) for n, done, mean in ranked]

    def status(self) -> str:
        """Return one line: ``12/40 fits, about 3 s left, best 0.8511 (LinearSVC C=1)``."""
        done = sum(len(scores) for scores in list(self._scores.values()))
        total = len(self._names) * self._folds
        best = "".join(f", best {mean:.4f} ({name})" for name, _, mean in self.ranked()[:1])
        if done <= len(self._names) or self._closed:  # until each was fitted, any may be slow
            return f"{done}/{total} fits{best}"
        each = (self._last_result - self._started) / done
        left = each * (total - done) - (time.monotonic() - self._last_result)
        return f"{done}/{total} fits, about {duration(max(left, 0.0))} left{best}"

    def close(self) -> None:
        """Say that there are no more results; a race ends with fewer than all fits."""
        self._closed = True

    def display(self) -> Group:
        """Return a table and the status below it, for a live display."""
        from rich import box
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        table.add_column("candidate", overflow="fold")
        table.add_column("folds", justify="right")
        table.add_column("mean score", justify="right")
        width = max(get_terminal_size().columns - _NUMBERS_WIDTH, 1)
        for name, done, mean in self.ranked():
            table.add_row(Text(excerpt(name, width)), f"{done}/{self._folds}", f"{mean:.4f}")
        status = Text(escape_controls(self.status()), overflow="ellipsis", no_wrap=True)
        return Group(table, status)


@contextmanager
def leaderboard(
    candidates: Sequence[CandidateParams], folds: int, show_phase: ShowPhase, *, quiet: bool
) -> Iterator[Callable[[FoldResult], object]]:
    """Show the search while the block runs; the block calls what it is given with each fit.

    Args:
        candidates: what is searched.
        folds: the number of fits of each.
        show_phase: shows the line of the search every few seconds where there is no terminal.
        quiet: whether nothing is shown.
    """
    board = Leaderboard(candidates, folds)
    if quiet:
        yield lambda _: None
        return
    display = _live(board, show_phase) if render.has_status() else _lines(board, show_phase)
    with display:
        yield board.add


@contextmanager
def _live(board: Leaderboard, show_phase: ShowPhase) -> Iterator[None]:
    from rich.console import Console
    from rich.live import Live

    show_phase(None)
    console = Console(stderr=True)
    live = Live(console=console, get_renderable=board.display, refresh_per_second=4, transient=True)
    with render.drawn_by_others(), live:
        yield
    board.close()
    console.print(board.display())


@contextmanager
def _lines(board: Leaderboard, show_phase: ShowPhase) -> Iterator[None]:
    show_phase(board.status)
    yield
    show_phase(None)
    board.close()
    render.progress(board.status())


class TrainingProgress:
    """Shows the phases of one training.

    Args:
        show_phase: names a phase: see `textclf.cli.output.progress`.
        quiet: whether nothing is shown.
    """

    def __init__(self, show_phase: ShowPhase, *, quiet: bool) -> None:
        self._show_phase, self._quiet = show_phase, quiet
        self._leaderboard = ExitStack()
        self._on_fit: Callable[[FoldResult], object] = lambda _: None
        self._candidates: Sequence[CandidateParams] = ()
        self._folds = 0

    def on_phase(self, phase: Phase) -> None:
        """Show a phase that begins; the leaderboard ends with the search."""
        self._leaderboard.close()
        if self._candidates and phase.name == "SEARCHING":
            board = leaderboard(self._candidates, self._folds, self._show_phase, quiet=self._quiet)
            self._on_fit = self._leaderboard.enter_context(board)
        else:
            self._show_phase(str(phase))

    @contextmanager
    def of_search(
        self, candidates: Sequence[CandidateParams], folds: int
    ) -> Iterator[Callable[[FoldResult], object]]:
        """Take what is searched; yield what takes the results of the search."""
        self._candidates, self._folds = candidates, folds
        with self._leaderboard:
            yield self._take

    def _take(self, result: FoldResult) -> None:
        self._on_fit(result)
