"""Versions that are removed for good: which may, what is left, and who else is at work."""

import itertools
import json
import shutil
import threading
from pathlib import Path

import pytest
import registries

from textclf.errors import IntegrityError, NoSuchVersion, StoreError, TextclfError
from textclf.metadata.schema import METADATA
from textclf.metadata.versions import parse_version
from textclf.registry import pruning
from textclf.registry.pruning import finish_removal, promotion_hold
from textclf.registry.publisher import reserved_numbers
from textclf.registry.registry import Registry
from textclf.registry.store.local import LocalStore
from textclf.registry.verification import verify

V = parse_version


@pytest.fixture
def three(root):
    """Return a registry of 1.0.0, 1.1.0, 1.2.0; the last two were promoted, in this order."""
    return registries.filled(root, "1.1.0", "1.2.0", versions=3)


def kinds(registry):
    return [(event.kind, event.version) for event in registry.events.records()]


# --- what goes and what stays ---------------------------------------------------------------------


def test_a_pruned_version_is_removed_and_its_number_stays_reserved(three, root):
    """Its folder goes, the event says who, when, why; the number is not given again."""
    digest = registries.sha256((root / "1.0.0" / METADATA).read_bytes())
    assert three.prune(V("1.0.0"), message="too old") is None
    assert [str(v) for v in three.versions()] == ["1.1.0", "1.2.0"]
    event, removed = three.events.records()
    assert (event.kind, event.version, event.message) == ("pruned", "1.0.0", "too old")
    assert (removed.kind, removed.version, removed.detail) == ("removed", "1.0.0", {"event": 1})
    assert event.detail == {"metadata_sha256": digest}
    assert V("1.0.0") in reserved_numbers(three)
    assert verify(three).ok
    assert registries.staged(root) == []


def test_the_number_of_the_highest_is_not_given_again(root):
    """Even where nothing else remembers it."""
    registry = registries.filled(root, "1.0.0", versions=2)
    registry.prune(V("1.1.0"))
    assert registries.publish(registry).version == "1.2.0"


@pytest.mark.parametrize(("version", "why"), [("1.2.0", "latest"), ("1.1.0", "previous")])
def test_latest_and_previous_stay(three, version, why):
    """The promoted version and the one to roll back to are kept, and no event is written."""
    assert three.prune(V(version)) == why
    assert three.events.records() == []
    assert three.rollback().version == "1.1.0"


def test_a_tagged_version_stays_until_the_tag_is_off(three):
    """A tag protects, whatever it says."""
    assert three.tag(V("1.0.0"), {"prod": "eu", "a": "1"}) == {"a": "1", "prod": "eu"}
    assert three.prune(V("1.0.0")) == "tagged a=1 prod=eu"
    three.tag(V("1.0.0"), {"prod": None})
    assert three.prune(V("1.0.0")) == "tagged a=1"
    assert three.tag(V("1.0.0"), {"a": None}) == {}
    assert three.prune(V("1.0.0")) is None


def test_a_tag_that_is_there_is_not_written_twice(three):
    """As promoting what is promoted: the log has changes only."""
    three.tag(V("1.0.0"), {"prod": "eu"}, message="released")
    assert three.tag(V("1.0.0"), {"prod": "eu", "other": None}) == {"prod": "eu"}
    assert three.tag(V("1.0.0"), {}) == {"prod": "eu"}
    (event,) = three.events.records()
    assert (event.message, event.detail) == ("released", {"prod": "eu"})


def test_a_log_that_names_a_pruned_version_is_intact(three):
    """What was once promoted may go later; the log goes on to say that it was."""
    three.promote(V("1.0.0"))
    three.promote(V("1.2.0"))
    three.promote(V("1.1.0"))
    assert three.prune(V("1.0.0")) is None
    assert verify(three).ok
    assert [record.to for record in three.history()] == [
        "1.1.0",
        "1.2.0",
        "1.0.0",
        "1.2.0",
        "1.1.0",
    ]
    assert registries.violations(three.store.root, settled=True) == []


@pytest.mark.parametrize("ask", ["resolve", "promote", "metadata", "prune", "tag", "artifact"])
def test_the_error_of_a_pruned_version_says_so(three, ask):
    """When, by whom and why, instead of a version of a similar name."""
    three.prune(V("1.0.0"), message="too old")
    arguments = {"resolve": ["1.0.0"], "tag": [V("1.0.0"), {"a": "1"}]}.get(ask, [V("1.0.0")])
    with pytest.raises(
        NoSuchVersion, match=r"^version 1\.0\.0 was pruned at 2\S+Z by .+: too old$"
    ):
        getattr(three, ask)(*arguments)


