"""Labelled rows written to a file that the user named, to be inspected, repaired or trained on."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from textclf.errors import UsageError

_JSON_LINES = {".jsonl", ".ndjson"}
_TABS = {".tsv", ".tab"}


def require_other(path: Path | None, data: Path, option: str) -> None:
    """Refuse to write over the data that is being read. Raises UsageError."""
    if path is not None and path.resolve() == data.resolve():
        raise UsageError(f"{option} names the data itself, which it would write over")


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV, or by the file's ending as TSV or JSON Lines."""
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix.lower() in _JSON_LINES:
            for row in rows:
                named = dict(zip(columns, row, strict=True))
                file.write(json.dumps(named, ensure_ascii=False) + "\n")
            return
        # before Python 3.13 a lone carriage return is not quoted unless all text is
        writer = csv.writer(
            file,
            delimiter="\t" if path.suffix.lower() in _TABS else ",",
            lineterminator="\n",
            quoting=csv.QUOTE_NONNUMERIC,
        )
        writer.writerow(columns)
        writer.writerows(rows)
