"""Where everything lies in a registry: every key, as data. No other file spells one.

A key names a file in a store, such as ``1.0.0/metadata.json``; ``docs/registry.md`` draws them all.
This module imports nothing of textclf, so that stores may use it, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from semver import Version

ALIAS: Final = "text_classifier.joblib"
"""The copy of the promoted version's model that clients load."""
REGISTRY: Final = ".registry"
"""The folder of all that is no version: the folders below."""
PROMOTIONS: Final = ".registry/promotions"
"""The folder of the promotion log of ``latest``."""
CHANNELS: Final = ".registry/channels"
"""The folder of the promotion logs of all other channels, a folder each."""
EVENTS: Final = ".registry/events"
"""The folder of the event log."""
HOLDS: Final = ".registry/holds"
"""The folder of marks on versions that are being promoted at this moment."""
STAGING: Final = ".registry/staging"
"""The folder of half-written work, for stores that need one."""
PROBES: Final = ".registry/probe"
"""The folder in which an object store is tried out, and of the finding."""

SIGNATURES: Final = ".registry/signatures"
"""The folder of signatures that were added later, a folder for each version."""

_DIGITS = 8
"""Digits in the file name of a record."""
LAST_RECORD: Final = 10**_DIGITS - 1
"""The highest number that a record can have."""


def version_file(version: Version | str, name: str) -> str:
    """Return the key of a file of a version."""
    return f"{version}/{name}"


def log_record(log: str, n: int) -> str:
    """Return the key of the record with this number in the folder of a log."""
    return f"{log}/{record_name(n)}"


def record_name(n: int) -> str:
    """Return the file name of the record with this number."""
    return f"{n:0{_DIGITS}d}.json"


def record_number(name: str) -> int | None:
    """Return the number of the record with this file name; ``None`` if it is not a record's."""
    number, _, suffix = name.partition(".")
    if suffix != "json" or len(number) != _DIGITS or not (number.isascii() and number.isdigit()):
        return None
    return int(number)


def never_changes(key: str) -> bool:
    """Whether what is stored under a key stays as it is until it is removed.

    That is so for files of versions, records of logs, and signatures; they can be kept elsewhere.
    """
    folder, _, name = key.rpartition("/")
    if is_log(folder):
        return record_number(name) is not None
    return bool(folder) and (not key.startswith(".registry/") or key.startswith(f"{SIGNATURES}/"))


def is_log(folder: str) -> bool:
    """Whether a folder is that of a log."""
    return folder in (PROMOTIONS, EVENTS) or folder.startswith(f"{CHANNELS}/")


def channel_log(channel: str) -> str:
    """Return the folder of the promotion log of a channel."""
    return PROMOTIONS if channel == "latest" else f"{CHANNELS}/{channel}"


def channel_of(folder: str) -> str:
    """Return the name of the channel whose log is in a folder, if it is one of ``CHANNELS``."""
    return folder.removeprefix(f"{CHANNELS}/")


def added_signatures(version: Version | str) -> str:
    """Return the folder of signatures that were added to a version after its publication."""
    return f"{SIGNATURES}/{version}"


def added_signature(version: Version | str, digest: str) -> str:
    """Return the key of an added signature with this SHA-256."""
    return f"{added_signatures(version)}/{digest[:12]}.sig"


def replaced_file(digest: str) -> str:
    """Return the key under which a foreign file from the alias's place is kept."""
    return f".registry/replaced/{digest[:12]}.joblib"


def hold(version: Version | str, token: str) -> str:
    """Return the key of one writer's hold on a version."""
    return f"{HOLDS}/{version}-{token}"


def held_version(name: str) -> str:
    """Return the version that a hold with this file name is on."""
    return name.partition("-")[0]
