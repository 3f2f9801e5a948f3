"""Where everything lies, and that one file alone knows it."""

import re
from pathlib import Path

import pytest

import textclf
from textclf.registry import layout
from textclf.registry.store.base import LONGEST_KEY, is_key

PACKAGE = Path(textclf.__file__).parent
LONGEST_VERSION = "999999999.999999999.999999999"


def test_no_other_file_spells_a_key():
    """What lies in ``.registry``, and the name of the alias, stand in ``layout`` alone."""
    spelled = re.compile(r"(?<![a-z])\.registry\b")
    files = [path for path in PACKAGE.rglob("*.py") if spelled.search(path.read_text("utf-8"))]
    assert files == [PACKAGE / "registry/layout.py"]


def test_only_the_schema_and_the_layout_name_the_files_of_a_version():
    """The names of the model and the metadata are spelled once each, as constants."""
    for name, owners in {
        '"metadata.json"': {"metadata/schema.py"},
        '"text_classifier.joblib"': {"metadata/schema.py", "registry/layout.py"},
    }.items():
        files = {
            path.relative_to(PACKAGE).as_posix()
            for path in PACKAGE.rglob("*.py")
            if name in path.read_text("utf-8")
        }
        assert files == owners


def test_every_key_is_one():
    """Even the longest of each kind is a key that every store takes."""
    digest, token = "0" * 64, "0" * 32
    keys = [
        layout.ALIAS, layout.PROMOTIONS, layout.EVENTS, layout.HOLDS, layout.STAGING,
        layout.version_file(LONGEST_VERSION, "f" * 128),
        layout.log_record(layout.PROMOTIONS, 99_999_999),
        layout.added_signatures(LONGEST_VERSION),
        layout.added_signature(LONGEST_VERSION, digest),
        layout.replaced_file(digest),
        layout.hold(LONGEST_VERSION, token),
    ]  # fmt: skip
    assert all(is_key(key) for key in keys)
    assert len(set(keys)) == len(keys)
    assert max(map(len, keys)) <= LONGEST_KEY


@pytest.mark.parametrize("n", [1, 12, 99_999_999])
def test_the_number_of_a_record_is_read_from_its_name(n):
    """What is written for a number is read as that number."""
    name = layout.log_record("log", n).removeprefix("log/")
    assert layout.record_number(name) == n


@pytest.mark.parametrize("name", ["1.json", "00000001.json~", ".00000001.json", "1.jsonl"])
def test_other_names_are_not_of_records(name):
    """Backups and other files in the folder of a log have no number."""
    assert layout.record_number(name) is None


def test_a_hold_names_its_version():
    """The version is read from the file name of a hold."""
    key = layout.hold("1.10.0", "0" * 32)
    assert layout.held_version(key.removeprefix(f"{layout.HOLDS}/")) == "1.10.0"
