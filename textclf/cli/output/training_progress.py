"""The progress of a training: its phases, and the search as a leaderboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from textclf.cli.output.leaderboard import leaderboard

if TYPE_CHECKING:
    from textclf.cli.output.phases import ShowPhase
    from textclf.search.fit import FoldResult
    from textclf.search.space import CandidateParams
    from textclf.training.phases import Phase


class TrainingProgress:
    """Shows the phases of one training.

    Args:
        show_phase: names a phase: see `textclf.cli.output.phases`.
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
