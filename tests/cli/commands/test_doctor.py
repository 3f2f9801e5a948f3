"""`textclf doctor`: how a registry can be reached, and with what rights."""

import contextlib
import json
from pathlib import Path

import pytest
from cloud_servers import GETTER, READER, google


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


@pytest.fixture
def of_google(tmp_path, monkeypatch):
    """Return a function that starts a server of Google with some habits, and returns a URL."""
    with contextlib.ExitStack() as stack:

        def start(**habits):
            cloud = stack.enter_context(google(tmp_path / "server", **habits))
            [account] = cloud.environment.values()
            base = json.loads(Path(account).read_text())["gcs_base_url"]
            for name, value in {**cloud.environment, "GOOGLE_BASE_URL": base}.items():
                monkeypatch.setenv(name, value)
            return cloud.url("models")

        yield start


@pytest.mark.parametrize(
    ("habits", "check", "expected"),
    [
        ({}, "clock", (True, " s apart from the server's")),
        ({"date": ""}, "clock", (None, "the server does not tell the time")),
        ({"date": "Sat, 01 Jan 2000 00:00:00 GMT"}, "clock", (False, " s apart from the server's")),
        ({"careless": True}, "conditional writes", (False, "not obeyed: the server ")),
    ],
    ids=["fine", "no clock", "a wrong clock", "careless"],
)
def test_a_server_is_judged_by_what_it_does(cli, of_google, habits, check, expected):
    """By its clock, which signatures depend on, and by the conditions that it is to obey."""
    done = cli("doctor", "--models", of_google(**habits), "--json")
    assert done.code == (1 if expected[0] is False else 0)
    found = checks(done)[check]
    assert (found["ok"], expected[1] in found["detail"]) == (expected[0], True)
    assert "region" not in checks(done)


def test_a_bucket_of_azure_has_a_doctor_too(cli, azurite, monkeypatch):
    """All is good there."""
    for name, value in azurite.environment.items():
        monkeypatch.setenv(name, value)
    done = cli("doctor", "--models", azurite.url(azurite.new_prefix()), "--json")
    assert done.code == 0
    assert checks(done)["conditional writes"]["ok"] is True


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"XDG_CACHE_HOME": "", "HOME": "nowhere"}, "there is no home folder"),
        ({"XDG_CACHE_HOME": __file__}, "cannot be written, so nothing is kept"),
    ],
)
def test_a_missing_place_for_the_cache_is_said(cli, of_google, monkeypatch, variables, said):
    """It is no error: files are then fetched each time."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = cli("doctor", "--models", of_google(), "--json")
    assert done.code == 0
    assert (checks(done)["cache"]["ok"], said in checks(done)["cache"]["detail"]) == (None, True)


def test_a_damaged_log_is_told_with_the_next_step(cli, project):
    """All that comes before it is fine."""
    (project / "models/.registry/promotions/00000002.json").write_text("{")
    done = cli("doctor", "--json")
    assert (done.code, checks(done)["may write"]["ok"]) == (1, True)
    assert "00000002.json is damaged" in checks(done)["versions"]["detail"]