def test_a_rollback_to_a_pruned_version_is_refused(three, root):
    """A log that was edited names it as the one before; the error says when it was pruned."""
    three.prune(V("1.0.0"))
    record = root / ".registry/promotions/00000001.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"to": "1.0.0"}))
    with pytest.raises(NoSuchVersion, match=r"previous is 1\.0\.0, and version 1\.0\.0 was pruned"):
        registries.open_registry(root).rollback()


def test_nothing_is_pruned_if_the_tags_are_not_known(three, root):
    """A damaged event might have been a tag; a damaged log, a promotion."""
    three.events.append_event("refused", V("1.0.0"))
    (root / ".registry/events/00000001.json").write_bytes(b"{")
    with pytest.raises(IntegrityError, match="not an event"):
        three.prune(V("1.0.0"))
    assert (root / "1.0.0" / METADATA).exists()
    assert three.promote(V("1.0.0")).changed, "a promotion does not ask events for permission"


# --- half done ------------------------------------------------------------------------------------


@pytest.fixture
def half(three):
    """Return a registry in which the event was written and the folder of 1.0.0 is still there."""
    three.events.append_event("pruned", V("1.0.0"), detail={"metadata_sha256": "?"})
    return three


def test_a_half_done_prune_is_named_and_finished(half, root):
    """Verify names it, --repair finishes it, and then nothing is wrong."""
    checked = verify(half)
    assert [(p.version, p.problem) for p in checked.problems] == [
        ("1.0.0", "was pruned, but still exists")
    ]
    assert checked.repairable
    repaired = verify(half, repair=True)
    assert repaired.ok
    assert repaired.repaired == ("finished removing 1.0.0",)
    assert not (root / "1.0.0").exists()


def test_pruning_again_finishes_too(half, root):
    """The version is still there, so it can be pruned."""
    assert half.prune(V("1.0.0")) is None
    assert not (root / "1.0.0").exists()
    assert verify(half).ok


def test_a_half_pruned_version_is_neither_promoted_nor_tagged(half):
    """It may be gone at any moment."""
    for act in (lambda: half.promote(V("1.0.0")), lambda: half.tag(V("1.0.0"), {"a": "1"})):
        with pytest.raises(NoSuchVersion, match="was pruned"):
            act()
    assert half.latest() == V("1.2.0")
    assert verify(half, repair=True).repaired == ("finished removing 1.0.0",)


def test_what_was_promoted_or_tagged_before_the_mark_is_kept(three, root):
    """The one who pruned died before he looked again; a repair looks, and says so."""
    three.tag(V("1.0.0"), {"prod": "eu"})
    three.events.append_event("pruned", V("1.0.0"))
    three.events.append_event("pruned", V("1.2.0"))
    repaired = verify(three, repair=True)
    assert set(repaired.repaired) == {
        "kept 1.0.0: it is tagged prod=eu",
        "kept 1.2.0: it is latest",
    }
    assert repaired.ok
    assert (root / "1.0.0" / METADATA).exists()
    assert kinds(three)[-2:] == [("kept", "1.0.0"), ("kept", "1.2.0")]
    assert three.promote(V("1.0.0")).changed


def test_a_hold_keeps_a_version_for_a_day(three, root):
    """Of somebody who promotes, or died over it; an old one is taken away."""
    holds = root / ".registry/holds"
    with promotion_hold(three.store, three.events, V("1.0.0")):
        assert three.prune(V("1.0.0")) == "being promoted"
    assert list(holds.iterdir()) == []
    (holds / "1.0.0-fresh").write_text("2999-01-01T00:00:00+00:00")
    (holds / "1.0.0-old").write_text("2026-01-01T00:00:00+00:00")
    (holds / "1.0.0-odd").write_text("?")
    assert three.prune(V("1.0.0")) == "being promoted"
    assert [path.name for path in holds.iterdir()] == ["1.0.0-fresh"]
    (holds / "1.0.0-fresh").unlink()
    assert three.prune(V("1.0.0")) is None


# --- two at once: every order of their steps with two changes of who is at work -------------------


class Died(BaseException):
    """The end of a process."""


class Steps(LocalStore):
    """A store whose user stops before the step with a number, until a signal to go on, or dies."""

    dies = False

    def __init__(self, root, stop):
        super().__init__(root)
        self.steps = []
        self.stop, self.stopped, self.go = stop, threading.Event(), threading.Event()

    def step(self, verb, key):
        """Note a step, and wait where it is the one to wait at; the dead do no step after it."""
        self.steps.append((verb in READING, key))
        if self.dies and len(self.steps) >= self.stop:
            raise Died
        if len(self.steps) == self.stop:
            self.stopped.set()
            self.go.wait(30)


