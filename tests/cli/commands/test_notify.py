"""Who is told of promotions: `--on-promote`, `--webhook`, and the user's own settings."""

import base64
import json
import socket
import sys
import threading
from types import SimpleNamespace

import pytest
from certificates import self_signed
from paths import ROOT
from webhook_server import webhook_server

import textclf
from textclf.errors import GateRefused

SECRET = "whsec_" + base64.b64encode(b"not for others").decode()


@pytest.fixture
def note(project):
    """Return a command that adds its arguments and its stdin to a file, and the file."""
    path, program = project / "noted.jsonl", project / "bin/note"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        f"line = json.dumps([sys.argv[1:], json.load(sys.stdin)])\n"
        f"open({str(path)!r}, 'a').write(line + '\\n')\nprint('noise')\n"
    )
    program.chmod(0o755)
    return program, lambda: [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def config(tmp_path_factory, monkeypatch):
    """Write the user's own settings, private to the user."""
    folder = tmp_path_factory.mktemp("config")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))

    def write(text):
        path = folder / "textclf/config.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write


def unnotified(cli):
    entries = json.loads(cli("history", "--all", "--json").out)
    return [entry for entry in entries if entry["kind"] == "unnotified"]


def test_a_command_is_told_of_every_promotion(cli, note):
    """Training, promoting and rolling back, in any channel, give it the record of the log."""
    program, noted = note
    option = ("--on-promote", str(program))
    assert cli("train", "--bump", "minor", *option, "--json").code == 0
    assert cli("promote", "1.0.0", "--to", "staging", *option).code == 0
    assert cli("promote", "1.0.1", *option).code == 0
    assert cli("rollback", *option).code == 0
    entries = json.loads(cli("history", "--all", "--json").out)
    promoted = [{k: v for k, v in entry.items() if k != "kind"} for entry in entries[2:]]
    assert sorted(str(record) for _, record in noted()) == sorted(map(str, promoted))
    assert [(r["channel"], r["to"]) for _, r in noted()] == [
        ("latest", "1.1.0"), ("staging", "1.0.0"), ("latest", "1.0.1"), ("latest", "1.1.0"),
    ]  # fmt: skip


def test_nobody_is_told_of_what_did_not_happen(cli, note):
    """A version that is promoted already, or refused, or not to be promoted, is no promotion."""
    program, _ = note
    option = ("--on-promote", f"{program} told")
    assert cli("promote", "1.0.1", *option).code == 0
    assert cli("promote", "1.0.0", "--require", "accuracy>=1.1", *option).code in {2, 5}
    assert cli("promote", "1.0.0", "--require", "f1[none]>=0.5", *option).code == 5
    assert cli("train", "--bump", "minor", "--no-promote", *option).code == 0
    assert not (program.parent.parent / "noted.jsonl").exists()


def test_a_command_is_split_into_words_and_no_shell_sees_it(project, cli, note):
    """Quotes join words; what else has a meaning in a shell is a part of a word."""
    program, noted = note
    command = f"{program} 'two words' $HOME ; touch owned > owned `touch owned`"
    assert cli("promote", "1.0.0", "--on-promote", command).code == 0
    [(words, _)] = noted()
    assert words == [
        "two words", "$HOME", ";", "touch", "owned", ">", "owned", "`touch", "owned`",
    ]  # fmt: skip
    assert not (project / "owned").exists()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("textclf-no-such-program secret", "cannot be run: No such file or directory"),
        (f"{sys.executable} -c 'raise SystemExit(3)' secret", "ended with exit code 3"),
        (
            f"{sys.executable} -c 'import os; os.kill(os.getpid(), 9)' secret",
            "was ended by SIGKILL",
        ),
        (
            f"{sys.executable} -c 'import os; os.kill(os.getpid(), 40)' secret",
            "was ended by signal 40",
        ),
        (f"{sys.executable} -c 'import time; time.sleep(60)' secret", "took more than 0 s"),
    ],
    ids=["missing", "fails", "killed", "killed by a number", "slow"],
)
def test_a_command_that_fails_is_a_warning_and_an_event(cli, monkeypatch, command, reason):
    """The promotion stays; the warning and the event name the program without its arguments."""
    if "more than" in reason:
        monkeypatch.setattr("textclf.release.notify.COMMAND_SECONDS", 0)
    done = cli("promote", "1.0.0", "--on-promote", command, "--json")
    assert (done.code, json.loads(done.out)["changed"]) == (0, True)
    name = command.split()[0].rpartition("/")[2]
    assert done.err.startswith(f"warning: 1.0.0 is promoted, but the command {name} was not told")
    assert reason in done.err
    [event] = unnotified(cli)
    assert event == json.loads(cli("history", "--all", "--json").out)[-1]
    assert event["message"] == f"the command {name}: {reason}"
    assert event["detail"] == {"channel": "latest", "n": 3}
    assert "secret" not in done.err + str(event)
    assert cli("verify").code == 0


