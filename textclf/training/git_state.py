"""The commit of a Git work tree and whether it is modified, read without running Git.

``git status`` runs programs that the repository's own configuration names (clean filters,
fsmonitor, hooks, transports of partial clones), so in a folder from somebody else it is as
dangerous as a script. Here only files are read: ``HEAD``, refs, the index, the commit object and
the tracked files. What cannot be known that way is ``None``.

The formats are those of Git's documentation: gitformat-index, gitformat-pack,
gitrepository-layout.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textclf.files import open_binary, read_bytes

_SMALL: Final = 1 << 20
"""Bytes of a ref, a commit and other small files; a larger one is not read."""
_LARGEST_INDEX: Final = 1 << 28
_MOST_LINKS: Final = 5
"""Symbolic refs that lead to symbolic refs, as in Git."""
_ID: Final = re.compile(r"[0-9a-f]{40}")
_REF: Final = re.compile(r"refs/[\w./@+-]+")
_UNREADABLE: Final = (OSError, ValueError, IndexError, struct.error, zlib.error)

_FILE, _SUBMODULE, _FOLDER = 0o10, 0o16, 0o04
"""Types of index entries: the upper four bits of their mode."""
_ASSUME_VALID, _EXTENDED, _STAGE = 0x8000, 0x4000, 0x3000
_SKIP_WORKTREE: Final = 0x4000
_COMMIT: Final = 1
"""The type number of a commit in a pack that is stored in full, not as a difference."""


@dataclass(frozen=True)
class GitState:
    """What is known of a work tree.

    Attributes:
        commit: the 40 hexadecimal digits of ``HEAD``; ``None`` outside a repository, before the
            first commit, or where the repository's format is not one that is read here.
        modified: whether a tracked file, or the index, differs from that commit; ``None`` where
            this cannot be known without running a program.
    """

    commit: str | None = None
    modified: bool | None = None


def read_git_state(folder: Path) -> GitState:
    """Read the state of the work tree that a folder lies in; never runs a program."""
    try:
        tree = next(path for path in (folder, *folder.parents) if os.path.lexists(path / ".git"))
        git = _Repository.from_work_tree(tree)
        commit = git.head()
    except (StopIteration, *_UNREADABLE):
        return GitState()
    if commit is None:
        return GitState()
    try:
        return GitState(commit, _is_modified(git, commit))
    except _UNREADABLE:
        return GitState(commit)


@dataclass(frozen=True)
class _Repository:
    """Where a repository keeps its files; ``common`` differs from ``own`` in a linked work tree."""

    tree: Path
    own: Path
    common: Path

    @classmethod
    def from_work_tree(cls, tree: Path) -> _Repository:
        own = tree / ".git"
        if own.is_file():
            own = tree / _read_text(own).removeprefix("gitdir:").strip()
        pointer = own / "commondir"
        common = own / _read_text(pointer).strip() if pointer.is_file() else own
        return cls(tree, own, common)

    def head(self) -> str | None:
        """The commit that ``HEAD`` names, by way of branches."""
        name = "HEAD"
        for _ in range(_MOST_LINKS):
            value = self._ref(name)
            if value is None or _ID.fullmatch(value):
                return value
            name = value.removeprefix("ref:").strip()
            if not _REF.fullmatch(name) or ".." in name:
                return None
        return None

    def _ref(self, name: str) -> str | None:
        for folder in (self.own, self.common):
            if (folder / name).is_file():
                return _read_text(folder / name).strip()
        packed = self.common / "packed-refs"
        lines = _read_text(packed, _LARGEST_INDEX).splitlines() if packed.is_file() else []
        return next((line[:40] for line in lines if line[41:] == name), None)

    def tree_of(self, commit: str) -> str | None:
        """The root tree of a commit, if its object is stored in full; its digest is checked."""
        loose = self.common / "objects" / commit[:2] / commit[2:]
        if loose.is_file():
            data = _inflate(read_bytes(loose, _SMALL))
        else:
            content = next(self._packed_commits(commit), None)
            if content is None:
                return None
            data = b"commit %d\0" % len(content) + content
        if hashlib.sha1(data, usedforsecurity=False).hexdigest() != commit:
            return None
        match = re.match(rb"commit [0-9]+\0tree ([0-9a-f]{40})\n", data)
        return match[1].decode() if match else None

    def _packed_commits(self, commit: str) -> Iterator[bytes]:
        for index in sorted((self.common / "objects" / "pack").glob("pack-*.idx")):
            offset = _pack_offset(index, bytes.fromhex(commit))
            if offset is not None:
                yield from _undeltified_commit(index.with_suffix(".pack"), offset)


def _read_text(path: Path, most: int = _SMALL) -> str:
    return read_bytes(path, most).decode("utf-8", "surrogateescape")


def _inflate(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, _SMALL)


def _pack_offset(path: Path, commit: bytes) -> int | None:
    """The offset of an object in a pack, from its index of version 2."""
    with open_binary(path) as file:
        head = file.read(8 + 4 * 256)
        if head[:8] != b"\xfftOc\0\0\0\x02":
            return None
        fan_out = (0, *struct.unpack_from(">256I", head, 8))
        first, last, count = fan_out[commit[0]], fan_out[commit[0] + 1], fan_out[-1]
        file.seek(len(head) + 20 * first)
        names = file.read(20 * (last - first))
        at = next((n for n in range(0, len(names), 20) if names[n : n + 20] == commit), None)
        if at is None:
            return None
        file.seek(len(head) + 24 * count + 4 * (first + at // 20))  # names, then checksums
        (offset,) = struct.unpack(">I", file.read(4))
        return None if offset >> 31 else int(offset)


def _undeltified_commit(path: Path, offset: int) -> Iterator[bytes]:
    with open_binary(path) as file:
        file.seek(offset)
        data = file.read(_SMALL)
    if (data[0] >> 4) & 7 == _COMMIT:
        start = next(n for n, byte in enumerate(data) if not byte & 0x80) + 1
        yield _inflate(data[start:])


@dataclass(frozen=True)
class _IndexEntry:
    """A file in the index, and what was known of it when it was last compared."""

    path: bytes
    mode: int
    digest: str
    size: int
    changed_ns: int
    is_watched: bool
    is_merged: bool

    @property
    def kind(self) -> int:
        return self.mode >> 12


_Folder = dict[bytes, "_IndexEntry | _Folder"]


def _is_modified(git: _Repository, commit: str) -> bool | None:
    """Whether the index differs from the commit, or a tracked file from the index."""
    data = read_bytes(git.own / "index", _LARGEST_INDEX)
    entries, end = _entries(data)
    if not all(entry.is_merged for entry in entries):
        return True
    if b"link" in _extensions(data, end):  # a split index: another file has more entries
        return None
    written = (git.own / "index").stat().st_mtime_ns
    files = [_differs(git.tree, entry, written) for entry in entries]
    if any(files):
        return None if _may_convert(git, entries) else True
    committed = git.tree_of(commit)
    return None if committed is None else _tree_of(entries) != committed


def _entries(data: bytes) -> tuple[list[_IndexEntry], int]:
    """All entries of an index, and the offset behind them. Raises ValueError."""
    signature, version, count = struct.unpack_from(">4sII", data)
    if signature != b"DIRC" or version not in {2, 3, 4}:
        raise ValueError("not an index that is read here")
    entries, at, path = [], 12, b""
    for _ in range(count):
        start = at
        fields = struct.unpack_from(">10I20sH", data, at)
        flags, at = fields[11], at + 62
        extended = 0
        if flags & _EXTENDED:
            (extended,) = struct.unpack_from(">H", data, at)
            at += 2
        end = data.index(b"\0", at)
        if version == 4:  # noqa: PLR2004 - only the end of the path that differs from the last one
            cut, at = _offset_number(data, at)
            end = data.index(b"\0", at)
            path, at = path[: len(path) - cut] + data[at:end], end + 1
        else:
            path, at = data[at:end], start + (end - start + 8) // 8 * 8
        is_watched = not (flags & _ASSUME_VALID or extended & _SKIP_WORKTREE)
        changed = fields[2] * 10**9 + fields[3]
        entries.append(
            _IndexEntry(path, fields[6], fields[10].hex(), fields[9], changed, is_watched,
                   is_merged=not flags & _STAGE)
        )  # fmt: skip
    return entries, at


def _offset_number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable width, as for offsets in packs, and the offset behind it."""
    byte = data[at]
    value, at = byte & 0x7F, at + 1
    while byte & 0x80:
        byte = data[at]
        value, at = ((value + 1) << 7) | (byte & 0x7F), at + 1
    return value, at


