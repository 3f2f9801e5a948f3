"""Retention: `textclf versions prune`."""

import json

import pytest
import registries


def test_prune_removes_what_no_rule_keeps(old, cli):
    """Versions are pruned oldest first; latest, previous and tagged ones are kept, with reasons."""
    cli("versions", "tag", "0.2.0", "prod=eu")
    done = cli("versions", "prune", "--keep", "2", "--older-than", "90d", "-m", "disk is full")
    assert done.code == 0
    first, second, total, kept = done.out.splitlines()
    assert (first, second) == ("pruned 0.1.0", "pruned 0.3.0")
    assert total.startswith("2 of 5 versions removed, ")
    assert kept == "kept: 1.0.1 (latest), 1.0.0 (previous), 0.2.0 (tagged prod=eu)"
    assert registries.version_folders(old / "models") == ["0.2.0", "1.0.0", "1.0.1"]
    assert [
        (e["kind"], e["version"], e["message"]) for e in registries.events(old / "models")[1:]
    ] == [
        ("pruned", "0.1.0", "disk is full"),
        ("removed", "0.1.0", None),
        ("pruned", "0.3.0", "disk is full"),
        ("removed", "0.3.0", None),
    ]
    assert cli("verify").code == 0
    refused = cli("promote", "0.1.0")
    assert refused.code == 3
    assert "error: version 0.1.0 was pruned at 20" in refused.err
    assert ": disk is full" in refused.err


def test_a_dry_run_removes_nothing(old, cli):
    """--dry-run names the same versions and changes no file."""
    before = {p: p.read_bytes() for p in (old / "models").rglob("*") if p.is_file()}
    done = cli("versions", "prune", "--keep", "3", "--dry-run")
    assert done.out.splitlines()[:2] == ["would prune 0.1.0", "would prune 0.2.0"]
    assert "2 of 5 versions would be removed, " in done.out
    answer = json.loads(cli("versions", "prune", "--keep", "3", "--dry-run", "--json").out)
    assert answer["dry_run"] is True
    assert answer["pruned"][0]["bytes"] == sum(
        path.stat().st_size
        for path in (old / "models/0.1.0").iterdir()
        if not path.name.startswith("metadata")
    )
    assert [each["version"] for each in answer["pruned"]] == ["0.1.0", "0.2.0"]
    assert answer["kept"] == [
        {"version": "0.3.0", "why": "one of the last 3"},
        {"version": "1.0.0", "why": "previous"},
        {"version": "1.0.1", "why": "latest"},
    ]
    assert before == {p: p.read_bytes() for p in (old / "models").rglob("*") if p.is_file()}


@pytest.mark.usefixtures("project")
def test_prune_is_told_what_to_keep(cli):
    """Without a policy, or with an age that is not valid, nothing is pruned."""
    done = cli("versions", "prune")
    assert done.code == 2
    assert "say which versions to keep" in done.err
    assert cli("versions", "prune", "--older-than", "soon").code == 2
    assert cli("versions", "prune", "--keep", "-1").code == 2
    assert cli("versions", "prune", "--keep", "5").out.startswith("0 of 2 versions to prune\n")


def test_a_damaged_version_is_kept(old, cli):
    """A version whose metadata cannot be read is kept, because its age is unknown."""
    (old / "models/0.1.0/metadata.json").write_text("{")
    done = cli("versions", "prune", "--keep", "0")
    assert done.code == 0
    assert "warning: models/0.1.0/metadata.json is damaged" in done.err
    assert registries.version_folders(old / "models") == ["0.1.0", "1.0.0", "1.0.1"]


def test_a_prune_that_fails_is_finished_by_repair(old, cli, monkeypatch):
    """After disk errors the others are removed, and verify --repair completes the prune."""
    rename = type(old).rename

    def refuse(path, target):
        if path.name in ("0.1.0", "0.3.0"):
            raise OSError(5, "Input/output error")
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(type(old), "rename", refuse)
        done = cli("versions", "prune", "--keep", "2", "--quiet")
    assert done.code == 1
    assert "warning: cannot remove models/0.1.0: Input/output error" in done.err
    assert "error: cannot remove models/0.3.0: Input/output error" in done.err
    assert done.out.startswith("pruned 0.2.0\n1 of 5 versions removed, ")
    assert "kept" not in done.out
    assert "textclf verify --repair" in done.err
    assert "0.1.0 was pruned, but still exists" in cli("verify").out
    assert "repaired: finished removing 0.1.0" in cli("verify", "--repair").out
    assert registries.version_folders(old / "models") == ["1.0.0", "1.0.1"]


def test_a_version_edited_after_its_promotion_is_kept(old, cli):
    """A date that was edited after the promotion prunes nothing: the version is kept, and named."""
    cli("promote", "0.3.0")
    cli("promote", "1.0.0")
    cli("promote", "1.0.1")
    path = old / "models/0.3.0/metadata.json"
    registries.edit(path, saved_at="2020-01-01T00:00:00Z")
    done = cli("versions", "prune", "--keep", "2")
    assert done.code == 0
    assert "0.3.0/metadata.json was changed after its promotion; it is kept" in done.err
    assert registries.version_folders(old / "models") == ["0.3.0", "1.0.0", "1.0.1"]
