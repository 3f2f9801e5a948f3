"""`textclf doctor`: how a registry can be reached, and with what rights."""

import json

import pytest
from cloud_servers import GETTER, READER


def checks(done):
    """Return the checks by name."""
    return {check["check"]: check for check in json.loads(done.out)["checks"]}


def test_everything_is_said_line_by_line(cli, remote):
    """Credentials, region, rights, conditions, clock, cache and what is there: all good."""
    done = cli("doctor", "--models", remote)
    assert done.code == 0
    lines = [line.split("  ")[0] for line in done.out.splitlines()]
    assert lines == [
        "registry", "credentials", "region", "server", "may list", "may read", "may create",
        "may update", "may delete", "conditional writes", "clock", "cache", "versions",
    ]  # fmt: skip
    assert "AWS_ACCESS_KEY_ID" in done.out
    assert "2, latest: 1.0.1" in done.out
    assert "failed" not in done.out


def test_nothing_is_left_behind(cli, bucket, seaweedfs):
    """Only the registry's own files are in the bucket afterwards, of an empty one none."""
    assert cli("doctor", "--models", bucket).code == 0
    prefix = bucket.partition("bucket1/")[2]
    assert seaweedfs.objects().list(prefix).collect() == []


def test_a_role_that_may_only_read_is_fine(cli, remote, monkeypatch):
    """It can do all that a reader needs, and doctor says what it cannot; predict works."""
    for name, value in READER.items():
        monkeypatch.setenv(name, value)
    done = cli("doctor", "--models", remote, "--json")
    assert done.code == 0
    assert checks(done)["may read"]["ok"] is True
    assert checks(done)["may create"] == {
        "check": "may create", "ok": None, "hint": None,
        "detail": "no; enough to list, show, predict, serve and verify",
    }  # fmt: skip
    for command in (
        ("predict", "so great"), ("versions", "list"), ("versions", "show", "latest"),
        ("history",), ("verify",), ("versions", "compare", "1.0.0", "latest"),
    ):  # fmt: skip
        assert cli(*command, "--models", remote).code == 0, command
    refused = cli("versions", "tag", "1.0.0", "a=b", "--models", remote)
    assert refused.code == 1
    assert "access denied (403)" in refused.err


def test_a_role_that_may_not_list_fails_with_the_next_step(cli, remote, monkeypatch):
    """Without the right to list nothing works, and the hint leads to the rights."""
    for name, value in GETTER.items():
        monkeypatch.setenv(name, value)
    done = cli("doctor", "--models", remote)
    assert done.code == 1
    assert "may list            failed: " in done.out.replace(
        "may list     ", "may list            "
    )
    assert "hint: may list: docs/remote.md" in done.err


def test_a_server_that_does_not_answer_ends_the_list(cli, remote, monkeypatch):
    """What needs the server is left out, rather than failing line by line."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    done = cli("doctor", "--models", remote, "--json")
    assert done.code == 1
    assert "cannot be reached" in checks(done)["may list"]["detail"]
    assert "may read" not in checks(done)


def test_without_credentials_it_says_how_to_get_some(cli, bucket, monkeypatch, tmp_path):
    """The first line that fails is the last one."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    done = cli("doctor", "--models", bucket)
    assert done.code == 1
    assert done.out.splitlines()[1].startswith("credentials  failed: no credentials for s3://")
    assert "aws configure" in done.err


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_has_a_doctor_too(cli, project, there):
    """Whether it can be listed and written, and what is in it; nothing is created."""
    done = cli("doctor", "--models", "models" if there else "none")
    assert done.code == 0
    assert ("2, latest: 1.0.1" if there else "does not exist yet") in done.out
    assert not (project / "none").exists()
    assert list((project / "models/.registry/staging").iterdir()) == []


def test_a_folder_that_is_none_fails(cli, project):
    """A file in its place is told."""
    (project / "file").touch()
    done = cli("doctor", "--models", "file")
    assert done.code == 1
    assert "file is not a folder" in done.out
