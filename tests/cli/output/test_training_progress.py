"""The line and the table of a search that runs."""

import math
from types import SimpleNamespace

import pytest
from rich.console import Console

from textclf.cli.output.training_progress import Leaderboard
from textclf.search.fit import FoldResult
from textclf.search.space import list_candidates, parse_space, preset_source


@pytest.fixture
def board(monkeypatch):
    """Return a leaderboard of the fast preset whose clock goes on by a second for each result."""
    clock = iter(range(10_000))
    time = SimpleNamespace(monotonic=lambda: float(next(clock)))
    monkeypatch.setattr("textclf.cli.output.training_progress.time", time)
    return Leaderboard(list_candidates(parse_space(preset_source("fast"))), 3)


def add(board, number, score=0.5):
    for n in range(number):
        board.add(FoldResult(n % 4, n // 4, score + n / 100, 1.0))


def test_the_time_left_is_told_once_each_candidate_was_fitted(board):
    """Before that any candidate may be slow; then the estimate falls from one line to the next."""
    add(board, 4)
    assert "left" not in board.status()
    assert board.status().startswith("4/12 fits, best 0.5300 (")
    add(board, 4)
    first, second = (float(board.status().split("about ")[1].split()[0]) for _ in range(2))
    assert first > second > 0
    board.close()
    assert board.status().endswith(")")


def test_failed_fits_have_no_rank(board):
    """A candidate that could not be fitted counts, and is not the best."""
    board.add(FoldResult(0, 0, math.nan, 1.0))
    assert board.status() == "1/12 fits"


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_nothing_is_wrapped(board, columns, monkeypatch):
    """The table and the line below it keep to the width: a long name is cut with an ellipsis."""
    add(board, 12)
    board._names = [f"LogisticRegression C=1 word.token_pattern={'x' * 80}"] * 4
    monkeypatch.setenv("COLUMNS", str(columns))
    console = Console(width=columns, file=None)
    with console.capture() as captured:
        console.print(board.display())
    lines = captured.get().splitlines()
    assert len([line for line in lines if line.strip()]) == 7
    assert all(len(line) <= columns for line in lines)
    assert sum("…" in line for line in lines) == 5
    assert "mean score" in lines[0]