@pytest.mark.usefixtures("project")
def test_an_event_that_cannot_be_recorded_is_a_warning_too(cli):
    """The promotion stays."""
    events = "models/.registry/events"
    command = f"sh -c 'rm -rf {events}; ln -s events {events}; exit 3'"
    done = cli("promote", "1.0.0", "--on-promote", command)
    assert done.code == 0
    assert "the command sh was not told of it: ended with exit code 3" in done.err
    assert "the event log was not told of it: cannot " in done.err


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("secret", [SECRET, "any text"])
def test_a_webhook_is_sent_the_record_signed(cli, monkeypatch, secret):
    """A server that does what the document shows knows it by the secret, and nothing else."""
    shown = (ROOT / "docs/events.md").read_text("utf-8").partition("```python\n")[2]
    server = {}
    exec(shown.partition("```")[0], server)
    monkeypatch.setenv("TEXTCLF_WEBHOOK_SECRET", secret)
    with webhook_server() as received:
        done = cli("promote", "1.0.0", "-m", "über", "--webhook", f"{received.url}/hooks?a=b")
    assert (done.code, done.err) == (0, "")
    [(path, headers, body)] = received.requests
    assert path == "/hooks?a=b"
    assert json.loads(body) == json.loads(cli("history", "--json").out)[-1]
    assert server["is_genuine"](headers, body, secret)
    assert not server["is_genuine"](headers, body + b" ", secret)
    assert not server["is_genuine"](headers, body, "another")


@pytest.mark.usefixtures("project")
def test_a_redirection_is_not_followed(cli):
    """Nobody but the named server is sent the record; the warning shows no path."""
    with webhook_server() as other, webhook_server(307, [("Location", other.url)]) as received:
        done = cli("promote", "1.0.0", "--webhook", f"{received.url}/secret-path")
    assert done.code == 0
    assert "answered 307, and redirections are not followed" in done.err
    assert (len(received.requests), other.requests) == (1, [])
    [event] = unnotified(cli)
    assert "secret-path" not in done.err + str(event)


@pytest.mark.usefixtures("project")
def test_a_certificate_that_nobody_trusts_is_refused(cli, tmp_path):
    """A record is sent to a server only if its certificate is valid."""
    with webhook_server(certificate=self_signed(tmp_path)) as received:
        done = cli("promote", "1.0.0", "--webhook", received.url)
    assert done.code == 0
    assert "has a certificate that is not valid" in done.err
    assert received.requests == []


