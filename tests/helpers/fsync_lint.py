"""Would it survive a power cut? What an strace log says of the order of writes and fsyncs.

A disk may keep what was not forced to it in any order, or not at all. So: a file is written in
staging only; it, and the folders below what is moved, are forced to disk before a ``link`` or
``rename`` makes them visible; and the folder in which they appear is, before the next step and
before the end.
"""

from pathlib import PurePosixPath

STAGING = ".registry/staging"
WRITES = {"write", "pwrite64", "writev", "pwritev", "ftruncate", "fallocate", "sendfile",
          "copy_file_range"}  # fmt: skip
MOVES = {"link", "linkat", "rename", "renameat", "renameat2"}
SYNCS = {"fsync", "fdatasync"}


def lint(calls, root):
    """Everything a power cut could undo or tear, in ``calls`` that touch the folder ``root``."""
    return list(_Disk(PurePosixPath(root)).problems(calls))


class _Disk:
    """What was changed and is not forced to disk yet: contents of files, entries of folders."""

    def __init__(self, root):
        self.root = root
        self.contents, self.entries = set(), set()

    def problems(self, calls):
        for call in calls:
            if not call.failed:
                yield from self._follow(call)
        yield from self._unsettled("the end")

    def _follow(self, call):
        first, last = PurePosixPath(call.paths[0]), PurePosixPath(call.paths[-1])
        if call.name in SYNCS:
            self.contents.discard(first)
            self.entries.discard(first)
        elif call.name in MOVES:
            yield from self._unsettled(self._short(last))
            yield from self._unwritten(first, last)
            self.entries.add(last.parent)
        elif call.name in {"mkdir", "mkdirat"} or call.creates:
            self.entries.add(last.parent)
        if call.name in WRITES or call.creates:
            self.contents.add(first)
            if not self._is_staged(first):
                yield f"{self._short(first)} is written in place"

    def _unwritten(self, source, target):
        for path in sorted(self.contents | self.entries):
            if path.is_relative_to(source):
                self.contents.discard(path)
                self.entries.discard(path)
                yield f"{self._short(target)} appears before all of it is forced to disk"

    def _unsettled(self, moment):
        for folder in sorted(path for path in self.entries if not self._is_staged(path)):
            self.entries.discard(folder)
            yield f"{self._short(folder)} is not forced to disk before {moment}"

    def _is_staged(self, path):
        return path.is_relative_to(self.root / STAGING)

    def _short(self, path):
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path.name
