"""Refuse what holds rows, if any, in a form that is not read: archives, documents, databases."""

import difflib
import io
import os
import re
import shlex
import tarfile
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from textclf.errors import DataError
from textclf.formatting import encodable, excerpt

_MOST_MEMBERS = 4
_TAR_MARK = slice(257, 262)

_KINDS: Final = {
    b"BZh": ("compressed by bzip2", "bunzip2 {}"),
    b"\xfd7zXZ\x00": ("compressed by xz", "unxz {}"),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "unzstd {}"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "7z x {}"),
    b"SQLite format 3\0": ("an SQLite database", "export a table as CSV"),
    b"%PDF-": ("a PDF document", None),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": (
        "a document of Microsoft Office before 2007, or one with a password",
        "export the sheet as CSV in UTF-8",
    ),
    b"ARROW1\0\0": ("an Arrow or Feather file", "write it as Parquet"),
    b"\xff\xff\xff\xff": ("an Arrow stream, as datasets keeps it", "write it as Parquet"),
    b"FEA1": ("a file of Feather", "write it as Parquet"),
    b"\x80\x03": ("a Python pickle", "write it as CSV or Parquet"),
    b"\x80\x04": ("a Python pickle", "write it as CSV or Parquet"),
    b"\x80\x05": ("a Python pickle", "write it as CSV or Parquet"),
    b"version https://git-lfs.github.com/": (
        "a Git LFS pointer, not the file itself",
        "git lfs pull",
    ),
}
"""First bytes → what they tell, and how to go on."""

_SHEET: Final = "open it in a spreadsheet program, and save it as CSV in UTF-8"
_PAGES: Final = {
    b"<!doctype html": ("a web page, not a data set", "download the file that the page links to"),
    b"<html": ("a page or a table in HTML", _SHEET),
    b"<table": ("a table in HTML", _SHEET),
    b"<?xml": ("an XML document", "write it as CSV or JSON"),
}
"""The same for marked-up text, by first bytes in lower case."""


def refuse_other_files(data: bytes, name: str, *, is_text: bool = False) -> None:
    """Refuse bytes that are known to be no data set.

    Args:
        data: all of the file.
        name: the file as the user knows it.
        is_text: whether all of the file is one text, which may be marked up.

    Raises:
        DataError: it is an archive, a document or a database; with its members or the way on.
    """
    if data.startswith(b"PK\x03\x04"):
        raise _archive(name, "a zip archive", "unzip", _zip_members(data))
    if data[_TAR_MARK] == b"ustar":
        raise _archive(name, "a tar archive", "tar xf", _tar_members(data))
    page = data[:100].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    kinds = [(told, data.startswith(start)) for start, told in _KINDS.items()]
    kinds += [(told, page.startswith(start) and not is_text) for start, told in _PAGES.items()]
    for (kind, way), found in kinds:
        if found:
            raise DataError(f"{name} is {kind}", hint=way and way.format(shlex.quote(name)))


def _archive(name: str, kind: str, command: str, members: Iterator[str]) -> DataError:
    names = [encodable(member) for member in islice(members, _MOST_MEMBERS + 1)]
    if "[Content_Types].xml" in names or "mimetype" in names:
        return DataError(f"{name} is an Office document", hint="export the sheet as CSV in UTF-8")
    if any(member.endswith(".iwa") for member in names):
        return DataError(
            f"{name} is a document of Apple's", hint="export the sheet as CSV in UTF-8"
        )
    more = ", …" if len(names) > _MOST_MEMBERS else ""
    listed = ", ".join(excerpt(member) for member in names[:_MOST_MEMBERS]) + more
    return DataError(
        f"{name} is {kind}{' of ' + listed if names else ''}",
        hint=f"{command} {shlex.quote(name)}, then name a file that was in it",
    )


def _zip_members(data: bytes) -> Iterator[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (name for name in archive.namelist() if not name.endswith("/"))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return


def _tar_members(data: bytes) -> Iterator[str]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            yield from (member.name for member in archive if member.isfile())
    except (tarfile.TarError, ValueError, OverflowError):
        return


def no_such_file(path: Path) -> DataError:
    """Return the error for a file that is not there, with those whose names are like its own."""
    name = encodable(path.as_posix())
    if url := re.match(r"([a-z][a-z0-9+.-]+):/(?=[^/])", name):
        return DataError(
            f"{url[1]}://{name[url.end() :]} is a URL, and data is read from files",
            hint="download it, then name the file",
        )
    try:
        names = sorted(encodable(name) for name in os.listdir(path.parent))  # noqa: PTH208 - names only
    except OSError:
        folder = encodable(path.parent.as_posix())
        return DataError(f"there is no file {name}", hint=f"there is no folder {folder} either")
    longer = [other for other in names if other.startswith(path.name)]
    similar = list(dict.fromkeys(longer + difflib.get_close_matches(path.name, names)))[:3]
    paths = [encodable((path.parent / other).as_posix()) for other in similar]
    hint = f"did you mean {' or '.join(paths)}?" if paths else None
    return DataError(f"there is no file {name}", hint=hint)
