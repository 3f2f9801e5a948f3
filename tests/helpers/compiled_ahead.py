"""Print how many compiled functions Python calls, and which of them ``warmup`` does not call."""

import importlib
import json
import pkgutil

import textclf
from textclf.jit import _Cache
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


if __name__ == "__main__":
    warmup.compile_ahead()
    functions = dict(functions_called_from_python())
    left = [name for name, function in functions.items() if not function.overloads]
    print(json.dumps({"functions": len(functions), "left": left}))  # noqa: T201 - the answer
