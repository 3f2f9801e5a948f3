"""Read a folder that holds a folder for each label, with a text in each file."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textclf.data.encoding import NotTextError, decompress, to_utf8
from textclf.data.format import Rows
from textclf.errors import DataError
from textclf.files import read_bytes
from textclf.formatting import encodable


def read_folder(path: Path, name: str, encoding: str | None) -> tuple[Rows, str]:
    """Read each file in each folder as one text, labelled by the name of its folder.

    Args:
        path: the folder of the folders.
        name: the folder as the user knows it.
        encoding: of the files, as in ``encoding.to_utf8``.

    Returns:
        The rows, and a digest over the sorted names and contents of the files.

    Raises:
        DataError: there are no files, or others than those of the labels, or one is unreadable.
    """
    digest = hashlib.sha256()
    rows = Rows(places=list[str]())
    for file in _labelled_files(path, name):
        place = f"{file.parent.name}/{file.name}"
        with _named_if_unreadable(file):
            raw = read_bytes(file)
        digest.update(os.fsencode(place) + b"\0" + hashlib.sha256(raw).digest())
        place = encodable(place)
        try:
            data = decompress(raw, f"{name}/{place}", is_text=True)
            text = to_utf8(data, encoding).decode()
        except NotTextError as problem:
            rows.bad.append((f"{place}:{problem.line}", problem.reason))
        else:
            rows.add(place, text, encodable(file.parent.name))
    if not rows.texts and not rows.bad:
        raise DataError(f"the folders in {name} contain no files")
    return rows, digest.hexdigest()


def _labelled_files(path: Path, name: str) -> list[Path]:
    """Return the files of all labels' folders, sorted by name."""
    folders = _entries(path)
    if not folders:
        raise DataError(f"{name} is an empty folder", hint="it needs one folder per label")
    for entry in folders:
        if not os.path.isdir(entry):  # noqa: PTH112 - Path.is_dir raises where it may not look
            raise DataError(
                f"{name} is a folder, but {encodable(entry.name)} in it is not, so it has no label",
                hint="name a file, or a folder that contains only one folder per label",
            )
    files = [file for folder in folders for file in _entries(folder)]
    for file in files:
        if not os.path.isfile(file):  # noqa: PTH113 - as above
            raise DataError(
                f"{encodable(file.as_posix())} is not a file, unlike all in a label's folder"
            )
    return files


def _entries(folder: Path) -> list[Path]:
    with _named_if_unreadable(folder):
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    return sorted(entries, key=lambda entry: os.fsencode(entry.name))


@contextmanager
def _named_if_unreadable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{encodable(path.as_posix())} cannot be read: {error.strerror}") from None
