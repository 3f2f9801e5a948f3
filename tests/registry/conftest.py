import pytest
import registries


@pytest.fixture
def root(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def empty(root):
    return registries.open_registry(root)


@pytest.fixture
def two(root):
    """Return a registry of 1.0.0 and 1.1.0, promoted in this order."""
    return registries.filled(root, "1.0.0", "1.1.0")
