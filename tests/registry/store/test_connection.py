"""Credentials and regions of buckets: where they are found, and what is said without any."""

import json
import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from certificates import self_signed

from textclf.errors import StoreError
from textclf.registry.diagnosis import diagnose
from textclf.registry.store import aws
from textclf.registry.store.connection import connect, find_access, open_store
from textclf.registry.store.location import parse_location

SECRET = "hunter2"
URLS = {"aws": "s3://bucket/x", "azure": "az://container/x", "google": "gs://bucket/x"}
PROFILES = """
[profile keys]
region = eu-west-1
endpoint_url = https://minio.example.com

[profile session]
region = eu-west-1

[profile process]
region = eu-west-2
credential_process = {process}

[profile login]
sso_session = ours

[profile empty]
region = eu-west-3
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Be at an empty home, without any variable of a cloud, and nowhere near a metadata service."""
    for name in os.environ:
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "GCE_", "CLOUDSDK_", "IDENTITY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")
    monkeypatch.setattr("textclf.registry.store.azure._METADATA_SERVICE", "http://127.0.0.1:9")
    return tmp_path


@pytest.fixture
def profiles(home):
    """Write AWS's two files."""
    keys = {"Version": 1, "AccessKeyId": "AKIA1", "SecretAccessKey": SECRET}
    (home / "keys.json").write_text(json.dumps(keys))
    (home / ".aws").mkdir()
    process = f"cat {home}/keys.json"
    (home / ".aws/config").write_text(PROFILES.format(process=process))
    (home / ".aws/credentials").write_text(
        f"[keys]\naws_access_key_id = AKIA1\naws_secret_access_key = {SECRET}\n"
        f"[session]\naws_access_key_id = AKIA1\naws_secret_access_key = {SECRET}\n"
        f"aws_session_token = {SECRET}2\n"
    )


@pytest.fixture
def google_file(home):
    """Write a file of Google credentials, in the place of gcloud or elsewhere."""

    def write(kind, name=".config/gcloud/application_default_credentials.json"):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"type": kind, "client_email": "", "private_key": SECRET, "client_id": "x"}
        path.write_text(json.dumps({**content, "client_secret": SECRET, "refresh_token": SECRET}))
        return path

    return write


def access(cloud):
    return find_access(parse_location(URLS[cloud]))


