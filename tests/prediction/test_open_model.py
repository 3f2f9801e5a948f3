"""Models of published versions, compiled or not."""

import pytest
import registries
from predictors import fitted_on, published

from textclf.artifact.model_file import to_bytes
from textclf.errors import IntegrityError, UsageError
from textclf.prediction.load import load
from textclf.scorer.scorer import SCORER


@pytest.mark.parametrize("classifier", ["LinearSVC", "ComplementNB"])
def test_a_version_without_a_scorer_works_the_slow_way(tmp_path, sample, classifier):
    """An older version is opened from its model file, and gives the same."""
    _, fitted = published(tmp_path, sample, classifier=classifier, compiled=False)
    predictor = load(tmp_path)
    assert predictor.label(sample[0]) == fitted.predict(sample[0]).tolist()
    assert predictor.explain(sample[0][0]).contributions


def test_an_older_version_with_infinite_weights_works_as_it_is(tmp_path, sample):
    """What cannot be compiled is left to scikit-learn, but cannot be explained."""
    registry = registries.open_registry(tmp_path)
    with pytest.warns(RuntimeWarning):
        fitted = fitted_on(sample, "MultinomialNB", alpha=0)
    data = to_bytes(fitted)
    registry.publish(registries.metadata("1.0.0", data), data)
    predictor = load(tmp_path, "1.0.0")
    assert predictor.label(["unseenword"]) == fitted.predict(["unseenword"]).tolist()
    assert predictor.predict("unseenword").label == fitted.predict(["unseenword"])[0]
    with pytest.raises(UsageError, match="cannot be explained"):
        predictor.explain("great")


@pytest.mark.parametrize("damage", ["missing", "cut", "longer", "head"])
def test_a_scorer_that_is_not_what_was_published_is_refused(tmp_path, sample, damage):
    """Missing, of another size or with another head: a sentence, and never the model file."""
    published(tmp_path, sample)
    path = tmp_path / "1.0.0" / SCORER
    data = path.read_bytes()
    path.unlink()
    if damage != "missing":
        changed = {"cut": data[:-9], "longer": data + b"\0", "head": data[:8] + b"x" + data[9:]}
        path.write_bytes(changed[damage])
    with pytest.raises(IntegrityError, match=r"scorer\.safetensors (is|cannot)"):
        load(tmp_path)
