"""Versions are copied to another registry: `textclf versions push`."""

import shlex

import pytest
import registries
from keys import write_pair


def test_a_version_is_pushed_promoted_and_used(project, cli):
    """It is named, it is not promoted, and the hint promotes it, whatever the folder is called."""
    done = cli("versions", "push", "latest", "the other")
    assert (done.code, done.out.split(",")[0]) == (0, "copied 1.0.1 to the other")
    promote = "textclf promote 1.0.1 --models 'the other'"
    assert done.err == f"hint: not promoted; to promote it: {promote}\n"
    assert cli(*shlex.split(promote)[1:]).code == 0
    assert cli("predict", "so great", "--models", "the other").out == cli("predict", "so great").out
    again = cli("versions", "push", "1.0.1", "the other")
    expected = "1.0.1 is already in the other with the same content; nothing changed\n"
    assert (again.out, again.err) == (expected, "")
    folders = [project / name / "1.0.1" for name in ("models", "the other")]
    ours, theirs = ({p.name: p.read_bytes() for p in folder.iterdir()} for folder in folders)
    assert ours == theirs


def test_a_version_that_was_signed_since_gets_its_signature(project, cli):
    """All else is there already."""
    private, public = write_pair(project, "release")
    cli("versions", "push", "1.0.1", "other")
    assert cli("sign", "1.0.1", "--key", private).code == 0
    again = cli("versions", "push", "1.0.1", "other")
    assert again.out == "1.0.1 is already in other; added 1 signature\n"
    assert cli("verify", "--models", "other", "--key", public).code == 0


def test_several_versions_channels_and_all(old, cli):
    """Versions are named by numbers and channels, or all are copied; pruned ones are left out."""
    cli("promote", "0.1.0", "--to", "staging")
    assert "copied 0.1.0" in cli("versions", "push", "staging", "v0.1.0", "other", "-q").out
    every = cli("versions", "push", "--all", "other")
    assert every.out.count("copied") == len(registries.version_folders(old / "models")) - 1
    assert "to promote the highest: textclf promote" in every.err
    cli("promote", "1.0.0", "--models", "other")
    cli("versions", "prune", "--keep", "2", "--models", "other")
    left = cli("versions", "push", "--all", "other")
    assert "warning: left out, because pruned in other: 0.1.0" in left.err
    assert "0.1.0" not in registries.version_folders(old / "other")
    assert cli("versions", "push", "0.1.0", "other").out.startswith("copied 0.1.0")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("other",), 2, "error: no version is named\nhint: first the versions, then the other"),
        (("1.0.0", "other", "--all"), 2, "error: --all is every version"),
        (("9.9.9", "other"), 3, "error: no version 9.9.9; the closest: 1.0.0, 1.0.1"),
        (("1.0.0", "models"), 2, "error: models cannot be copied to models, which is the same"),
        (("1.0.0", "models/x"), 2, "error: models cannot be copied to models/x, which is a part"),
        (("1.0.0", "data/train.csv"), 1, "data/train.csv is not a folder"),
        (("1.0.0", "ftp://x"), 2, "ftp://x has a scheme that is not read"),
    ],
)
def test_what_cannot_be_copied(project, cli, arguments, code, message):
    """It is an error in one sentence, and nothing is written."""
    before = sorted(project.rglob("*"))
    done = cli("versions", "push", *arguments)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert sorted(project.rglob("*")) == before


def test_a_taken_number_is_refused(project, cli, data):
    """A number that another version has is refused, and nothing changes."""
    cli("train", "--seed", "3", "--models", "other", "-q")
    before = registries.plain_files(data / "other")
    done = cli("versions", "push", "--all", "other")
    assert (done.code, done.out) == (1, "")
    assert "1.0.0 is another version in other; numbers are not reused" in done.err
    assert registries.plain_files(project / "other") == before


def test_a_required_signature(project, cli, monkeypatch):
    """Where a signature is required, a version is copied when it is signed, and not before."""
    private, public = write_pair(project, "one")
    monkeypatch.setenv("TEXTCLF_REQUIRE_SIGNATURE", str(public))
    assert cli("versions", "push", "1.0.0", "other").code == 6
    cli("sign", "1.0.0", "--key", private)
    assert cli("versions", "push", "1.0.0", "other").code == 0
    assert cli("promote", "1.0.0", "--models", "other").code == 0
