"""Where the parts of this repository are that tests read or run."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HELPERS = ROOT / "tests" / "helpers"
VECTORS = ROOT / "tests" / "vectors"
TRAIN = ROOT / "data" / "train.csv"
TEST = ROOT / "data" / "test.csv"
