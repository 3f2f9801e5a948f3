"""The command line on a registry that is read through `textclf serve`."""

import json
import pickle
from pathlib import Path

import pytest
import registries
from keys import write_pair
from served import serving
from waiting import wait_until

from textclf import load, open_registry
from textclf.errors import StoreError, Unreachable
from textclf.metadata.versions import parse_version


@pytest.fixture
def served(project, monkeypatch):
    """Serve the project's versions, and let every command read them through the service."""
    with serving(open_registry(project / "models")) as running:
        monkeypatch.setenv("TEXTCLF_MODELS", f"http://127.0.0.1:{running.port}")
        yield running


def done(outcome):
    """Return what a command said that has succeeded."""
    assert outcome.code == 0, outcome.err
    return outcome.out


READING = [
    ("predict", "a great lovely", "--json"),
    ("predict", "great", "--version", "previous", "--explain", "--json"),
    ("versions", "list", "--json"),
    ("versions", "compare", "1.0.0", "latest", "--json"),
    ("history", "--all", "--json"),
    ("verify", "--json"),
    ("evaluate", "data/test.csv", "--json"),
]


@pytest.mark.usefixtures("served")
def test_commands_that_read_answer_as_they_do_of_the_folder(cli):
    """Word for word; also of the cache alone."""
    for command in READING:
        assert done(cli(*command)) == done(cli(*command, "--models", "models")), command
    show = ("versions", "show", "latest", "--json")
    assert (
        json.loads(done(cli(*show)))["artifact"]
        == json.loads(done(cli(*show, "--models", "models")))["artifact"]
    )


@pytest.mark.usefixtures("served")
def test_a_version_is_exported_through_the_service(cli):
    """The archive has the same bytes, and is imported elsewhere."""
    done(cli("versions", "export", "1.0.0", "one.tar.gz"))
    done(cli("versions", "export", "1.0.0", "two.tar.gz", "--models", "models"))
    assert Path("one.tar.gz").read_bytes() == Path("two.tar.gz").read_bytes()
    done(cli("versions", "import", "one.tar.gz", "--models", "other"))
    assert "1.0.0" in done(cli("versions", "list", "--models", "other"))


def test_a_registry_is_copied_through_the_service(cli, served, project):
    """Versions are pulled from it, and a mirror has the same bytes as the folder."""
    url = f"http://127.0.0.1:{served.port}"
    assert "copied 1.0.1 to mine" in done(
        cli("versions", "pull", "latest", url, "--models", "mine")
    )
    cli("versions", "tag", "1.0.0", "prod=eu", "--models", "models")
    cli("promote", "1.0.0", "--to", "staging", "--models", "models")
    done(cli("mirror", url, "copy"))
    assert registries.plain_files(project / "copy") == registries.plain_files(project / "models")


@pytest.mark.parametrize(
    "command",
    [
        ("train",),
        ("versions", "pull", "1.0.0", "models"),
        ("promote", "1.0.0"),
        ("promote", "9.9.9"),
        ("rollback",),
        ("versions", "tag", "1.0.0", "a=b"),
        ("versions", "prune", "--keep", "1"),
        ("versions", "import", "x.tar.gz"),
        ("verify", "--repair"),
    ],
    ids=" ".join,
)
def test_commands_that_write_say_that_it_is_read_only(cli, served, command):
    """At once, in a sentence that says what to do instead; nothing is asked of the service."""
    before = served.get("/metrics").body.count(b"/v1/registry")
    outcome = cli(*command)
    assert outcome.code == 1
    assert "is read-only: textclf serve lets others read its registry" in outcome.err
    assert "the folder or the bucket that it serves" in outcome.err
    assert served.get("/metrics").body.count(b"/v1/registry") == before


def test_a_promotion_is_seen_and_only_what_is_new_is_fetched(cli, served, project):
    """The second predict asks for the head of the log alone."""

    def asked():
        lines = served.get("/metrics").body.decode().splitlines()
        found = [line for line in lines if "seconds_count" in line and "/v1/registry/" in line]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    done(cli("predict", "great"))
    before = asked()
    assert json.loads(done(cli("predict", "great", "--json")))["version"] == "1.0.1"
    assert asked() == before + 1
    open_registry(project / "models").promote(parse_version("1.0.0"))
    assert json.loads(done(cli("predict", "great", "--json")))["version"] == "1.0.0"


