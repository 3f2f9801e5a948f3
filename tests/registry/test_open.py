"""Opening a registry by its location."""

import re
from pathlib import Path

import pytest
import registries
from keys import write_pair

import textclf
from textclf import open_registry
from textclf.errors import IntegrityError
from textclf.metadata.versions import parse_version

PACKAGE = Path(textclf.__file__).parent


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_is_opened_by_its_name_or_path(root, kind):
    """A registry that exists is found, whichever type the location has."""
    registries.filled(root, "1.0.0")
    assert str(open_registry(kind(root)).latest()) == "1.0.0"


def test_a_registry_need_not_exist(root):
    """Opening one creates nothing; it has no versions."""
    assert open_registry(root).versions() == []
    assert not root.exists()


def test_a_key_makes_signatures_required(root, tmp_path):
    """With the file of a public key, versions that are not signed with it are refused."""
    registries.filled(root, "1.0.0")
    _, public = write_pair(tmp_path, "one")
    registry = open_registry(str(root), str(public))
    with pytest.raises(IntegrityError, match="is not signed"):
        registry.metadata(parse_version("1.0.0"))


def test_there_is_one_place_where_registries_are_opened():
    """No other file of the package makes a registry or a local store."""
    made = re.compile(r"(?<!class )\b(?:Registry|LocalStore)\(")
    files = [path for path in PACKAGE.rglob("*.py") if made.search(path.read_text("utf-8"))]
    assert files == [PACKAGE / "registry/open.py"]
