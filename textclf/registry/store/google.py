"""Credentials of Google Cloud Storage, from the places where ``gcloud`` puts them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from textclf.errors import StoreError
from textclf.registry.store.access import Access, answers, first_set, is_true, library_missing
from textclf.registry.store.location import Bucket, without_secrets

_DIRECT: Final = (
    "GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH", "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_BEARER_TOKEN",
)  # fmt: skip
_NATIVE: Final = {"service_account", "authorized_user"}
"""The types of credentials that obstore reads by itself."""
_METADATA_SERVICE: Final = "169.254.169.254"


def find_access(bucket: Bucket) -> Access:
    """Return how a bucket of Google is reached.

    Raises:
        StoreError: there are no credentials, or they cannot be used.
    """
    credentials, config, provider = _credentials(bucket)
    endpoint = os.environ.get("GOOGLE_BASE_URL")
    return Access(
        credentials,
        endpoint=endpoint and without_secrets(endpoint),
        config=config,
        provider=provider,
    )


def _credentials(bucket: Bucket) -> tuple[str, dict[str, Any], Any]:
    """Return where credentials were found, arguments of obstore's store, and a provider."""
    if is_true("GOOGLE_SKIP_SIGNATURE"):
        return "none are used (GOOGLE_SKIP_SIGNATURE)", {}, None
    if name := first_set(_DIRECT):
        return name, {}, None
    if name := first_set(("GOOGLE_APPLICATION_CREDENTIALS",)):
        return _of_file(Path(os.environ[name]), name)
    login = _login_file()
    if login.is_file():
        return _of_file(login, "gcloud auth application-default login")
    if not is_true("NO_GCE_CHECK"):
        host = os.environ.get("GCE_METADATA_HOST") or _METADATA_SERVICE
        if answers(host):
            return "the service account of this virtual machine", {}, None
    raise StoreError(
        f"no credentials for {bucket} were found",
        hint="gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS; see "
        "docs/remote.md",
    )


def _login_file() -> Path:
    folder = os.environ.get("CLOUDSDK_CONFIG") or os.path.expanduser("~/.config/gcloud")  # noqa: PTH111 - never raises
    return Path(folder) / "application_default_credentials.json"


def _of_file(path: Path, source: str) -> tuple[str, dict[str, Any], Any]:
    try:
        content = json.loads(path.read_bytes())
        kind = content.get("type", "service_account")
    except OSError as error:
        raise StoreError(f"cannot read {path} ({source}): {error.strerror}") from None
    except (ValueError, AttributeError):
        raise StoreError(f"{path} ({source}) is not a file of Google credentials") from None
    if kind in _NATIVE:
        return f"{path} ({source})", {"application_credentials": str(path)}, None
    return f"{path} ({source})", {}, _ask_google(f"{path} ({source}), of the type {kind},")


def _ask_google(credentials: str) -> Any:
    try:
        from google.auth.exceptions import GoogleAuthError
        from obstore.auth.google import GoogleCredentialProvider
    except ImportError:
        raise library_missing(credentials, "google-auth", "google-auth requests") from None
    try:
        return GoogleCredentialProvider()
    except GoogleAuthError as error:
        raise StoreError(f"{credentials} cannot be used: {error}") from None
