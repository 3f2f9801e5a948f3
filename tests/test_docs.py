"""The documentation is run: every command in it, in order, in a folder like a fresh checkout.

``UPDATE_DOCS=1 pytest tests/test_docs.py`` writes what the commands print into the files.
"""

import ast
import contextlib
import io
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from cli_reference import reference
from doc_servers import DocServers
from paths import ROOT
from slow_lines import without_slow_lines

from textclf import errors
from textclf.cli import app as cli
from textclf.cli.app import application

DOCUMENTS = [
    "README.md",
    *(
        f"docs/{name}.md"
        for name in ("registry", "reliability", "metadata", "search-space", "search", "report")
    ),
    "docs/remote.md",
    "docs/events.md",
    "docs/mlflow.md",
    "docs/security.md",
    "docs/cli.md",
    "docs/deployment.md",
    "docs/serving.md",
    "docs/prediction.md",
    "docs/more-data.md",
    "docs/scorer-format.md",
    "docs/benchmarks.md",
    "docs/gates.md",
    "docs/reproduce.md",
    "docs/housekeeping.md",
    "docs/labels.md",
    "docs/development.md",
    "examples/fastify/README.md",
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
REFERENCED = "<!-- reference -->\n\n{}\n<!-- end of the reference -->\n"
REFERENCE = re.compile(REFERENCED.replace("\n\n{}\n", ".*?"), re.DOTALL)
SERVERS = DocServers()
FAILS = re.compile(r"^(error:|\d+ bad rows)|: \d+ problems?$", re.MULTILINE)


@pytest.fixture
def checkout(tmp_path):
    """A folder with the sample data and nothing else, and textclf on the path."""
    shutil.copytree(ROOT / "data", tmp_path / "data")
    (tmp_path / "bin").mkdir()
    script = f'#!/bin/sh\nexec "{sys.executable}" -m textclf "$@"\n'
    (tmp_path / "bin" / "textclf").write_text(script)
    (tmp_path / "bin" / "textclf").chmod(0o755)
    yield tmp_path
    SERVERS.stop()


def run(command, folder):
    """Run a command as a shell does, both streams as one; a plain textclf one in this process."""
    command = SERVERS.in_command(command)
    arguments = arguments_of_textclf(command)
    if arguments and arguments[0] != "serve":
        code, output = run_here(arguments, folder)
        return code, SERVERS.in_document(output)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TEXTCLF")}
    environment |= {"PATH": path, "PYTHONPATH": str(ROOT), "LOGNAME": "ada"}
    if arguments:
        return 0, SERVERS.start(arguments, folder, environment)
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, SERVERS.in_document(done.stdout)


def arguments_of_textclf(command):
    """Return the arguments of a command that needs no shell, and none for any other."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    program, *arguments = lexer
    is_plain = not any(set(word) <= set(lexer.punctuation_chars) for word in arguments)
    return arguments if program == "textclf" and is_plain and not set("$*?") & set(command) else []


def run_here(arguments, folder):
    """Run a command of textclf in this process, as it runs in a shell whose user is ada."""
    output = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.chdir(folder),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
        Path(os.devnull).open(encoding="utf-8") as nothing,
    ):
        for name in [name for name in os.environ if name.startswith("TEXTCLF")]:
            patch.delenv(name)
        patch.setenv("LOGNAME", "ada")
        patch.setattr("sys.stdin", nothing)
        code = cli.run(arguments)
    return code, output.buffer.getvalue().decode()


def commands(block):
    """Pairs of a command and what the document says it prints."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def played(block, folder):
    """The block as it would read after a run of its commands."""
    shown = []
    for command, _ in commands(block):
        code, output = run(command, folder)
        assert "Traceback" not in output
        output = without_slow_lines(output)
        assert (code != 0) == bool(FAILS.search(output)), f"{command}: exit {code}\n{output}"
        shown.append(f"$ {command}\n{output}")
    return "".join(shown)


MACHINE = [  # what differs between two runs or two machines
    (r"^\d+/\d+ fits.*\n(?=\d+/\d+ fits)", ""),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\dZ)?", "TIME"),
    (r"\b(\d+ min )?[\d.]+ s$", "SECONDS"),
    (r"[\d,]+ bytes", "BYTES"),
    (r"\w+@[\w.-]+", "user@host"),
    (r"\b[0-9a-f]{12}\b( with changes)?|–$", "HASH"),
    (r"(Python|scikit-learn|numpy|scipy|joblib) [\d.]+", r"\1"),
    (r"[+-]?\d+\.\d+(?![.\d])", "SCORE"),  # which other libraries may change a little
    (r"[ -]+", " "),
]


