"""Versions opened by load(), and predictors that follow promotions."""

import copy
import os
import pickle
import signal
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
    assert load(version=load().version).predict("this is great") == prediction
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
    log = following._followed.promotions
    monkeypatch.setattr(log, "is_head", lambda record: not looks.append(record.n))
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            list(pool.map(following.predict, ["great"] * 20))
            clock.now += 1
    assert looks == [1, 1]


def test_only_latest_can_be_followed(tmp_path, sample):
    """A number does not change."""
    published(tmp_path, sample)
    with pytest.raises(ValueError, match="latest"):
        load(tmp_path, "1.0.0", follow=True)
    with pytest.raises(ValueError, match="unsafe_load=True opens one version"):
        load(tmp_path, follow=True, unsafe_load=True)


def _fill(root, sample, *classifiers):
    """Publish and promote a version with each classifier."""
    for classifier in classifiers:
        published(root, sample, classifier=classifier)


@pytest.mark.parametrize(
    "classifiers",
    [["ComplementNB"], ["LinearSVC", "ComplementNB"], ["ComplementNB"] * 3],
    ids=["shorter", "as long", "longer"],
)
@pytest.mark.parametrize("how", ["moved", "link"])
def test_a_follower_sees_that_the_registry_was_replaced(tmp_path, sample, clock, classifiers, how):
    """By a copy or a mirror whose log is shorter, as long or longer, also through a link."""
    _fill(tmp_path / "old", sample, "LinearSVC", "LinearSVC")
    _fill(tmp_path / "new", sample, *classifiers)
    expected = load(tmp_path / "new")
    models = tmp_path / "models"
    if how == "link":
        models.symlink_to("old")
    else:
        (tmp_path / "old").rename(models)
    following = load(models, follow=True)
    assert following.score_type == "decision"
    models.unlink() if how == "link" else models.rename(tmp_path / "aside")
    clock.now += 1
    assert following.score_type == "decision"
    assert following.predict("great").label
    models.symlink_to("new") if how == "link" else (tmp_path / "new").rename(models)
    clock.now += 1
    assert following.version == expected.version
    assert following.predict("great") == expected.predict("great")


def test_a_follower_believes_no_record_of_a_registry_that_was_replaced(tmp_path, sample, clock):
    """It opens a version of the same number whose metadata were other ones in the old registry."""
    models = tmp_path / "models"
    _fill(models, sample, "LinearSVC")
    _fill(tmp_path / "new", sample, "ComplementNB")
    following = load(models, follow=True, signed_by=None)
    following._followed.metadata(following.version)  # remembers the promotion
    models.rename(tmp_path / "old")
    (tmp_path / "new").rename(models)
    clock.now += 1
    assert following.score_type == "probability"
    assert following._followed.metadata(following.version)


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))]
)
def test_a_predictor_is_copied_by_opening_its_registry_anew(
    tmp_path, sample, monkeypatch, copied, follow
):
    """A copy labels alike, also elsewhere than where the registry was opened by a relative path."""
    published(tmp_path / "models", sample)
    monkeypatch.chdir(tmp_path)
    model = load("models", follow=follow)
    packed = pickle.dumps(model)
    (tmp_path / "else").mkdir()
    twin = copied(model)
    monkeypatch.chdir(tmp_path / "else")
    assert type(twin) is type(model)
    assert twin.version == model.version
    assert twin.predict(["great", "bad"]) == model.predict(["great", "bad"])
    assert pickle.loads(packed).predict("great") == model.predict("great")
    assert len(packed) < 1000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_predictor_works_after_a_fork(tmp_path, sample):
    """Also where another thread held its lock at that moment, and with many texts."""
    published(tmp_path, sample)
    model = load(tmp_path, follow=True)
    lock = model._opened[0]._lock.current()
    with lock, model._checking.current():
        child = os.fork()
        if not child:
            signal.alarm(20)
            labels = model.label(["great " * 20_000, "bad"])
            os._exit(len(labels))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