@pytest.mark.parametrize("cloud", URLS)
def test_no_credentials_are_an_error_at_once(cloud, monkeypatch):
    """Only the metadata service of a virtual machine is tried, briefly; then it says what to do."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    tried = []

    def connect(connection, address):
        tried.append((address, connection.gettimeout()))
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(StoreError, match=f"no credentials for {URLS[cloud]} were found") as error:
        access(cloud)
    assert tried == [(("127.0.0.1", 9), 0.5)]
    assert {"aws": "aws configure", "azure": "az login", "google": "gcloud auth"}[
        cloud
    ] in error.value.hint


@pytest.mark.parametrize(
    ("cloud", "variables", "source"),
    [
        ("aws", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], "AWS_ACCESS_KEY_ID"),
        ("aws", ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"], "AWS_WEB_IDENTITY_TOKEN_FILE"),
        ("aws", ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        ("azure", ["AZURE_STORAGE_ACCOUNT_KEY"], "AZURE_STORAGE_ACCOUNT_KEY"),
        ("azure", ["AZURE_STORAGE_KEY"], "AZURE_STORAGE_KEY"),
        ("azure", ["AZURE_STORAGE_SAS_TOKEN"], "AZURE_STORAGE_SAS_TOKEN"),
        ("azure", ["AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"], "AZURE_CLIENT_ID and"),
        ("azure", ["AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"], "AZURE_CLIENT_ID and"),
        ("azure", ["IDENTITY_ENDPOINT"], "the managed identity of IDENTITY_ENDPOINT"),
        ("google", ["GOOGLE_BEARER_TOKEN"], "GOOGLE_BEARER_TOKEN"),
    ],
)
def test_credentials_of_the_environment_are_used(cloud, variables, source, monkeypatch):
    """The variables that the cloud's own command line reads are read, and named, but not shown."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    for name in variables:
        monkeypatch.setenv(name, SECRET)
    found = access(cloud)
    assert found.credentials.startswith(source)
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("cloud", "variable", "source"),
    [
        ("aws", "AWS_SKIP_SIGNATURE", "none are used (AWS_SKIP_SIGNATURE)"),
        ("azure", "AZURE_SKIP_SIGNATURE", "none are used (AZURE_SKIP_SIGNATURE)"),
        ("azure", "AZURE_STORAGE_USE_EMULATOR", "those of the emulator"),
        ("google", "GOOGLE_SKIP_SIGNATURE", "none are used (GOOGLE_SKIP_SIGNATURE)"),
    ],
)
def test_a_public_bucket_and_an_emulator_need_no_credentials(cloud, variable, source, monkeypatch):
    """A variable of the cloud says so."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv(variable, "true")
    assert access(cloud).credentials == source


@pytest.mark.parametrize(
    ("cloud", "switch"),
    [("aws", "AWS_EC2_METADATA_DISABLED"), ("azure", None), ("google", "NO_GCE_CHECK")],
)
@pytest.mark.usefixtures("server")
def test_a_virtual_machine_has_credentials(cloud, switch, monkeypatch):
    """If its metadata service answers, and no variable says that it is not to be asked."""
    service = os.environ["AWS_ENDPOINT_URL"]
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", service)
    monkeypatch.setenv("GCE_METADATA_HOST", service.removeprefix("http://"))
    monkeypatch.setattr("textclf.registry.store.azure._METADATA_SERVICE", service)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert access(cloud).credentials.endswith("of this virtual machine")
    if switch:
        monkeypatch.setenv(switch, "true")
        with pytest.raises(StoreError, match="no credentials"):
            access(cloud)


@pytest.mark.parametrize("has_az", [True, False])
def test_a_login_of_azure_needs_its_command_or_its_library(home, monkeypatch, has_az):
    """The login is there as a file, and ``az`` gets the credentials."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    monkeypatch.setenv("PATH", str(home))
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(home))
    (home / "azureProfile.json").touch()
    if not has_az:
        with pytest.raises(StoreError, match="no credentials"):
            access("azure")
        return
    (home / "az").touch(0o755)
    found = access("azure")
    assert (found.credentials, found.config["use_azure_cli"]) == ("az login", True)


def test_half_a_pair_of_keys_is_named(monkeypatch):
    """A key without its secret is told, rather than another credential being used."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA1")
    with pytest.raises(StoreError, match="AWS_SECRET_ACCESS_KEY is not"):
        access("aws")


@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize("with_boto3", [True, False])
def test_a_profile_with_keys_needs_no_boto3(monkeypatch, with_boto3):
    """Keys, region and server of a profile are read from AWS's files, without a library."""
    monkeypatch.setenv("AWS_PROFILE", "keys")
    if not with_boto3:
        monkeypatch.setitem(sys.modules, "boto3", None)
    found = access("aws")
    assert found.credentials == "the profile keys"
    assert found.region == "eu-west-1 (the profile keys)"
    assert found.endpoint == "https://minio.example.com"
    assert found.config["secret_access_key"] == SECRET
    monkeypatch.setenv("AWS_PROFILE", "session")
    assert access("aws").config["session_token"] == f"{SECRET}2"
    assert SECRET not in repr(found)


@pytest.mark.usefixtures("profiles")
def test_a_profile_with_a_process_is_asked_through_boto3(monkeypatch):
    """Credentials that have to be got come from boto3, and are got anew after five minutes."""
    monkeypatch.setenv("AWS_PROFILE", "process")
    found = access("aws")
    assert found.credentials == "the profile process, by a credential process"
    assert found.region == "eu-west-2 (the profile process)"
    assert found.provider()["secret_access_key"] == SECRET
    assert found.provider.ttl.total_seconds() == 300
    connect(parse_location(URLS["aws"]), found)


