"""Read a sheet of Excel or OpenDocument with python-calamine."""

import csv
import io
import resource
import zipfile
import zlib
from array import array
from collections.abc import MutableSequence, Sequence
from dataclasses import replace
from typing import Any, Final

from textclf.data.columns import listed
from textclf.data.delimited import read_delimited
from textclf.data.encoding import most_unpacked
from textclf.data.format import Format, Rows, Source
from textclf.data.isolated import read_isolated
from textclf.errors import DataError
from textclf.formatting import excerpt

_ZIP: Final = b"PK\x03\x04"
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD_WORKBOOKS: Final = tuple(name.encode("utf-16-le") for name in ("Workbook", "Book"))
_OPEN_DOCUMENT: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_MOST_MEMORY: Final = 1 << 33
"""Bytes of memory for reading a sheet, in which every cell may repeat a long text."""

_AS_CSV: Final = "export the sheet as CSV in UTF-8"


def is_spreadsheet(data: bytes) -> bool:
    """Tell whether a file is a workbook of Excel, old or new, or of OpenDocument."""
    if data.startswith(_OLD_OFFICE):
        return any(name in data for name in _OLD_WORKBOOKS)
    if not data.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            kind = archive.read("mimetype") if "mimetype" in names else b""
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError):
        return False
    return bool(names & {"xl/workbook.xml", "xl/workbook.bin"}) or kind.startswith(_OPEN_DOCUMENT)


def read_spreadsheet(source: Source) -> Rows:
    """Read a sheet as the delimited file that it can be exported as; rows are those of the sheet.

    Raises:
        DataError: it cannot be read, python-calamine is not installed, or it is not known which
            sheet to read; or as `read_delimited`.
    """
    data, row_of = sheet_as_csv(source)
    read = read_delimited(replace(source, data=data, delimiter=",", places=row_of))
    read.places = array("I", (row_of[line - 1] for line in read.places))
    read.bad = [(row_of[int(line) - 1], reason) for line, reason in read.bad]
    return read


def sheet_as_csv(source: Source) -> tuple[bytes, Sequence[int]]:
    """Return a sheet as the delimited file, with commas, that it can be exported as.

    Returns:
        The file, and for each of its lines the number of the row of the sheet that it is from.

    Raises:
        DataError: as `read_spreadsheet`.
    """
    _require_size(source)
    converted = read_isolated(
        source, "spreadsheet.convert_here", "python-calamine", "excel", otherwise=_AS_CSV
    )
    return converted.texts[0].encode(), converted.places


def _require_size(source: Source) -> None:
    if source.data.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > most_unpacked(len(source.data)):
            raise DataError(f"{source.name} is not a data set: unpacked, it has {unpacked:,} bytes")


def convert_here(source: Source) -> Rows:
    """Return what `sheet_as_csv` does from another process: the file as a text, and the places."""
    start, cells = _read_cells(source)
    text, row_of = _as_csv(cells, start)
    return Rows(texts=[text], labels=[""], places=row_of)


def _read_cells(source: Source) -> tuple[int, list[list[Any]]]:
    """Return the number of the first row of a sheet, and its cells, read in this process."""
    from python_calamine import CalamineError, CalamineWorkbook

    _limit_memory()
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(source.data)) as workbook:
            return _choose_sheet(workbook, source)
    except CalamineError as error:
        raise DataError(
            f"{source.name} is a damaged spreadsheet, one with a password, or one that cannot be "
            f"read: {excerpt(error, 100)}",
            hint=_AS_CSV,
        ) from None


def _limit_memory() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _MOST_MEMORY if soft == resource.RLIM_INFINITY else min(soft, _MOST_MEMORY)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _choose_sheet(workbook: Any, source: Source) -> tuple[int, list[list[Any]]]:
    """Return the number of the first row of a sheet, and the cells from it on."""
    from python_calamine import SheetVisibleEnum

    visible = SheetVisibleEnum.Visible
    names = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == visible]
    if source.sheet is not None:
        wanted = source.sheet.casefold()
        chosen = [name for name in workbook.sheet_names if name.casefold() == wanted]
        if not chosen:
            wanted, there = excerpt(source.sheet), listed(workbook.sheet_names)
            raise DataError(f'{source.name} has no sheet "{wanted}", but {there}')
        names = chosen
    sheets = {name: workbook.get_sheet_by_name(name) for name in names}
    filled = {name: sheet for name, sheet in sheets.items() if sheet.start is not None}
    if len(filled) > 1:
        raise DataError(
            f"{source.name} has {len(filled)} sheets with cells: {listed(list(filled))}",
            hint="--sheet NAME says which of them to read",
        )
    if not filled:
        raise DataError(f"{source.name} has no cells")
    [sheet] = filled.values()
    return sheet.start[0] + 1, _with_merged_cells(sheet)


def _with_merged_cells(sheet: Any) -> list[list[Any]]:
    """Return the cells of a sheet; what is merged down a column stands in each of its rows."""
    rows: list[list[Any]] = sheet.to_python()
    top, left = sheet.start
    for (first, column), (last, _) in sheet.merged_cell_ranges or ():
        at = column - left
        for row in rows[max(first - top, 0) + 1 : last - top + 1]:
            if 0 <= at < len(row) and any(row) and first >= top:
                row[at] = rows[first - top][at]
    return rows


def _as_csv(rows: Sequence[Sequence[Any]], start: int) -> tuple[str, MutableSequence[int]]:
    """Return cells as a delimited file, and the number of the row that each of its lines is of."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    row_of = array("I")
    for number, cells in enumerate(rows, start):
        texts = [_as_text(cell) for cell in cells]
        row_of.extend([number] * (1 + sum(text.count("\n") for text in texts)))
        writer.writerow(texts)
    return file.getvalue(), row_of


def _as_text(cell: Any) -> str:
    """Return a cell as it is exported: a whole number without a point, a truth value in words."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


SPREADSHEET: Final = Format(
    "spreadsheet", (), lambda source: is_spreadsheet(source.data), read_spreadsheet, binary=True
)
