"""On a terminal: tables, colours, the live leaderboard, and escaped control characters."""

import json
import re

import pytest

COLOUR = re.compile("\x1b\\[[0-9;]*m")
NASTY = "\x1b]0;owned\x07\x1b[31mred\x9b2J"


def damage(project, number, **fields):
    """Write hostile values into the metadata of a version."""
    path = project / f"models/{number}/metadata.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@pytest.mark.usefixtures("project")
def test_a_table_is_drawn_for_a_person(terminal, cli):
    """A terminal gets a drawn table with a bold header, a pipe plain columns."""
    shown = terminal("versions", "list").out
    assert "───" in shown
    assert COLOUR.search(shown)
    assert "1.0.1" in shown
    assert "latest" in shown
    piped = cli("versions", "list").out
    assert "─" not in piped
    assert "\x1b" not in piped


@pytest.mark.usefixtures("project")
def test_errors_are_coloured(terminal):
    """`error:` is red and `hint:` cyan on a terminal."""
    done = terminal("promote", "9.9.9")
    assert done.code == 3
    assert done.out.startswith("\x1b[31merror:\x1b[0m no version 9.9.9")
    assert "\x1b[36mhint:\x1b[0m textclf versions list" in done.out


@pytest.mark.parametrize("command", [("promote", "9.9.9"), ("versions", "list")], ids=" ".join)
@pytest.mark.parametrize("wish", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
@pytest.mark.usefixtures("project")
def test_no_colour_where_none_is_wanted(terminal, wish, command):
    """NO_COLOR turns off colours, and TERM=dumb all escape sequences."""
    shown = terminal(*command, **wish).out
    coloured = re.compile("\x1b\\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7]|38|48)[0-9;]*m")
    assert not coloured.search(shown)
    if "TERM" in wish:
        assert "\x1b" not in shown


@pytest.mark.usefixtures("data")
def test_the_leaderboard_is_live_and_leaves_the_cursor(terminal_process):
    """Training shows a live leaderboard, and restores the cursor at the end."""
    shown = terminal_process("train").out
    assert "mean score" in shown
    assert "40/40 fits" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1
    assert shown.index("\x1b[?25l") < shown.index("\x1b[?25h") < shown.index("published")
    assert "promoted \x1b[1m1.0.0\x1b[0m" in shown


@pytest.mark.usefixtures("data")
def test_a_dumb_terminal_gets_no_animation(terminal):
    """With TERM=dumb training writes no escape sequence."""
    done = terminal("train", TERM="dumb")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert "40/40 fits" in done.out


@pytest.mark.usefixtures("project")
def test_predict_without_texts_on_a_terminal_is_an_error(terminal):
    """Predict without texts on a terminal does not wait: exit code 2 and a hint."""
    done = terminal("predict")
    assert done.code == 2
    assert "no texts to label" in done.out
    assert 'textclf predict "this is great"' in done.out


def test_a_label_moves_no_cursor(data, terminal, cli):
    """Escape sequences in labels are escaped by every command."""
    train = data / "data/train.csv"
    train.write_text(train.read_text().replace("neutral", NASTY), newline="")
    (data / "data/test.csv").write_text(
        (data / "data/test.csv").read_text().replace("neutral", NASTY), newline=""
    )
    assert cli("train").code == 0
    for command in (("check",), ("versions", "show", "1.0.0"), ("predict", "the train report")):
        shown = terminal(*command).out
        assert "\\x1b]0;owned\\x07\\x1b[31mred" in shown
        assert not {"\x07", "\x9b"} & set(shown)
        assert "\x1b[31m" not in shown


@pytest.mark.parametrize(
    "command",
    [
        ("versions", "list"),
        ("versions", "show", "1.0.1"),
        ("versions", "compare", "1.0.0", "1.0.1"),
        ("history",),
        ("verify",),
        ("promote", NASTY),
        ("check", NASTY),
        ("train", "--grid", NASTY),
        ("train", "--models", NASTY, "--from", "1.0.0"),
        ("versions", "list", "--models", NASTY),
        (NASTY,),
        ("train", f"--{NASTY}"),
    ],
    ids=lambda command: repr(" ".join(command)[:24]),
)
def test_hostile_values_are_written_out(project, cli, command):
    """Hostile values in metadata, log, arguments and names are shown escaped."""
    damage(project, "1.0.1", version=NASTY, message=NASTY, saved_at=NASTY)
    record = project / "models/.registry/promotions/00000002.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"message": NASTY, "by": NASTY}))
    done = cli(*command)
    assert not set("\x1b\x07\x9b") & set(done.out + done.err)


def test_markup_in_metadata_is_no_markup(project, terminal):
    """Square brackets in metadata are not Rich markup in a table."""
    damage(project, "1.0.1", message="[bold]m[/bold]")
    assert "[bold]m[/bold]" in terminal("versions", "list").out


@pytest.mark.parametrize("columns", [60, 80, 90, 100, 120, 200])
@pytest.mark.usefixtures("project")
def test_only_the_last_column_of_a_table_is_wrapped(cli, monkeypatch, columns):
    """A table that does not fit is written plainly: no date and no number is cut in two."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("textclf.cli.output.render.sys.stdout.isatty", lambda: True, raising=False)
    shown = COLOUR.sub("", cli("versions", "list").out)
    rows = [line for line in shown.splitlines() if "1.0." in line]
    assert len(rows) == 2
    assert all(re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", row) for row in rows)


@pytest.mark.usefixtures("project")
def test_a_terminal_is_as_wide_as_it_is(terminal, monkeypatch):
    """The variable COLUMNS only says otherwise."""
    command = ("versions", "show", "1.0.1")
    shown = terminal(*command, COLUMNS="120").out
    assert terminal(*command, COLUMNS="60").out != shown
    monkeypatch.delenv("COLUMNS")
    assert terminal(*command).out == shown


@pytest.mark.parametrize("columns", [40, 60, 80])
@pytest.mark.parametrize(
    "command",
    [
        ("versions", "show", "latest"),
        ("evaluate", "data/test.csv"),
        ("versions", "compare", "1.0.0", "1.0.1"),
        ("check",),
        ("train", "--dry-run", "--bump", "patch"),
        ("predict", "data/test.csv", "data/train.csv"),
        ("promote", "1.0.0", "--require", "accuracy>=1.1"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("project")
def test_no_word_is_cut_on_a_narrow_terminal(terminal, cli, command, columns):
    """Sentences are broken between words: no line is wider than the terminal, or it is one word."""
    shown = COLOUR.sub("", terminal(*command, COLUMNS=str(columns)).out).replace("\r", "")
    sentences = [line for line in shown.splitlines() if not line.startswith("hint: ")]
    done = cli(*command)
    words = f"{done.out} {done.err}".split()
    for line in sentences:
        assert set(line.split()) <= {*words, *"─┃━"} or "──" in line
        assert len(line) <= columns or len(line.split()) <= 2 or "  " in line.strip()


@pytest.mark.parametrize("columns", range(36, 52))
@pytest.mark.usefixtures("project")
def test_a_line_is_broken_where_it_is_full(terminal, columns):
    """Colours take no room, and the words keep theirs."""
    shown = terminal("promote", "9.9.9", COLUMNS=str(columns)).out.replace("\r", "")
    first, *more, _hint = COLOUR.sub("", shown).splitlines()
    assert " ".join([first, *map(str.strip, more)]) == (
        "error: no version 9.9.9; the closest: 1.0.0, 1.0.1"
    )
    assert len(first) <= columns
    assert not more or len(f"{first} {more[0].split()[0]}") > columns
    assert shown.startswith("\x1b[31merror:\x1b[0m no version")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("columns", "left_out"), [(60, {"cv acc", "rows", "test acc"}), (72, {"cv acc"}), (80, set())]
)
def test_a_narrow_terminal_gets_fewer_columns_and_no_cut_ones(terminal, columns, left_out):
    """What a list of versions can do without is left out first; a pipe gets everything."""
    shown = COLOUR.sub("", terminal("versions", "list", COLUMNS=str(columns)).out)
    lines = shown.replace("\r", "").splitlines()
    assert max(map(len, lines)) <= columns
    heads = {"cv acc", "test acc", "macro F1", "rows"}
    assert {head for head in heads if head not in shown} == left_out
    assert any(re.search(r"\d\d:\d\d +\d+\.\d%", line) for line in lines if "latest" in line)


@pytest.mark.usefixtures("project")
def test_a_wide_table_is_wrapped_between_words(terminal, cli):
    """Where no column can be left out, none is cut: all words of the pipe are there."""
    command = ("versions", "compare", "1.0.0", "1.0.1", "--data", "data/test.csv")
    shown = COLOUR.sub("", terminal(*command, COLUMNS="60").out).replace("\r", "")
    assert max(map(len, shown.splitlines())) <= 60
    assert set(cli(*command).out.split()) <= set(shown.split())