@pytest.mark.usefixtures("project")
def test_a_webhook_that_cannot_be_reached_or_does_not_answer_is_a_warning(cli):
    """The time limit is that of the whole request."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.MonkeyPatch.context() as patch:
        patch.setattr("textclf.release.webhook.SECONDS", 0.2)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "did not answer within 0.2 s" in cli("promote", "1.0.0", "--webhook", url).err
    assert "cannot be reached: Connection refused" in cli("rollback", "--webhook", url).err
    assert [event["version"] for event in unnotified(cli)] == ["1.0.0", "1.0.1"]


@pytest.mark.usefixtures("project")
def test_a_webhook_that_is_no_http_server_is_a_warning(cli):
    """Whatever it answers."""
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer():
            connection, _ = other.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"220 mail.example.com\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        assert "did not answer with HTTP" in cli("promote", "1.0.0", "--webhook", url).err
        thread.join()


@pytest.mark.usefixtures("project")
def test_a_secret_that_is_not_one_is_refused_before_anything_happens(cli, monkeypatch):
    """It is not shown."""
    monkeypatch.setenv("TEXTCLF_WEBHOOK_SECRET", "whsec_a b")
    done = cli("promote", "1.0.0", "--webhook", "https://example.com")
    assert done.code == 2
    assert "the secret of the webhook is not Base64 after whsec_" in done.err
    assert "a b" not in done.err


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("example.com/x", "--webhook is not a URL"),
        ("file:///etc/passwd", "--webhook is not a URL"),
        ("http://[::1/x", "--webhook is not a URL"),
        ("https://h:0x/", "--webhook is not a URL"),
        ("https://exa mple.com", "--webhook is not a URL"),
        ("https://x\r\nHost: y", "--webhook is not a URL"),
        ("https://ada:pass@example.com", "--webhook holds a user name or a password"),
        ("http://example.com/x", "what is sent to example.com by http:// can be read"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_url_that_is_not_safe_is_refused_before_anything_happens(cli, url, problem):
    """The message is a usage error and shows no secret; nothing is promoted."""
    done = cli("promote", "1.0.0", "--webhook", url)
    assert done.code == 2
    assert problem in done.err
    assert "pass@" not in done.err
    assert len(json.loads(cli("history", "--json").out)) == 2


@pytest.mark.parametrize("command", ["", "  ", "say 'so", "''"])
@pytest.mark.usefixtures("project")
def test_a_command_that_cannot_be_split_is_refused(cli, command):
    """A quote that is never closed is a usage error; no command at all turns it off."""
    done = cli("promote", "1.0.0", "--on-promote", command)
    assert done.code == (0 if command == "" else 2)


def test_the_environment_and_the_users_own_settings_name_them_too(cli, note, config):
    """An option counts more than a variable, and a variable more than the settings."""
    program, noted = note
    config(f"on_promote = '{program} settings'")
    assert cli("promote", "1.0.0").code == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEXTCLF_ON_PROMOTE", f"{program} variable")
        assert cli("rollback").code == 0
        assert cli("promote", "1.0.0", "--on-promote", f"{program} option").code == 0
        assert cli("rollback", "--on-promote", "").code == 0
    assert [words for words, _ in noted()] == [["settings"], ["variable"], ["option"]]


def test_no_file_of_the_working_folder_names_a_program(project, cli, note, config, monkeypatch):
    """Neither settings of the folder do, nor a relative path that is not typed."""
    _program, noted = note
    (project / "textclf.toml").write_text("on_promote = 'bin/note'")
    assert "on_promote cannot be a setting" in cli("promote", "1.0.0").err
    (project / "textclf.toml").unlink()
    path = config("on_promote = 'bin/note'")
    done = cli("promote", "1.0.0")
    assert done.code == 2
    assert f"{path}: on_promote: 'bin/note' is looked up in the current folder" in done.err
    path.unlink()
    monkeypatch.setenv("TEXTCLF_ON_PROMOTE", "bin/note")
    assert cli("promote", "1.0.0").code == 2
    assert cli("promote", "1.0.0", "--on-promote", "bin/note typed").code == 0
    assert [words for words, _ in noted()] == [["typed"]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("on_promot = 'x'", "there is no setting 'on_promot'"),
        ("on_promote = 3", "on_promote is not a text"),
        ("on_promote", "not TOML"),
    ],
)
@pytest.mark.usefixtures("project")
def test_settings_of_the_user_that_make_no_sense_are_refused(cli, config, text, problem):
    """The message names the file."""
    path = config(text)
    done = cli("promote", "1.0.0")
    assert done.code == 2
    assert str(path) in done.err
    assert problem in done.err
    path.unlink()
    path.mkdir()
    assert f"cannot read {path}: " in cli("promote", "1.0.0").err


@pytest.mark.usefixtures("project")
def test_a_secret_that_others_can_read_is_refused(cli, config):
    """As a private key is."""
    path = config("webhook_secret = 'x'")
    path.chmod(0o644)
    done = cli("promote", "1.0.0")
    assert (done.code, f"hint: chmod 600 {path}" in done.err) == (2, True)


@pytest.mark.usefixtures("project")
def test_without_a_home_there_are_no_settings_of_the_user(cli, monkeypatch):
    """A container may have neither the variable nor a home."""
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "~")
    assert cli("promote", "1.0.0").code == 0


@pytest.mark.usefixtures("project")
def test_history_follow_prints_each_new_record_as_a_line(cli, monkeypatch):
    """From now on, of all channels, or with --all every event too, until Ctrl-C."""

    def followed(*options, steps):
        pending = iter(steps)

        def sleep(_):
            step = next(pending, None)
            if step is None:
                raise KeyboardInterrupt
            step()

        monkeypatch.setattr("textclf.cli.commands.history.time", SimpleNamespace(sleep=sleep))
        done = cli("history", "--follow", "--json", *options)
        assert done.code == 0
        return [json.loads(line) for line in done.out.splitlines()]

    def promote(version, channel):
        from textclf import promote

        return lambda: promote(version, models="models", to=channel)

    steps = [promote("1.0.0", "latest"), promote("1.0.1", "staging")]
    shown = followed(steps=steps)
    assert [(r["to"], r["channel"]) for r in shown] == [("1.0.0", "latest"), ("1.0.1", "staging")]
    assert "kind" not in shown[0]
    shown = followed("--channel", "staging", steps=[promote("1.0.1", "latest")])
    assert shown == []

    def refuse():
        from textclf import promote

        with pytest.raises(GateRefused):
            promote("1.0.0", models="models", require=["f1[none]>=0.5"])

    shown = followed("--all", steps=[refuse, promote("1.0.0", "qa")])
    assert [entry["kind"] for entry in shown] == ["refused", "promoted"]


def test_history_follow_goes_on_after_a_problem(project, cli, monkeypatch):
    """A damaged record, and a registry that cannot be read for a while, are told once."""
    models, aside = project / "models", project / "aside"
    damaged = models / ".registry/promotions/00000003.json"

    def promote():
        textclf.promote("1.0.0", models="models")

    steps = [
        lambda: damaged.write_text("{"),
        lambda: (models.rename(aside), models.symlink_to(models)),
        lambda: None,
        lambda: (models.unlink(), aside.rename(models), damaged.unlink()),
        promote,
    ]

    def sleep(_):
        if not steps:
            raise KeyboardInterrupt
        steps.pop(0)()

    monkeypatch.setattr("textclf.cli.commands.history.time", SimpleNamespace(sleep=sleep))
    done = cli("history", "--follow", "--json")
    assert [json.loads(line)["to"] for line in done.out.splitlines()] == ["1.0.0"]
    assert [line.count("is damaged") for line in done.err.splitlines()] == [1, 0]


@pytest.mark.usefixtures("project")
def test_history_follow_is_for_programs(cli):
    """Without --json the hint is the command to type."""
    done = cli("history", "--follow")
    assert (done.code, "textclf history --follow --json" in done.err) == (2, True)