def alike(text):
    """Text without what differs between two machines; versions and counts stay."""
    for pattern, stands_for in MACHINE:
        text = re.sub(pattern, stands_for, text, flags=re.MULTILINE)
    return text


def written(name, folder):
    """Play a whole document and return it with what its commands printed."""
    text = REFERENCE.sub(lambda _: REFERENCED.format(reference()), (ROOT / name).read_text("utf-8"))

    def play(match):
        kind, block = match.groups()
        file = re.match(r"# ([\w-]+\.toml)\n", block)
        if kind == "toml" and file and file[1] != "textclf.toml":
            (folder / file[1]).write_text(block, "utf-8")
        return f"```{kind}\n{played(block, folder)}```" if kind == "console" else match[0]

    return BLOCK.sub(play, text)


def outputs_of_programs(text, folder):
    """What each Python program of a document prints."""
    outputs = []
    for program in (block for kind, block in BLOCK.findall(text) if kind == "python"):
        (folder / "program.py").write_text(program, "utf-8")
        code, output = run(f'"{sys.executable}" program.py', folder)
        assert code == 0, output
        outputs.append(output)
    return outputs


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_shows_what_its_commands_print(name, checkout):
    """Every `$` command runs, fails only where the document shows an error, and prints as shown."""
    if name in ("docs/metadata.md", "docs/serving.md"):
        run("textclf train", checkout)
    for tool in ("curl", "jq", "openssl"):
        if f"$ {tool} " in (ROOT / name).read_text("utf-8") and not shutil.which(tool):
            pytest.skip(f"this machine has no {tool}")
    new = written(name, checkout)
    if os.environ.get("UPDATE_DOCS"):
        (ROOT / name).write_text(new, "utf-8")
    if name == "docs/serving.md":
        assert outputs_of_programs(new, checkout) == [""]
    if name == "docs/security.md":
        assert outputs_of_programs(new, checkout) == ["positive\n"]
    if name == "docs/prediction.md":
        assert outputs_of_programs(new, checkout) == ["positive 1.0\npositive\nnegative\n"]
    assert alike(new) == alike((ROOT / name).read_text("utf-8"))


def test_the_settings_of_the_readme_are_settings(checkout):
    """The example of a settings file is taken by every command."""
    blocks = BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
    [settings] = [block for kind, block in blocks if block.startswith("# textclf.toml")]
    (checkout / "textclf.toml").write_text(settings)
    code, output = run("textclf train --dry-run", checkout)
    assert code == 0
    assert "10 folds" in output


def test_the_python_of_the_readme_runs(checkout):
    """The examples of programs load the promoted model and label a text."""
    run("textclf train", checkout)
    readme = (ROOT / "README.md").read_text("utf-8")
    assert outputs_of_programs(readme, checkout) == ["positive\n"] * 2


def test_the_program_of_the_guide_to_python_runs_and_is_typed(checkout):
    """A DataFrame in, versions in two channels, a DataFrame out; mypy --strict has no objection."""
    guide = (ROOT / "docs/python.md").read_text("utf-8")
    [program] = [block for _, block in BLOCK.findall(guide) if block.startswith("# release.py")]
    (checkout / "release.py").write_text(program, "utf-8")
    code, output = run(f'"{sys.executable}" release.py', checkout)
    assert code == 0, output
    assert "p = " in output
    assert (checkout / "models/1.0.0").exists()
    cache = ROOT / ".mypy_cache" / "programs"
    command = f'"{sys.executable}" -m mypy --strict --follow-imports=silent --cache-dir "{cache}"'
    code, output = run(f"{command} release.py", checkout)
    assert code == 0, output


