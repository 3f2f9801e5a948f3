"""Promotion through a gate: what is judged, what is recorded, and concurrent promotions."""

import msgspec
import pytest
import registries

from textclf.errors import GateRefused
from textclf.metadata import schema as metadata
from textclf.metadata.verdict import Verdict
from textclf.metadata.versions import parse_version
from textclf.registry.verification import verify
from textclf.release.gate import Gate, parse_requirement
from textclf.release.promote import RecordedEvidence, promote_through_gate

V1, V2, V3 = map(parse_version, ("1.0.0", "1.1.0", "1.2.0"))


@pytest.fixture
def publish(tmp_path):
    """Return a function that publishes a version with an F1 of the class neg, and its test rows."""
    registry = registries.open_registry(tmp_path)

    def call(f1_neg, rows="t"):
        version = f"1.{len(registry.numbers())}.0"
        test = metadata.TestRecord(
            4, rows * 64, registries.metrics(f1_neg=f1_neg), path="data/test.csv"
        )
        model = registries.artifact()
        registry.publish(registries.metadata(version, model, test=test), model)
        return parse_version(version)

    call.registry = registry
    return call


def through(registry, version, gate, **how):
    return promote_through_gate(registry, version, gate, RecordedEvidence(registry, version), **how)


def test_a_version_that_passes_is_promoted_with_its_verdict(publish):
    """The log records conditions, values, verdict, rows, and the version compared with."""
    registry = publish.registry
    publish(0.5), publish(0.6)
    registry.promote(V1)
    gate = Gate((parse_requirement("f1[neg]=0.55"),), 0.0, 0.0)
    done = through(registry, V2, gate, message="better")
    assert (done.changed, done.previous) == (True, "1.0.0")
    record = registry.history()[-1]
    assert record.gate == done.gate
    assert (record.message, record.gate.verdict, record.gate.against) == (
        "better", "passed", "1.0.0",
    )  # fmt: skip
    assert (record.gate.on.rows, record.gate.on.path, record.gate.on.scored) == (
        4, "data/test.csv", False,
    )  # fmt: skip
    assert [(c.rule, c.value, c.before) for c in record.gate.checks] == [
        ("f1[neg]>=0.55", 0.6, None),
        ("max-regression 0", 0.75, 0.75),
        ("max-regression 0", 0.8, 0.75),
        ("max-class-regression 0", 1.0, 1.0),
    ]
    assert registry.events.records() == []


def test_a_refused_version_is_not_promoted_and_recorded(publish):
    """The log and the alias do not change; an event records who, why and the verdict."""
    registry = publish.registry
    publish(0.5), publish(0.4)
    registry.promote(V1)
    with pytest.raises(GateRefused, match=r"1\.1\.0 is not promoted: f1\[neg\] is 0\.4000") as said:
        through(registry, V2, Gate(max_class_regression=0.05), message="try")
    assert registry.latest() == V1
    assert len(registry.history()) == 1
    [event] = registry.events.records()
    assert (event.kind, event.version, event.message) == ("refused", "1.1.0", "try")
    assert msgspec.convert(event.detail, Verdict) == said.value.verdict
    assert said.value.verdict.verdict == "refused"
    assert verify(registry).ok


def test_force_promotes_and_is_recorded(publish):
    """The log records a forced promotion as such, with the conditions that were not met."""
    registry = publish.registry
    publish(0.5), publish(0.4)
    registry.promote(V1)
    done = through(registry, V2, Gate(max_class_regression=0.05), message="known", force=True)
    record = registry.history()[-1]
    assert (done.changed, record.to, record.gate.verdict) == (True, "1.1.0", "forced")
    assert [check.metric for check in record.gate.failed] == ["f1[neg]"]
    assert registry.events.records() == []


def test_a_version_that_passes_is_not_recorded_as_forced(publish):
    """The verdict on a version that passes is passed, with --force or without."""
    publish(0.5)
    done = through(
        publish.registry, V1, Gate((parse_requirement("accuracy=0.1"),)), message="x", force=True
    )
    assert done.gate.verdict == "passed"


def test_metrics_recorded_on_other_rows_are_not_comparable(publish):
    """If the promoted version was tested on different rows, the hint says how to go on."""
    registry = publish.registry
    publish(0.5, rows="u"), publish(0.9)
    registry.promote(V1)
    with pytest.raises(GateRefused, match=r"1\.0\.0 was tested on different rows .--data FILE"):
        through(registry, V2, Gate(max_regression=0.5))
    assert through(registry, V2, Gate((parse_requirement("accuracy=0.1"),))).changed


def test_the_promoted_version_is_not_judged_again(publish):
    """Promoting it again changes nothing, whatever the gate would say."""
    registry = publish.registry
    publish(0.5)
    registry.promote(V1)
    done = through(registry, V1, Gate((parse_requirement("accuracy=1"),)))
    assert (done.changed, done.gate) == (False, None)
    assert registry.events.records() == []


def test_a_damaged_promoted_version_cannot_be_compared_with(publish, tmp_path):
    """The gate refuses the next version then, and force overrides it."""
    registry = publish.registry
    publish(0.5), publish(0.9)
    registry.promote(V1)
    (tmp_path / "1.0.0/metadata.json").write_text("{")
    with pytest.raises(GateRefused, match=r"cannot be judged: .*is damaged"):
        through(registry, V2, Gate(max_regression=0.5))
    assert through(registry, V2, Gate(max_regression=0.5), message="x", force=True).changed


def test_a_concurrent_promotion_is_compared_with(publish):
    """The version is compared with the one that is promoted when the record is written."""
    registry = publish.registry
    publish(0.5), publish(0.9), publish(0.6)
    registry.promote(V1)
    evidence = RecordedEvidence(registry, V3)

    class ConcurrentPromotion:
        """Evidence that promotes 1.1.0, as another process might, while it is gathered."""

        rows = evidence.rows
        asked = 0

        def metrics(self, version):
            self.asked += 1
            if self.asked == 1:
                registry.promote(V2)
            return evidence.metrics(version)

    with pytest.raises(GateRefused, match=r"below 0\.9000"):
        promote_through_gate(registry, V3, Gate(max_class_regression=0.1), ConcurrentPromotion())
    assert registry.latest() == V2
    assert [event.detail["against"] for event in registry.events.records()] == ["1.1.0"]


def test_records_without_a_verdict_are_read(publish, tmp_path):
    """A log from before there were gates is still valid."""
    publish(0.5)
    publish.registry.promote(V1)
    [path] = (tmp_path / registries.LOG).glob("*.json")
    path.write_text(path.read_text().replace(',\n  "gate": null', ""))
    assert "gate" not in path.read_text()
    assert publish.registry.history()[0].gate is None
    assert verify(publish.registry).ok
