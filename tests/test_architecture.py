"""What import-linter cannot say of the code: what it calls, and what it imports at once."""

import ast
import builtins
from pathlib import Path

import pytest

import textclf
from textclf.jit import SHARED_SOURCES

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
    light = (
        "textclf.cli", "textclf.errors", "textclf.formatting", "textclf._version",
        "textclf.machine_code", "textclf.metadata.channels", "textclf.registry.store.location",
    )  # fmt: skip
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


def decorators(node):
    return {d.id for d in node.decorator_list if isinstance(d, ast.Name)}


def compiled_functions(path):
    tree = ast.parse(path.read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [node for node in functions if decorators(node) & {"compiled", "inlined"}]


def imported_from(path):
    """The package's modules that the names of a file are imported from."""
    tree = ast.parse(path.read_text("utf-8"))
    return {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "textclf"
        for alias in node.names
    }


COMPILED = [path for path in MODULES if compiled_functions(path)]


@pytest.mark.parametrize("path", COMPILED, ids=name_of)
def test_compiled_functions_use_only_sources_that_renew_them(path):
    """Beside NumPy, builtins and their own file they use names of ``jit.SHARED_SOURCES`` alone."""
    shared = {name_of(ROOT / source) for source in SHARED_SOURCES}
    modules = imported_from(path)
    own = {
        node.name
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    compiled = {node.name for node in compiled_functions(path)}
    for function in compiled_functions(path):
        body = [node for statement in function.body for node in ast.walk(statement)]
        names = {node.id for node in body if isinstance(node, ast.Name)}
        foreign = {name for name in names & modules.keys() if modules[name] not in shared}
        assert not foreign, f"{function.name} uses {foreign} of another file"
        called = {
            n.func.id for n in body if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        assert called & own <= compiled, f"{function.name} calls what is not compiled"
        allowed = compiled | {name for name, module in modules.items() if module in shared}
        assert called <= allowed | set(dir(builtins)), f"{function.name} calls {called}"


def test_there_are_compiled_functions_to_check():
    """The files with compiled functions are found."""
    names = {name_of(path) for path in COMPILED}
    assert {
        "textclf.features.counts",
        "textclf.search.svm.dual",
        "textclf.scorer.batch_ngrams",
    } <= names
