"""What a version records of the code that made it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from textclf.training import provenance
from textclf.training.provenance import SHAPING, code

ROOT = Path(provenance.__file__).parents[1]
NOT_SHAPING = {
    "__init__.py",
    "__main__.py",
    "_version.py",
    "api",
    "captured_warnings.py",  # warnings are recorded, and decide on nothing
    "cli",
    "errors.py",
    "exporters",
    "files.py",
    "formatting.py",
    "machine_code.py",
    "metadata",  # describes models; what decides on them is compared field by field
    "prediction",
    "registry",
    "release",
    "server",
    "report",
}


def git(*command):
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *command],
        check=True,
        capture_output=True,
    )


def test_the_code_is_known_by_digest_and_commit(tmp_path, monkeypatch):
    """The digest is of textclf's source; commit and changes are of the repository trained in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    outside = code()
    assert (outside.git_commit, outside.dirty) == (None, None)
    assert len(outside.sha256) == 64
    (tmp_path / "file").write_text("1")
    git("init")
    git("add", "file")
    git("commit", "-m", "one")
    (tmp_path / "untracked").write_text("a model, say")
    clean = code()
    head = (tmp_path / ".git" / "HEAD").read_text().split()[1]
    assert clean.git_commit == (tmp_path / ".git" / head).read_text().strip()
    assert clean.dirty is False
    (tmp_path / "file").write_text("2")
    assert code().dirty is True
    assert code().sha256 == outside.sha256


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Return a copy of textclf's source that the digest is computed from."""
    copy = tmp_path / "textclf"
    shutil.copytree(ROOT, copy)
    monkeypatch.setattr(provenance, "_ROOT", copy)
    return copy


@pytest.mark.parametrize(
    "file",
    [
        "artifact/model_file.py",
        "data/dataset.py",
        "evaluation/metrics.py",
        "features/tokens.py",
        "jit.py",
        "scorer/writer.py",
        "search/svm/dual.py",
        "training/train.py",
    ],
)
def test_an_edit_of_code_that_shapes_models_changes_the_digest(source, file):
    """All code that decides on rows, model, scorer or recorded scores is included."""
    before = code().sha256
    with (source / file).open("a") as text:
        text.write("# edited\n")
    assert code().sha256 != before


@pytest.mark.parametrize(
    "name", [*sorted(NOT_SHAPING), "evaluation/statistics.py", "scorer/batch.py"]
)
def test_an_edit_elsewhere_does_not_change_the_digest(source, name):
    """A new command, report, store or server does not call for a new version."""
    before = code().sha256
    path = source / name
    if not path.suffix:
        path.mkdir(exist_ok=True)
        path /= "new.py"
    with path.open("a") as text:
        text.write("# edited\n")
    assert code().sha256 == before


def test_every_folder_and_file_is_known_to_shape_models_or_not():
    """A new folder has to be classified; all listed files exist."""
    there = {path.name for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()}
    shaping = {name.partition("/")[0] for name in SHAPING}
    assert there - {"__pycache__"} == shaping | NOT_SHAPING
    assert not shaping & NOT_SHAPING
    assert all((ROOT / name).exists() for name in SHAPING)
