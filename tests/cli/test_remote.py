"""The command line on a registry in a bucket: all that it does with a folder."""

import json
from pathlib import Path

import pytest
import registries
from cloud_servers import CLOUDS, google
from keys import write_pair
from served import serving
from waiting import wait_until

from textclf import open_registry

GRID = """
[features.word]
ngram_range = [[1, 1]]
[classifier.ComplementNB]
alpha = [1]
"""


@pytest.fixture
def found(monkeypatch, tmp_path):
    """Return a function that lets a server be found by the variables that a user would set."""

    def find(cloud):
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        return cloud

    return find


EVERY_CLOUD = pytest.mark.parametrize("cloud", CLOUDS, indirect=True)
QUICK = "seaweedfs"


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.faults] * (name != QUICK)) for name in CLOUDS]
)
def cloud(request, found):
    """Return a server: in every test run one of S3, in ``make test-faults`` the others, too."""
    return found(request.getfixturevalue(request.param))


@pytest.fixture
def url(cloud, monkeypatch):
    """Return the URL of a new registry, which is the one of every command."""
    location = cloud.url(cloud.new_prefix())
    monkeypatch.setenv("TEXTCLF_MODELS", location)
    return location


@pytest.fixture
def copied(cloud, url, project):
    """Return the URL of a registry of 1.0.0 and 1.0.1, copied up as any program would copy it."""
    models, objects = project / "models", cloud.objects()
    prefix = url.removeprefix(cloud.url(""))
    for path in models.rglob("*"):
        if path.is_file():
            objects.put(f"{prefix}/{path.relative_to(models).as_posix()}", path)
    return url


def done(outcome):
    """Return what a command said that has succeeded."""
    assert outcome.code == 0, outcome.err
    return outcome.out


def answer(outcome):
    return json.loads(done(outcome))


def test_a_version_is_trained_promoted_and_read(cli, data, url):
    """Train publishes and promotes by URL; every command that reads finds the version there."""
    (data / "grid.toml").write_text(GRID)
    trained = answer(cli("train", "--grid", "grid.toml", "--jobs", 1, "--json"))
    assert trained["path"] == f"{url}/1.0.0/text_classifier.joblib"
    assert trained["promoted"]
    assert answer(cli("predict", "a great lovely", "--json"))["version"] == "1.0.0"
    [listed] = answer(cli("versions", "list", "--json"))
    assert (listed["version"], listed["latest"]) == ("1.0.0", True)
    assert answer(cli("versions", "show", "latest", "--json"))["version"] == "1.0.0"
    assert answer(cli("evaluate", "data/test.csv", "--json"))["version"] == "1.0.0"
    assert answer(cli("verify", "--json"))["ok"]
    assert cli("reproduce", "latest", "--jobs", 1).code == 0


@EVERY_CLOUD
def test_a_copied_registry_is_one(cli, copied):
    """What lies in a folder is a registry in a bucket; its versions are promoted and tagged."""
    assert answer(cli("predict", "a great lovely", "--json"))["version"] == "1.0.1"
    assert answer(cli("promote", "1.0.0", "--json"))["changed"]
    assert answer(cli("rollback", "--json"))["version"] == "1.0.1"
    assert done(cli("versions", "tag", "1.0.0", "prod=eu")).strip() == "1.0.0: prod=eu"
    assert [record["to"] for record in answer(cli("history", "--json"))][-2:] == ["1.0.0", "1.0.1"]
    assert answer(cli("verify", "--json"))["ok"]
    assert copied in done(cli("versions", "show", "1.0.0"))


def test_a_version_is_exported_pruned_and_imported_again(cli, copied):
    """A version leaves the bucket as an archive, is removed, and is brought back."""
    done(cli("promote", "1.0.0"))
    published = registries.publish(open_registry(copied), files=registries.FURTHER)
    assert published.version == "1.1.0"
    done(cli("versions", "export", "1.1.0", "one.tar.gz"))
    assert "pruned 1.1.0" in done(cli("versions", "prune", "--keep", "0"))
    assert cli("versions", "show", "1.1.0").code == 3
    done(cli("versions", "import", "one.tar.gz"))
    done(cli("versions", "export", "1.1.0", "two.tar.gz"))
    assert Path("one.tar.gz").read_bytes() == Path("two.tar.gz").read_bytes()
    assert answer(cli("verify", "--json"))["ok"]


def test_a_registry_goes_to_a_bucket_and_comes_back(cli, project, cloud, url):
    """Versions are pushed and pulled, and a registry is mirrored, byte for byte, both ways."""
    done(cli("mirror", "models", url))
    assert answer(cli("mirror", "models", url, "--json"))["changed"] is False
    done(cli("mirror", url, "back"))
    assert registries.plain_files(project / "back") == registries.plain_files(project / "models")
    assert answer(cli("verify", "--models", url, "--json"))["ok"]
    new = registries.publish(open_registry("models"), files=registries.FURTHER).version
    done(cli("versions", "push", new, url, "--models", "models"))
    assert not answer(cli("versions", "push", new, url, "--models", "models", "--json"))[
        "versions"
    ][0]["changed"]
    pulled = answer(cli("versions", "pull", "--all", url, "--models", "pulled", "--json"))
    assert [one["version"] for one in pulled["versions"]] == ["1.0.0", "1.0.1", new]
    assert registries.version_files(project / "pulled") == registries.version_files(
        project / "models"
    )
    refused = cli("mirror", "models", url)
    assert (refused.code, "is no mirror of models" in refused.err) == (1, True)
    elsewhere = cloud.url(cloud.new_prefix())
    done(cli("mirror", url, elsewhere))
    assert answer(cli("verify", "--models", elsewhere, "--json"))["ok"]


