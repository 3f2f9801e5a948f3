"""What MLflow loads a registered version with; MLflow itself is not needed for that."""

import shutil

import numpy as np
import polars as pl
import pytest
import registries
from predictors import published
from sample_data import sample_rows

from textclf.errors import IntegrityError
from textclf.exporters.mlflow.loader import _load_pyfunc
from textclf.prediction.load import load

TEXTS = ["so great and lovely", "a horrid waste", "the meeting"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return the folder of a registry with version 1.0.0."""
    folder = tmp_path_factory.mktemp("mlflow") / "models"
    published(folder, sample_rows(100))
    return folder


@pytest.fixture
def pushed(models, tmp_path):
    """Return a registry, and a folder with its version 1.0.0 alone, as MLflow keeps it."""
    folder = tmp_path / "versions"
    shutil.copytree(models / "1.0.0", folder / "1.0.0")
    return models, folder


class Table(dict):
    """The little of a pandas DataFrame that is used."""

    ndim = 2

    @property
    def columns(self):
        """The names of the columns."""
        return list(self)


def test_the_labels_are_those_of_load(pushed):
    """A list, a column, an array and a table of one column or more give the same labels."""
    registry, folder = pushed
    expected = load(registry, version="1.0.0").label(TEXTS)
    model = _load_pyfunc(str(folder))
    assert model.predict(TEXTS) == expected
    assert model.predict(pl.Series(TEXTS)) == expected
    assert model.predict(np.array(TEXTS, dtype=object)) == expected
    assert model.predict(np.array([TEXTS], dtype=object).T) == expected
    assert model.predict(Table(x=TEXTS)) == expected
    assert model.predict(Table(n=[1, 2, 3], text=TEXTS), {"unused": 1}) == expected


def test_the_pickle_is_never_opened(pushed):
    """A version whose pickle is anything at all is loaded; one without a scorer is not."""
    _, folder = pushed
    (folder / "1.0.0/text_classifier.joblib").write_bytes(b"cos\nsystem\n(S'touch x'\ntR.")
    assert len(_load_pyfunc(str(folder)).predict(TEXTS)) == 3
    (folder / "1.0.0/scorer.safetensors").unlink()
    with pytest.raises(IntegrityError, match="is missing"):
        _load_pyfunc(str(folder))


def test_a_version_without_a_scorer_is_refused(tmp_path):
    """As one that was published by an early textclf."""
    registries.filled(tmp_path, versions=1)
    with pytest.raises(IntegrityError, match=r"version 1\.0\.0 has no scorer\.safetensors"):
        _load_pyfunc(str(tmp_path))


def test_a_damaged_scorer_is_refused(pushed):
    """The digest of the metadata is checked."""
    _, folder = pushed
    path = folder / "1.0.0/scorer.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match="is not the file that was published"):
        _load_pyfunc(str(folder))


def test_a_folder_without_a_version_is_refused(tmp_path):
    """A copy that lost its content is no model."""
    with pytest.raises(IntegrityError, match="holds 0 versions"):
        _load_pyfunc(str(tmp_path))