READING = ("read", "names", "exists")
for verb in (*READING, "create", "replace", "create_all", "remove", "remove_all"):

    def stepping(self, key="", *arguments, verb=verb, **options):
        self.step(verb, key)
        return getattr(LocalStore, verb)(self, key, *arguments, **options)

    setattr(Steps, verb, stepping)


def start(root, act, stop):
    """Let somebody act up to a step."""
    store = Steps(root, stop)
    said = []

    def run():
        try:
            said.append(act(Registry(store)))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            said.append(error)
        store.stopped.set()

    thread = threading.Thread(target=run)
    thread.start()
    store.stopped.wait(30)
    return store, thread, said


def orders(root, setup, one, other):
    """Yield what both said, for each pair of steps: one until i, other until j, one, other.

    Orders in which only steps have changed places that do not concern each other are one.
    """
    before = {}
    for i in itertools.count(1):
        known = {}
        for j in itertools.count(1):
            known[j] = _same(before.get(j), known.get(j - 1), i, j)
            if known[j] is None:
                setup()
                first, thread, said = start(root, one, i)
                second, other_thread, other_said = start(root, other, j)
                first.go.set()
                thread.join(30)
                second.go.set()
                other_thread.join(30)
                known[j] = first.steps, second.steps
                yield said[0], other_said[0]
            if len(known[j][1]) < j:
                break
        if len(known[j][0]) < i:
            return
        before = known


def _same(earlier_i, earlier_j, i, j):
    """Return the steps of the order before with i or j, if the one with both is the same."""
    if earlier_i and _may_change_places(earlier_i[0][i - 2], earlier_i[1][: j - 1]):
        return earlier_i
    if earlier_j and _may_change_places(earlier_j[1][j - 2], earlier_j[0][i - 1 :]):
        return earlier_j
    return None


def _may_change_places(step, others):
    """Whether a step does the same before and after others: they read, or are about other keys."""
    reads, key = step
    return all((reads and also_reads) or _apart(key, other) for also_reads, other in others)


def _apart(one, other):
    """Whether neither of two keys is the other, nor a folder that it is in."""
    return not Path(one).is_relative_to(other) and not Path(other).is_relative_to(one)


@pytest.fixture
def setup(root, tmp_path):
    """Return a function that puts a registry of three versions in place, as new."""
    registries.filled(tmp_path / "template", "1.1.0", "1.2.0", versions=3)

    def make():
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(tmp_path / "template", root)

    return make


def prune(registry):
    """Prune without the first look, which would need a third change of who is at work."""
    registry.events.append_event("pruned", V("1.0.0"), detail={"metadata_sha256": "?"})
    return finish_removal(registry, V("1.0.0"))


RIVALS = {
    "promote": lambda registry: registry.promote(V("1.0.0")).version,
    "promote in a new channel": lambda registry: (
        registry.promote(V("1.0.0"), channel="staging").version
    ),
    "tag": lambda registry: dict(registry.tag(V("1.0.0"), {"prod": "eu"})),
    "prune": lambda registry: registry.prune(V("1.0.0")),
    "repair": lambda registry: verify(registry, repair=True).repaired,
}


@pytest.mark.parametrize(
    ("rival", "begins"),
    [
        ("promote", "prune"),
        ("promote", "rival"),
        ("promote in a new channel", "prune"),
        ("promote in a new channel", "rival"),
        ("tag", "prune"),
        ("tag", "rival"),
        ("prune", "prune"),
    ],
)
def test_of_two_at_once_one_has_its_way(root, setup, rival, begins):
    """In every order, no version is removed that was promoted or tagged successfully."""
    acts = [prune, RIVALS[rival]]
    seen = set()
    for answers in orders(root, setup, *(acts if begins == "prune" else acts[::-1])):
        pruned, other = answers if begins == "prune" else answers[::-1]
        assert not isinstance(pruned, StoreError | IntegrityError), pruned
        assert isinstance(other, str | dict | None | NoSuchVersion), other
        there = (root / "1.0.0" / METADATA).exists()
        assert there == (pruned is not None and not isinstance(pruned, NoSuchVersion)) or (
            rival == "prune" and not there
        )
        if rival != "prune":
            assert isinstance(other, NoSuchVersion) or there
        registry = registries.open_registry(root)
        assert registries.violations(root, settled=True) == []
        assert verify(registry).problems == ()
        seen.add((there, type(other)))
    if rival != "prune":
        assert {there for there, _ in seen} == {True, False}, "both had their way in some order"


