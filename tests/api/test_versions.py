"""textclf.versions, evaluate, compare, promote and rollback."""

import pytest
from predictors import published
from sample_data import sample_rows

import textclf
from textclf.errors import GateRefused, IntegrityError, NoSuchVersion, UsageError


@pytest.fixture(scope="module")
def rows():
    return sample_rows(200)


@pytest.fixture
def models(tmp_path, rows):
    """Two versions; the second is promoted."""
    published(tmp_path, rows)
    published(tmp_path, rows, classifier="ComplementNB")
    return tmp_path


def test_versions_come_highest_first(models):
    """With the fields that a list has; a registry does as well as its folder."""
    listed = textclf.versions(models)
    assert [version.version for version in listed] == ["1.1.0", "1.0.0"]
    assert textclf.versions(textclf.open_registry(models)) == listed


def test_the_environment_names_the_registry(models, monkeypatch):
    """As for the command line."""
    monkeypatch.setenv("TEXTCLF_MODELS", str(models))
    assert len(textclf.versions()) == 2


def test_a_damaged_version_is_an_error(models):
    """Not a gap in the list."""
    (models / "1.0.0" / "metadata.json").write_text("{")
    with pytest.raises(IntegrityError):
        textclf.versions(models)


def test_a_version_is_scored_on_rows(models, rows):
    """The accuracy is the share of labels that the version predicts right."""
    texts, labels = rows
    evaluation = textclf.evaluate(texts, labels, version="1.0.0", models=models)
    predicted = textclf.load(models, "1.0.0").label(texts)
    right = sum(a == b for a, b in zip(predicted, labels, strict=True))
    assert evaluation.metrics.accuracy == right / len(texts)
    table = {"t": texts, "l": labels}
    again = textclf.evaluate(
        table, version="1.0.0", models=models, text_column="t", label_column="l"
    )
    assert again.metrics == evaluation.metrics


def test_versions_are_compared_with_and_without_rows(models, rows):
    """By what is recorded, and on the same rows."""
    recorded = textclf.compare("previous", "latest", models=models)
    assert (recorded.recorded.a, recorded.recorded.b) == ("1.0.0", "1.1.0")
    assert recorded.scored is None
    scored = textclf.compare("1.0.0", "1.1.0", rows, models=models).scored
    assert scored.rows == 200


def test_promotions_go_both_ways(models):
    """With the reason in the log."""
    assert textclf.rollback(models=models, message="worse").version == "1.0.0"
    done = textclf.promote("1.1.0", models=models, message="better")
    assert (done.version, done.previous, done.changed) == ("1.1.0", "1.0.0", True)
    history = textclf.open_registry(models).history()
    assert [record.message for record in history[-2:]] == ["worse", "better"]


def test_a_gate_refuses_with_its_verdict(models, rows):
    """By what is recorded, or on rows; force needs a reason."""
    for data in (None, rows):
        with pytest.raises(GateRefused) as refused:
            textclf.promote(
                "1.0.0", models=models, data=data, require=["f1[spam]>=0.5"],
                allow_training_rows=True,
            )  # fmt: skip
        assert refused.value.verdict.failed[0].metric == "f1[spam]"
    with pytest.raises(UsageError, match="message"):
        textclf.promote("1.0.0", models=models, require=["f1[spam]>=0.5"], force=True)
    with pytest.raises(UsageError, match="no gate"):
        textclf.promote("1.0.0", models=models, data=rows)
    forced = textclf.promote(
        "1.0.0", models=models, require=["f1[spam]>=0.5"], force=True, message="anyway"
    )
    assert forced.gate.verdict == "forced"


def test_what_is_not_there_is_an_error(tmp_path):
    """That names it."""
    with pytest.raises(NoSuchVersion):
        textclf.promote("1.0.0", models=tmp_path)
    with pytest.raises(NoSuchVersion):
        textclf.rollback(models=tmp_path)
