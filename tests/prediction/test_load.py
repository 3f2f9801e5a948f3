"""Versions opened by load(), and predictors that follow promotions."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from predictors import published

from textclf.errors import NoSuchVersion
from textclf.prediction.load import load
from textclf.scorer.scorer import SCORER


def test_load_opens_the_promoted_version(tmp_path, sample, monkeypatch):
    """By its folder, or by the environment's; one text gives one prediction."""
    _, fitted = published(tmp_path / "models", sample)
    [label] = fitted.predict(["this is great"])
    prediction = load(tmp_path / "models").predict("this is great")
    assert (prediction.text, prediction.label) == ("this is great", label)
    monkeypatch.setenv("TEXTCLF_MODELS", str(tmp_path / "models"))
    assert load().predict(["this is great"]) == [prediction]
    assert load(version="1.0.0").predict("this is great") == prediction
    with pytest.raises(NoSuchVersion):
        load(version="2.0.0")


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr("textclf.prediction.load.time", clock)
    return clock


def test_a_follower_changes_with_the_promotion(tmp_path, sample, clock):
    """Within about a second, in both directions, without being opened anew."""
    registry, _ = published(tmp_path, sample)
    following, fixed = load(tmp_path, follow=True), load(tmp_path)
    published(tmp_path, sample, classifier="ComplementNB")
    assert str(following.version) == "1.0.0"
    clock.now += 1
    assert str(following.version) == "1.1.0"
    assert following.score_type == "probability"
    assert str(fixed.version) == "1.0.0"
    registry.rollback()
    clock.now += 1
    assert following.predict("great").scores == fixed.predict("great").scores
    assert str(following.version) == "1.0.0"


def test_a_follower_keeps_the_old_model_if_the_new_one_fails(tmp_path, sample, clock, caplog):
    """It says so once, goes on with the old one, and changes when the new one is whole again."""
    published(tmp_path, sample)
    following = load(tmp_path, follow=True)
    published(tmp_path, sample, classifier="ComplementNB")
    path = tmp_path / "1.1.0" / SCORER
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    for _ in range(3):
        clock.now += 1
        assert following.predict("great").label
        assert str(following.version) == "1.0.0"
    assert len(caplog.records) == 1
    assert "still version 1.0.0" in caplog.text
    path.write_bytes(whole)
    clock.now += 1
    assert str(following.version) == "1.1.0"


def test_a_follower_looks_once_a_second(tmp_path, sample, clock, monkeypatch):
    """However often it is asked, by however many threads."""
    published(tmp_path, sample)
    following = load(tmp_path, follow=True)
    looks = []
    log = following._registry.promotions
    monkeypatch.setattr(log, "has", lambda n: bool(looks.append(n)))
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            list(pool.map(following.predict, ["great"] * 20))
            clock.now += 1
    assert looks == [2, 2]


def test_only_latest_can_be_followed(tmp_path, sample):
    """A number does not change."""
    published(tmp_path, sample)
    with pytest.raises(ValueError, match="latest"):
        load(tmp_path, "1.0.0", follow=True)
