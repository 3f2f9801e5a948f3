import importlib.util
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # a busy one is no failure
settings.load_profile("any machine")

# a shell lets what it starts in the background ignore Ctrl-C, and all its children inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)


def _beside(name):
    """Load a file of helpers by its path: tests is no package."""
    path = Path(__file__).with_name(name)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def registries():
    """Return the helpers of registries.py."""
    return _beside("registries.py")


@pytest.fixture(scope="session")
def reports():
    """Return the helpers of reports.py."""
    return _beside("reports.py")
