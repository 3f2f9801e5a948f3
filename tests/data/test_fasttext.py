"""The format of fastText."""

from data_files import SKIP, bad, read, rows


def test_bad_fasttext_lines(tmp_path):
    """A fastText line needs one label, at its start, and a text."""
    content = (
        "__label__a x\n__label__a\nno label\n__label__a __label__b x\n__label__ x\nx __label__a"
    )
    dataset = read(tmp_path / "a.ft", content, on_bad_rows=SKIP)
    assert rows(dataset) == [("x", "a")]
    assert bad(dataset) == [
        ("2", "no text"),
        ("3", "no label"),
        ("4", "two labels"),
        ("5", "no label"),
        ("6", "no label at the start"),
    ]
