"""The alias: `textclf promote` and `textclf rollback`."""

import json

import pytest
import registries
from keys import write_pair


def test_promote_and_rollback(project, cli):
    """Promoting says what changed and how to go back; repeating it changes nothing."""
    promoted = json.loads(cli("promote", "1.0.0", "--json").out)
    assert promoted == {
        "version": "1.0.0", "previous": "1.0.1", "changed": True, "gate": None,
        "channel": "latest", "restores": None,
    }  # fmt: skip
    again = json.loads(cli("promote", "1.0.0", "--json").out)
    assert (again["version"], again["changed"]) == ("1.0.0", False)
    assert cli("promote", "1.0.0").out == "1.0.0 is already promoted; nothing changed\n"
    back = cli("rollback", "-m", "too sad")
    assert back.out == "promoted 1.0.1 (was 1.0.0); back: `textclf promote 1.0.0`\n"
    assert cli("rollback", "-q").out == "promoted 1.0.0 (was 1.0.1)\n"
    version = project / "models/1.0.0/text_classifier.joblib"
    assert (project / "models/text_classifier.joblib").read_bytes() == version.read_bytes()
    assert json.loads(cli("history", "--json").out)[3]["message"] == "too sad"


@pytest.mark.parametrize(
    "command",
    [
        ("promote", "1.0.0", "--require", "accuracy>=0.99"),
        ("promote", "1.0.0"),
        ("rollback",),
        ("versions", "export", "1.0.0", "model.tar.gz"),
        ("versions", "report", "1.0.0"),
        ("reproduce", "1.0.0"),
        ("predict", "great", "--version", "1.0.0", "--unsafe-load"),
        ("sign", "1.0.0", "--key", "ours.key"),
    ],
    ids=" ".join,
)
def test_a_version_edited_after_its_promotion_is_refused(project, cli, command):
    """No command relies on metadata that were edited after the promotion, and no gate does."""
    write_pair(project, "ours")
    path = project / "models/1.0.0/metadata.json"
    test = json.loads(path.read_text())["test"]
    test["metrics"]["accuracy"] = 0.999
    registries.edit(path, test_accuracy=0.999, test=test)
    done = cli(*command)
    assert done.code == 6
    assert "1.0.0/metadata.json was changed after its promotion" in done.err
    assert "hint: restore it from a copy, or train again" in done.err
    assert json.loads(cli("history", "--json").out)[-1]["to"] == "1.0.1"


@pytest.mark.usefixtures("project")
def test_a_channel_has_promotions_of_its_own(cli):
    """Its name works wherever a version is named; latest stays; a rollback goes back in it."""
    cli("promote", "1.0.1", "--to", "staging")
    done = cli("promote", "1.0.0", "--to", "staging", "-m", "try it")
    assert done.out == (
        "promoted 1.0.0 in staging (was 1.0.1); back: `textclf rollback --channel staging`\n"
    )
    listed = {
        v["version"]: v["channels"] for v in json.loads(cli("versions", "list", "--json").out)
    }
    assert listed == {"1.0.0": ["staging"], "1.0.1": ["latest"]}
    assert (
        json.loads(cli("predict", "great", "--version", "staging", "--json").out)["version"]
        == "1.0.0"
    )
    records = json.loads(cli("history", "--channel", "staging", "--json").out)
    assert [(r["to"], r["channel"], r["message"]) for r in records] == [
        ("1.0.1", "staging", None), ("1.0.0", "staging", "try it"),
    ]  # fmt: skip
    assert "promoted in staging" in cli("history").out
    back = cli("rollback", "--channel", "staging")
    assert back.out == (
        "promoted 1.0.1 in staging (was 1.0.0); back: `textclf promote 1.0.0 --to staging`\n"
    )
    assert "rolled back in staging" in cli("history").out
    assert len(json.loads(cli("history", "--json").out)) == 2
    assert cli("promote", "1.0.0", "--to", "v2").code == 2
    assert cli("predict", "great", "--version", "shadow").code == 3


@pytest.mark.usefixtures("project")
def test_rollbacks_go_further_back(cli):
    """Each says how to undo it; --steps and --to say how far."""
    cli("promote", "1.0.0")
    cli("promote", "1.0.1")
    assert cli("rollback").out == "promoted 1.0.0 (was 1.0.1); back: `textclf promote 1.0.1`\n"
    assert cli("rollback").out == "promoted 1.0.1 (was 1.0.0); back: `textclf promote 1.0.0`\n"
    assert cli("rollback", "--to", "1.0.0").out.startswith("promoted 1.0.0 (was 1.0.1)")
    refused = cli("rollback", "--steps", "9")
    assert (refused.code, "no 9 versions were promoted before" in refused.err) == (3, True)
    assert cli("rollback", "--steps", "2", "--to", "1.0.0").code == 2


@pytest.mark.usefixtures("project")
def test_steps_that_lead_to_the_promoted_version_change_nothing(cli):
    """A sentence says so, with 0; no record is written, and nobody is told."""
    cli("promote", "1.0.0")
    done = cli("rollback", "--steps", "2", "--on-promote", "no-such-program")
    assert (done.code, done.err) == (0, "")
    assert done.out == "that leads to 1.0.0, which is promoted; nothing changed\n"
    answer = json.loads(cli("rollback", "--steps", "2", "--json").out)
    assert (answer["changed"], answer["restores"]) == (False, 1)
    assert len(json.loads(cli("history", "--json").out)) == 3
    assert cli("rollback").out.startswith("promoted 1.0.1 (was 1.0.0)")
