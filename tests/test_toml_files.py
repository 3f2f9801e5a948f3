"""TOML from anywhere: a document or a sentence, soon."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf import files

snippets = st.lists(
    st.sampled_from([*"[]{}=\",.#\n \t'\\\0", "a", "[x]\n", "a.b = 1\n", '"""', "1e9", "é", "\r\n"])
).map("".join)


@given(st.text() | snippets)
def test_any_text(text):
    """Any text is a document or a ValueError."""
    try:
        assert isinstance(files.parse_toml(text), dict)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = " + "[" * 100_000, "Nested too deeply"),
        ("x = " + "{a = " * 100_000, "Nested too deeply"),
        ("x = " + "1" * 5000, "Exceeds the limit"),
        ("y = 1\n" + "a." * 100_000 + "a = 1", r"More than 500 dots on one line \(at line 2\)"),
    ],
)
def test_what_tomllib_has_no_error_for(text, words):
    """Nesting, numbers and keys without end are refused, before they fill the memory."""
    with pytest.raises(ValueError, match=words):
        files.parse_toml(text)


def test_a_large_file_is_not_read(tmp_path):
    """Nobody writes a megabyte of settings."""
    (tmp_path / "a.toml").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(OSError, match="it has more than 1 MB"):
        files.read_toml_text(tmp_path / "a.toml")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path, mark):
    """Editors of Windows write one, in settings, project files and search spaces."""
    path = tmp_path / "a.toml"
    path.write_bytes(mark + b"a = 1\n")
    assert files.parse_toml(files.read_toml_text(path)) == {"a": 1}


def test_another_encoding_is_told_with_its_place(tmp_path):
    """UTF-16, and bytes that are not UTF-8, are a sentence."""
    path = tmp_path / "a.toml"
    path.write_bytes(b"a = '\xe9'\n")
    with pytest.raises(ValueError, match="Not UTF-8, at byte 6"):
        files.read_toml_text(path)
