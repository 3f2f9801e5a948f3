"""What import-linter cannot say of the code: what it calls, and what it imports at once."""

import ast
from pathlib import Path

import pytest

import textclf

ROOT = Path(textclf.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.name != "__init__.py")


def name_of(path):
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)


def imports(path, *, deferred=True):
    """Modules that a file imports; without ``deferred`` only those of its import itself."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = ast.walk(tree) if deferred else tree.body
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def packages(path, **how):
    return {name.split(".")[0] for name in imports(path, **how)}


@pytest.mark.parametrize("path", sorted((ROOT / "cli").rglob("*.py")), ids=name_of)
def test_the_command_line_defers_what_is_heavy(path):
    """At import a command loads Typer and itself, nothing that trains or reads data."""
    heavy = {"sklearn", "numpy", "scipy", "joblib", "polars", "rich", "msgspec", "semver"}
    assert not packages(path, deferred=False) & heavy
    ours = {n for n in imports(path, deferred=False) if n.startswith("textclf.")}
    light = ("textclf.cli", "textclf.errors", "textclf.formatting", "textclf._version")
    assert all(name.startswith(light) for name in ours)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_core_neither_prints_nor_exits(path):
    """Only the command line talks and ends the process."""
    if "cli" in path.parts or path.name == "__main__.py":
        return
    calls = [
        n.func for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)
    ]
    names = {f.id for f in calls if isinstance(f, ast.Name)}
    assert not names & {"print", "input", "exit", "quit", "breakpoint"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_functions_are_short(path):
    """Fifty lines at the very most, apart from signature, docstring and the record they fill."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = node.end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 50, f"{node.name} has {lines} lines"


def test_the_public_names_are_there_when_asked_for():
    """Every public name loads, unknown ones are an AttributeError, importing loads none of them."""
    assert {name: getattr(textclf, name) for name in textclf.__all__}
    assert set(textclf.__all__) <= set(dir(textclf))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = textclf.nonsense
