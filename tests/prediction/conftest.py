"""The texts and labels that the models of these tests are fitted on."""

import pytest
from sample_data import sample_rows


@pytest.fixture(scope="module")
def sample():
    return sample_rows(400)
