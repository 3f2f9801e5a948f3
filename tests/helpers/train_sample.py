"""A small training on the sample data, the same each time.

``python train_sample.py JOBS`` prints the SHA-256 of the model that it trains.
"""

import sys

from paths import TEST, TRAIN

from textclf.data.dataset import ReadOptions, read_dataset
from textclf.metadata.schema import BumpRecord
from textclf.search.space import SpaceSource, parse_space
from textclf.training.job import SearchSettings, prepare
from textclf.training.train import train

SPACE = parse_space(
    SpaceSource(
        "grid",
        """
        [features.word]
        ngram_range = [[1, 1], [1, 2]]
        max_features = 3000
        [features.char_wb]
        ngram_range = [[2, 3]]
        [classifier.LinearSVC]
        C = [0.3, 1]
        """,
    )
)
BUMP = BumpRecord("auto", "major", ["the first version"], None)


def sample_job():
    options = ReadOptions()
    rows, test = read_dataset(TRAIN, options), read_dataset(TEST, options)
    return prepare(rows, test, 0.2, options, SearchSettings(SPACE, folds=3))


def main(jobs):
    """Print the digest."""
    metadata, *_ = train(sample_job(), "1.0.0", BUMP, jobs=jobs)
    print(metadata.artifact.sha256)  # noqa: T201 - the answer of the script


if __name__ == "__main__":
    main(int(sys.argv[1]))