def test_the_cells_of_the_notebook_run(checkout, monkeypatch, capsys):
    """One after the other, as Jupyter runs them; what they show has a form for notebooks."""
    notebook = json.loads((ROOT / "examples/notebook/textclf.ipynb").read_text("utf-8"))
    monkeypatch.chdir(checkout)
    shown, names = [], {"__name__": "__main__"}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"], "commit the notebook without outputs"
            *body, last = ast.parse("".join(cell["source"])).body
            exec(compile(ast.Module(body, []), "cell", "exec"), names)
            if isinstance(last, ast.Expr):
                shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), names))
            else:
                exec(compile(ast.Module([last], []), "cell", "exec"), names)
    assert all(hasattr(value, "_repr_html_") for value in shown)
    assert len(shown) >= 4
    assert capsys.readouterr().out == ""


TEXTS = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/README.md")]
QUOTED = re.compile(
    r"^```(?:sh|yaml|dockerfile)\n(.*?)^```$|(?<!`)`([^`]+)`(?!`)", re.DOTALL | re.MULTILINE
)
COMMAND = re.compile(r"(?:\s*- run: |RUN .*&& |\w+=\S+ )?textclf ([a-z-].*)")


def quoted_commands(text):
    """Yield the words of each command of textclf in a text, and whether it is one to copy."""
    for block, span in QUOTED.findall(text):
        lines = block.replace("\\\n", " ").splitlines() or [" ".join(span.split())]
        for found in filter(None, map(COMMAND.match, lines)):
            lexer = shlex.shlex(found[1], posix=True, punctuation_chars="|&;<>")
            lexer.whitespace_split = True
            yield list(itertools.takewhile(lambda word: word[0] not in "|&;<>", lexer)), bool(block)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_commands_that_are_not_run_are_commands(path):
    """Every command in a sentence or a script is there, with its options, and can be parsed."""
    everything = typer.main.get_command(application())
    for words, is_whole in quoted_commands(path.read_text("utf-8")):
        command, rest = everything, list(words)
        while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
            command = command.commands[rest.pop(0)]
        options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        assert {word.split("=")[0] for word in rest if word[:2] == "--"} <= {*options, "--help"}
        if is_whole:
            command.make_context("textclf", rest)


def test_what_the_texts_name_exists():
    """`pytest PATH` names a file, and `make TARGET` a target."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for path in TEXTS:
        text = path.read_text("utf-8")
        for file in re.findall(r"\b(?:tests|deploy)/[\w/.-]*\w", text):
            assert (ROOT / file).exists(), f"{path.name}: {file}"
        for target in re.findall(r"(?:`|^)make ([a-z-]+)(?:`| +#)", text, re.MULTILINE):
            assert target in targets, f"{path.name}: make {target}"


def test_every_command_of_the_contract_is_in_the_readme():
    """No command without a word about it."""
    readme = (ROOT / "README.md").read_text("utf-8")
    for command in (
        "train", "predict", "versions list", "versions show", "versions compare", "versions report",
        "promote", "rollback", "history", "evaluate", "verify", "check", "reproduce",
    ):  # fmt: skip
        assert f"$ textclf {command}" in readme


def test_the_reference_is_complete():
    """Every exit code of an error and every variable that is looked at has its line."""
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.TextclfError)}
    assert codes == {1, 2, 3, 4, 5, 6}
    for code in codes:
        assert f"\n| {code} | " in text
    sources = [path.read_text("utf-8") for path in (ROOT / "textclf").rglob("*.py")]
    variables = {name for source in sources for name in re.findall(r'"(TEXTCLF_\w+)"', source)}
    assert "TEXTCLF_MODELS" in variables
    for variable in variables:
        assert f"\n| `{variable}` | " in text


def test_links_lead_somewhere():
    """Relative links in the documents point to files that exist, and to headings in them."""
    for path in TEXTS:
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text("utf-8")):
            file, _, anchor = target.partition("#")
            there = path.parent / file if file else path
            assert there.exists(), f"{path.name}: {target}"
            assert not anchor or anchor in anchors(there), f"{path.name}: {target}"


def anchors(path):
    """Return the anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.*)", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
