"""Numba takes no configuration from the current folder."""

import subprocess
import sys

import pytest

CONFIG = "disable_jit: 1\ncache_dir: cache\n"
SHOW = "import numba; print(numba.config.DISABLE_JIT, numba.config.CACHE_DIR)"


def run(folder, code):
    """Run Python code in a folder and return what it prints."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True,
        check=True,
    ).stdout.split()  # fmt: skip


@pytest.mark.parametrize("module", ["search.svm.simd", "features.counts", "jit"])
def test_a_configuration_file_in_the_current_folder_is_not_read(tmp_path, module):
    """A data folder cannot name a cache folder, from which Numba would unpickle."""
    (tmp_path / ".numba_config.yaml").write_text(CONFIG)
    pytest.importorskip("yaml")
    assert run(tmp_path, SHOW) == ["1", "cache"], "Numba by itself reads the file"
    assert run(tmp_path, f"import textclf.{module}; {SHOW}") == ["0"]


def test_yaml_can_be_imported_afterwards(tmp_path):
    """Hiding PyYAML from Numba hides it from nobody else."""
    code = "import sys, yaml, textclf.jit; assert yaml is sys.modules['yaml']"
    run(tmp_path, code)
    run(tmp_path, "import textclf.jit, yaml; yaml.safe_load('a: 1')")
