"""Versions that the tests of several commands start with."""

import json
import shutil

import pytest


@pytest.fixture
def other(project, cli, write_data):
    """Return the folder with a version 2.0.0 of another classifier, tested on other rows."""
    write_data(project / "more.csv", 90, seed=4, wrong=3)
    (project / "grid.toml").write_text(
        "[features.word]\nmin_df = [2]\n[classifier.MultinomialNB]\nalpha = [1]\n"
    )
    assert cli("train", "more.csv", "--grid", "grid.toml", "--no-promote", "-q").code == 0
    write_data(project / "golden.csv", 45, seed=6)
    return project


@pytest.fixture
def old(project):
    """Return a folder of 1.0.0 and 1.0.1, and three older ones that were never promoted."""
    source = project / "models/1.0.0"
    for number, name in enumerate(("0.1.0", "0.2.0", "0.3.0")):
        folder = project / "models" / name
        shutil.copytree(source, folder)
        metadata = json.loads((source / "metadata.json").read_text())
        saved = f"2025-01-0{number + 1}T00:00:00Z"
        (folder / "metadata.json").write_text(
            json.dumps(metadata | {"version": name, "saved_at": saved})
        )
    return project
