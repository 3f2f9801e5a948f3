"""Warnings as values: collected by thread, never shown, and the warnings module left as it was."""

import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from textclf.captured_warnings import first_line, noted


def state():
    """What the warnings module would do with a warning."""
    return warnings.showwarning, warnings.filters, list(warnings.filters)


def test_warnings_are_noted_once_each_by_their_first_line():
    """What is warned of twice is one note; explanations and the colon before them are left out."""
    with noted() as notes:
        warnings.warn("did not converge:\n  try more iterations", UserWarning, stacklevel=1)
        warnings.warn("is deprecated", DeprecationWarning, stacklevel=1)
        warnings.warn("did not converge", RuntimeWarning, stacklevel=1)
    assert notes == ["did not converge", "is deprecated"]


@pytest.mark.parametrize("action", ["ignore", "error", "once", "default"])
def test_warnings_are_noted_whatever_the_filters_say(action, capfd):
    """Filters of the user neither hide them nor make them errors; nothing is on stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        for _ in range(2):
            with noted() as notes:
                warnings.warn("look", UserWarning, stacklevel=1)
            assert notes == ["look"]
    assert capfd.readouterr() == ("", "")


def test_the_warnings_module_is_as_it_was():
    """Filters and the showing function are back, and work, after work that ended well or badly."""
    before = state()
    with noted():
        warnings.simplefilter("ignore")
    assert state() == before
    with pytest.raises(ZeroDivisionError), noted():
        raise ZeroDivisionError
    assert state() == before
    with pytest.warns(UserWarning, match="look"):
        warnings.warn("look", UserWarning, stacklevel=1)


def test_inner_work_has_its_own_notes():
    """What is noted within stays there; afterwards the outer work notes on, even after an error."""
    before = state()
    with noted() as outer:
        warnings.warn("first", UserWarning, stacklevel=1)
        with noted() as inner:
            warnings.warn("second", UserWarning, stacklevel=1)
        with pytest.raises(KeyError), noted() as failed:
            raise KeyError
        warnings.warn("third", UserWarning, stacklevel=1)
    assert (outer, inner, failed) == (["first", "third"], ["second"], [])
    assert state() == before


def test_threads_side_by_side_note_only_their_own():
    """However work overlaps, each gets its notes, and the last that leaves restores the state."""
    before = state()
    together = threading.Barrier(4)

    def work(number):
        together.wait()
        with noted() as notes:
            for step in range(50):
                warnings.warn(f"{number}: {step}", UserWarning, stacklevel=1)
                with noted() as inner:
                    warnings.warn(f"within {number}", UserWarning, stacklevel=1)
                assert inner == [f"within {number}"]
        return notes

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(work, range(4)))
    finally:
        sys.setswitchinterval(interval)
    assert found == [[f"{number}: {step}" for step in range(50)] for number in range(4)]
    assert state() == before


def test_who_comes_first_may_leave_first():
    """The state is put back when the last has left, not the first."""
    before = state()
    entered, left = threading.Event(), threading.Event()

    def work():
        with noted() as notes:
            entered.set()
            assert left.wait(10)
            warnings.warn("late", UserWarning, stacklevel=1)
        return notes

    with ThreadPoolExecutor(1) as pool:
        with noted() as mine:
            late = pool.submit(work)
            assert entered.wait(10)
            warnings.warn("early", UserWarning, stacklevel=1)
        assert state() != before
        left.set()
        assert late.result(10) == ["late"]
    assert mine == ["early"]
    assert state() == before


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("one", "one"),
        ("\n  one\ntwo", "one"),
        ("one:\ntwo", "one"),
        (ValueError("one\ntwo"), "one"),
        ("", ""),
    ],
)
def test_the_first_line_of_a_message(message, line):
    """A message of several lines is known by its first."""
    assert first_line(message) == line
