"""A program that reads a training file and fits one pipeline of scikit-learn to it, and no more.

Its arguments are the file and the pipeline's parameters in JSON, as the metadata of a version tell
them. It imports nothing of textclf.
"""

import csv
import gzip
import json
import sys
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import LinearSVC


def fit(train: Path, parameters: dict[str, Any]) -> Pipeline:
    """Fit a linear SVM on TF-IDF features, joined as the parameters tell."""
    csv.field_size_limit(sys.maxsize)
    with (gzip.open if train.suffix == ".gz" else open)(
        train, "rt", -1, "utf-8", newline=""
    ) as file:
        texts, labels = zip(
            *((row["text"], row["label"]) for row in csv.DictReader(file)), strict=True
        )
    blocks = dict.fromkeys(
        name.split("__")[1] for name in parameters if name.startswith("features")
    )
    union = FeatureUnion([(block, TfidfVectorizer(analyzer=block)) for block in blocks])
    pipeline = Pipeline([("features", union), ("classifier", LinearSVC(random_state=0))])
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in parameters.items()}
    return pipeline.set_params(**given).fit(texts, labels)


if __name__ == "__main__":
    fit(Path(sys.argv[1]), json.loads(sys.argv[2]))
