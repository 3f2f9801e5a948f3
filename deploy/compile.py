"""Compile what labels texts, once, when an image is built: `python compile.py FOLDER`.

The folder holds a scorer of each kind (`tests/vectors` of the checkout). The machine code stays
beside the sources of the installed package.
"""

import sys
from pathlib import Path

from textclf.prediction.scorer_model import ScorerModel
from textclf.scorer.scorer import Scorer

MANY = ["a few words, and a number: 17 " * 4000] * 2

for path in sorted(Path(sys.argv[1]).glob("*.safetensors")):
    model = ScorerModel(Scorer(path.read_bytes(), name=path.name))
    model.label_indices(MANY)
    model.score(MANY)
    model.count_known(MANY)
