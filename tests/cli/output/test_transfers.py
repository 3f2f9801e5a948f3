"""The line about a transfer that lasts."""

import time

import pytest

from textclf.cli.output.transfers import TransferLine
from textclf.registry.store.requests import Transfer


def began(seconds):
    return time.monotonic() - seconds


@pytest.mark.parametrize(
    ("transfer", "shown"),
    [
        (Transfer("uploading", "p/a.bin", 2_000_000, None, began(3)), "uploading a.bin, 2.0 MB, "),
        (
            Transfer("downloading", "p/a.bin", 2_000_000, 500_000, began(3)),
            "downloading a.bin, 500.0 kB of 2.0 MB, ",
        ),
        (Transfer("waiting for", "p/.registry", None, None, began(3)), "waiting for the bucket, "),
        (Transfer("uploading", "p/\x1b[2J", 1, None, began(3)), "uploading \\x1b[2J, 1 byte, "),
    ],
)
def test_a_transfer_of_more_than_two_seconds_is_shown(capsys, transfer, shown):
    """What is sent or received, how much of it, and for how long; nothing once it has ended."""
    line = TransferLine()
    line.show(transfer)
    assert capsys.readouterr().err.startswith(shown)
    transfer.has_ended = True
    line.show(transfer)
    assert capsys.readouterr().err == "\r\x1b[2K"


def test_a_quick_transfer_is_not_shown(capsys):
    """Most requests take milliseconds, and nothing is written for them."""
    line = TransferLine()
    line.show(Transfer("uploading", "p/a.bin", 1, None, began(1)))
    line.show(Transfer("uploading", "p/a.bin", 1, None, began(1), has_ended=True))
    assert capsys.readouterr().err == ""


def test_transfers_at_once_share_the_line(capsys):
    """The one that began first is shown, and how many others last; each leaves the line alone."""
    line = TransferLine()
    first = Transfer("uploading", "p/a.bin", 1, None, began(5))
    second = Transfer("uploading", "p/b.bin", 1, None, began(3))
    line.show(first)
    line.show(second)
    assert capsys.readouterr().err.endswith(" s, and 1 more")
    first.has_ended = True
    line.show(first)
    assert capsys.readouterr().err.startswith("\r\x1b[2Kuploading b.bin, 1 byte, ")
    second.has_ended = True
    line.show(second)
    assert capsys.readouterr().err == "\r\x1b[2K"
