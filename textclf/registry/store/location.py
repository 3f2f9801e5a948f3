"""Where a registry is: a folder or a URL, parsed from what a user gives.

A location never holds a secret. URLs that do are refused, and `without_secrets` removes what is
secret from a text that is shown, such as the refused URL or a library's message about one.
"""

from __future__ import annotations

import enum
import re
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from textclf.errors import UsageError
from textclf.registry.store.base import is_key

# not compiled here: most registries are folders, whose names match none of these
_SCHEME: Final = r"([A-Za-z][A-Za-z0-9+.-]+):/+"
_USER: Final = r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]*:/+)(?P<user>[^/\s?#]*)@"
_QUERY: Final = r"(\b[A-Za-z][A-Za-z0-9+.-]*:/+[^\s?]*\?)[^\s\"'<>)]*"
_BUCKET: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_VARIABLE: Final = r"\$(?:\w+|\{\w+\})(?:/|$)"
_REGION: Final = r"[a-z0-9-]{1,40}"
_ACCOUNT: Final = (
    r"(?P<account>[a-z0-9]{3,24})\.(?:dfs|blob)\."
    r"(?P<cloud>core\.windows\.net|core\.chinacloudapi\.cn|core\.usgovcloudapi\.net)"
)
"""The host of an Azure account. No other is accepted: it is sent a proof of the credentials."""

_HOST: Final = r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_HIGHEST_PORT: Final = 65535

_SPELLINGS = {
    "s3a": "s3", "s3n": "s3", "gcs": "gs", "azure": "az", "abfs": "abfss", "wasb": "abfss",
    "wasbs": "abfss",
}  # fmt: skip
"""What other programs call the schemes that are read."""
_SCHEMES: Final = "s3://, az://, abfss://, gs:// or https://"


class Cloud(enum.StrEnum):
    """The kinds of object stores; the value is the scheme of their URLs."""

    S3 = "s3"
    AZURE = "az"
    GOOGLE = "gs"


class Folder(NamedTuple):
    """A folder on a disk."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


class Bucket(NamedTuple):
    """A part of an object store.

    Attributes:
        cloud: which protocol the store has.
        name: the bucket, or the container of Azure.
        prefix: what the keys begin with, without a slash at its end; may be empty.
        account_host: the host of the Azure account, if the URL names it.
        region: the AWS region, if the URL names it.
    """

    cloud: Cloud
    name: str
    prefix: str = ""
    account_host: str | None = None
    region: str | None = None

    def __str__(self) -> str:
        prefix = f"/{self.prefix}" if self.prefix else ""
        if self.account_host:
            return f"abfss://{self.name}@{self.account_host}{prefix}"
        return f"{self.cloud}://{self.name}{prefix}"


class Server(NamedTuple):
    """A textclf service, through which a registry is read.

    Attributes:
        url: where its pages are, without a slash at its end.
    """

    url: str

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read what is sent, or there is no way."""
        return self.url.startswith("https://") or urlsplit(self.url).hostname in _LOOPBACK

    def __str__(self) -> str:
        return self.url


Location = Folder | Bucket | Server


def parse_location(given: str | Path | Location) -> Location:
    """Return the location that a user has given: as an option, variable, setting or argument.

    Args:
        given: a folder, in which ``~`` is replaced, or a URL. A location is returned as it is.

    Raises:
        UsageError: it is empty, or a URL that cannot be that of a registry.
    """
    if not isinstance(given, str | Path):
        return given
    text = str(given)
    if not text:
        raise UsageError("the name of the models folder is empty", hint="--models DIR")
    scheme = re.match(_SCHEME, text) if ":/" in text else None
    if scheme is None:
        _refuse_variable(text)
        return Folder(expand_home(text, "models"))
    if "://" not in text:
        return _folder_not_url(text, scheme[1].lower())
    _refuse_secrets(text)
    return _parse_url(scheme[1].lower(), text.partition("://")[2], text)


def lies_within(inner: Location, outer: Location) -> bool:
    """Whether a location is another one, or a part of it, as far as their names tell."""
    match inner, outer:
        case Folder(), Folder():
            return inner.path.resolve().is_relative_to(outer.path.resolve())
        case Bucket(), Bucket():
            same = (inner.cloud, inner.name, inner.account_host) == (
                outer.cloud, outer.name, outer.account_host,
            )  # fmt: skip
            return same and f"{inner.prefix}/".startswith(f"{outer.prefix}/".lstrip("/"))
    return str(inner) == str(outer)


def parse_folder(given: str | Path) -> Path:
    """Return the path of a folder; see `parse_location`. Raises UsageError if it is a URL."""
    location = parse_location(given)
    if isinstance(location, Folder):
        return location.path
    raise UsageError(f"{location} is not a folder", hint="textclf.open_registry takes URLs, too")


def expand_home(name: str, source: str) -> Path:
    """Return a path, with ``~`` replaced. Raises UsageError if there is no such home."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise UsageError(f"{source}: there is no home for {name!r}") from None


def without_secrets(text: str) -> str:
    """Return a text with user names, passwords and queries removed from every URL in it.

    A query may be a shared access signature (SAS), or a signed URL's.
    """
    return re.sub(_QUERY, r"\1…", re.sub(_USER, _without_user, text))


def _without_user(match: re.Match[str]) -> str:
    is_azure = match["scheme"].lower().startswith(("abfs", "wasb"))
    is_container = is_azure and re.fullmatch(_BUCKET, match["user"])
    return match[0] if is_container else f"{match['scheme']}…@"


def _refuse_variable(text: str) -> None:
    """Refuse ``$HOME/models``, which a shell would have replaced; a settings file does not."""
    if text.startswith("$") and (variable := re.match(_VARIABLE, text)):
        raise UsageError(
            f"{text} begins with a variable, and variables are not replaced here",
            hint=f"write what {variable[0].rstrip('/')} is; ~ is the home folder",
        )


def _folder_not_url(text: str, scheme: str) -> Folder:
    """Refuse ``s3:/bucket``, which is what ``Path("s3://bucket")`` becomes."""
    if scheme in {*Cloud, "abfss", "http", "https", "file", *_SPELLINGS}:
        raise UsageError(
            f"{without_secrets(text)} looks like a URL that has lost a slash",
            hint=f"write {scheme}://; in Python, give the URL as a string, not as a Path",
        )
    return Folder(Path(text))


def _refuse_secrets(text: str) -> None:
    if without_secrets(text).partition("?")[0] != text.partition("?")[0]:
        raise UsageError(
            f"{without_secrets(text)} contains a user name or a password, which other users of the "
            "machine and logs would see",
            hint="leave it out, and set the variables of docs/remote.md",
        )
    if re.search(r"[?&](?:sig|sv|se|X-Amz-\w+|X-Goog-\w+)=", text, re.IGNORECASE):
        raise UsageError(
            f"{without_secrets(text)} contains a signature, which other users of the machine and "
            "logs would see",
            hint="leave out all from the question mark on; AZURE_STORAGE_SAS_TOKEN takes the SAS "
            "token of Azure",
        )


def _parse_url(scheme: str, rest: str, text: str) -> Location:
    match scheme:
        case "s3" | "az" | "gs":
            return _bucket(Cloud(scheme), rest, text)
        case "abfss":
            return _azure_account(rest, text)
        case "https" | "http":
            return _server(scheme, rest, text)
    raise UsageError(
        f"{without_secrets(text)} has a scheme that is not read: {scheme}://",
        hint=_hint_at_scheme(scheme, rest),
    )


def _hint_at_scheme(scheme: str, rest: str) -> str:
    if scheme == "file":
        return f"write the folder without a scheme: {rest.partition('?')[0] or '/'}"
    if known := _SPELLINGS.get(scheme):
        return f"write {known}://"
    return f"a registry is a folder, or a URL that begins with {_SCHEMES}"


def _bucket(cloud: Cloud, rest: str, text: str) -> Bucket:
    path, _, query = rest.partition("?")
    name, _, prefix = path.partition("/")
    _require(bool(re.fullmatch(_BUCKET, name)), text, "the name of a bucket, then a prefix")
    region = _region(cloud, query, text) if query else None
    return Bucket(cloud, name, _prefix(prefix, text), region=region)


def _azure_account(rest: str, text: str) -> Bucket:
    path = rest.partition("?")[0]
    authority, _, prefix = path.partition("/")
    container, _, host = authority.partition("@")
    names = bool(re.fullmatch(_BUCKET, container)) and bool(re.fullmatch(_ACCOUNT, host))
    _require(names and path == rest, text, "CONTAINER@ACCOUNT.dfs.core.windows.net, then a prefix")
    return Bucket(Cloud.AZURE, container, _prefix(prefix, text), account_host=host)


def _server(scheme: str, rest: str, text: str) -> Server:
    path = rest.partition("?")[0]
    host, _, path = path.partition("/")
    if url := _bucket_of_link(host, path):
        raise UsageError(f"{without_secrets(text)} is a link into a bucket", hint=f"write {url}")
    known = re.fullmatch(_HOST, host)
    is_host = known is not None and int(known["port"] or 0) <= _HIGHEST_PORT
    _require(is_host and not set("?#") & set(rest), text, "a host, then a prefix")
    return Server(f"{scheme}://{host.lower()}/{_prefix(path, text)}".rstrip("/"))


def _bucket_of_link(host: str, path: str) -> str | None:
    """Return the URL of the bucket that the link of a cloud's web interface leads to."""
    if s3 := re.fullmatch(r"(.+)\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com", host):
        return f"s3://{s3[1]}/{path}".rstrip("/")
    if re.fullmatch(_ACCOUNT, host):
        container, _, prefix = path.partition("/")
        host = host.replace(".blob.", ".dfs.", 1)
        return f"abfss://{container}@{host}/{prefix}".rstrip("/") if container else None
    if host == "storage.googleapis.com":
        return f"gs://{path}".rstrip("/")
    return None


def _region(cloud: Cloud, query: str, text: str) -> str:
    name, _, region = query.partition("=")
    is_region = name == "region" and bool(re.fullmatch(_REGION, region))
    _require(
        cloud is Cloud.S3 and is_region, text, "no query but the region of S3: ?region=eu-west-1"
    )
    return region


def _prefix(prefix: str, text: str) -> str:
    prefix = prefix.rstrip("/")
    _require(not prefix or is_key(prefix), text, "a prefix without empty parts, '.' and '..'")
    return prefix


def _require(condition: bool, text: str, form: str) -> None:
    if not condition:
        scheme = text.partition("://")[0].lower()
        raise UsageError(
            f"{without_secrets(text)} is not the URL of a registry",
            hint=f"{scheme}:// takes {form}",
        )
