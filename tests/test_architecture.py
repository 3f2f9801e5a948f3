"""What import-linter cannot say of the code: what it calls, and what it imports at once."""

import ast
import builtins
import functools
from pathlib import Path

import pytest

import textclf
from textclf.jit import SHARED_SOURCES

ROOT = Path(textclf.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.name != "__init__.py")


def name_of(path):
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)


@functools.cache
def parse(path):
    return ast.parse(path.read_text("utf-8"))


def nodes(path, *kinds):
    return [node for node in ast.walk(parse(path)) if isinstance(node, kinds)]


def imported_at_once(path):
    """Modules that a file imports when it is imported itself."""
    found = set()
    for node in parse(path).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_the_command_line_defers_what_is_heavy():
    """At import a command loads Typer and itself, nothing that trains or reads data."""
    heavy = {"sklearn", "numpy", "scipy", "joblib", "polars", "rich", "msgspec", "semver"}
    light = (
        "textclf.cli", "textclf.errors", "textclf.formatting", "textclf._version",
        "textclf.machine_code", "textclf.metadata.channels", "textclf.registry.store.location",
    )  # fmt: skip
    for path in sorted((ROOT / "cli").rglob("*.py")):
        names = imported_at_once(path)
        assert not {name.split(".")[0] for name in names} & heavy, name_of(path)
        ours = {name for name in names if name.startswith("textclf.")}
        assert all(name.startswith(light) for name in ours), name_of(path)


def test_the_core_neither_prints_nor_exits():
    """Only the command line talks and ends the process."""
    for path in MODULES:
        if "cli" in path.parts or path.name == "__main__.py":
            continue
        called = {n.func.id for n in nodes(path, ast.Call) if isinstance(n.func, ast.Name)}
        assert not called & {"print", "input", "exit", "quit", "breakpoint"}, name_of(path)


def test_functions_are_short():
    """Fifty lines at the very most, apart from signature, docstring and the record they fill."""
    for path in MODULES:
        for node in nodes(path, ast.FunctionDef, ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = node.end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 50, f"{name_of(path)}: {node.name} has {lines} lines"


def test_the_public_names_are_there_when_asked_for():
    """Every public name loads, unknown ones are an AttributeError, importing loads none of them."""
    assert {name: getattr(textclf, name) for name in textclf.__all__}
    assert set(textclf.__all__) <= set(dir(textclf))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = textclf.nonsense


def decorators(node):
    return {d.id for d in node.decorator_list if isinstance(d, ast.Name)}


def compiled_functions(path):
    return [
        node for node in nodes(path, ast.FunctionDef) if decorators(node) & {"compiled", "inlined"}
    ]


def imported_from(path):
    """The package's modules that the names of a file are imported from."""
    return {
        alias.asname or alias.name: node.module
        for node in nodes(path, ast.ImportFrom)
        if node.module.split(".")[0] == "textclf"
        for alias in node.names
    }


def test_compiled_functions_use_only_sources_that_renew_them():
    """Beside NumPy, builtins and their own file they use names of ``jit.SHARED_SOURCES`` alone."""
    shared = {name_of(ROOT / source) for source in SHARED_SOURCES}
    checked = 0
    for path in MODULES:
        functions = compiled_functions(path)
        modules = imported_from(path)
        own = {node.name for node in parse(path).body if isinstance(node, ast.FunctionDef)}
        compiled = {node.name for node in functions}
        for function in functions:
            where = f"{name_of(path)}: {function.name}"
            body = [node for statement in function.body for node in ast.walk(statement)]
            names = {node.id for node in body if isinstance(node, ast.Name)}
            foreign = {name for name in names & modules.keys() if modules[name] not in shared}
            assert not foreign, f"{where} uses {foreign} of another file"
            called = {
                n.func.id for n in body if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
            }
            assert called & own <= compiled, f"{where} calls what is not compiled"
            allowed = compiled | {name for name, module in modules.items() if module in shared}
            assert called <= allowed | set(dir(builtins)), f"{where} calls {called}"
        checked += len(functions)
    assert checked > 40