SKEWED = {
    "two days ahead": lambda patch: patch.setattr(pruning, "_is_abandoned", lambda _: True),
    "ignores holds": lambda patch: patch.setattr(pruning, "_held", lambda _: iter(())),
}


@pytest.mark.parametrize("begins", ["prune", "promote"])
@pytest.mark.parametrize("clock", SKEWED)
def test_a_promotion_is_safe_from_a_pruner_whose_clock_is_wrong(
    root, setup, monkeypatch, clock, begins
):
    """Whether or not a pruner respects holds, in every order a version that was promoted stays.

    A promotion that is too late fails with a sentence, and what was promoted before is again.
    """
    SKEWED[clock](monkeypatch)
    acts, seen = [prune, RIVALS["promote"]], set()
    for answers in orders(root, setup, *(acts if begins == "prune" else acts[::-1])):
        pruned, promoted = answers if begins == "prune" else answers[::-1]
        there = (root / "1.0.0" / METADATA).exists()
        assert there == (pruned is not None), pruned
        assert pruned in (None, "latest", "previous", "being promoted")
        taken_back = isinstance(promoted, NoSuchVersion)
        assert taken_back or (promoted == "1.0.0" and there), promoted
        registry = registries.open_registry(root)
        assert str(registry.latest()) == ("1.2.0" if taken_back else "1.0.0")
        allowed = {"1.0.0, latest or previous, is not there"} if taken_back else set()
        assert set(registries.violations(root, settled=True)) <= allowed
        seen.add((there, len(registry.history())))
    assert seen >= {(True, 3), (False, 2), (False, 4)}, "each had its way, and one was taken back"


@pytest.mark.parametrize("rival", ["promote", "promote in a new channel"])
@pytest.mark.parametrize("clock", SKEWED)
def test_the_first_promotion_is_not_acknowledged_if_its_version_goes(
    root, tmp_path, monkeypatch, clock, rival
):
    """With nothing to go back to, a promotion that is too late still fails with a sentence."""
    SKEWED[clock](monkeypatch)
    registries.filled(tmp_path / "template", versions=2)

    def make():
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(tmp_path / "template", root)

    for pruned, promoted in orders(root, make, prune, RIVALS[rival]):
        there = (root / "1.0.0" / METADATA).exists()
        assert there == (pruned is not None)
        if isinstance(promoted, NoSuchVersion):
            assert "version 1.0.0 was pruned at" in str(promoted)
        else:
            assert promoted == "1.0.0"
            assert there


@pytest.mark.parametrize("clock", SKEWED)
def test_a_pruner_whose_clock_is_wrong_finds_a_promotion_that_died(root, setup, monkeypatch, clock):
    """Wherever a promotion dies, a pruner that ignores its hold removes nothing promoted."""
    SKEWED[clock](monkeypatch)
    for step in itertools.count(1):
        setup()
        store = Steps(root, step)
        store.dies = True
        try:
            Registry(store).promote(V("1.0.0"))
        except Died:
            pass
        else:
            break
        registry = registries.open_registry(root)
        recorded = str(registry.latest()) == "1.0.0"
        assert (prune(registry) is None) == (not recorded)
        assert verify(registry, repair=True).ok
        assert registries.violations(root, settled=True) == []


def test_a_promotion_beside_a_repair_of_a_half_pruned_version(root, tmp_path, setup):
    """One who promotes has laid down his hold before the one who prunes dies; a repair comes by."""
    registries.open_registry(tmp_path / "template").events.append_event("pruned", V("1.0.0"))
    for promoted, _ in orders(root, setup, RIVALS["promote"], RIVALS["repair"]):
        there = (root / "1.0.0" / METADATA).exists()
        assert isinstance(promoted, NoSuchVersion) or there
        assert registries.violations(root, settled=True) == []


# --- there and back again -------------------------------------------------------------------------


@pytest.fixture
def archived(three):
    return three.export_files(V("1.0.0"))


def test_the_contents_are_every_file_that_is_accounted_for(root):
    """Model, metadata, further files and the signature; a stray file is not part of a version."""
    registry = registries.open_registry(root)
    data = registries.artifact()
    registry.publish(registries.metadata("1.0.0", data), data, {"report.html": b"<p>"})
    (root / "1.0.0/metadata.json.sig").write_bytes(b"signature")
    (root / "1.0.0/stray").write_bytes(b"?")
    contents = registry.export_files(V("1.0.0"))
    assert list(contents) == [
        METADATA, "metadata.json.sig", "text_classifier.joblib", "report.html"
    ]  # fmt: skip
    assert contents == {name: (root / "1.0.0" / name).read_bytes() for name in contents}


