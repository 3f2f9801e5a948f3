"""Why a record of a delimited file cannot be told from the text around it."""

from textclf.data.dialect import Dialect
from textclf.data.lines import Position, lines_from, physical_lines
from textclf.formatting import plural


def malformed_reason(error: str, data: bytes, start: Position, dialect: Dialect) -> str:
    """Return the reason for a record that starts here and that csv gave up on."""
    if "end of data" in error:
        last = start.lines + lines_from(data, start)
        record = next(dialect.reader(physical_lines(data, start.offset), strict=False))
        opened = last - record[-1].count("\n") + data.endswith(b"\n")
        rest = plural(last - opened + 1, "line")
        return (
            f"malformed quoting: the quote opened on line {opened} is never closed, "
            f"the rest of the file ({rest}) would be one text"
        )
    if "new-line" in error:
        return "malformed quoting: a carriage return outside quotes"
    if "field limit" in error:
        return "a text of more than 2 GB"
    return "malformed quoting: text after a closing quote"
