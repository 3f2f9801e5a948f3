"""The rows that the tests of the search share."""

import pytest
from sample_data import sample_rows


@pytest.fixture(scope="session")
def whole():
    """All rows of the sample data, texts and labels."""
    return sample_rows()


@pytest.fixture(scope="session")
def sample(whole):
    """The first rows of the sample data."""
    return whole[0][:200], whole[1][:200]
