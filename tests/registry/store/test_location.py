"""What a user may give as a registry, and what is shown of it."""

from pathlib import Path

import pytest

from textclf import LocalStore, load, open_registry
from textclf.errors import UsageError
from textclf.registry.store.location import (
    Bucket,
    Cloud,
    Folder,
    Server,
    lies_within,
    parse_location,
    without_secrets,
)

ACCOUNT = "acc.dfs.core.windows.net"


@pytest.mark.parametrize(
    ("given", "location"),
    [
        ("models", Folder(Path("models"))),
        (Path("a/b"), Folder(Path("a/b"))),
        ("a/$b", Folder(Path("a/$b"))),
        ("C:/models", Folder(Path("C:/models"))),
        ("old:/models", Folder(Path("old:/models"))),
        ("s3://bucket", Bucket(Cloud.S3, "bucket")),
        ("s3://bucket/", Bucket(Cloud.S3, "bucket")),
        ("S3://bucket/team/reviews/", Bucket(Cloud.S3, "bucket", "team/reviews")),
        ("s3://b/p?region=eu-west-1", Bucket(Cloud.S3, "b", "p", region="eu-west-1")),
        ("az://container/p", Bucket(Cloud.AZURE, "container", "p")),
        (f"abfss://c@{ACCOUNT}/p", Bucket(Cloud.AZURE, "c", "p", account_host=ACCOUNT)),
        ("gs://bucket/p", Bucket(Cloud.GOOGLE, "bucket", "p")),
        ("https://models.example.com/reviews/", Server("https://models.example.com/reviews")),
        ("HTTPS://Models.example.com:8443", Server("https://models.example.com:8443")),
        ("http://127.0.0.1:8000/", Server("http://127.0.0.1:8000")),
        ("http://[::1]:8000", Server("http://[::1]:8000")),
    ],
)
def test_folders_and_urls_are_parsed(given, location):
    """A location is parsed into a value; parsed again, it stays the same."""
    assert parse_location(given) == location
    assert parse_location(location) == location


@pytest.mark.parametrize("url", ["s3://b/team/p", f"abfss://c@{ACCOUNT}/p", f"abfss://c@{ACCOUNT}"])
def test_a_bucket_is_shown_as_its_url(url):
    """As it can be given again."""
    assert str(parse_location(url)) == url


def test_a_folder_is_no_url():
    """The class of a folder takes the path of one."""
    with pytest.raises(UsageError, match="s3://b/p is not a folder"):
        LocalStore("s3://b/p")


def test_the_home_folder_is_expanded(monkeypatch, tmp_path):
    """A name that begins with ~ is that of a folder at home, for every way to open a registry."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse_location("~/models") == Folder(tmp_path / "models")
    assert LocalStore("~/models").root == tmp_path / "models"
    assert open_registry("~/models").locate("1.0.0", "x") == str(tmp_path / "models/1.0.0/x")


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ("", "is empty", "--models"),
        ("~no-such-user/x", "there is no home", None),
        ("$HOME/models", "begins with a variable", "~ is the home folder"),
        ("${HOME}", "begins with a variable", "~ is the home folder"),
        ("file:///srv/models", "a scheme that is not read: file://", "/srv/models"),
        ("ftp://host/x", "a scheme that is not read: ftp://", "s3://"),
        ("s3a://bucket/x", "a scheme that is not read: s3a://", "write s3://"),
        ("https://", "is not the URL", "a host, then a prefix"),
        ("https://host:99999", "is not the URL", "a host, then a prefix"),
        ("https://host/x#y", "is not the URL", "a host, then a prefix"),
        ("https://ho st/x", "is not the URL", "a host, then a prefix"),
        ("s3:/bucket", "has lost a slash", "as a string"),
        (Path("s3://bucket"), "has lost a slash", "as a string"),
        ("s3://", "is not the URL", "the name of a bucket"),
        ("s3://buc ket/x", "is not the URL", "the name of a bucket"),
        ("s3://bucket/a//b", "is not the URL", "without empty parts"),
        ("s3://bucket/../x", "is not the URL", "without empty parts"),
        ("s3://bucket/x?endpoint=http://evil", "is not the URL", "?region="),
        ("gs://bucket/x?region=eu-west-1", "is not the URL", "?region="),
        ("abfss://c@evil.example.com/x", "is not the URL", "dfs.core.windows.net"),
        (f"wasbs://c@{ACCOUNT}/x", "a scheme that is not read: wasbs", "write abfss://"),
        ("https://b.s3.eu-west-1.amazonaws.com/p", "a link into a bucket", "write s3://b/p"),
        ("https://acc.blob.core.windows.net/c/p", "a link into", f"write abfss://c@{ACCOUNT}/p"),
        ("https://storage.googleapis.com/b/p", "a link into a bucket", "write gs://b/p"),
    ],
)
def test_what_is_no_registry_is_refused_in_a_sentence(given, message, hint):
    """Another scheme, a broken URL or an empty name is a usage error that says how to go on."""
    with pytest.raises(UsageError, match=message) as error:
        parse_location(given)
    assert (hint is None) == (error.value.hint is None)
    assert hint is None or hint in error.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:hunter2@host/x",
        "https://hunter2@host/x",
        "s3://AKIA:hunter2@bucket/x",
        "s3://bucket/x?X-Amz-Signature=hunter2",
        "az://container/x?sv=2024&sig=hunter2",
        "https://acc.blob.core.windows.net/c?sv=2024&sig=hunter2",
        f"abfss://c:hunter2@{ACCOUNT}/x",
        "ftp://ada:hunter2@host/x",
        "s3:/ada:hunter2@bucket/x?sig=hunter2",
    ],
)
def test_a_url_with_a_secret_is_refused_without_showing_it(url):
    """Passwords and signatures in a URL are seen by others, so they are refused, and not shown."""
    with pytest.raises(UsageError) as error:
        parse_location(url)
    assert "hunter2" not in f"{error.value} {error.value.hint}"


def test_secrets_are_removed_from_every_url_of_a_message():
    """What a library says about a request is shown without user names, passwords and queries."""
    said = (
        f'GET "https://a:b@h/x?sig=c" failed, then (https://h/y?token=d) and abfss://c@{ACCOUNT}/p'
    )
    shown = f'GET "https://…@h/x?…" failed, then (https://h/y?…) and abfss://c@{ACCOUNT}/p'
    assert without_secrets(said) == shown


@pytest.mark.parametrize("open_it", [open_registry, load, LocalStore])
def test_no_folder_is_made_of_a_url(open_it, tmp_path, monkeypatch):
    """A URL that cannot be opened is an error, for programs too, and leaves no folder s3:."""
    monkeypatch.chdir(tmp_path)
    for url in ("file://models", "ftp://host/models", Path("s3://bucket/models")):
        with pytest.raises(UsageError):
            open_it(url)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("inner", "outer", "within"),
    [
        ("models", "models", True),
        ("models/x", "models", True),
        ("models", "models/x", False),
        ("./models/../models", "models", True),
        ("models2", "models", False),
        ("s3://b/team/x", "s3://b/team", True),
        ("s3://b/team", "s3://b", True),
        ("s3://b/team2", "s3://b/team", False),
        ("s3://b/team", "s3://c/team", False),
        ("s3://b/team", "gs://b/team", False),
        ("s3://b/team", "models", False),
        ("https://h/x", "https://h/x", True),
    ],
)
def test_a_location_within_another_is_known(inner, outer, within):
    """A registry is not copied into itself, however its folder is written."""
    assert lies_within(parse_location(inner), parse_location(outer)) is within
