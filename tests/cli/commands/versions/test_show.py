"""The state of one version: `textclf versions show`."""

import csv
import json
import subprocess

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


def test_where_a_version_comes_from_is_shown(data, cli):
    """The tool whose export was read, what was left out of it, and the commit of the repository."""
    for command in ("init -q", "add data", "-c user.name=a -c user.email=a@b commit -qm one"):
        subprocess.run(["git", *command.split()], check=True)
    with (data / "data/train.csv").open(newline="") as file:
        records = [{**row, "answer": "accept", "_task_hash": 1} for row in csv.DictReader(file)]
    records += [{"text": f"x{n}", "label": "neutral", "answer": "reject"} for n in range(3)]
    (data / "a.jsonl").write_text("\n".join(map(json.dumps, records)))
    (data / "grid.toml").write_text("[features.word]\n[classifier.ComplementNB]\n")
    assert cli("train", "a.jsonl", "--grid", "grid.toml", "--cv", "2").code == 0
    shown = cli("versions", "show", "latest").out
    assert "rows, an export of Prodigy, 3 records of it left out, SHA-256" in shown
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert head.stdout[:12] in shown