@pytest.mark.parametrize("file", ["text_classifier.joblib", METADATA])
def test_a_damaged_version_is_not_given_away(three, root, file):
    """Nor one whose metadata were changed after its promotion."""
    path = root / "1.1.0" / file
    path.write_bytes(path.read_bytes().replace(b"0.75", b"0.95") + b" ")
    with pytest.raises(IntegrityError, match=r"is not the file|was changed"):
        three.export_files(V("1.1.0"))


def test_a_version_from_elsewhere_keeps_its_number(archived, tmp_path):
    """It is there to the byte, not promoted, and the event says from where."""
    other = registries.open_registry(tmp_path / "other")
    assert other.import_version(V("1.0.0"), archived, source="a.tar.gz") is True
    assert other.export_files(V("1.0.0")) == archived
    assert other.latest() is None
    (event,) = other.events.records()
    assert (event.kind, event.version, event.detail["from"]) == ("imported", "1.0.0", "a.tar.gz")
    assert verify(other).ok
    assert other.import_version(V("1.0.0"), archived, source="a.tar.gz") is False
    assert len(other.events.records()) == 1


def test_a_number_of_another_version_is_not_given(archived, tmp_path):
    """There, or gone: by hand, or pruned."""
    other = registries.filled(tmp_path / "other", "1.0.0", "1.1.0", versions=3)
    before = registries.version_files(tmp_path / "other")
    with pytest.raises(TextclfError, match=r"1\.0\.0 is another version in ") as caught:
        other.import_version(V("1.0.0"), archived, source="a")
    assert caught.value.exit_code == 1
    assert "--models DIR" in caught.value.hint
    assert registries.version_files(tmp_path / "other") == before
    other.promote(V("1.2.0"))
    other.prune(V("1.0.0"))
    with pytest.raises(TextclfError, match=r"1\.0\.0 was another version"):
        other.import_version(V("1.0.0"), archived, source="a")
    assert kinds(other) == [("pruned", "1.0.0"), ("removed", "1.0.0")]


def test_a_pruned_version_comes_back_as_itself(three, archived, root):
    """From its archive: it is no other version, so it may have its number."""
    three.prune(V("1.0.0"))
    assert three.import_version(V("1.0.0"), archived, source="a") is True
    assert three.export_files(V("1.0.0")) == archived
    assert verify(three, repair=True).repaired == ()
    assert three.promote(V("1.0.0")).changed
    assert (root / "1.0.0").exists()


def test_a_version_that_was_lost_comes_back(three, root):
    """The log has the digest of its metadata, which vouches for the archive."""
    contents = three.export_files(V("1.1.0"))
    for path in (root / "1.1.0").iterdir():
        path.unlink()
    (root / "1.1.0").rmdir()
    assert not verify(three).ok
    three.import_version(V("1.1.0"), contents, source="a")
    assert verify(three).ok
    assert registries.violations(root, settled=True) == []


def test_a_number_whose_digest_is_not_known_is_not_given(three, archived, root):
    """Nobody can say whether it was this version."""
    three.events.append_event("refused", V("1.0.0"))
    for path in (root / "1.0.0").iterdir():
        path.unlink()
    (root / "1.0.0").rmdir()
    with pytest.raises(TextclfError, match="was another version"):
        three.import_version(V("1.0.0"), archived, source="a")


def test_a_damaged_version_is_not_repaired_by_an_import(three, archived, root):
    """A version is never changed; importing it again is an error that names the damage."""
    Path(root / "1.0.0/text_classifier.joblib").write_bytes(b"?")
    with pytest.raises(IntegrityError, match="is not the file that was published"):
        three.import_version(V("1.0.0"), archived, source="a")
    assert Path(root / "1.0.0/text_classifier.joblib").read_bytes() == b"?"


def test_an_import_that_died_before_its_event_can_be_done_again(three, archived):
    """Its folder is there, and counts as pruned until the event says that it was brought back."""
    three.prune(V("1.0.0"))
    three.store.create_all("1.0.0", archived)
    assert [p.problem for p in verify(three).problems] == ["was pruned, but still exists"]
    assert three.import_version(V("1.0.0"), archived, source="a") is True
    assert verify(three).ok
