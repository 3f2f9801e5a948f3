"""What a key is."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.registry.store.base import LONGEST_KEY, check_key, check_name, is_key

PARTS = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\").filter(str.isprintable), max_size=8
).filter(lambda part: part not in ("", ".", ".."))


@given(st.lists(PARTS, min_size=1, max_size=5).map("/".join))
def test_plain_parts_make_a_key(text):
    """Parts without slashes, backslashes and controls, joined by slashes, are a key."""
    assert is_key(text)
    assert check_key(text) == text


@given(st.text(max_size=300) | st.text("./\\a\0\n", max_size=8))
def test_a_key_stays_below_its_root(text):
    """Whatever is accepted is relative, means what it says, and has a bounded length."""
    if not is_key(text):
        with pytest.raises(ValueError, match="not a key"):
            check_key(text)
        return
    path = PurePosixPath(text)
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert str(path) == text
    assert "\\" not in text
    assert text.isprintable()
    assert len(text.encode()) <= LONGEST_KEY


@given(PARTS)
def test_a_file_name_is_one_part(part):
    """A name in a folder has no slash, and counts with the folder toward the greatest length."""
    assert check_name("folder", part) == part
    for name in (f"{part}/{part}", "", "..", "x" * LONGEST_KEY):
        with pytest.raises(ValueError, match="not "):
            check_name("folder", name)
