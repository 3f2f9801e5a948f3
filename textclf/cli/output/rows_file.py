"""Labelled rows written to a file that the user named, to be inspected, repaired or trained on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence

from textclf.cli.output.output_file import OutputFile

_JSON_LINES = {".jsonl", ".ndjson"}
_TABS = {".tsv", ".tab"}


def write_rows(
    output: OutputFile, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write rows as CSV, or by the file's ending as TSV or JSON Lines."""
    ending = output.path.suffix.lower()
    with output.open() as binary:
        file = io.TextIOWrapper(binary, "utf-8", newline="")
        if ending in _JSON_LINES:
            for row in rows:
                named = dict(zip(columns, row, strict=True))
                file.write(json.dumps(named, ensure_ascii=False) + "\n")
        else:
            # before Python 3.13 a lone carriage return is not quoted unless all text is
            writer = csv.writer(
                file,
                delimiter="\t" if ending in _TABS else ",",
                lineterminator="\n",
                quoting=csv.QUOTE_NONNUMERIC,
            )
            writer.writerow(columns)
            writer.writerows(rows)
        file.detach()
