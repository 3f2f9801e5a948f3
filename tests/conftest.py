import signal

import pytest
import registries as registries_helpers
import reports as reports_helpers
from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # a busy one is no failure
settings.load_profile("any machine")

# a shell lets what it starts in the background ignore Ctrl-C, and all its children inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def registries():
    """Return the helpers of registries.py."""
    return registries_helpers


@pytest.fixture(scope="session")
def reports():
    """Return the helpers of reports.py."""
    return reports_helpers
