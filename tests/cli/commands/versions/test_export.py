"""Archives are written: `textclf versions export`."""

import json
import shutil
from pathlib import Path

import pytest


def test_both_answer_in_json(project, cli):
    """The JSON of export and import has what a script needs next."""
    answer = json.loads(cli("versions", "export", "1.0.0", "a.tar.gz", "--json").out)
    assert {"metadata.json", "text_classifier.joblib"} <= set(answer["files"])
    assert answer == {
        "version": "1.0.0",
        "path": "a.tar.gz",
        "bytes": (project / "a.tar.gz").stat().st_size,
        "files": answer["files"],
    }
    command = ("versions", "import", "a.tar.gz", "--models", "other", "--json", "-q")
    answers = [json.loads(cli(*command).out) for _ in range(2)]
    assert [answer.pop("changed") for answer in answers] == [True, False]
    path = "other/1.0.0/text_classifier.joblib"
    assert answers == [{"version": "1.0.0", "path": path}] * 2


def test_the_same_version_makes_the_same_archive(project, cli):
    """Exporting a version twice gives identical archives."""
    for name in ("a.tar.gz", "b.tar.gz"):
        assert cli("versions", "export", "1.0.0", name).code == 0
    assert (project / "a.tar.gz").read_bytes() == (project / "b.tar.gz").read_bytes()


def test_an_export_never_overwrites(project, cli):
    """An existing file is not overwritten, and an incomplete one does not remain."""
    (project / "a.tar.gz").write_text("mine")
    done = cli("versions", "export", "1.0.0", "a.tar.gz")
    assert done.code == 2
    assert "a.tar.gz already exists" in done.err
    assert (project / "a.tar.gz").read_text() == "mine"
    assert cli("versions", "export", "1.0.0", "nowhere/a.tar.gz").code == 1
    (project / "models/1.0.0/text_classifier.joblib").write_bytes(b"?")
    assert cli("versions", "export", "1.0.0", "b.tar.gz").code == 6
    assert not (project / "b.tar.gz").exists()


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2"])
@pytest.mark.usefixtures("project")
def test_the_archive_is_what_its_name_says(cli, ending):
    """Each format is written by its name and imported by its content, whatever its name is."""
    name = f"model{ending}"
    assert cli("versions", "export", "1.0.0", name).code == 0
    shutil.unpack_archive(name, "unpacked")
    assert (
        Path("unpacked/1.0.0/metadata.json").read_bytes()
        == Path("models/1.0.0/metadata.json").read_bytes()
    )
    Path(name).rename("renamed")
    assert cli("versions", "import", "renamed", "--models", "other").out == "imported 1.0.0\n"


@pytest.mark.usefixtures("project")
def test_a_name_of_another_kind_is_refused(cli):
    """Nothing is written, and the formats are listed."""
    done = cli("versions", "export", "1.0.0", "model.7z")
    assert (done.code, done.out) == (2, "")
    assert "is not that of an archive" in done.err
    assert not Path("model.7z").exists()
