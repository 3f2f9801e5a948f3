"""The promotion log: `textclf history`."""

import json

import pytest


@pytest.mark.usefixtures("project")
def test_history(cli):
    """The history is the promotion log, oldest first."""
    first, second = json.loads(cli("history", "--json").out)
    assert list(first) == ["n", "at", "from", "to", "by", "message", "gate"]
    assert (first["n"], first["from"], first["to"]) == (1, None, "1.0.0")
    assert (second["n"], second["from"], second["to"]) == (2, "1.0.0", "1.0.1")
    assert len(cli("history").out.splitlines()) == 3
