"""The log of a server whose reader is slow, or goes away."""

import logging
import os

import pytest
from waiting import wait_until

from textclf.server import log_writer


@pytest.fixture
def logged(monkeypatch):
    """A logger that keeps 100 lines, the pipe that it writes to, and how many lines it drops."""
    monkeypatch.setattr(log_writer, "_MOST_LINES", 100)
    monkeypatch.setattr(log_writer, "_PAUSE", 0.0)
    reader, writer = os.pipe()
    dropped = []
    handler = log_writer.BackgroundHandler(writer, dropped.append)
    logger = logging.getLogger("textclf.test")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    with open(reader, "rb", closefd=False) as pipe:
        yield logger, pipe, dropped
    os.close(reader)
    logger.removeHandler(handler)
    handler.close()
    os.close(writer)


def test_lines_that_are_too_many_are_dropped_and_counted(logged):
    """The others are written as they are, in their order, once somebody reads."""
    logger, pipe, dropped = logged
    lines = [f"{n} {'x' * 1000} é" for n in range(1000)]
    for line in lines:
        logger.info("%s", line)
    written = [pipe.readline() for _ in range(1000 - sum(dropped))]
    assert 0 < sum(dropped) <= 900
    left = iter(f"{line}\n".encode(errors="backslashreplace") for line in lines)
    assert all(line in left for line in written)


def test_a_reader_that_goes_away_ends_nothing(logged):
    """As after `textclf serve | head -1`: what cannot be written is counted."""
    logger, pipe, dropped = logged
    logger.info("a")
    assert pipe.readline() == b"a\n"
    os.dup2(os.open(os.devnull, os.O_RDONLY), pipe.fileno())
    logger.info("b")
    wait_until(lambda: sum(dropped) == 1)
