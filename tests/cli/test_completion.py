"""Completion in the shell: versions of the models folder."""

import pytest
import registries

from textclf.cli.app import run
from textclf.metadata.versions import parse_version


@pytest.fixture
def complete(monkeypatch, capsys):
    """Return what bash is offered for the last word of a line."""

    def call(line, env=None):
        number = len(line.split(" ")) - 1
        words = {
            "_TEXTCLF_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(number),
        }
        capsys.readouterr()
        with monkeypatch.context() as patch:
            for name, value in (words | (env or {})).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                run([])
        out, err = capsys.readouterr()
        assert (ended.value.code, err) == (0, "")
        return out.split()

    return call


@pytest.mark.parametrize(
    "line",
    [
        "textclf promote ",
        "textclf versions show ",
        "textclf versions compare 1.0.0 ",
        "textclf train --from ",
        "textclf predict --version ",
        "textclf evaluate data/test.csv --version ",
    ],
)
@pytest.mark.usefixtures("project")
def test_versions_are_offered_highest_first(complete, line):
    """Where a version is expected, latest, previous and all versions are offered."""
    assert complete(line) == ["latest", "previous", "1.0.1", "1.0.0"]


def test_channels_are_offered_where_they_can_be_named(project, complete):
    """Before the numbers where a version is expected; latest, too, where only a channel is."""
    registries.open_registry(project / "models").promote(parse_version("1.0.0"), channel="staging")
    offered = ["latest", "previous", "staging", "1.0.1", "1.0.0"]
    assert complete("textclf predict --version ") == offered
    for line in ("promote 1.0.0 --to ", "rollback --channel ", "history --channel "):
        assert complete(f"textclf {line}") == ["latest", "staging"]


def test_only_what_fits_is_offered(project, complete):
    """Only versions that begin with what was typed are offered, and no other folders."""
    for name in ("notes", "1.0.x", "10.0.0"):
        (project / "models" / name).mkdir()
    assert complete("textclf promote 1.") == ["1.0.1", "1.0.0"]
    assert complete("textclf promote 1") == ["10.0.0", "1.0.1", "1.0.0"]
    assert complete("textclf promote l") == ["latest"]


def test_the_folder_may_be_another(project, complete):
    """--models and TEXTCLF_MODELS are respected; a missing folder is not an error."""
    (project / "models").rename(project / "other")
    assert complete("textclf promote 1") == []
    assert complete("textclf promote --models other 1") == ["1.0.1", "1.0.0"]
    assert complete("textclf promote 1", {"TEXTCLF_MODELS": "other"}) == ["1.0.1", "1.0.0"]


def test_nobody_waits_for_a_network(complete):
    """Of a registry elsewhere only what every registry has is offered."""
    elsewhere = {"TEXTCLF_MODELS": "s3://bucket/models"}
    assert complete("textclf promote ", elsewhere) == ["latest", "previous"]
    assert complete("textclf rollback --channel ", elsewhere) == ["latest"]


@pytest.mark.usefixtures("empty")
def test_commands_and_choices_are_offered(complete):
    """Commands and the values of options with choices are offered."""
    assert complete("textclf pro") == ["promote"]
    assert complete("textclf versions s") == ["show"]
    assert complete("textclf train --bump m") == ["minor", "major"]


@pytest.mark.parametrize(("shell", "file"), [("zsh", ".zfunc/_textclf"), ("bash", ".bashrc")])
def test_completion_is_installed_for_the_shell_that_is_named(empty, process, shell, file):
    """The shell that is named counts, and not the one that the command is typed in."""
    done = process("--install-completion", shell, env={"HOME": str(empty)})
    assert done.code == 0
    assert done.out.startswith(f"{shell} completion installed in {empty}")
    assert "textclf" in (empty / file).read_text()


@pytest.mark.usefixtures("empty")
def test_the_completion_of_a_shell_is_shown(cli):
    """--show-completion prints the script; an unknown shell is an error that lists the others."""
    assert cli("--show-completion", "zsh").out.startswith("#compdef textclf")
    done = cli("--show-completion", "csh")
    assert (done.code, done.out) == (2, "")
    assert "bash|zsh|fish" in done.err


def test_completion_that_cannot_be_installed_is_one_sentence(empty, process):
    """A home that is a file is an error of one line."""
    (empty / "file").write_text("")
    done = process("--install-completion", "zsh", env={"HOME": str(empty / "file")})
    assert done.code == 1
    assert done.err.startswith("error: cannot install the completion: ")


@pytest.mark.usefixtures("empty")
def test_the_shell_that_is_used_is_found_out(cli, monkeypatch):
    """Without a name the completion is that of the shell that textclf was started from."""
    for used, code in (("fish", 0), (None, 2)):
        monkeypatch.setattr("typer._completion_shared._get_shell_name", lambda used=used: used)
        assert cli("--show-completion").code == code