def _extensions(data: bytes, at: int) -> Iterator[bytes]:
    """The names of the extensions behind the entries."""
    while at + 8 <= len(data) - 20:  # the checksum is at the end
        name, size = struct.unpack_from(">4sI", data, at)
        yield name
        at += 8 + size


def _tree_of(entries: list[_IndexEntry]) -> str:
    """The root tree that the index would be committed as."""
    root: _Folder = {}
    for entry in entries:
        *folders, name = entry.path.split(b"/")
        folder = root
        for part in folders:
            inner = folder.setdefault(part, {})
            if isinstance(inner, _IndexEntry):
                raise ValueError("a file and a folder of the same name")  # noqa: TRY004
            folder = inner
        folder[name] = entry
    return _tree_digest(root)


def _tree_digest(folder: _Folder) -> str:
    lines = []
    for name, content in folder.items():
        if isinstance(content, _IndexEntry):
            lines.append((name, b"%o %b\0" % (content.mode, name), content.digest))
        else:  # folders are sorted as if their names ended with a slash
            lines.append((name + b"/", b"40000 %b\0" % name, _tree_digest(content)))
    tree = b"".join(head + bytes.fromhex(digest) for _, head, digest in sorted(lines))
    return hashlib.sha1(b"tree %d\0" % len(tree) + tree, usedforsecurity=False).hexdigest()


