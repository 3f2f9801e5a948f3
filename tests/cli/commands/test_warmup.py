"""``textclf warmup``: everything is compiled ahead."""

import json
import subprocess
import sys

from paths import HELPERS

from textclf.machine_code import MachineCode


def test_every_compiled_function_is_compiled_ahead():
    """None is left for the first training or the first prediction of many texts."""
    command = [sys.executable, HELPERS / "compiled_ahead.py"]  # other tests have called some here
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert found["functions"] > 10
    assert found["left"] == []


def test_what_was_compiled_and_how_long_it_took_is_said(cli):
    """What is on disk is not compiled again."""
    assert cli("warmup", "--quiet").code == 0
    answer = cli("warmup")
    assert answer.code == 0
    assert "compiled in 0.0 s" in answer.out
    result = json.loads(cli("warmup", "--json").out)
    assert result["seconds"] == 0
    assert result["folder"]


def test_it_fails_where_nothing_can_be_kept(cli, monkeypatch):
    """An image without the machine code would be built otherwise."""
    monkeypatch.setattr(MachineCode, "_folders", lambda _: iter(()))
    monkeypatch.setattr("textclf.machine_code.saved", [])
    monkeypatch.setattr("textclf.machine_code.loaded", [])
    result = cli("warmup")
    assert result.code == 1
    assert "no folder can be written to" in result.err
