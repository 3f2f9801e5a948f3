"""Versions are copied from another registry: `textclf versions pull`."""

import json

import pytest


@pytest.mark.usefixtures("project")
def test_versions_are_pulled(cli):
    """They come from the named registry into that of --models, and the hint promotes them there."""
    done = cli("versions", "pull", "latest", "models", "--models", "mine")
    assert done.out.startswith("copied 1.0.1 to mine, ")
    assert done.err.endswith("textclf promote 1.0.1 --models mine\n")
    answer = json.loads(
        cli("versions", "pull", "--all", "models", "--models", "mine", "--json").out
    )
    assert (answer["source"], answer["target"]) == ("models", "mine")
    changed = {one["version"]: one["changed"] for one in answer["versions"]}
    assert changed == {"1.0.0": True, "1.0.1": False}


@pytest.mark.usefixtures("data")
def test_an_empty_place_to_pull_from(cli):
    """It is said that there is nothing."""
    done = cli("versions", "pull", "--all", "none")
    assert (done.code, done.out) == (3, "")
    assert "there is nothing to copy: none does not exist or is empty" in done.err
