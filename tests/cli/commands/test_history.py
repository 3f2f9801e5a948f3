"""The promotion log: `textclf history`."""

import json

import pytest


@pytest.mark.usefixtures("project")
def test_history(cli):
    """The history is the promotion log, oldest first."""
    first, second = json.loads(cli("history", "--json").out)
    assert list(first) == ["n", "at", "from", "to", "by", "message", "gate", "channel", "restores"]
    assert (first["n"], first["from"], first["to"]) == (1, None, "1.0.0")
    assert (second["n"], second["from"], second["to"]) == (2, "1.0.0", "1.0.1")
    assert len(cli("history").out.splitlines()) == 3


@pytest.mark.usefixtures("project")
def test_a_refusal_stands_between_the_promotions_of_its_second(cli, monkeypatch):
    """In one second a refusal follows the promotion it compares with, and precedes others."""
    for module in ("promotion", "event_log"):
        monkeypatch.setattr(f"textclf.registry.{module}.utc_now", lambda: "2100-01-01T00:00:00Z")
    assert cli("promote", "1.0.0").code == 0
    gate = ("--require", "f1[nothing]>=0.5")
    assert cli("promote", "1.0.1", *gate).code == 5
    assert cli("promote", "1.0.1", *gate, "--force", "-m", "yes").code == 0
    entries = json.loads(cli("history", "--json", "--all").out)[-3:]
    assert [entry["kind"] for entry in entries] == ["promoted", "refused", "promoted"]
