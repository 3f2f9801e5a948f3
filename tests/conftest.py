import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def registries():
    """Return the helpers of registries.py, which is found by its path: tests is no package."""
    path = Path(__file__).with_name("registries.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
