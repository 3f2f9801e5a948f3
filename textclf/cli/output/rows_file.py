"""Labelled rows written to a file that the user named, to be inspected, repaired or trained on."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence

from textclf.cli.output.output_file import OutputFile
from textclf.cli.output.table_writer import text_of


def write_rows(
    output: OutputFile, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write rows in the format of the file's name."""
    with text_of(output, columns) as (file, chosen):
        if chosen == "jsonl":
            for row in rows:
                named = dict(zip(columns, row, strict=True))
                file.write(json.dumps(named, ensure_ascii=False) + "\n")
            return
        # before Python 3.13 a lone carriage return is not quoted unless all text is
        writer = csv.writer(
            file,
            delimiter="\t" if chosen == "tsv" else ",",
            lineterminator="\n",
            quoting=csv.QUOTE_NONNUMERIC,
        )
        writer.writerow(columns)
        writer.writerows(rows)
