"""What differs between two versions: `textclf versions compare`."""

import json
import re

import pytest
from data_files import csv_records

from textclf.data.dataset import read_dataset


@pytest.mark.usefixtures("project")
def test_versions_compare(cli):
    """`compare` lists what changed, and the metrics of both with their difference."""
    answer = json.loads(cli("versions", "compare", "1.0.0", "1.0.1", "--json").out)
    assert (answer["a"], answer["b"]) == ("1.0.0", "1.0.1")
    assert answer["same_test_rows"] is True
    assert answer["params"] == answer["data"] == answer["search"] == []
    assert answer["rows"] == {"shared": 60, "added": 0, "removed": 0, "exact": True}
    assert {m["name"] for m in answer["metrics"]} >= {"test accuracy", "macro F1"}
    assert {c["name"] for c in answer["per_class"]} == {
        "f1[positive]", "f1[negative]", "f1[neutral]",
    }  # fmt: skip
    assert "scored" not in answer
    people = cli("versions", "compare", "1.0.0", "1.0.1").out
    assert people.startswith("1.0.0 → 1.0.1\nparameters: unchanged\n")
    assert "distinct training rows: 60 in both, 0 added, 0 removed\n" in people
    assert "warning" not in people


@pytest.mark.usefixtures("other")
def test_other_test_rows_are_said_loudly(cli):
    """Different test rows are warned of on stdout, in text and Markdown, with a hint."""
    done = cli("versions", "compare", "1.0.1", "2.0.0")
    assert "warning: the two were tested on different rows" in done.out
    assert "on different test rows" in done.out
    assert done.err == "hint: --data FILE scores both on the same rows\n"
    assert "classifier: LinearSVC → MultinomialNB" in done.out
    assert re.search(r"0 in both, \d+ added, 60 removed", done.out)
    markdown = cli("versions", "compare", "1.0.1", "2.0.0", "--format", "md").out
    assert "> ⚠️ **Warning:** the two were tested on different rows" in markdown
    assert "- `classifier`: `LinearSVC` → `MultinomialNB`" in markdown


def test_both_are_scored_on_the_same_rows(other, cli):
    """The scores of --data are those of evaluate; the flips are the rows that differ."""
    done = cli(
        *("versions", "compare", "1.0.1", "2.0.0", "--data", "golden.csv"),
        *("--flips", "flips.csv", "--json"),
    )
    assert done.err == ""
    scored = json.loads(done.out)["scored"]
    for version, side in (("1.0.1", "before"), ("2.0.0", "after")):
        alone = json.loads(cli("evaluate", "golden.csv", "--version", version, "--json").out)
        for pair, name in zip(scored["metrics"], ("accuracy", "macro_f1"), strict=True):
            assert pair[side]["value"] == alone["metrics"][name]
            assert alone["intervals"][name]["value"] == alone["metrics"][name]
    assert scored["method"] == {
        "name": "percentile bootstrap", "confidence": 0.95, "resamples": 2000, "seed": 0,
    }  # fmt: skip
    assert scored["seen_by_a"] == scored["seen_by_b"] == 0
    flips = csv_records(other / "flips.csv")
    assert len(flips) == scored["flips"] > 0
    changes = [flip["change"] for flip in flips]
    assert changes.count("broken") == scored["broken"] == scored["mcnemar"]["only_a_right"]
    assert changes.count("fixed") == scored["fixed"] == scored["mcnemar"]["only_b_right"]
    assert all(flip["before"] != flip["after"] for flip in flips)
    assert flips[0]["where"].startswith("golden.csv:")
    assert set(read_dataset(other / "flips.csv").texts) <= set(
        read_dataset(other / "golden.csv").texts
    )


@pytest.mark.usefixtures("other")
def test_the_answer_for_people_has_the_verdict(cli):
    """The text answer has intervals, McNemar's test, changed rows and classes."""
    shown = cli("versions", "compare", "1.0.1", "2.0.0", "--data", "golden.csv").out
    assert "both versions scored on 45 rows" in shown
    assert "95% intervals, percentile bootstrap with 2,000 resamples" in shown
    assert "McNemar's exact test: p " in shown
    assert "changed label:" in shown
    assert "per class, largest loss first" in shown
    assert "warning" not in shown


@pytest.mark.usefixtures("other")
def test_markdown_begins_with_the_numbers(cli):
    """In Markdown the metrics come first, and what changed below."""
    command = ("versions", "compare", "1.0.1", "2.0.0", "--data", "golden.csv", "--format", "md")
    shown = cli(*command).out
    assert shown.startswith(
        "### 1.0.1 → 2.0.0\n\n**both versions scored on 45 rows**\n\n| metric |"
    )
    assert shown.index("McNemar") < shown.index("**parameters**")


@pytest.mark.usefixtures("other")
def test_rows_of_the_training_data_are_no_test(cli):
    """Scores on rows that a version was trained on are warned of."""
    done = cli("versions", "compare", "1.0.1", "2.0.0", "--data", "data/train.csv")
    assert "warning: 1.0.1 was trained on all of these rows" in done.out
    assert "that 2.0.0 was trained on" not in done.out


@pytest.mark.usefixtures("project")
def test_a_version_compared_with_itself(cli):
    """A version compared with itself does not differ, and chance explains that."""
    done = cli("versions", "compare", "latest", "latest", "--data", "data/test.csv")
    assert done.code == 0
    assert "0 rows changed label" in done.out
    assert "p = 1, the difference may be chance" in done.out
