"""A registry is copied as a whole: `textclf mirror`."""

import os
import shlex
import signal

import registries

from textclf.registry import mirroring


def test_a_registry_is_mirrored_and_its_changes_follow(project, cli):
    """The files are the same; the answer counts what was copied; the second time there is none."""
    done = cli("mirror", "models", "copy")
    assert done.code == 0
    assert done.err == "copied 1.0.0\ncopied 1.0.1\n"
    assert done.out.startswith("copy mirrors models: copied 2 versions, ")
    assert done.out.endswith("; latest: 1.0.1\n")
    assert registries.plain_files(project / "copy") == registries.plain_files(project / "models")
    assert cli("verify", "--models", "copy").code == 0
    same = "copy has all that models has; latest: 1.0.1; nothing changed\n"
    assert cli("mirror", "models", "copy").out == same
    cli("promote", "1.0.0", "--to", "staging")
    cli("versions", "tag", "1.0.0", "prod=eu")
    done = cli("mirror", "models", "copy")
    assert done.out == "copy mirrors models: copied 1 promotion, 1 other event; latest: 1.0.1\n"
    assert "prod=eu" in cli("versions", "list", "--models", "copy").out


def test_a_mirror_with_its_own_log_is_refused(project, cli):
    """What was promoted in the mirror stays, and it is said what to do."""
    cli("mirror", "models", "copy")
    cli("promote", "1.0.0", "--models", "copy")
    before = registries.plain_files(project / "copy")
    done = cli("mirror", "models", "copy")
    assert (done.code, done.out) == (1, "")
    assert "error: copy is no mirror of models: .registry/promotions has records" in done.err
    assert "hint: mirror into a new folder or prefix" in done.err
    assert registries.plain_files(project / "copy") == before


def test_what_was_lost_is_brought_back_by_the_hint(project, cli):
    """A version that only the mirror has is named, and the command in the hint restores it."""
    cli("mirror", "models", "the copy")
    registries.remove(project / "models", "1.0.0")
    done = cli("mirror", "models", "the copy")
    assert "warning: lost in models, and kept in the copy: 1.0.0" in done.err
    hint = done.err.splitlines()[-1].removeprefix("hint: to bring back what was lost: textclf ")
    assert cli(*shlex.split(hint)).code == 0
    assert cli("verify").code == 0
    assert cli("mirror", "models", "the copy").err == ""


def test_nothing_is_no_registry(data, cli):
    """An empty location is no registry, and a registry is not copied into itself."""
    assert cli("mirror", "none", "copy").code == 3
    assert cli("mirror", "data", "data").code == 2
    assert not (data / "copy").exists()


def test_ctrl_c_completes_the_version_and_begins_no_other(project, cli, monkeypatch):
    """It is said that one version is completed; no log is copied; the next run completes all."""
    real = mirroring.create_copy

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(mirroring, "create_copy", interrupted)
        done = cli("mirror", "models", "copy")
    assert done.code == 130
    assert "completing what is being copied; Ctrl-C again ends it at once" in done.err
    assert registries.version_folders(project / "copy") == ["1.0.0"]
    assert registries.log(project / "copy") == []
    assert done.out == (
        "copied 1 version of models to copy, and no log; run it again to complete it\n"
    )
    assert cli("mirror", "models", "copy").code == 0
    assert registries.plain_files(project / "copy") == registries.plain_files(project / "models")
