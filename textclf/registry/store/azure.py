"""Account and credentials of Azure Blob Storage, from the places where ``az`` finds them."""

from __future__ import annotations

import os
import shutil
from typing import Any, Final

from textclf.errors import StoreError
from textclf.registry.store.access import Access, answers, first_set, is_true
from textclf.registry.store.location import Bucket, without_secrets

_METADATA_SERVICE: Final = "http://169.254.169.254"
_EMULATOR: Final = "http://127.0.0.1:10000"
_ACCOUNTS: Final = ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")
_KEYS: Final = (
    "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY", "AZURE_STORAGE_TOKEN",
)  # fmt: skip
_PUBLIC_CLOUD: Final = "core.windows.net"


def find_access(bucket: Bucket) -> Access:
    """Return how a container of Azure is reached.

    Raises:
        StoreError: the account is not known, or there are no credentials.
    """
    if is_true("AZURE_STORAGE_USE_EMULATOR"):
        return Access("those of the emulator", endpoint=_EMULATOR, config={"use_emulator": True})
    given = _connection_string()
    config = {**given, **_account(bucket)}
    if "account_name" not in config:
        raise StoreError(
            f"the account of {bucket} is not known",
            hint="set AZURE_STORAGE_ACCOUNT_NAME, or write "
            f"abfss://{bucket.name}@ACCOUNT.dfs.core.windows.net/{bucket.prefix}",
        )
    credentials, more, provider = _credentials(bucket, given)
    name = first_set(("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"))
    endpoint = config.get("endpoint") or (os.environ[name] if name else None)
    return Access(
        credentials,
        endpoint=endpoint and without_secrets(endpoint),
        config={**config, **more},
        provider=provider,
    )


def _account(bucket: Bucket) -> dict[str, str]:
    if bucket.account_host:
        account, _, host = bucket.account_host.partition(".")
        cloud = host.partition(".")[2]
        special = {} if cloud == _PUBLIC_CLOUD else {"endpoint": f"https://{account}.blob.{cloud}"}
        return {"account_name": account, **special}
    name = first_set(_ACCOUNTS)
    return {"account_name": os.environ[name]} if name else {}


def _connection_string() -> dict[str, str]:
    """Return what ``AZURE_STORAGE_CONNECTION_STRING`` says, as arguments of obstore's store."""
    text = os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    fields = dict(part.partition("=")[::2] for part in text.split(";") if part.strip())
    names = {
        "AccountName": "account_name", "AccountKey": "account_key",
        "SharedAccessSignature": "sas_key", "BlobEndpoint": "endpoint",
    }  # fmt: skip
    return {names[field]: value for field, value in fields.items() if field in names}


def _credentials(bucket: Bucket, given: dict[str, str]) -> tuple[str, dict[str, Any], Any]:
    """Return where credentials were found, arguments of obstore's store, and a provider."""
    if is_true("AZURE_SKIP_SIGNATURE"):
        return "none are used (AZURE_SKIP_SIGNATURE)", {}, None
    if {"account_key", "sas_key"} & given.keys():
        return "AZURE_STORAGE_CONNECTION_STRING", {}, None
    if found := _of_environment() or _of_login():
        return found
    if answers(_METADATA_SERVICE):
        return "the managed identity of this virtual machine", {}, None
    raise StoreError(
        f"no credentials for {bucket} were found",
        hint="az login, or set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN; see "
        "docs/remote.md",
    )


def _of_environment() -> tuple[str, dict[str, Any], Any] | None:
    if name := first_set(_KEYS):
        is_unknown = name == "AZURE_STORAGE_KEY"  # az has it, obstore does not
        return name, {"account_key": os.environ[name]} if is_unknown else {}, None
    for name in ("AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"):
        if os.environ.get(name) and os.environ.get("AZURE_CLIENT_ID"):
            return f"AZURE_CLIENT_ID and {name}", {}, None
    if name := first_set(("AZURE_MSI_ENDPOINT", "AZURE_IDENTITY_ENDPOINT", "IDENTITY_ENDPOINT")):
        return f"the managed identity of {name}", {"msi_endpoint": os.environ[name]}, None
    return None


def _of_login() -> tuple[str, dict[str, Any], Any] | None:
    """Return the credentials of ``az login``, if somebody has logged in."""
    folder = os.environ.get("AZURE_CONFIG_DIR") or os.path.expanduser("~/.azure")  # noqa: PTH111 - never raises
    if not os.path.exists(os.path.join(folder, "azureProfile.json")):  # noqa: PTH110, PTH118 - likewise
        return None
    try:
        from azure.identity import AzureCliCredential
        from obstore.auth.azure import AzureCredentialProvider
    except ImportError:
        is_there = shutil.which("az") is not None
        return ("az login", {"use_azure_cli": True}, None) if is_there else None
    return "az login", {}, AzureCredentialProvider(AzureCliCredential())
