"""Credentials and region of S3, from the places where ``aws`` finds them."""

from __future__ import annotations

import configparser
import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from textclf.errors import StoreError
from textclf.registry.store.access import (
    Access,
    answers,
    first_set,
    is_true,
    library_missing,
    response_headers,
)
from textclf.registry.store.location import Bucket, without_secrets

_METADATA_SERVICE: Final = "http://169.254.169.254"
_ANY_REGION: Final = "https://s3.amazonaws.com"
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_REGIONS: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")
_CONTAINERS: Final = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)  # fmt: skip
_GOT_BY_BOTO3: Final = {
    "role_arn": "assuming a role",
    "sso_session": "SSO",
    "sso_start_url": "SSO",
    "credential_process": "a credential process",
    "web_identity_token_file": "a web identity",
    "login_session": "aws login",
}
"""Settings of a profile whose credentials boto3 gets, and how it does."""
_LIFETIME = dt.timedelta(minutes=5)
"""How long obstore keeps what boto3 returns, which renews credentials that end."""


def find_access(bucket: Bucket) -> Access:
    """Return how a bucket of S3 is reached.

    Raises:
        StoreError: there are no credentials, or they cannot be used.
    """
    profile = _read_profile()
    endpoint = _endpoint(profile)
    credentials, config, provider = _credentials(bucket, profile)
    region, source = _region(bucket, profile, endpoint)
    return Access(
        credentials,
        region=f"{region} ({source})",
        endpoint=endpoint and without_secrets(endpoint),
        config={**config, "region": region, **({"endpoint": endpoint} if endpoint else {})},
        provider=provider,
    )


Found = tuple[str, dict[str, str], Any]
"""Where credentials were found, the arguments of obstore's store, and a credential provider."""


