"""Tables written to a file or stdout: those that were read, with their labels, and plain rows."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from textclf.cli.output import render
from textclf.errors import UsageError
from textclf.formatting import escape_controls, plural

if TYPE_CHECKING:
    from textclf.cli.output.output_file import OutputFile
    from textclf.cli.output.predictions import PredictionStyle
    from textclf.data.table import TextTable
    from textclf.prediction.model import Prediction


WriteRow = Callable[[Any, Sequence[Any]], None]
"""Writes a row of a table, with the values of the columns that are added to it."""


def _row_writer(
    table: TextTable, added: Sequence[str], output_format: str | None, stream: IO[str]
) -> WriteRow:
    """Return what writes the rows of a table in a format; by default in its own."""
    chosen = output_format or ("jsonl" if table.delimiter is None else "own")
    if chosen == "jsonl":
        return _json_writer(table, added, stream)
    delimiter = {"tsv": "\t", "csv": ","}.get(chosen, table.delimiter or ",")
    return _delimited_writer(table, added, stream, delimiter)


def _free(name: str, columns: Sequence[str]) -> str:
    taken = {column.strip().casefold() for column in columns}
    names = [name, f"predicted_{name}", *(f"predicted_{name}_{n}" for n in range(2, 1000))]
    return next(one for one in names if one not in taken)


def _delimited_writer(
    table: TextTable, added: Sequence[str], stream: IO[str], delimiter: str
) -> WriteRow:
    # before Python 3.13 a lone carriage return is not quoted unless all cells are
    form: Any = {"delimiter": delimiter, "lineterminator": "\n"}
    plain = csv.writer(stream, **form)
    quoted = csv.writer(stream, **form, quoting=csv.QUOTE_ALL)
    if table.header:
        plain.writerow([*table.columns, *added])

    def write(row: Any, values: Sequence[Any]) -> None:
        cells = _cells(json.loads(row), table.columns) if table.delimiter is None else row
        writer = quoted if any("\r" in cell for cell in cells) else plain
        writer.writerow([*cells, *map(_cell, values)])

    return write


def _cells(record: dict[str, Any], columns: Sequence[str]) -> list[str]:
    if further := record.keys() - set(columns):
        raise UsageError(
            f'an object has the key "{min(further)}", which the first ones have not',
            hint="JSON Lines keep them: -o FILE.jsonl",
        )
    return [_cell(record.get(name)) for name in columns]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json_writer(table: TextTable, added: Sequence[str], stream: IO[str]) -> WriteRow:
    def write(row: Any, values: Sequence[Any]) -> None:
        more = render.json_on_a_line(dict(zip(added, values, strict=True)))[1:]
        if table.delimiter is None:
            start = row.rstrip()[:-1].rstrip()
            stream.write(f"{start}{'' if start == '{' else ','}{more}\n")
        else:
            record = render.json_on_a_line(dict(zip(table.columns, row, strict=True)))
            stream.write(f"{record[:-1]},{more}\n")

    return write


def write_labelled(
    table: TextTable,
    rows: Iterable[tuple[Any, Prediction | None]],
    style: PredictionStyle,
    target: OutputFile | None,
    output_format: str | None,
) -> None:
    """Write a table with labels and scores to a file or stdout, and say what has none.

    Args:
        table: how it is written.
        rows: each row with the prediction of its text, or ``None`` if it has no text.
        style: how predictions are written.
        target: the file; stdout if ``None``.
        output_format: ``csv`` or ``jsonl``; else that of the file's name, or the table's own.
    """
    without = 0

    def with_values() -> Iterator[tuple[Any, Sequence[Any]]]:
        nonlocal without
        for row, prediction in rows:
            without += prediction is None
            yield row, [None] * len(added) if prediction is None else _values(prediction, style)

    further = {"scores": style.top_k, "known": style.known}
    added = ["label", "score", *(name for name, is_wanted in further.items() if is_wanted)]
    write_table(table, added, with_values(), target, output_format)
    if without:
        render.warning(f"{plural(without, 'row')} without a text: no label")


def _values(prediction: Prediction, style: PredictionStyle) -> list[Any]:
    (label, score), *_ = style.pairs(prediction, "")
    scores = dict(list(prediction.scores.items())[: style.top_k])
    further = [scores] if style.top_k else []
    return [label or None, score, *further, *([prediction.known] if style.known else [])]


def write_table(
    table: TextTable,
    added: Sequence[str],
    rows: Iterable[tuple[Any, Sequence[Any]]],
    target: OutputFile | None,
    output_format: str | None,
) -> None:
    """Write rows of a table, each with further columns, to a file or stdout.

    Args:
        table: how it is written.
        added: the names of the columns; where the table has such a column, another is found.
        rows: each row with the values of these columns.
        target: the file; stdout if ``None``.
        output_format: ``csv`` or ``jsonl``; else that of the file's name, or the table's own.
    """
    names = [_free(name, table.columns) for name in added]
    shown: Any = _Terminal() if sys.stdout.isatty() else sys.stdout
    to_stdout = nullcontext((shown, output_format))
    with text_of(target, [*table.columns, *names]) if target else to_stdout as to:
        stream, chosen = to
        write = _row_writer(table, names, chosen, stream)
        for row, values in rows:
            write(row, values)


class _Terminal:
    """Stdout, if it is a terminal: what the cells of a table hold is escaped there."""

    def write(self, text: str) -> None:
        """Write a text with its line breaks and tabs, and all other controls escaped."""
        parts = re.split("([\n\t])", text)  # of which every second one is a separator
        parts[::2] = map(escape_controls, parts[::2])
        sys.stdout.write("".join(parts))


@contextmanager
def text_of(target: OutputFile, columns: Sequence[str]) -> Iterator[tuple[IO[str], str]]:
    """Open an output file for text, with the format; Parquet is made of JSON Lines in the end."""
    chosen = target.format
    with target.open() as binary, ExitStack() as stack:
        if chosen != "parquet":
            text = io.TextIOWrapper(binary, "utf-8", newline="")
            yield text, chosen
            text.detach()
            return
        from textclf.data.parquet import write_parquet

        file = stack.enter_context(
            tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".jsonl")
        )
        yield file, "jsonl"
        file.flush()
        write_parquet(Path(file.name), Path(binary.name), columns)


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
