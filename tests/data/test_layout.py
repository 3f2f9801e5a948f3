"""Tables with lines, columns and rows around them that are none of their own."""

import pytest
from data_files import SKIP, bad, read, rows

ROWS = [("slow; delivery", "no"), ("well made", "yes"), ("never again", "no"), ("fine", "yes")]
LINES = [f'"{text}",{label}' for text, label in ROWS]
NUMBERED = [f'"{n}",{line}' for n, line in enumerate(LINES)]


@pytest.mark.parametrize(
    ("lines", "first"),
    [
        (["text,label", *LINES, *[","] * 30], 2),
        (["text,label,,", *[f"{line},," for line in LINES], ",,,"], 2),
        (["Feedback 2024,", ",", "exported by,reports", "text,label", *LINES], 5),
        (["# exported 2024-05-01", "text,label", *LINES], 3),
        (["Feedback", "", "label,text", *[f'{label},"{text}"' for text, label in ROWS]], 4),
        (["sep=,", "text,label", *LINES], 3),
        ([line.replace(",", "\t") for line in ["sep=,", "text,label", *LINES]], 3),
        (["text,label", *NUMBERED], 2),
        (["text,label,note", *[f'{line},""' for line in NUMBERED]], 2),
        (["id,text,label", *[f"{line}," for line in NUMBERED]], 2),
        (["| text | label |", "|---|:--|", *[f"|{text}|{label}|" for text, label in ROWS]], 3),
        (["text,label", *[f'"{text}", "{label}"' for text, label in ROWS]], 2),
        (["text, label", *[f'  "{text}",  {label}' for text, label in ROWS]], 2),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_around_the_table(tmp_path, lines, first, end):
    """Blank rows, titles, `sep=`, row numbers, blanks before quotes: read for what they are."""
    dataset = read(tmp_path / "a.csv", end.join([*lines, ""]))
    assert rows(dataset) == ROWS
    assert dataset.places[0] == first


@pytest.mark.parametrize(
    ("lines", "notes"),
    [
        (["text,label", *LINES], []),
        (["", "text,label", *LINES], []),
        (["Feedback", "", "text,label", *LINES], ["the header is on line 3"]),
        (["text,label", *NUMBERED], ["the first column"]),
        (["id,text,label", *[f"{line}," for line in NUMBERED]], []),
        (["Feedback", "text,label", *NUMBERED], ["the header is on line 2", "the first column"]),
    ],
)
def test_what_is_not_read_is_told(tmp_path, lines, notes):
    """Titles above the header and the numbers of rows are not read, and sentences say so."""
    dataset = read(tmp_path / "a.csv", "\n".join(lines))
    assert len(dataset.reading_notes) == len(notes)
    for note, beginning in zip(dataset.reading_notes, notes, strict=True):
        assert note.startswith(f"{dataset.path}: {beginning}")
        assert note.endswith("not read")


@pytest.mark.parametrize("columns", [{}, {"text_column": "1"}, {"label_column": "2"}])
def test_a_header_below_titles_by_one_exact_name(tmp_path, columns):
    """The other column may be given by its position, or in other case."""
    header = "Text,label" if "text_column" in columns else "text,Label"
    content = "\n".join(["Feedback 2024", "", header, *LINES])
    assert rows(read(tmp_path / "a.csv", content, **columns)) == ROWS


def test_line_feeds_in_records_that_end_in_carriage_returns(tmp_path):
    """Old Macs end records in carriage returns; line feeds in quoted texts stay what they are."""
    content = 'text,label\r"a\nb",x\rc,y\r"d\ne",y\r'
    assert rows(read(tmp_path / "a.csv", content)) == [("a\nb", "x"), ("c", "y"), ("d\ne", "y")]


def test_trailing_delimiters_are_no_row_names(tmp_path):
    """Rows that end in a delimiter, which the header does not, begin with their first column."""
    content = "text,label\na,x,\nb,y,\nc,y,\n"
    assert rows(read(tmp_path / "a.csv", content)) == [("a", "x"), ("b", "y"), ("c", "y")]


@pytest.mark.parametrize("again", ["text,label", "\ufefftext,label"])
def test_header_again(tmp_path, again):
    """Where files were joined, the header of the next one is a bad row and no label."""
    content = f"text,label\na,x\nb,label\n{again}\nc,y\n{again}\nd,x\n"
    dataset = read(tmp_path / "a.csv", content, on_bad_rows=SKIP)
    assert rows(dataset) == [("a", "x"), ("b", "label"), ("c", "y"), ("d", "x")]
    assert bad(dataset) == [(n, "the header again, as in files that were joined") for n in "46"]
