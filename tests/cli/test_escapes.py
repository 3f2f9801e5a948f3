"""Escape sequences never reach a terminal, and nothing breaks out of its output format."""

import contextlib
import csv
import io
import json
import shutil

import pytest

from textclf.cli.app import run

EVIL = "\x1b]0;owned\x07\x9b31m\x7f\u202e\u2066\u2028\U000e0041"
"""Title, colour (in both spellings), delete, writing backwards, a line separator, a hidden tag."""

MARKUP = """\
[features.word]
token_pattern = ['[a-z]+[/red]', '[bold]\\w+']
[classifier.ComplementNB]
alpha = [1]
"""


def harmless(shown):
    return not set(EVIL) - set("0;31mowned]") & set(shown)


@pytest.fixture
def evil_file(project):
    """Return a file with one hostile text."""
    (project / "evil.txt").write_text(f"so {EVIL} great\r,'\"=1+1\n", newline="")


@pytest.mark.parametrize("form", ["text", "jsonl", "csv", "json"])
@pytest.mark.usefixtures("evil_file")
def test_texts_on_a_terminal(terminal, form):
    """In every format, control characters of texts are escaped on a terminal."""
    shown = terminal("predict", "-f", "evil.txt", *form_option(form)).out
    assert harmless(shown.replace("\x1b[1m", ""))
    assert "owned" in shown


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize("command", [["predict", "-f"], ["pick"]], ids=" ".join)
def test_tables_on_a_terminal(project, terminal, command, ending):
    """The cells of a table are escaped on a terminal, and its lines and tabs are not."""
    evil = f"so {EVIL} great"
    row = {"jsonl": json.dumps({"text": evil, "n": 1}, ensure_ascii=False), "tsv": f"{evil}\t1"}
    head = {"jsonl": "", "tsv": "text\tn\n"}
    content = f"{head.get(ending, 'text,n' + chr(10))}{row.get(ending, evil + ',1')}\n"
    (project / f"evil.{ending}").write_text(content)
    shown = terminal(*command, f"evil.{ending}", "-q").out
    assert harmless(shown)
    assert "owned" in shown
    assert ("\t" in shown) == (ending == "tsv" and command != ["pick"])


@pytest.mark.parametrize("form", ["jsonl", "csv", "json"])
@pytest.mark.usefixtures("evil_file")
def test_texts_for_a_program(process, form):
    """A program gets texts unchanged, and JSON escapes invisible characters."""
    out = process("predict", "-f", "evil.txt", *form_option(form)).out
    read = {
        "jsonl": lambda: json.loads(out)["text"],
        "json": lambda: json.loads(out)["predictions"][0]["text"],
        "csv": lambda: list(csv.reader(io.StringIO(out, newline="")))[1][0],
    }
    assert read[form]() == f"so {EVIL} great\r,'\"=1+1"
    if form != "csv":
        assert harmless(out)


TRAIN = ["train", "--grid", "grid.toml", "--cv", "2", "-m", f"m{EVIL}"]


@pytest.fixture(scope="module")
def evil_project(tmp_path_factory):
    """Return a folder with hostile data and a version trained on it."""
    folder = tmp_path_factory.mktemp("evil")
    lines = "".join(f"good {n} {EVIL},a\nbad {n},b{EVIL}b\n" for n in range(9))
    lines += f"good 0 {EVIL},a\n"  # again, which is warned of
    (folder / "grid.toml").write_text("[features.word]\n[classifier.ComplementNB]\n")
    (folder / f"{EVIL}.csv").write_text(f"text,label\n{lines}")
    (folder / "data").mkdir()
    (folder / "data/train.csv").write_text(f"text,label\n{lines}")
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.chdir(folder),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        patch.setenv("USER", f"u{EVIL}")
        patch.setenv("LOGNAME", f"u{EVIL}")
        assert run(TRAIN) == 0
    return folder


@pytest.fixture
def evil(empty, evil_project, monkeypatch):
    """Enter a folder with hostile texts and labels, as a user with a hostile name."""
    monkeypatch.setenv("USER", f"u{EVIL}")
    monkeypatch.setenv("LOGNAME", f"u{EVIL}")
    shutil.copytree(evil_project, empty, dirs_exist_ok=True)
    return empty


def form_option(form):
    return ["--json"] if form == "json" else ["--format", form]


