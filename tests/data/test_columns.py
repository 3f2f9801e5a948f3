"""The columns of text and label, by name and by position."""

import pytest
from data_files import read, refused, rows


@pytest.mark.parametrize(
    ("header", "options"),
    [
        ("body,kind", {"text_column": "body", "label_column": "kind"}),
        (" Text ,LABEL", {}),
        ("a,b", {"text_column": "1", "label_column": "b"}),
        ("2,1", {"text_column": "2", "label_column": "b"}),
    ],
)
def test_columns(tmp_path, header, options):
    """Columns go by exact name, then by position, then by name in other case."""
    if options.get("text_column") == "2":
        header = header.replace("1", "b")
    assert rows(read(tmp_path / "a.csv", f"{header}\nx,y\n", **options)) == [("x", "y")]


def test_wrong_column_names(tmp_path):
    """A missing or double column lists those that exist and says what to type."""
    path = tmp_path / "a.csv"
    message, hint = refused(path, "texts,label\nx,y\n", label_column="label")
    assert "its columns are texts, label" in message
    assert hint == "--text-column texts"
    message, hint = refused(path, "text,text,label\nx,y,z\n")
    assert 'has 2 columns "text"' in message
    assert hint == "--text-column 1"
    assert refused(path, "text,day\nx,y\n")[1] == "name it by --label-column"
    assert refused(path, "text\nx\n")[1] is None, "there is none to name"
    message, hint = refused(path, "text,label\nx,y\n", label_column="text")
    assert "same column" in message
    message, _ = refused(path, "x,y\nz,y\n", text_column="1", label_column="3")
    assert "no column 3" in message


def test_a_column_for_each_label(tmp_path):
    """Labels in columns of 0 and 1 are refused as such; one of them can be learned."""
    content = "id,comment,toxic,clean\n" + "".join(
        f"{n},text {n},{n % 2},{1 - n % 2}\n" for n in range(9)
    )
    message, hint = refused(tmp_path / "a.csv", content, text_column="comment")
    assert "a column of 0 and 1 for each of several labels: toxic, clean" in message
    assert hint == "--label-column toxic learns one of them"
    assert (
        read(tmp_path / "a.csv", content, text_column="comment", label_column="toxic").labels[1]
        == "1"
    )