@pytest.mark.usefixtures("copied")
def test_a_version_is_signed_and_gated(cli, project, monkeypatch, write_data):
    """A signature is added beside a version; a gate refuses, and records that."""
    private, public = write_pair(project, "one")
    done(cli("sign", "1.0.0", "--key", private))
    wrong = write_data(project / "wrong.csv", wrong=5)
    assert cli("promote", "1.0.0", "--require", "accuracy>=90%", "--data", wrong).code == 5
    assert answer(cli("history", "--all", "--json"))[-1]["kind"] == "refused"
    monkeypatch.setenv("TEXTCLF_REQUIRE_SIGNATURE", str(public))
    assert answer(cli("predict", "a great", "--version", "1.0.0", "--json"))["version"] == "1.0.0"
    assert cli("predict", "a great", "--version", "1.0.1").code == 6


def test_a_channel_of_a_bucket_is_used_by_its_name(cli, project, copied):
    """Signed, verified, reproduced, evaluated, served and mirrored, as latest is."""
    private, public = write_pair(project, "one")
    done(cli("promote", "1.0.0", "--to", "staging"))
    done(cli("sign", "staging", "--key", private))
    assert cli("verify", "--key", public).code == 6
    done(cli("sign", "latest", "--key", private))
    assert answer(cli("verify", "--key", public, "--json"))["ok"]
    done(cli("reproduce", "staging", "--jobs", 1))
    evaluated = answer(cli("evaluate", "data/test.csv", "--version", "staging", "--json"))
    assert evaluated["version"] == "1.0.0"
    with serving(open_registry(copied), version="staging") as served:
        assert served.predict("so great").json()["version"] == "1.0.0"
        done(cli("promote", "1.0.1", "--to", "staging"))
        wait_until(lambda: served.predict("so great").json()["version"] == "1.0.1")
    done(cli("rollback", "--channel", "staging"))
    assert [r["to"] for r in answer(cli("history", "--channel", "staging", "--json"))] == [
        "1.0.0", "1.0.1", "1.0.0",
    ]  # fmt: skip
    done(cli("mirror", copied, "back"))
    assert (
        answer(cli("predict", "x", "--version", "staging", "--models", "back", "--json"))["version"]
        == "1.0.0"
    )
    assert answer(cli("verify", "--key", public, "--models", "back", "--json"))["ok"]
    done(cli("versions", "pull", "staging", copied, "--models", "pulled"))
    assert answer(cli("verify", "--key", public, "--models", "pulled", "--json"))["ok"]


@pytest.mark.usefixtures("url")
def test_what_is_damaged_is_named(cli, cloud, copied):
    """A file that was changed in the bucket is named by verify, and is no version to promote."""
    prefix = copied.removeprefix(cloud.url(""))
    cloud.objects().put(f"{prefix}/1.0.0/text_classifier.joblib", b"damaged")
    outcome = cli("verify")
    assert outcome.code == 6
    assert "1.0.0/text_classifier.joblib" in outcome.out
    assert cli("promote", "1.0.0").code == 6


@EVERY_CLOUD
def test_a_bucket_that_does_not_exist(cli, cloud):
    """It is an error with one sentence, and no empty registry."""
    outcome = cli("versions", "list", "--models", f"{cloud.scheme}://no-such-bucket/models")
    assert outcome.code == 1
    assert "the bucket does not exist" in outcome.err


def test_a_server_that_ignores_conditions_is_refused_before_the_training(
    cli, data, found, tmp_path
):
    """Training does not begin, and the sentence says what the server does."""
    with google(tmp_path / "server", careless=True) as careless:
        url = found(careless).url("models")
        outcome = cli("train", "--models", url)
        assert outcome.code == 1
        assert f"error: {url} cannot keep a registry: its server updates an object" in outcome.err
        assert "candidates" not in outcome.err, data
        assert careless.objects().list().collect() == []


@pytest.mark.faults
def test_promotions_in_the_same_second_wait_for_each_other(cli, project, found, tmp_path):
    """Google takes one update of an object in a second: promotions take longer, and succeed."""
    with google(tmp_path / "server", slow=True) as slow:
        url = found(slow).url("models")
        for number in ("1.0.0", "1.0.1"):
            done(cli("versions", "export", number, f"{number}.tar.gz", "--models", "models"))
            done(cli("versions", "import", f"{number}.tar.gz", "--models", url))
        for number in ("1.0.0", "1.0.1", "1.0.0"):
            done(cli("promote", number, "--models", url))
        assert answer(cli("verify", "--models", url, "--json"))["ok"], project
