"""Warnings as values: collected by thread, never shown, and the warnings module left as it was."""

import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from textclf.captured_warnings import capture_warnings


def state():
    """What the warnings module would do with a warning."""
    return warnings.showwarning, warnings.filters, list(warnings.filters)


def test_warnings_are_captured_once_each_by_their_first_line():
    """A repeated warning is one line; explanations and the colon before them are left out."""
    with capture_warnings() as lines:
        warnings.warn("did not converge:\n  try more iterations", UserWarning, stacklevel=1)
        warnings.warn("is deprecated", DeprecationWarning, stacklevel=1)
        warnings.warn("did not converge", RuntimeWarning, stacklevel=1)
    assert lines == ["did not converge", "is deprecated"]


@pytest.mark.parametrize("action", ["ignore", "error", "once", "default"])
def test_warnings_are_captured_whatever_the_filters_say(action, capfd):
    """Filters of the user neither hide them nor make them errors; nothing is on stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        for _ in range(2):
            with capture_warnings() as lines:
                warnings.warn("look", UserWarning, stacklevel=1)
            assert lines == ["look"]
    assert capfd.readouterr() == ("", "")


def test_the_warnings_module_is_as_it_was():
    """Filters and the showing function are back, and work, after work that ended well or badly."""
    before = state()
    with capture_warnings():
        warnings.simplefilter("ignore")
    assert state() == before
    with pytest.raises(ZeroDivisionError), capture_warnings():
        raise ZeroDivisionError
    assert state() == before
    with pytest.warns(UserWarning, match="look"):
        warnings.warn("look", UserWarning, stacklevel=1)


def test_an_inner_capture_has_its_own_warnings():
    """An inner capture keeps its own; the outer one goes on afterwards, even after an error."""
    before = state()
    with capture_warnings() as outer:
        warnings.warn("first", UserWarning, stacklevel=1)
        with capture_warnings() as inner:
            warnings.warn("second", UserWarning, stacklevel=1)
        with pytest.raises(KeyError), capture_warnings() as failed:
            raise KeyError
        warnings.warn("third", UserWarning, stacklevel=1)
    assert (outer, inner, failed) == (["first", "third"], ["second"], [])
    assert state() == before


def test_threads_capture_only_their_own_warnings():
    """However captures overlap, each thread gets its own; the last restores the state."""
    before = state()
    together = threading.Barrier(4)

    def work(number):
        together.wait()
        with capture_warnings() as lines:
            for step in range(50):
                warnings.warn(f"{number}: {step}", UserWarning, stacklevel=1)
                with capture_warnings() as inner:
                    warnings.warn(f"within {number}", UserWarning, stacklevel=1)
                assert inner == [f"within {number}"]
        return lines

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(work, range(4)))
    finally:
        sys.setswitchinterval(interval)
    assert found == [[f"{number}: {step}" for step in range(50)] for number in range(4)]
    assert state() == before


def test_the_first_capture_may_end_first():
    """The state is restored when the last capture ends, not the first."""
    before = state()
    entered, left = threading.Event(), threading.Event()

    def work():
        with capture_warnings() as lines:
            entered.set()
            assert left.wait(10)
            warnings.warn("late", UserWarning, stacklevel=1)
        return lines

    with ThreadPoolExecutor(1) as pool:
        with capture_warnings() as mine:
            late = pool.submit(work)
            assert entered.wait(10)
            warnings.warn("early", UserWarning, stacklevel=1)
        assert state() != before
        left.set()
        assert late.result(10) == ["late"]
    assert mine == ["early"]
    assert state() == before