@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("process", "the profile process, by a credential process, can only be used with .* boto3"),
        ("login", "the profile login, by SSO, can only be used with the library boto3"),
        ("empty", "AWS_PROFILE is empty, but .* have no credentials for it"),
        ("absent", "AWS_PROFILE is absent, but .* have no credentials for it"),
    ],
)
def test_a_profile_that_cannot_be_used_is_an_error(monkeypatch, profile, message):
    """A profile without credentials, or one that needs boto3 where that is absent, is named."""
    monkeypatch.setenv("AWS_PROFILE", profile)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(StoreError, match=message) as error:
        access("aws")
    assert error.value.hint


@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize("process", ["false", "no-such-program"])
def test_credentials_that_boto3_cannot_get_are_an_error_at_once(home, monkeypatch, process):
    """The error is a sentence before any request, not an hour of retries."""
    (home / ".aws/config").write_text(PROFILES.format(process=process))
    monkeypatch.setenv("AWS_PROFILE", "process")
    with pytest.raises(StoreError, match="the profile process, by a credential process, cannot"):
        access("aws")


def test_a_damaged_file_of_aws_is_not_quoted(home):
    """A file that cannot be read is named; none of its lines, which may be secret, is shown."""
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text(f"{SECRET}\n")
    with pytest.raises(StoreError, match=r"cannot read .*credentials") as error:
        access("aws")
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("url", "variables", "region"),
    [
        ("s3://b/x?region=eu-north-1", {"AWS_REGION": "eu-west-1"}, "eu-north-1 (from the URL)"),
        ("s3://b/x", {"AWS_REGION": "eu-west-1"}, "eu-west-1 (AWS_REGION)"),
        ("s3://b/x", {"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1 (AWS_DEFAULT_REGION)"),
        ("s3://b/x", {"AWS_ENDPOINT_URL": "https://minio"}, "us-east-1 (the default of other"),
        ("s3://b/x", {}, "eu-south-2 (asked of the bucket)"),
    ],
)
def test_the_region_comes_from_the_url_the_environment_or_the_bucket(
    url, variables, region, monkeypatch
):
    """The nearest source decides; where there is none, AWS is asked where the bucket is."""
    monkeypatch.setattr(aws, "region_of", lambda _bucket: "eu-south-2")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, SECRET)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert find_access(parse_location(url)).region.startswith(region)


def test_an_unencrypted_server_must_be_allowed(monkeypatch):
    """Plain http is refused unless AWS_ALLOW_HTTP says that it is meant."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://ada:{SECRET}@127.0.0.1:9000")
    with pytest.raises(StoreError, match="is not encrypted") as error:
        access("aws")
    assert SECRET not in str(error.value)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    assert SECRET not in repr(access("aws"))


def test_a_certificate_that_is_missing_is_an_error(monkeypatch):
    """AWS_CA_BUNDLE names a file that exists."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/no/such.pem")
    with pytest.raises(StoreError, match="cannot read AWS_CA_BUNDLE"):
        connect(parse_location(URLS["aws"]), access("aws"))
    monkeypatch.setenv("AWS_CA_BUNDLE", __file__)
    with pytest.raises(StoreError, match="holds no certificates"):
        connect(parse_location(URLS["aws"]), access("aws"))


def test_the_account_of_azure_must_be_known(monkeypatch):
    """az:// takes the account from the environment; abfss:// names it."""
    monkeypatch.setenv("AZURE_STORAGE_KEY", SECRET)
    with pytest.raises(StoreError, match="the account of az://container/x is not known"):
        access("azure")
    url = "abfss://c@acc.dfs.core.chinacloudapi.cn/x"
    found = find_access(parse_location(url))
    assert found.config["account_name"] == "acc"
    assert found.endpoint == "https://acc.blob.core.chinacloudapi.cn"


def test_a_connection_string_of_azure_is_read(monkeypatch):
    """The string that the portal shows is enough."""
    monkeypatch.setenv(
        "AZURE_STORAGE_CONNECTION_STRING",
        "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=aGVsbG8=;EndpointSuffix=core.windows.net",
    )
    found = access("azure")
    assert found.credentials == "AZURE_STORAGE_CONNECTION_STRING"
    assert found.config == {"account_name": "acc", "account_key": "aGVsbG8="}
    connect(parse_location(URLS["azure"]), found)