def _differs(tree: Path, entry: _IndexEntry, written: int) -> bool:
    """Whether a tracked file is not as in the index, which was written at that time (ns)."""
    if not entry.is_watched or entry.kind in {_SUBMODULE, _FOLDER}:
        return False
    path = tree / os.fsdecode(entry.path)
    try:
        now = path.lstat()
        return _has_other_mode(now, entry) or _has_other_content(path, now, entry, written)
    except OSError:
        return True


def _has_other_mode(now: os.stat_result, entry: _IndexEntry) -> bool:
    differs_in_x = entry.kind == _FILE and bool(now.st_mode & 0o100) != bool(entry.mode & 0o100)
    return differs_in_x or stat.S_IFMT(now.st_mode) >> 12 != entry.kind


def _has_other_content(path: Path, now: os.stat_result, entry: _IndexEntry, written: int) -> bool:
    is_same_size = now.st_size & 0xFFFFFFFF == entry.size
    if not is_same_size and entry.size:  # Git notes 0 where it wants the content compared
        return True
    if is_same_size and now.st_mtime_ns == entry.changed_ns < written:
        return False  # a file changed in the moment the index was written may have any content
    return _blob_digest(path, now) != entry.digest


def _blob_digest(path: Path, now: os.stat_result) -> str:
    digest = hashlib.sha1(b"blob %d\0" % now.st_size, usedforsecurity=False)
    if stat.S_ISLNK(now.st_mode):
        digest.update(os.fsencode(path.readlink()))
        return digest.hexdigest()
    with open_binary(path) as file:
        while block := file.read(_SMALL):
            digest.update(block)
    return digest.hexdigest()


def _may_convert(git: _Repository, entries: list[_IndexEntry]) -> bool:
    """Whether attributes may ask for line ends or filters, so that bytes alone say too little."""
    named = any(entry.path.rpartition(b"/")[2] == b".gitattributes" for entry in entries)
    return named or (git.common / "info" / "attributes").is_file()
