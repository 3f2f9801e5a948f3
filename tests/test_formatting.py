"""How values are written for people."""

import pytest

from textclf.formatting import first_line


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
