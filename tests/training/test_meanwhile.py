"""Two things at once, and what becomes of their errors."""

import threading

import pytest

from textclf.training.meanwhile import meanwhile


def test_the_function_runs_while_the_block_does():
    """Each waits for the other here, so neither could run first; the result comes with the end."""
    both = threading.Barrier(2, timeout=30)
    with meanwhile(both.wait) as waiting:
        both.wait()
    assert waiting.done()
    assert waiting.result() in (0, 1)


def test_an_error_is_raised_where_the_result_is_asked_for():
    """The block is not disturbed by it."""
    with meanwhile(int, "x") as number:
        pass
    with pytest.raises(ValueError, match="invalid literal"):
        number.result()


def test_an_interrupted_block_leaves_nothing_running():
    """Ctrl-C in the block is raised once the function has ended."""
    ended = []
    with pytest.raises(KeyboardInterrupt), meanwhile(ended.append, 1):
        raise KeyboardInterrupt
    assert ended == [1]