@pytest.mark.parametrize("kind", ["service_account", "authorized_user"])
def test_files_of_google_are_found(google_file, monkeypatch, kind):
    """Application default credentials are found in the place of gcloud, or of a variable."""
    path = google_file(kind)
    assert access("google").credentials == f"{path} (gcloud auth application-default login)"
    other = google_file(kind, "other.json")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(other))
    found = access("google")
    assert found.credentials == f"{other} (GOOGLE_APPLICATION_CREDENTIALS)"
    assert SECRET not in repr(found)


def test_federated_credentials_of_google_need_its_library(google_file, monkeypatch):
    """OIDC and impersonation are got by google-auth; where that is absent, it is named."""
    google_file("external_account")
    monkeypatch.setitem(sys.modules, "google.auth.exceptions", None)
    with pytest.raises(StoreError, match="of the type external_account, can only be used with"):
        access("google")


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_damaged_file_of_google_is_an_error(google_file, content):
    """A file that holds no credentials is named."""
    google_file("service_account").write_text(content)
    with pytest.raises(StoreError, match="is not a file of Google credentials"):
        access("google")


def test_a_missing_file_of_google_is_an_error(home, monkeypatch):
    """The variable that names it is named."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(home / "none.json"))
    with pytest.raises(StoreError, match=r"cannot read .*none\.json \(GOOGLE_APPLICATION_"):
        access("google")


def test_credentials_that_make_no_sense_are_an_error_without_them(monkeypatch):
    """Before any request."""
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", f'{{"private_key": "{SECRET}"')
    with pytest.raises(StoreError, match="cannot connect to gs://bucket/x: ") as error:
        open_store(parse_location(URLS["google"]))
    assert SECRET not in str(error.value)
    assert "Debug" not in str(error.value)


KEYS = {
    "aws": {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ALLOW_HTTP": "true"},
    "azure": {"AZURE_STORAGE_ACCOUNT_NAME": "acc", "AZURE_STORAGE_ACCOUNT_KEY": "aGVsbG8="},
    "google": {"GOOGLE_BEARER_TOKEN": "x"},
}


@pytest.mark.parametrize("address", ["localhost:9000", "http://", "http://a b", "http://a:99999"])
@pytest.mark.parametrize(
    ("cloud", "variable"),
    [
        ("aws", "AWS_ENDPOINT_URL"),
        ("azure", "AZURE_STORAGE_ENDPOINT"),
        ("google", "GOOGLE_BASE_URL"),
    ],
)
def test_a_server_that_is_not_named_by_a_url_is_an_error(cloud, variable, address, monkeypatch):
    """It is refused before a request is made, in which obstore would panic."""
    for name, value in {**KEYS[cloud], "AWS_REGION": "x", variable: address}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreError, match=r"is not the URL of a server") as error:
        open_store(parse_location(URLS[cloud]))
    assert address in error.value.message
    assert "https://HOST" in error.value.hint


@pytest.mark.parametrize(
    ("cloud", "variable"),
    [
        *((cloud, name) for cloud, names in KEYS.items() for name in names if "HTTP" not in name),
        ("aws", "AWS_SESSION_TOKEN"),
        ("aws", "AWS_REGION"),
    ],
)
def test_a_line_break_in_a_variable_is_an_error_that_names_it(cloud, variable, monkeypatch):
    """Files of secrets often end with one, and obstore would panic, or sign with another key."""
    for name, value in {"AWS_REGION": "x", **KEYS[cloud]}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(variable, f"{SECRET}\n")
    with pytest.raises(StoreError, match=f"^{variable} has a line break") as error:
        open_store(parse_location(URLS[cloud]))
    assert SECRET not in str(error.value)


def test_without_obstore_the_extra_is_named(monkeypatch):
    """A URL needs the extra remote, and an error says so."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(StoreError, match="obstore, which is not installed") as error:
        connect(parse_location(URLS["aws"]), access("aws"))
    assert "remote" in error.value.hint


