"""A registry with one promoted version, and a server of it that the tests of a module share."""

import pytest
from predictors import published
from sample_data import sample_rows
from served import serving

from textclf.prediction.load import load


@pytest.fixture(scope="session")
def sample():
    return sample_rows(400)


@pytest.fixture(scope="module")
def registry(tmp_path_factory, sample):
    registry, _ = published(tmp_path_factory.mktemp("served") / "models", sample)
    return registry


@pytest.fixture(scope="module")
def served(registry):
    with serving(registry) as running:
        yield running


@pytest.fixture(scope="module")
def predictor(registry):
    """The promoted version as Python opens it: what the server should say."""
    return load(registry.store.root)
