"""Versions are read from archives: `textclf versions import`."""

import gzip
import shutil
import tarfile

import pytest
import registries


def test_a_version_goes_to_another_registry(project, cli):
    """An exported version can be imported, promoted and used, with the same labels."""
    done = cli("versions", "export", "latest", "model.tar.gz")
    size = (project / "model.tar.gz").stat().st_size
    files = len(list((project / "models/1.0.1").iterdir()))
    assert done.out == f"model.tar.gz: 1.0.1, {files} files, {size:,} bytes\n"
    other = ("--models", "other")
    done = cli("versions", "import", "model.tar.gz", *other)
    assert (done.code, done.out) == (0, "imported 1.0.1\n")
    assert done.err == "hint: not promoted; to promote it: textclf promote --models other 1.0.1\n"
    assert cli("versions", "import", "model.tar.gz", *other).out.startswith("1.0.1 is already here")
    assert cli("promote", "1.0.1", *other).code == 0
    assert cli("predict", "so great", *other).out == cli("predict", "so great").out
    assert cli("verify", *other).code == 0
    ours, theirs = (
        {path.name: path.read_bytes() for path in (project / at / "1.0.1").iterdir()}
        for at in ("models", "other")
    )
    assert ours == theirs


def test_archived_pruned_and_brought_back(old, cli):
    """A version that was exported and pruned can be imported again."""
    assert cli("versions", "export", "0.1.0", "a.tar.gz").code == 0
    assert cli("versions", "prune", "--keep", "4").out.startswith("pruned 0.1.0\n")
    assert cli("versions", "import", "a.tar.gz").out == "imported 0.1.0\n"
    assert "0.1.0" in registries.version_folders(old / "models")
    assert cli("promote", "0.1.0").code == 0
    assert cli("verify").code == 0


def test_the_promoted_version_is_brought_back(project, cli):
    """It is still promoted, so there is no hint."""
    cli("versions", "export", "latest", "a.tar.gz")
    shutil.rmtree(project / "models/1.0.1")
    done = cli("versions", "import", "a.tar.gz")
    assert (done.out, done.err) == ("imported 1.0.1\n", "")
    assert cli("predict", "so great").code == 0


def test_a_taken_number_is_refused(project, cli, data):
    """A number that another version has is refused with a hint, and nothing changes."""
    cli("train", "--seed", "3", "--models", "other", "-q")
    cli("versions", "export", "1.0.0", "a.tar.gz", "--models", "other")
    before = (project / "models/1.0.0/metadata.json").read_bytes()
    done = cli("versions", "import", "a.tar.gz")
    assert (done.code, done.out) == (1, "")
    assert "1.0.0 is another version in models; numbers are not reused" in done.err
    assert "--models DIR" in done.err
    assert (project / "models/1.0.0/metadata.json").read_bytes() == before
    assert registries.events(data / "models") == []


def test_what_is_no_archive_is_6(project, cli):
    """An archive that is damaged or malicious is refused, and nothing is written."""
    (project / "text.tar.gz").write_text("hello")
    with tarfile.open(project / "evil.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("1.2.3/../../evil")
        archive.addfile(member)
    (project / "cut.tar.gz").write_bytes(gzip.compress(b"x" * 1000)[:-4])
    before = sorted(project.rglob("*"))
    for name in ("text", "evil", "cut"):
        done = cli("versions", "import", f"{name}.tar.gz")
        assert (done.code, done.out) == (6, "")
        assert f"error: {name}.tar.gz cannot be imported: " in done.err
        assert "textclf versions export" in done.err
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize("name", ["none.tar.gz", "data"])
@pytest.mark.usefixtures("project")
def test_an_archive_that_cannot_be_read_is_4(cli, name):
    """An archive that cannot be read is bad data."""
    done = cli("versions", "import", name)
    assert done.code == 4
    assert f"error: cannot read {name}" in done.err