def test_programs_read_through_the_service_too(served, project):
    """`load` and `open_registry`; a predictor is sent to other processes."""
    url = f"http://127.0.0.1:{served.port}"
    expected = load(project / "models").predict("so great")
    predictor = load(url)
    assert predictor.predict("so great") == expected
    assert pickle.loads(pickle.dumps(predictor)).predict("so great") == expected
    registry = open_registry(url)
    assert [str(version) for version in registry.versions()] == ["1.0.0", "1.0.1"]
    with pytest.raises(StoreError, match="is read-only"):
        registry.promote(parse_version("1.0.0"))


def test_a_service_reads_through_another_service(cli, served, project):
    """It answers as the first does, follows its promotions, and is a registry for others, too."""
    first = open_registry(f"http://127.0.0.1:{served.port}", read_only=True)
    with serving(first) as second:
        assert second.predict("so great").json() == served.predict("so great").json()
        url = f"http://127.0.0.1:{second.port}"
        assert json.loads(done(cli("predict", "great", "--json", "--models", url)))
        assert json.loads(done(cli("verify", "--json", "--models", url)))["ok"]
        open_registry(project / "models").promote(parse_version("1.0.0"))
        wait_until(lambda: second.predict("great").json()["version"] == "1.0.0")


@pytest.mark.usefixtures("served")
def test_signatures_and_digests_are_checked_by_who_reads(cli, project, monkeypatch):
    """A service is believed no more than a folder."""
    private, public = write_pair(project, "one")
    done(cli("sign", "1.0.0", "--key", private, "--models", "models"))
    monkeypatch.setenv("TEXTCLF_REQUIRE_SIGNATURE", str(public))
    assert json.loads(done(cli("predict", "a", "--version", "1.0.0", "--json")))
    assert cli("predict", "a", "--version", "1.0.1").code == 6
    monkeypatch.delenv("TEXTCLF_REQUIRE_SIGNATURE")
    (project / "models/1.0.1/scorer.safetensors").write_bytes(b"x" * 100)
    monkeypatch.setenv("XDG_CACHE_HOME", str(project / "nothing is here yet"))
    refused = cli("predict", "a")
    assert refused.code == 6
    assert "Traceback" not in refused.err
    found = cli("verify")
    assert found.code == 6
    assert "1.0.1/scorer.safetensors" in found.out


def test_what_is_in_the_cache_needs_no_service(cli, served, monkeypatch):
    """With TEXTCLF_OFFLINE nothing is asked for."""
    done(cli("predict", "great"))
    served.service.shared = None
    assert cli("predict", "great").code == 1
    monkeypatch.setenv("TEXTCLF_OFFLINE", "1")
    assert json.loads(done(cli("predict", "great", "--json")))["version"] == "1.0.1"


def test_a_service_that_cannot_reach_its_bucket_cannot_be_reached(cli, served, monkeypatch):
    """It says why with 503; who has allowed it goes on with the cache, as without a service."""
    done(cli("predict", "great"))
    monkeypatch.setattr("textclf.registry.store.http_client._PAUSES", ())

    class Gone:
        def __getattr__(self, name):
            raise Unreachable("cannot list s3://bucket: no answer in time")

    served.service.shared = Gone()
    refused = cli("predict", "great")
    assert refused.code == 1
    assert "does not answer now (503): cannot list s3://bucket: no answer in time" in refused.err
    with pytest.warns(UserWarning, match="going on with what is in the cache"):
        done(cli("predict", "great", "--offline-ok"))


def test_a_key_is_asked_for(cli, project, monkeypatch):
    """It comes from the environment; doctor says what is wrong without it."""
    with serving(open_registry(project / "models"), api_key="s3cret") as running:
        url = f"http://127.0.0.1:{running.port}"
        refused = cli("predict", "great", "--models", url)
        assert refused.code == 1
        assert "asks for an API key" in refused.err
        assert "TEXTCLF_API_KEY=" in refused.err
        assert cli("doctor", "--models", url).code == 1
        monkeypatch.setenv("TEXTCLF_API_KEY", "s3cret")
        assert "positive" in done(cli("predict", "great", "--models", url))
        found = done(cli("doctor", "--models", url))
        assert [line.split("  ")[0] for line in found.splitlines()] == [
            "registry", "API key", "may list", "may read", "may write", "cache", "versions",
        ]  # fmt: skip
        assert "2, latest: 1.0.1" in found
        assert "s3cret" not in found
