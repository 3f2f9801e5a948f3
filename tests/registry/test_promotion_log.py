"""The two append-only logs."""

import registries

from textclf.metadata.versions import parse_version
from textclf.registry.verification import verify

V = parse_version


FIELDS = ["n", "at", "from", "to", "by", "message", "gate", "channel", "restores"]


def test_history(two):
    """The log tells when, from, to, who and why, oldest first."""
    two.rollback(message="slow")
    records = [record.as_json() for record in two.history()]
    assert [list(r) for r in records] == [FIELDS] * 3
    assert [(r["n"], r["from"], r["to"]) for r in records] == [
        (1, None, "1.0.0"), (2, "1.0.0", "1.1.0"), (3, "1.1.0", "1.0.0"),
    ]  # fmt: skip
    assert records[2]["message"] == "slow"
    assert all("@" in r["by"] and r["at"].endswith("Z") for r in records)


def test_a_record_is_never_overwritten(two, root):
    """What is in the log stays as it is, byte by byte."""
    before = {p.name: p.read_bytes() for p in (root / registries.LOG).iterdir()}
    two.rollback()
    after = {p.name: p.read_bytes() for p in (root / registries.LOG).iterdir()}
    assert before.items() < after.items()


def test_files_that_are_not_records_are_ignored(two, root):
    """Backups and strangers in the log's folder are no records."""
    for name in ("00000001.json~", "3.json", "00000003", "x.json", "٠٠٠٠٠٠٠٣.json"):
        (root / ".registry/promotions" / name).write_text("?")
    assert [r.n for r in two.history()] == [1, 2]
    assert verify(two).ok
    assert two.rollback().version == "1.0.0"


def test_events_are_kept_in_their_order(two):
    """Each has the next number, who and when, and survives as it was written."""
    first = two.events.append_event(
        "refused", V("1.1.0"), message="worse", detail={"accuracy": [0.9, 0.8]}
    )
    second = two.events.append_event("removed", V("1.0.0"))
    assert two.events.records() == [first, second]
    assert [(event.n, event.kind) for event in two.events.records()] == [
        (1, "refused"),
        (2, "removed"),
    ]
    assert verify(two).ok
