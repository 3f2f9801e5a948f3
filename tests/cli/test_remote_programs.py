"""Programs that use a registry by its URL: `load`, `load(follow=True)` and `open_registry`."""

import pickle

import pytest

from textclf import load, open_registry
from textclf.errors import StoreError
from textclf.metadata.versions import parse_version


def test_a_program_follows_promotions_in_a_bucket(remote, monkeypatch):
    """load(follow=True) changes to the version that is promoted there."""
    monkeypatch.setenv("TEXTCLF_MODELS", remote)
    following = load(follow=True)
    assert str(following.version) == "1.0.1"
    open_registry(remote).promote(parse_version("1.0.0"))
    following._checked_at = float("-inf")
    assert str(following.version) == "1.0.0"


def test_a_predictor_of_a_bucket_can_be_copied(remote):
    """A pickled predictor opens the bucket anew, from the cache, and follows it as well."""
    for follow in (False, True):
        copy = pickle.loads(pickle.dumps(load(remote, follow=follow)))
        assert copy.predict("so great and lovely").label == "positive"


def test_offline_a_program_uses_the_cache(remote, monkeypatch):
    """With TEXTCLF_OFFLINE a program needs no server, and cannot write."""
    assert str(load(remote).version) == "1.0.1"
    monkeypatch.setenv("TEXTCLF_OFFLINE", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert str(load(remote).version) == "1.0.1"
    with pytest.raises(StoreError, match="TEXTCLF_OFFLINE is set"):
        open_registry(remote)