@pytest.fixture
def server(monkeypatch):
    """Return a server of S3 that answers what the test says, and keeps the requests."""

    class Handler(BaseHTTPRequestHandler):
        status, region, requests = 200, None, []

        def log_message(self, *_arguments):
            """Write nothing."""

        def do_PUT(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.requests.append(dict(self.headers))
            self.send_response(self.status)
            self.send_header("ETag", '"x"')
            self.send_header("Content-Length", "0")
            if self.region:
                self.send_header("x-amz-bucket-region", self.region)
            self.end_headers()

        do_GET = do_HEAD = do_PUT  # noqa: N815 - of the base class

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listening.server_port}")
        monkeypatch.setattr(aws, "_ANY_REGION", os.environ["AWS_ENDPOINT_URL"])
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, SECRET)
        yield Handler
        listening.shutdown()


def test_a_key_of_kms_is_asked_for_with_each_write(server, monkeypatch):
    """The two variables become the headers by which S3 encrypts."""
    monkeypatch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "aws:kms")
    monkeypatch.setenv("AWS_SSE_KMS_KEY_ID", "arn:aws:kms:eu-west-1:1:key/abc")
    open_store(parse_location(URLS["aws"])).objects.put("key", b"data", "create")
    [headers] = server.requests
    assert headers["x-amz-server-side-encryption"] == "aws:kms"
    assert headers["x-amz-server-side-encryption-aws-kms-key-id"].endswith("key/abc")
    assert headers["if-none-match"] == "*"
    assert headers["user-agent"].startswith("textclf/")


def test_a_bucket_in_another_region_is_said_so(server):
    """A redirect that leads nowhere is what S3 answers then."""
    server.status = 301
    with pytest.raises(StoreError, match="the bucket is in another region"):
        open_store(parse_location(URLS["aws"])).objects.put("key", b"data", "create")


@pytest.mark.parametrize("is_private", [True, False])
def test_the_region_is_asked_of_the_bucket(server, monkeypatch, home, is_private):
    """AWS tells it to everybody; where it does not, the error says how to set it."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    if is_private:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(self_signed(home)))
    server.region = "eu-south-2"
    assert access("aws").region == "eu-south-2 (asked of the bucket)"
    server.region = None
    with pytest.raises(StoreError, match="the region of s3://bucket/x is not known"):
        access("aws")
    monkeypatch.setattr(aws, "_ANY_REGION", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="the region of s3://bucket/x is not known"):
        access("aws")


@pytest.mark.parametrize(
    ("region", "said", "hint"),
    [
        (
            "eu-south-2",
            "the bucket is in eu-south-2",
            "write s3://bucket/x?region=eu-south-2, or set AWS_REGION=eu-south-2",
        ),
        (
            None,
            "the bucket is in another region, and AWS does not say in which",
            "set AWS_REGION",
        ),
    ],
)
def test_a_diagnosis_says_where_the_bucket_is(server, region, said, hint):
    """The hint is what makes it work."""
    server.status, server.region = 301, region
    *_, finding = diagnose(parse_location(URLS["aws"]))
    assert (finding.ok, finding.detail, finding.hint) == (False, said, hint)


@pytest.mark.parametrize("problem", [None, "the account is gone"])
def test_federated_credentials_of_google_are_got_by_its_library(google_file, monkeypatch, problem):
    """It is asked at once, so that what it says is an error before any request."""

    class GoogleAuthError(Exception):
        """The library's own."""

    def provider():
        if problem:
            raise GoogleAuthError(problem)
        return "provider"

    path = google_file("external_account")
    for name, members in {
        "google.auth.exceptions": {"GoogleAuthError": GoogleAuthError},
        "obstore.auth.google": {"GoogleCredentialProvider": provider},
    }.items():
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(**members))
    if problem:
        with pytest.raises(StoreError, match=rf"{path.name} .* cannot be used: {problem}"):
            access("google")
    else:
        assert access("google").provider == "provider"


def test_a_login_of_azure_is_used_by_its_library_if_that_is_there(home, monkeypatch):
    """It renews what ends."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    (home / ".azure").mkdir()
    (home / ".azure/azureProfile.json").touch()
    for name, members in {
        "azure.identity": {"AzureCliCredential": lambda: "credential"},
        "obstore.auth.azure": {"AzureCredentialProvider": lambda credential: [credential]},
    }.items():
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(**members))
    found = access("azure")
    assert (found.credentials, found.provider) == ("az login", ["credential"])
