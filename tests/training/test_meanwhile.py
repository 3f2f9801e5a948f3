"""Two things at once, and what becomes of their errors."""

import threading

import pytest

from textclf.training.meanwhile import meanwhile


def test_the_function_runs_while_the_block_does():
    """Each waits for the other here, so neither could run first; the block ends after both."""
    both, ended = threading.Barrier(2, timeout=30), []

    def work(value):
        both.wait()
        ended.append(value)
        return value

    with meanwhile(work, 1) as result:
        both.wait()
    assert ended == [1]
    assert result() == 1


def test_an_error_is_raised_where_the_result_is_asked_for():
    """The block is not disturbed by it."""
    with meanwhile(int, "x") as number:
        pass
    with pytest.raises(ValueError, match="invalid literal"):
        number()


def test_an_interrupted_block_does_not_wait():
    """Ctrl-C in the block is obeyed at once, whatever the function still does."""
    go_on = threading.Event()
    with pytest.raises(KeyboardInterrupt), meanwhile(go_on.wait, 60):
        raise KeyboardInterrupt
    assert not go_on.is_set()
    go_on.set()
