"""What the pages and the JSON say about the registry, as values: versions, one version, history."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec

from textclf.errors import TextclfError
from textclf.evaluation.metadata_diff import Comparison, compare_metadata
from textclf.formatting import tag_list
from textclf.metadata.schema import ARTIFACT, METADATA
from textclf.registry.history import Entry, entry_as_json, read_history
from textclf.registry.listing import ListedVersion
from textclf.report.files import DATA, published_subject
from textclf.server.refusal import Refusal
from textclf.server.version_index import METRICS, SORTS, VersionIndex, sort_key

if TYPE_CHECKING:
    from semver import Version

    from textclf.registry.registry import Registry
    from textclf.report.subject import Subject

T = TypeVar("T")

_LIMIT = 50
_MOST = 1000


class HistoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which part of the history is shown; all of it is in the URL.

    Attributes:
        after: how many entries come before the page.
        limit: how many entries a page has.
    """

    after: Annotated[int, msgspec.Meta(ge=0, lt=10**9)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=_MOST)] = _LIMIT


class ListQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which versions a list shows; all of it is in the URL.

    Attributes:
        q: words that the number, the message or the tags contain.
        sort: what the list is sorted by, see `SORTS`.
        order: ``desc`` or ``asc``.
        limit: how many versions a page has.
        after: the version after which the page begins.
        metric: what the chart shows, see `METRICS`.
    """

    q: str = ""
    sort: str = "version"
    order: Literal["desc", "asc"] = "desc"
    limit: int = _LIMIT
    after: str | None = None
    metric: str = "macro_f1"

    def __post_init__(self) -> None:
        if self.sort not in SORTS:
            raise ValueError(f"sort is one of {', '.join(SORTS)}")
        if self.metric not in METRICS:
            raise ValueError(f"metric is one of {', '.join(METRICS)}")
        if not 1 <= self.limit <= _MOST:
            raise ValueError(f"limit is between 1 and {_MOST}")


@dataclass(frozen=True)
class VersionPage:
    """A page of a list of versions.

    Attributes:
        query: what was asked for.
        total: how many versions match.
        first: the number of the first version of the page, from 1.
        versions: the versions of the page.
        next: the version after which the next page begins, if there is one.
        all: all versions, highest first, for the chart.
        problems: why some versions are missing.
    """

    query: ListQuery
    total: int
    first: int
    versions: Sequence[ListedVersion]
    next: str | None
    all: Sequence[ListedVersion]
    problems: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return the page for programs."""
        return {
            "total": self.total,
            "versions": [msgspec.to_builtins(version) for version in self.versions],
            "next": self.next,
            "problems": list(self.problems),
        }


@dataclass(frozen=True)
class HistoryPage:
    """A page of the history, newest first.

    Attributes:
        entries: promotions and other events.
        next: the number of entries after which the next page begins, if there is one.
        problems: why some entries are missing.
    """

    entries: Sequence[Entry]
    next: int | None
    problems: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return the page for programs."""
        entries = [entry_as_json(entry) for entry in self.entries]
        return {"entries": entries, "next": self.next, "problems": list(self.problems)}


class Catalogue:
    """Reads a registry for people and programs that look at it; called from threads."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._index = VersionIndex(registry)

    def warm(self) -> None:
        """Read all versions, so that the first page does not wait for them."""
        with contextlib.suppress(TextclfError):  # it is told to whoever asks
            self._index.listing()

    def versions(self, query: ListQuery) -> VersionPage:
        """Return a page of the versions.

        Raises:
            Refusal: the page would begin after a version that does not match.
        """
        listing = self._index.listing()
        matching = [version for version in listing.versions if _matches(version, query.q)]
        if query.sort != "version":
            matching.sort(key=sort_key(query.sort), reverse=True)
        if query.order == "asc":
            matching.reverse()
        start = _start(matching, query.after)
        shown = matching[start : start + query.limit]
        more = start + query.limit < len(matching)
        return VersionPage(
            query,
            len(matching),
            start + 1,
            shown,
            shown[-1].version if more else None,
            listing.versions,
            listing.problems,
        )

    def listed(self, version: str) -> ListedVersion | None:
        """Return a version as lists show it."""
        versions = self._index.listing().versions
        return next((v for v in versions if v.version == version), None)

    def newest(self, most: int) -> Sequence[ListedVersion]:
        """Return the highest versions, highest first."""
        return self._index.listing().versions[:most]

    def version(self, name: str) -> dict[str, Any]:
        """Return what ``textclf versions show --json`` says. Raises NoSuchVersion."""
        version = self._registry.resolve(name)
        metadata = self._registry.unverified_metadata(version)
        return {
            **msgspec.to_builtins(metadata),
            "latest": version == self._registry.latest(),
            "tags": dict(self._registry.events.version_state(version).tags),
        }

    def subject(self, name: str) -> Subject:
        """Return a version as the subject of a report. Raises NoSuchVersion, IntegrityError."""
        version = self._registry.resolve(name)
        return published_subject(
            self._registry.metadata(version),
            self._registry.file(version, DATA),
            name=self._registry.locate(version, DATA),
        )

    def file(self, name: str, file: str) -> bytes:
        """Return a file of a version. Raises NoSuchVersion, IntegrityError, Refusal."""
        version = self._registry.resolve(name)
        if file == METADATA:
            return self._registry.verified_metadata(version)[1]
        if file == ARTIFACT:
            return self._registry.artifact(version)
        content = self._registry.file(version, file)
        if content is None:
            raise Refusal.not_found(f"version {version} has no file {file}")
        return content

    def compare(self, a: str, b: str) -> Comparison:
        """Return what differs between two versions. Raises NoSuchVersion, IntegrityError."""
        return compare_metadata(*(self._registry.metadata(self.resolve(name)) for name in (a, b)))

    def resolve(self, name: str) -> Version:
        """Return the version that a name such as ``latest`` means. Raises NoSuchVersion."""
        return self._registry.resolve(name)

    def history(self, query: HistoryQuery) -> HistoryPage:
        """Return a page of the history, newest first."""
        known = read_history(self._registry)
        newest, end = known.entries[::-1], query.after + query.limit
        return HistoryPage(
            newest[query.after : end],
            end if end < len(newest) else None,
            [error.message for error in known.damaged],
        )


def parse_query(parameters: Mapping[str, str], kind: type[T]) -> T:
    """Return what a URL asks for, as a value of a type. Raises Refusal."""
    try:
        return msgspec.convert(dict(parameters), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refusal.invalid(str(error)) from None


def _matches(version: ListedVersion, words: str) -> bool:
    if not words:
        return True
    said = f"{version.version} {version.message or ''} {tag_list(version.tags)}".lower()
    return all(word in said for word in words.lower().split())


def _start(versions: Sequence[ListedVersion], after: str | None) -> int:
    if after is None:
        return 0
    for n, version in enumerate(versions, 1):
        if version.version == after:
            return n
    raise Refusal.not_found(f"the list has no version {after}, after which the page would begin")
