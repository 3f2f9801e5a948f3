import os
import signal

import pytest
from cloud_servers import CLOUDS
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from scratch import scratch_folder

# a busy machine is no failure
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", patient, derandomize=True, max_examples=50)
settings.register_profile("thorough", patient, max_examples=1000)
settings.load_profile("quick")

# a shell lets what it starts in the background ignore Ctrl-C, and all its children inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)

# pytest makes its temporary folders there
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", scratch_folder())

# scikit-learn's own fits, which ours are compared with: threads of BLAS wait for each other
os.environ["OPENBLAS_NUM_THREADS"] = "1"

# nobody's own settings, which may name a program to run
os.environ["XDG_CONFIG_HOME"] = os.devnull


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_auto_num_workers():
    """Give ``-n auto`` one more than there are cores: a fifth of the time is spent in waiting."""
    return os.cpu_count() + 1


def _server(name):
    @pytest.fixture(scope="session", name=name)
    def server(tmp_path_factory):
        base = tmp_path_factory.getbasetemp()
        run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
        with CLOUDS[name](run / name) as cloud:
            yield cloud

    return server


seaweedfs, azurite, google = map(_server, CLOUDS)


@pytest.fixture(scope="session", autouse=True)
def _same_cases():
    """Draw the same random cases in each run, whatever else a worker has imported before.

    Hypothesis also draws the constants of the modules that are there; ``thorough`` lets it.
    """
    with pytest.MonkeyPatch.context() as patch:
        if settings.get_current_profile_name() == "quick":
            patch.setattr(providers, "_get_local_constants", lambda: providers._local_constants)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_pauses():
    """Let verify look as often as ever, but at once: here is nobody whose work it should await."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textclf.registry.verification._PAUSES", (0.0, 0.0, 0.0, 0.0))
        yield
