"""Copy versions to MLflow, and let its aliases follow the log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
from semver import Version

from textclf.errors import IntegrityError, NoSuchVersion, UsageError
from textclf.exporters.mlflow.run import alias_of, describe_run
from textclf.metadata.channels import LATEST
from textclf.metadata.schema import METADATA, Metadata, decode, sha256
from textclf.metadata.versions import parse_version
from textclf.registry.naming import promoted_version
from textclf.registry.reader import RegistryReader
from textclf.registry.registry import Registry
from textclf.scorer.scorer import SCORER

if TYPE_CHECKING:
    from textclf.exporters.mlflow.client import MlflowServer

CHAMPION: Final = "champion"
"""The alias of the channel ``latest``: MLflow uses that name itself."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .-]{0,199}")


class Pushed(msgspec.Struct, frozen=True):
    """A version in MLflow.

    Attributes:
        version: its number.
        mlflow_version: MLflow's number of it.
        added: whether it was not there before.
    """

    version: str
    mlflow_version: str
    added: bool


class Synced(msgspec.Struct, frozen=True):
    """What a synchronisation changed.

    Attributes:
        pushed: the promoted versions, as they are in MLflow.
        aliases: the version of each alias of a channel.
        moved: the aliases that belonged to another version, or to none.
    """

    pushed: list[Pushed]
    aliases: dict[str, str]
    moved: list[str]


def require_name(name: str) -> str:
    """Return the name of a registered model. Raises UsageError if MLflow has no such names."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a model in MLflow: use letters, digits and _ - .",
            hint="--name reviews",
        )
    return name


def push(registry: Registry, version: Version, server: MlflowServer) -> Pushed:
    """Copy a version to MLflow, unless it is there, and give it its alias.

    Raises:
        NoSuchVersion: it is not published.
        IntegrityError: a file of it is not what was published, or it has no compiled scorer.
        TextclfError: MLflow cannot be reached, or refuses.
    """
    data = registry.metadata_bytes(version)
    digest = sha256(data)
    number = server.find(digest)
    added = number is None
    if number is None:
        files = registry.export_files(version)
        metadata = decode(files[METADATA], Metadata, name=METADATA)
        if SCORER not in files:
            raise IntegrityError(
                f"{version} has no {SCORER}, and MLflow would open nothing else of it",
            )
        number = server.register(
            describe_run(version, metadata, sha256(files[METADATA])), version, files
        )
    _set_alias(server, alias_of(version), number)
    return Pushed(str(version), number, added)


def sync(registry: Registry, server: MlflowServer) -> Synced:
    """Let MLflow follow the log: every promoted version is there, with the alias of its channel.

    Raises:
        NoSuchVersion: nothing has been promoted, or a promoted version no longer exists.
        IntegrityError, TextclfError: as `push`.
    """
    promoted = _promoted(registry)
    pushed = {version: push(registry, version, server) for version in {*promoted.values()}}
    moved = [
        alias
        for alias, version in promoted.items()
        if _set_alias(server, alias, pushed[version].mlflow_version)
    ]
    return Synced(
        sorted(pushed.values(), key=lambda one: parse_version(one.version)),
        {alias: str(version) for alias, version in promoted.items()},
        moved,
    )


def _promoted(registry: RegistryReader) -> dict[str, Version]:
    """Return the promoted version of each channel, by the alias of the channel.

    A channel that is named like the alias of ``latest`` has none: clients of MLflow mean latest.
    """
    promoted = {}
    for log in reversed(registry.channels()):
        if head := log.head():
            alias = CHAMPION if log.channel == LATEST else log.channel
            promoted[alias] = promoted_version(registry, log.channel, head)
    if not promoted:
        raise NoSuchVersion("nothing has been promoted yet", hint="textclf promote VERSION")
    return dict(sorted(promoted.items()))


def _set_alias(server: MlflowServer, alias: str, number: str) -> bool:
    """Give an alias to a version, and return whether that changed anything."""
    if server.alias(alias) == number:
        return False
    server.set_alias(alias, number)
    return True
