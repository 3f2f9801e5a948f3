"""``textclf warmup``: everything is compiled ahead."""

import importlib
import json
import pkgutil

import textclf
from textclf.jit import _Cache
from textclf.machine_code import MachineCode
from textclf.training import warmup


def functions_called_from_python():
    """Every compiled function of the package that no other of its module calls, by its name."""
    for found in pkgutil.walk_packages(textclf.__path__, "textclf."):
        if found.name.startswith(("textclf.features", "textclf.scorer", "textclf.search.")):
            there = vars(importlib.import_module(found.name)).items()
            ours = {name: value for name, value in there if isinstance(cache_of(value), _Cache)}
            called = {name for value in ours.values() for name in value.py_func.__code__.co_names}
            yield from ((f"{found.name}.{name}", ours[name]) for name in ours.keys() - called)


def cache_of(value):
    return getattr(value, "_cache", None)


def test_every_compiled_function_is_compiled_ahead():
    """None is left for the first training or the first prediction of many texts."""
    warmup.compile_ahead()
    functions = dict(functions_called_from_python())
    assert len(functions) > 10
    assert [name for name, function in functions.items() if not function.overloads] == []


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
