"""The state of one version: `textclf versions show`."""

import json

import pytest

METADATA = [
    "version", "saved_at", "best_params", "best_cv_accuracy", "test_accuracy", "schema", "task",
    "bump", "artifact", "data", "test", "search", "environment", "code", "message", "seconds",
    "files", "threshold", "pipeline", "abstain_unknown",
]  # fmt: skip


@pytest.mark.parametrize("name", ["1.0.1", "v1.0.1", "latest"])
@pytest.mark.usefixtures("project")
def test_versions_show(cli, name):
    """A version is named by its number, with or without v, or latest; `show` gives its metadata."""
    answer = json.loads(cli("versions", "show", name, "--json").out)
    assert list(answer) == [*METADATA, "latest", "tags"]
    assert (answer["version"], answer["latest"]) == ("1.0.1", True)


@pytest.mark.usefixtures("project")
def test_versions_show_previous_for_people(cli):
    """`show previous` shows the version promoted before, with the scores of every class."""
    done = cli("versions", "show", "previous")
    assert "1.0.0" in done.out
    assert "(latest)" not in done.out
    assert all(label in done.out for label in ("positive", "negative", "neutral", "precision"))