def _credentials(bucket: Bucket, profile: Mapping[str, str]) -> Found:
    if is_true("AWS_SKIP_SIGNATURE"):
        return "none are used (AWS_SKIP_SIGNATURE)", {}, None
    if name := first_set(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")):
        _require_both(name)
        return "AWS_ACCESS_KEY_ID", {}, None
    is_named = bool(first_set(("AWS_PROFILE", "AWS_DEFAULT_PROFILE")))
    if os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and not is_named:
        return "AWS_WEB_IDENTITY_TOKEN_FILE", {}, None
    if found := _of_profile(profile, is_named=is_named):
        return found
    if name := first_set(_CONTAINERS):
        return name, {}, None
    if service := _metadata_service():
        return "the role of this virtual machine", {"metadata_endpoint": service}, None
    raise StoreError(
        f"no credentials for {bucket} were found",
        hint="aws configure, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; see "
        "docs/remote.md",
    )


def _require_both(name: str) -> None:
    for other in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if not first_set((other,)):
            raise StoreError(f"{name} is set, but {other} is not", hint=f"set {other}, too")
    first_set(("AWS_SESSION_TOKEN",))  # raises if it has a line break


def _of_profile(profile: Mapping[str, str], *, is_named: bool) -> Found | None:
    name = _profile_name()
    for setting, how in _GOT_BY_BOTO3.items():
        if setting in profile:
            provider = _ask_boto3(name, how)
            return f"the profile {name}, by {how}", {}, provider
    if "aws_access_key_id" in profile and "aws_secret_access_key" in profile:
        keys = {"access_key_id": "aws_access_key_id", "secret_access_key": "aws_secret_access_key"}
        if "aws_session_token" in profile:
            keys["session_token"] = "aws_session_token"  # noqa: S105 - a name
        return f"the profile {name}", {key: profile[value] for key, value in keys.items()}, None
    if is_named:
        files = " and ".join(map(str, _files()))
        raise StoreError(
            f"AWS_PROFILE is {name}, but {files} have no credentials for it",
            hint=f"aws configure --profile {name}, or unset AWS_PROFILE",
        )
    return None


def _ask_boto3(name: str, how: str) -> Any:
    """Return a credential provider that has been asked once, so that an error comes now."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        raise library_missing(f"the profile {name}, by {how},", "boto3") from None
    try:
        provider = Boto3CredentialProvider(boto3.Session(profile_name=name), ttl=_LIFETIME)
        provider()
    except (BotoCoreError, ClientError, ValueError, OSError) as error:
        login = f"aws sso login --profile {name}" if how == "SSO" else "see docs/remote.md"
        raise StoreError(
            f"the credentials of the profile {name}, by {how}, cannot be got: {error}", hint=login
        ) from None
    return provider


def _metadata_service() -> str | None:
    if is_true("AWS_EC2_METADATA_DISABLED"):
        return None
    name = first_set(("AWS_METADATA_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT"))
    service = os.environ[name] if name else _METADATA_SERVICE
    return service if answers(service) else None


def _profile_name() -> str:
    name = first_set(("AWS_PROFILE", "AWS_DEFAULT_PROFILE"))
    return os.environ[name] if name else "default"


def _files() -> tuple[Path, Path]:
    """Return the paths of AWS's two files: settings and credentials."""
    return tuple(  # type: ignore[return-value]  # of two
        Path(os.path.expanduser(os.environ.get(variable) or f"~/.aws/{name}"))  # noqa: PTH111 - never raises
        for variable, name in (
            ("AWS_CONFIG_FILE", "config"),
            ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        )
    )


def _read_profile() -> dict[str, str]:
    """Return all that AWS's two files say of the profile in use."""
    name = _profile_name()
    settings, credentials = _files()
    section = name if name == "default" else f"profile {name}"
    return {**_section(settings, section), **_section(credentials, name)}


def _section(path: Path, name: str) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        with path.open(encoding="utf-8") as file:
            parser.read_file(file)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise StoreError(f"cannot read {path}: {reason}") from None  # no line of it: it is secret
    return dict(parser[name]) if parser.has_section(name) else {}


def _endpoint(profile: Mapping[str, str]) -> str | None:
    name = first_set(_ENDPOINTS)
    endpoint = os.environ[name] if name else profile.get("endpoint_url")
    if endpoint and endpoint.startswith("http://") and not is_true("AWS_ALLOW_HTTP"):
        raise StoreError(
            f"{without_secrets(endpoint)} is not encrypted",
            hint="use https://, or set AWS_ALLOW_HTTP=true for a server on this machine",
        )
    return endpoint


def _region(bucket: Bucket, profile: Mapping[str, str], endpoint: str | None) -> tuple[str, str]:
    if bucket.region:
        return bucket.region, "from the URL"
    if name := first_set(_REGIONS):
        return os.environ[name], name
    if "region" in profile:
        return profile["region"], f"the profile {_profile_name()}"
    if endpoint:
        return "us-east-1", "the default of other servers than AWS"
    if region := region_of(bucket):
        return region, "asked of the bucket"
    raise StoreError(
        f"the region of {bucket} is not known", hint=f"set AWS_REGION, or write {bucket}?region=…"
    )


def region_of(bucket: Bucket) -> str | None:
    """Ask AWS for the region of a bucket, which everybody may; None if it does not say."""
    headers = response_headers(f"{_ANY_REGION}/{bucket.name}", certificate())
    return {name.lower(): value for name, value in headers.items()}.get("x-amz-bucket-region")


def certificate() -> bytes | None:
    """Return the certificates of ``AWS_CA_BUNDLE``, which are trusted in addition."""
    path = os.environ.get("AWS_CA_BUNDLE") or _read_profile().get("ca_bundle")
    if not path:
        return None
    try:
        content = Path(os.path.expanduser(path)).read_bytes()  # noqa: PTH111 - never raises
    except OSError as error:
        raise StoreError(f"cannot read AWS_CA_BUNDLE {path}: {error.strerror}") from None
    if b"BEGIN CERTIFICATE" not in content:
        raise StoreError(f"AWS_CA_BUNDLE {path} holds no certificates in PEM format")
    return content