@pytest.mark.parametrize(
    "command",
    [
        ("check",),
        ("check", "--json"),
        ("train", "--grid", "grid.toml", "--cv", "2", "-m", EVIL),
        ("versions", "list", "--json"),
        ("versions", "show", "1.0.0"),
        ("versions", "show", "1.0.0", "--json"),
        ("versions", "compare", "1.0.0", "1.0.0"),
        ("history",),
        ("history", "--json"),
        ("evaluate", f"{EVIL}.csv"),
        ("evaluate", f"{EVIL}.csv", "--json"),
        ("predict", f"good {EVIL}", "--json"),
        ("train", f"{EVIL}.csv", "--text-column", EVIL),
    ],
    ids=lambda command: " ".join(command[:2]).encode("unicode_escape").decode(),
)
@pytest.mark.parametrize("how", ["cli", "terminal"])
def test_evil_labels_names_messages_and_columns(evil, request, command, how):
    """All user data is shown escaped, on a terminal and in a pipe."""
    if command[0] == "train":
        shutil.rmtree(evil / "models")
    done = request.getfixturevalue(how)(*command)
    shown = done.out + done.err
    assert "owned" in shown
    assert "unexpected" not in shown
    for ours in ("\x1b[1m", "\x1b[0m", "\x1b[31m", "\x1b[36m", "\x1b[33m"):
        shown = shown.replace(ours, "")
    if how == "cli" or command[0] != "train":  # a live table moves the cursor
        assert harmless(shown)
    assert not {"\x07", "\x9b", "\u202e"} & set(shown)


def test_markup_in_a_search_space_is_no_markup(data, terminal):
    """Square brackets in parameters are not Rich markup in the leaderboard."""
    (data / "grid.toml").write_text(MARKUP)
    done = terminal("train", "--grid", "grid.toml")
    assert done.code == 0
    assert "token_pattern=[bold]\\w+" in done.out


def test_warnings_of_libraries_are_lines_like_others(data, process):
    """A warning of scikit-learn is printed once, escaped, and without source lines."""
    stop = '["\\u001b]0;owned\\u0007"]'
    (data / "grid.toml").write_text(
        f"[features.word]\ntoken_pattern = '\\S\\S+'\nstop_words = [{stop}]\n"
        "[classifier.ComplementNB]\n"
    )
    done = process("train", "--grid", "grid.toml")
    assert done.code == 0
    assert harmless(done.err)
    assert "site-packages" not in done.err
    assert "UserWarning" not in done.err


def test_a_message_is_one_line(empty, cli):
    """A name with line breaks cannot imitate an error and a hint."""
    done = cli("check", "data\nhint: curl example.org | sh")
    assert done.err == "error: there is no file data\\nhint: curl example.org | sh\n"
    (empty / "a\nhint: b.csv").write_text("text,label\n,x\n")
    done = cli("check", "a\nhint: b.csv")
    assert done.err.splitlines()[:2] == [
        "error: 1 bad row in a\\nhint: b.csv",
        "  a\\nhint: b.csv:2: empty text",
    ]


def test_names_in_commands_are_quoted(empty, cli):
    """Commands in hints quote file names for the shell."""
    rows = "".join(f"text {n},{label}\n" for n in range(20) for label in "ab")
    (empty / "$(id).csv").write_text(f"text,label\n{rows}only one,c\n")
    done = cli("train", "$(id).csv", "--min-rows-per-label", "1", "--cv", "30")
    assert "hint: textclf check '$(id).csv'" in done.err


def test_settings_hold_no_control_characters(empty, cli):
    """Settings with control characters are refused, except a tab as delimiter."""
    (empty / "textclf.toml").write_text('encoding = "\\u001b[31m\\u009b2J"\n')
    for command in (("check", "--help"), ("check",)):
        done = cli(*command)
        assert done.code == 2
        assert "textclf.toml: encoding: contains control characters" in done.err
        assert harmless(done.out + done.err)
    (empty / "textclf.toml").write_text('delimiter = "\\t"\n')
    (empty / "a.txt").write_text("text\tlabel\na\tb\n")
    assert "1 row" in cli("check", "a.txt").out


@pytest.mark.usefixtures("project")
def test_a_user_whose_name_is_no_text(process):
    """A user name that is not UTF-8 is recorded and shown escaped."""
    name = {"USER": b"caf\xe9".decode(errors="surrogateescape")}
    assert process("promote", "1.0.0", env={**name, "LOGNAME": name["USER"]}).code == 0
    assert "caf\\udce9@" in process("history").out
