import errno
import hashlib
import json
import os
import shutil

import msgspec
import pytest
import registries
from semver import Version

from textclf.errors import IntegrityError, NoSuchVersion, StoreError
from textclf.metadata.schema import ARTIFACT, METADATA, FileRecord, Metadata, decode
from textclf.metadata.versions import Bump, parse_version
from textclf.registry.verification import Problem, verify

V = parse_version
RECORD = ".registry/promotions/{:08d}.json"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def empty(root):
    return registries.open_registry(root)


@pytest.fixture
def two(root):
    """Return a registry of 1.0.0 and 1.1.0, promoted in this order."""
    return registries.filled(root, "1.0.0", "1.1.0")


def alias(root):
    return (root / ARTIFACT).read_bytes()


def model(root, version):
    return (root / version / ARTIFACT).read_bytes()


def edit(path, **changes):
    """Change fields of a JSON file in place."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def told(error, call, *arguments, **options):
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    return str(caught.value), caught.value.hint


def remove(root, version):
    for path in (root / version).iterdir():
        path.unlink()
    (root / version).rmdir()


# --- publishing -----------------------------------------------------------------------------------


def test_a_published_version_is_on_disk(empty, root):
    """Publishing makes a folder of exactly two files, and stamps number and time into one."""
    data = registries.artifact()
    made = registries.metadata("1.0.0", data, saved_at="")
    published = empty.publish(made, data)
    assert sorted(p.name for p in (root / "1.0.0").iterdir()) == [METADATA, ARTIFACT]
    assert model(root, "1.0.0") == data
    written = decode((root / "1.0.0" / METADATA).read_bytes(), Metadata, name="x")
    assert written == published == msgspec.structs.replace(made, saved_at=published.saved_at)
    assert published.saved_at.endswith("Z")
    assert registries.staged(root) == []


def test_further_files_are_part_of_the_version(empty, root):
    """They lie beside the model, their digests stand in the metadata, and verify reads them."""
    data = registries.artifact()
    published = empty.publish(registries.metadata("1.0.0", data), data, {"notes.md": b"# Notes"})
    version = V(published.version)
    assert published.files == [FileRecord("notes.md", registries.sha256(b"# Notes"), 7)]
    assert empty.metadata(version).files == published.files
    assert empty.file(version, "notes.md") == b"# Notes"
    assert empty.file(version, "other.md") is None
    assert verify(empty).ok
    (root / "1.0.0/notes.md").write_bytes(b"# Other")
    assert [problem.file for problem in verify(empty).problems] == ["1.0.0/notes.md"]
    with pytest.raises(IntegrityError, match="not the file that was published"):
        empty.file(version, "notes.md")


def test_pages_are_made_of_the_metadata_with_its_number(empty, root):
    """They know number and time, whatever number was planned, and are files like others."""
    registries.publish(empty)
    seen = []

    def pages(metadata):
        seen.append(metadata)
        return {"page.html": metadata.version.encode()}

    data = registries.artifact()
    published = empty.publish(
        registries.metadata("1.0.0", data), data, {"notes.md": b"# Notes"}, pages=pages
    )
    assert published.version != "1.0.0"
    assert (root / published.version / "page.html").read_text() == published.version
    assert [record.file for record in published.files] == ["notes.md", "page.html"]
    assert msgspec.structs.replace(published, files=[]) == seen[-1]
    assert verify(empty).ok


@pytest.mark.parametrize("name", ["../1.0.0/metadata.json", "/etc/passwd", "", ".", ".."])
def test_a_file_never_lies_outside_the_version(empty, root, name):
    """A metadata file that names one elsewhere is damaged."""
    registries.publish(empty)
    path = root / "1.0.0/metadata.json"
    record = json.loads(path.read_bytes())
    record["files"] = [{"file": name, "sha256": "0" * 64, "bytes": 1}]
    path.write_text(json.dumps(record), "utf-8")
    with pytest.raises(IntegrityError, match=r"metadata\.json is damaged"):
        empty.file(V("1.0.0"), "notes.md")


def test_publishing_promotes_nothing(root):
    """A new version is not the latest until it is promoted."""
    registry = registries.filled(root, versions=1)
    assert registry.versions() == [V("1.0.0")]
    assert registry.latest() is None
    assert not (root / ARTIFACT).exists()


def test_a_number_that_a_rival_took_is_not_taken_again(empty, root):
    """The planned number is published meanwhile: the next is taken, the rival's is untouched."""
    registries.publish(empty)
    mine, theirs = (registries.metadata("1.1.0", data) for data in (b"mine", b"theirs"))
    bump = msgspec.structs.replace(mine.bump, applied="minor", base="1.0.0")
    empty.publish(msgspec.structs.replace(theirs, bump=bump), b"theirs")
    before = registries.version_files(root)
    published = empty.publish(msgspec.structs.replace(mine, bump=bump), b"mine")
    assert published.version == "1.2.0"
    assert model(root, "1.2.0") == b"mine"
    assert before.items() <= registries.version_files(root).items()
    assert registries.violations(root) == []


def test_two_first_versions(empty):
    """Two that train into an empty registry at once get two numbers."""
    first = [empty.publish(registries.metadata("1.0.0", d), d).version for d in (b"a", b"b")]
    assert first == ["1.0.0", "2.0.0"]


def test_a_number_burned_while_training_is_not_given(two, root):
    """A number that was promoted and deleted during a training is not given to that training."""
    planned = registries.metadata("1.1.0", b"late")
    bump = msgspec.structs.replace(planned.bump, applied="minor", base="1.0.0")
    remove(root, "1.1.0")
    published = two.publish(msgspec.structs.replace(planned, bump=bump), b"late")
    assert published.version == "1.2.0"


def test_a_foreign_folder_is_in_nobody_s_way(empty, root):
    """Folders that are no versions are ignored; one with a version's name burns its number."""
    for name in ("v1.0.0", "1.0", "notes", "1.0.0-rc1", "01.0.0"):
        (root / name).mkdir(parents=True)
    assert empty.versions() == []
    (root / "1.0.0").mkdir()
    (root / "1.0.0" / "README").write_text("mine")
    assert empty.versions() == []
    data = registries.artifact()
    assert empty.publish(registries.metadata("1.0.0", data), data).version == "2.0.0"
    assert [p.name for p in (root / "1.0.0").iterdir()] == ["README"]


def test_publishing_sweeps_what_the_dead_left(empty, root):
    """Stale half-written work is gone after the next publication, fresh work is not."""
    for name, age in (("stale", 0), ("fresh", None)):
        folder = root / registries.STAGING / name
        folder.mkdir(parents=True)
        (folder / "half").write_bytes(b"")
        if age is not None:
            os.utime(folder, (age, age))
    registries.publish(empty)
    assert registries.staged(root) == ["fresh"]


def test_versions_are_ordered_as_numbers(empty):
    """1.10.0 comes after 1.9.0; summaries come highest first."""
    for _ in range(12):
        registries.publish(empty)
    names = [f"1.{n}.0" for n in range(12)]
    assert [str(v) for v in empty.versions()] == names
    assert [s.version for s in empty.summaries()] == names[::-1]
    assert empty.highest() == Version(1, 11, 0)


def test_a_folder_without_metadata_is_no_version(two, root):
    """A version without metadata.json is not listed, not the highest, and cannot be resolved."""
    (root / "1.1.0" / METADATA).unlink()
    assert two.versions() == [V("1.0.0")]
    assert two.highest() == V("1.0.0")
    assert [s.version for s in two.summaries()] == ["1.0.0"]
    message, _ = told(NoSuchVersion, two.resolve, "1.1.0")
    assert message == "no version 1.1.0; near it: 1.0.0"


def test_an_empty_registry_is_asked(empty, root):
    """A folder that is not there is a registry of nothing, and asking does not create it."""
    assert (empty.versions(), empty.history()) == ([], [])
    assert (empty.latest(), empty.highest()) == (None, None)
    assert verify(empty).ok
    assert verify(empty, repair=True).repaired == ()
    assert not root.exists()


@pytest.mark.usefixtures("two")
def test_a_moved_registry_is_the_same(root, tmp_path):
    """Nothing on disk names a place: a registry that is moved is whole."""
    root.rename(tmp_path / "elsewhere")
    moved = registries.open_registry(tmp_path / "elsewhere")
    assert verify(moved).ok
    assert not root.exists()
    assert moved.rollback().version == "1.0.0"
    text = b"".join(p.read_bytes() for p in (tmp_path / "elsewhere").rglob("*.json"))
    assert str(tmp_path).encode() not in text


# --- planning -------------------------------------------------------------------------------------


@pytest.fixture
def plan():
    """Return a function that plans a training like the one all versions come from, but changed."""

    def ask(registry, requested="auto", start=None, rows=range(40), **changes):
        recipe = registries.metadata().recipe()
        for name, value in changes.items():
            recipe = type(recipe)(**{**vars(recipe), name: value})
        start = V(start) if start else None
        return registry.plan(recipe, registries.sketch(rows), requested=requested, base=start)

    return ask


def test_the_first_plan(plan, empty):
    """The first version is 1.0.0, whatever bump is asked for."""
    for requested in ("auto", "patch", "minor", "major"):
        planned = plan(empty, requested)
        assert str(planned.version) == "1.0.0"
        assert (planned.bump.requested, planned.bump.base) == (requested, None)
        assert planned.bump.reasons == ["the first version"]


def test_nothing_changed_means_no_version(plan, two):
    """The recipe of the highest version again gives no number, and says so."""
    planned = plan(two)
    assert (planned.version, planned.inferred) == (None, None)
    assert planned.bump.reasons == ["nothing changed since 1.1.0"]


@pytest.mark.parametrize(
    ("requested", "expected"), [("patch", "1.1.1"), ("minor", "1.2.0"), ("major", "2.0.0")]
)
def test_an_explicit_bump_overrides(plan, two, requested, expected):
    """A bump that is asked for gives a version even when nothing changed."""
    planned = plan(two, requested)
    assert str(planned.version) == expected
    assert (planned.bump.requested, planned.bump.applied) == (requested, requested)
    assert planned.inferred is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code": "other"}, ("1.1.1", "patch")),
        ({"search": {"folds": 3}}, ("1.2.0", "minor")),
        ({"labels": frozenset("ab")}, ("2.0.0", "major")),
        ({"rows": range(30, 70)}, ("2.0.0", "major")),
    ],
)
def test_an_inferred_bump(plan, two, changes, expected):
    """Auto gives the number that the changes call for, from the highest version."""
    planned = plan(two, **changes)
    assert (str(planned.version), planned.bump.applied) == expected
    assert planned.inferred == expected[1]
    assert planned.bump.base == "1.1.0"
    assert planned.bump.reasons


def test_what_was_inferred_is_told_beside_what_was_asked(plan, two):
    """A patch is asked for where the labels changed: it is a patch, and the reasons say more."""
    planned = plan(two, "patch", labels=frozenset("ab"))
    assert (str(planned.version), planned.inferred) == ("1.1.1", Bump.MAJOR)
    assert planned.bump.reasons[0].startswith("labels changed")


def test_going_on_from_an_older_line(plan, two, root):
    """From an older version its line goes on, above what it has; the base is that version."""
    registries.publish(two, Bump.PATCH, base="1.0.0")
    registries.publish(two, Bump.MAJOR)
    assert str(plan(two, "patch", "1.0.0").version) == "1.0.2"
    assert str(plan(two, "minor", "1.0.0").version) == "1.2.0"
    assert str(plan(two, "major", "1.0.0").version) == "3.0.0"
    assert plan(two, start="1.0.0").bump.reasons == ["nothing changed since 1.0.0"]
    remove(root, "1.0.1")
    assert str(plan(two, "patch", "1.0.0").version) == "1.0.1", "never promoted: free again"


def test_a_promoted_number_is_burned_for_ever(plan, two, root):
    """A version that was promoted once and deleted by hand never gives its number away."""
    remove(root, "1.1.0")
    assert str(plan(two, "minor").version) == "1.2.0"
    assert V("1.1.0") in two.reserved_numbers()
    remove(root, "1.0.0")
    assert str(plan(two).version) == "2.0.0"


def test_a_damaged_base_is_told(plan, two, root):
    """Without the base's metadata nothing can be inferred: the file is named."""
    (root / "1.1.0" / METADATA).write_text("{")
    message, _ = told(IntegrityError, plan, two)
    assert "1.1.0/metadata.json is damaged" in message


# --- names ----------------------------------------------------------------------------------------


def test_resolving(two):
    """Numbers with and without v, latest and previous name versions."""
    names = ["1.0.0", "v1.0.0", "latest", "previous"]
    assert [str(two.resolve(name)) for name in names] == ["1.0.0", "1.0.0", "1.1.0", "1.0.0"]


@pytest.mark.parametrize(
    "name", ["", "1.0", "Latest", "1.0.0/../x", "../1.0.0", "1.0.0-rc1", "x\0", "९.0.0"]
)
def test_what_is_no_name(two, name):
    """Anything else is no version, and the error shows what one looks like."""
    message, hint = told(NoSuchVersion, two.resolve, name)
    assert message == f"{name!r} is not a version: versions look like 1.1.0, latest or previous"
    assert hint == "textclf versions list"


def test_an_unknown_version_is_told_with_the_nearest(empty):
    """A number that is not there is answered with those near it, in order."""
    for bump in (Bump.MAJOR, Bump.MINOR, Bump.MAJOR, Bump.MINOR, Bump.PATCH, Bump.MAJOR):
        registries.publish(empty, bump)
    message, hint = told(NoSuchVersion, empty.resolve, "2.1.3")
    assert message == "no version 2.1.3; near it: 2.0.0, 2.1.0, 2.1.1"
    assert hint == "textclf versions list"


def test_resolving_where_nothing_is(empty):
    """Each name says what is missing and which command comes first."""
    none = "no version 1.0.0: there are none yet"
    unpromoted = "no version has been promoted yet"
    assert told(NoSuchVersion, empty.resolve, "1.0.0") == (none, "textclf train")
    assert told(NoSuchVersion, empty.resolve, "latest") == (unpromoted, "textclf train")
    registries.publish(empty)
    promote = "textclf promote VERSION"
    assert told(NoSuchVersion, empty.resolve, "latest") == (unpromoted, promote)
    empty.promote(V("1.0.0"))
    nothing = ("nothing was promoted before 1.0.0", promote)
    assert told(NoSuchVersion, empty.resolve, "previous") == nothing
    assert told(NoSuchVersion, empty.rollback) == nothing


def test_the_latest_was_deleted(two, root):
    """Latest names a folder that is gone: it is said which, and what there is."""
    remove(root, "1.1.0")
    message, _ = told(NoSuchVersion, two.resolve, "latest")
    assert message == "latest is 1.1.0, whose folder no longer exists"


# --- promoting ------------------------------------------------------------------------------------


def test_promoting_forward_and_back(two, root):
    """Each promotion is one record and one copy of the version's file."""
    back = two.promote(V("1.0.0"), message="oops")
    assert (back.version, back.previous, back.changed, back.kept) == ("1.0.0", "1.1.0", True, None)
    assert alias(root) == model(root, "1.0.0")
    assert two.latest() == V("1.0.0")
    again = two.promote(V("1.1.0"))
    assert (again.previous, again.changed) == ("1.0.0", True)
    assert alias(root) == model(root, "1.1.0")
    assert [r["to"] for r in registries.log(root)] == ["1.0.0", "1.1.0", "1.0.0", "1.1.0"]
    assert registries.violations(root, settled=True) == []


@pytest.mark.usefixtures("two")
def test_the_alias_is_a_copy(root):
    """An editor of the alias in place cannot reach the version."""
    assert not (root / ARTIFACT).is_symlink()
    assert not (root / ARTIFACT).samefile(root / "1.1.0" / ARTIFACT)
    assert (root / ARTIFACT).stat().st_nlink == 1


def test_promoting_again_changes_nothing(two, root):
    """Promoting what is promoted writes no record and tells what was before."""
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()}
    done = two.promote(V("1.1.0"))
    assert (done.version, done.previous, done.changed) == ("1.1.0", "1.0.0", False)
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()} == before
    assert len(registries.log(root)) == 2


@pytest.mark.parametrize("damage", ["missing", "edited", "older"])
def test_promoting_again_heals_the_alias(two, root, damage):
    """An alias that is gone, edited or out of date follows the log after any promotion."""
    match damage:
        case "missing":
            (root / ARTIFACT).unlink()
        case "edited":
            (root / ARTIFACT).write_bytes(b"edited")
        case "older":
            (root / ARTIFACT).write_bytes(model(root, "1.0.0"))
    done = two.promote(V("1.1.0"))
    assert not done.changed
    assert alias(root) == model(root, "1.1.0")
    assert (done.kept is not None) == (damage == "edited")
    assert registries.violations(root, settled=True) == []


def test_a_foreign_file_is_kept(root):
    """A model that stood in the alias's place before textclf came is moved, and told of."""
    root.mkdir()
    (root / ARTIFACT).write_bytes(b"hand-made")
    done = registries.filled(root, versions=1).promote(V("1.0.0"))
    kept = root / registries.REPLACED / f"{hashlib.sha256(b'hand-made').hexdigest()[:12]}.joblib"
    assert done.kept == str(kept)
    assert kept.read_bytes() == b"hand-made"
    assert alias(root) == model(root, "1.0.0")


def test_the_same_foreign_file_again_is_kept_once(two, root):
    """A file that is kept already is not kept twice; another one gets another name."""
    kept = set()
    for data in (b"one", b"one", b"two"):
        (root / ARTIFACT).write_bytes(data)
        kept.add(two.promote(V("1.1.0")).kept)
    assert len(kept) == 2
    files = (root / registries.REPLACED).iterdir()
    assert sorted(p.read_bytes() for p in files) == [b"one", b"two"]


@pytest.mark.parametrize("damage", ["flipped", "missing", "truncated"])
def test_a_damaged_version_is_not_promoted(root, damage):
    """The file is checked before the log is written: a damaged one changes nothing."""
    registry = registries.filled(root, "1.0.0")
    path = root / "1.1.0" / ARTIFACT
    data = path.read_bytes()
    match damage:
        case "flipped":
            path.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
        case "missing":
            path.unlink()
        case "truncated":
            path.write_bytes(data[:-1])
    message, hint = told(IntegrityError, registry.promote, V("1.1.0"))
    assert str(path) in message
    assert hint == "textclf verify"
    assert len(registries.log(root)) == 1
    assert alias(root) == model(root, "1.0.0")


def test_an_unknown_version_is_not_promoted(two, root):
    """What is not published cannot be promoted, and nothing is written."""
    told(NoSuchVersion, two.promote, V("9.9.9"))
    assert len(registries.log(root)) == 2


def test_another_model_under_the_promoted_number_is_refused(two, root):
    """A promoted version whose folder was swapped for another is refused: the log knows better."""
    remove(root, "1.1.0")
    (root / "1.1.0").mkdir()
    (root / "1.1.0" / ARTIFACT).write_bytes(b"swapped")
    made = registries.metadata("1.1.0", b"swapped")
    (root / "1.1.0" / METADATA).write_bytes(msgspec.json.encode(made))
    before = alias(root)
    assert not two.promote(V("1.1.0")).changed
    (root / ARTIFACT).unlink()
    message, _ = told(IntegrityError, two.promote, V("1.1.0"))
    assert message == "1.1.0 is not the version that was promoted (its SHA-256 differs)"
    assert two.promote(V("1.0.0")).changed, "another version can be promoted"
    assert alias(root) == model(root, "1.0.0") != before


def test_rolling_back_twice_returns(two, root):
    """A rollback is a promotion of what was before; the second undoes the first."""
    versions = [two.rollback(message=f"{n}").version for n in range(3)]
    assert versions == ["1.0.0", "1.1.0", "1.0.0"]
    assert alias(root) == model(root, "1.0.0")
    assert [r["message"] for r in registries.log(root)] == [None, None, "0", "1", "2"]


def test_rolling_back_to_a_deleted_version(two, root):
    """What was promoted before is gone: it is said, and nothing changes."""
    remove(root, "1.0.0")
    message, _ = told(NoSuchVersion, two.rollback)
    assert message == "previous is 1.0.0, whose folder no longer exists"
    assert len(registries.log(root)) == 2


def test_history(two):
    """The log tells when, from, to, who and why, oldest first."""
    two.rollback(message="slow")
    records = [record.as_json() for record in two.history()]
    assert [list(r) for r in records] == [["n", "at", "from", "to", "by", "message", "gate"]] * 3
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


def test_files_that_are_no_records_are_ignored(two, root):
    """Backups and strangers in the log's folder are no records."""
    for name in ("00000001.json~", "3.json", "00000003", "x.json", "٠٠٠٠٠٠٠٣.json"):
        (root / ".registry/promotions" / name).write_text("?")
    assert [r.n for r in two.history()] == [1, 2]
    assert verify(two).ok
    assert two.rollback().version == "1.0.0"


# --- checking -------------------------------------------------------------------------------------


def found(registry, **options):
    return [(p.version, p.file, p.problem) for p in verify(registry, **options).problems]


def test_a_whole_registry(two):
    """Nothing is wrong with what only textclf has written."""
    two.rollback()
    registries.publish(two)
    checked = verify(two)
    assert (checked.ok, checked.versions, checked.problems) == (True, 3, ())
    assert verify(two, repair=True).repaired == ()


VERSION_DAMAGE = {
    "flipped": (
        lambda d: (d / ARTIFACT).write_bytes(b"\0" + (d / ARTIFACT).read_bytes()[1:]),
        ARTIFACT, "is not the file that was published",
    ),
    "emptied": (
        lambda d: (d / ARTIFACT).write_bytes(b""),
        ARTIFACT, "is not the file that was published",
    ),
    "no model": (lambda d: (d / ARTIFACT).unlink(), ARTIFACT, "is missing"),
    "no metadata": (lambda d: (d / METADATA).unlink(), METADATA, "is missing"),
    "no json": (lambda d: (d / METADATA).write_text("{"), METADATA, "is damaged"),
    "empty json": (lambda d: (d / METADATA).write_text("{}"), METADATA, "is damaged"),
    "newer": (lambda d: edit(d / METADATA, schema=99), METADATA, "later textclf (schema 99"),
    "other number": (
        lambda d: edit(d / METADATA, version="1.2.0"), METADATA, "says it is version 1.2.0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", VERSION_DAMAGE)
@pytest.mark.parametrize("promoted", [True, False], ids=["promoted", "not promoted"])
def test_a_damaged_version_is_named(root, damage, promoted):
    """Each kind of damage to a version is found once, under its version and file."""
    registry = registries.filled(root, "1.0.0", *(["1.1.0"] if promoted else []))
    break_it, file, problem = VERSION_DAMAGE[damage]
    break_it(root / "1.1.0")
    checked = verify(registry)
    of_version = [p for p in checked.problems if p.file.startswith("1.1.0/")]
    assert len(of_version) == 1
    assert of_version[0].version == "1.1.0"
    assert of_version[0].file == f"1.1.0/{file}"
    assert problem in of_version[0].problem
    others = [p for p in checked.problems if p not in of_version]
    expected = [RECORD.format(2)] if promoted and damage == "no metadata" else []
    assert [p.file for p in others] == expected
    assert not checked.ok


def test_metadata_edited_after_the_promotion_is_named(root):
    """The log knows the digest of a promoted version's metadata, so an edit is found."""
    registry = registries.filled(root, "1.0.0")
    edit(root / "1.0.0" / METADATA, test_accuracy=0.99)
    problem = ("1.0.0", f"1.0.0/{METADATA}", "was changed after its promotion")
    assert found(registry) == found(registry, repair=True) == [problem]


def test_every_damaged_record_is_named(two, root):
    """The first damaged record does not hide the others, nor what follows a gap."""
    for version in ("1.0.0", "1.1.0", "1.0.0"):
        two.promote(V(version))
    (root / RECORD.format(1)).write_text("{")
    (root / RECORD.format(2)).write_text("{")
    (root / RECORD.format(4)).unlink()
    assert [file for _, file, _ in found(two)] == [RECORD.format(n) for n in (1, 2, 5)]


def test_a_deleted_version_that_was_promoted_is_named(two, root):
    """A record that names a version which is gone is told by number."""
    remove(root, "1.0.0")
    problem = "names version 1.0.0, which does not exist"
    assert found(two) == [("1.0.0", RECORD.format(1), problem)]


@pytest.mark.parametrize("edited", [True, False])
def test_a_wrong_alias_is_named_and_repaired(two, root, edited):
    """An alias that is missing or not the promoted file is told, and --repair restores it."""
    if edited:
        (root / ARTIFACT).write_bytes(b"edited")
    else:
        (root / ARTIFACT).unlink()
    problem = "is not the promoted version 1.1.0" if edited else "is missing; promoted is 1.1.0"
    assert found(two) == [("1.1.0", ARTIFACT, problem)]
    before = registries.version_files(root)
    repaired = verify(two, repair=True)
    assert repaired.ok
    assert len(repaired.repaired) == 1
    assert repaired.repaired[0].startswith(f"restored {root / ARTIFACT}")
    assert ("replaced" in repaired.repaired[0]) == edited, "where the edited file is now, is told"
    assert alias(root) == model(root, "1.1.0")
    assert registries.version_files(root) == before


EDITS = [
    ({"sha256": "0" * 64}, "has another SHA-256 than the version's metadata"),
    ({"from": None}, "goes on from None, not from 1.0.0"),
    ({"to": "7.0.0"}, "names version 7.0.0, which does not exist"),
    ({"to": "../x"}, "is damaged: not a promotion record"),
    ({"from": "../x"}, "is damaged: not a promotion record"),
    ({"n": 3}, "is damaged: not a promotion record"),
    ({"n": "2"}, "is damaged: not a promotion record"),
]


@pytest.mark.parametrize("edited", EDITS, ids=lambda e: str(e[0])[:20])
@pytest.mark.parametrize("head", [True, False], ids=["head", "inside"])
def test_an_edited_record_is_named(two, root, edited, head):
    """Each field of the log that the registry goes by is checked, in the head and below it."""
    changes, problem = edited
    if not head:
        two.promote(V("1.0.0"))
    before = registries.version_files(root)
    edit(root / RECORD.format(2), **changes)
    for repair in (False, True):
        problems = found(two, repair=repair)
        assert any(f == RECORD.format(2) and problem in p for _, f, p in problems)
        assert {f for _, f, _ in problems} <= {RECORD.format(2), RECORD.format(3), ARTIFACT}
    assert registries.version_files(root) == before


@pytest.mark.parametrize(
    "garbage", [b"", b"{", b"null", b"[]", b"\xff", b"[" * 100_000, b'{"n": 2, "to": "\xff"}']
)
def test_a_garbage_record_is_named(two, root, garbage):
    """A record that is no record is named by its file, and stops what would build on it."""
    (root / RECORD.format(2)).write_bytes(garbage)
    problem = (None, RECORD.format(2), "is damaged: not a promotion record")
    assert found(two) == [problem]
    assert found(two, repair=True) == found(two)
    for ask in (two.latest, two.history, two.rollback, lambda: two.promote(V("1.0.0"))):
        message, hint = told(IntegrityError, ask)
        assert message == f"{root / RECORD.format(2)} {problem[2]}"
        assert "backup" in hint


def test_a_gap_in_the_log_is_named(two, root):
    """A record that is missing in the middle is told with the one after it."""
    two.rollback()
    (root / RECORD.format(2)).unlink()
    assert found(two) == [(None, RECORD.format(3), "record 2 is missing before it")]


def test_a_gap_is_named_once(two, root):
    """What follows a gap in its order is not blamed for it."""
    for version in ("1.0.0", "1.1.0"):
        two.promote(V(version))
    (root / RECORD.format(1)).unlink()
    assert found(two) == [(None, RECORD.format(2), "record 1 is missing before it")]


def test_what_was_not_published_is_named(two, root):
    """A file or folder that somebody put into a version is told, and left alone by --repair."""
    (root / "1.0.0/notes.txt").write_bytes(b"mine")
    (root / "1.1.0/folder").mkdir()
    strangers = [
        (version, f"{version}/{name}", "was not published with this version")
        for version, name in (("1.0.0", "notes.txt"), ("1.1.0", "folder"))
    ]
    assert found(two) == found(two, repair=True) == strangers
    assert (root / "1.0.0/notes.txt").read_bytes() == b"mine"


@pytest.mark.parametrize("damage", ["other", "missing"])
def test_a_version_with_a_damaged_further_file_is_not_promoted(root, damage):
    """Every file of a version is checked before the log is written, not the model alone."""
    registry = registries.filled(root, "1.0.0", files=registries.FURTHER)
    path = root / "1.1.0/notes.md"
    path.write_bytes(b"# Other") if damage == "other" else path.unlink()
    message, hint = told(IntegrityError, registry.promote, V("1.1.0"))
    assert str(path) in message
    assert hint == "textclf verify"
    assert len(registries.log(root)) == 1


def test_stale_work_is_named_and_swept(two, root):
    """What a dead writer left a day ago is told, and --repair removes it; fresh work is left."""
    for name in ("stale", "fresh"):
        (root / registries.STAGING / name).write_bytes(b"half")
    os.utime(root / registries.STAGING / "stale", (0, 0))
    problem = "was left by a writer that died"
    assert found(two) == [(None, ".registry/staging/stale", problem)]
    repaired = verify(two, repair=True)
    assert repaired.ok
    assert repaired.repaired == ("removed half-written work of writers that died",)
    assert registries.staged(root) == ["fresh"]


def test_repair_touches_no_version_and_no_record(two, root):
    """With everything damaged at once --repair changes alias and staging, and nothing else."""
    registries.publish(two)
    (root / "1.0.0" / ARTIFACT).write_bytes(b"damaged")
    (root / "1.2.0" / METADATA).unlink()
    (root / ARTIFACT).unlink()
    (root / registries.STAGING / "stale").write_bytes(b"half")
    os.utime(root / registries.STAGING / "stale", (0, 0))
    versions, log = registries.version_files(root), registries.log(root)
    checked = verify(two, repair=True)
    assert registries.version_files(root) == versions
    assert registries.log(root) == log
    assert alias(root) == model(root, "1.1.0")
    assert registries.staged(root) == []
    assert [p.file for p in checked.problems] == [f"1.0.0/{ARTIFACT}", f"1.2.0/{METADATA}"]


def test_an_alias_of_a_damaged_version_is_not_repaired(two, root):
    """A damaged model is not copied into the alias: the missing one stays missing, and is told."""
    (root / "1.1.0" / ARTIFACT).write_bytes(b"damaged")
    (root / ARTIFACT).unlink()
    checked = verify(two, repair=True)
    assert checked.repaired == ()
    assert {p.file for p in checked.problems} == {ARTIFACT, f"1.1.0/{ARTIFACT}"}
    assert not (root / ARTIFACT).exists()


def test_a_foreign_file_where_nothing_is_promoted_is_no_problem(root):
    """Before the first promotion the alias's place is not textclf's."""
    root.mkdir()
    (root / ARTIFACT).write_bytes(b"hand-made")
    registry = registries.filled(root, versions=1)
    assert verify(registry, repair=True).ok
    assert alias(root) == b"hand-made"


def test_a_lost_log_is_named(two, root):
    """The alias is a copy of a version, so something was promoted, and no log says so."""
    shutil.rmtree(root / ".registry")
    problem = (
        None,
        ".registry/promotions",
        f"is empty, but {ARTIFACT} is a version of this registry",
    )
    assert found(two) == [problem]
    assert two.promote(V("1.0.0")).kept is None  # what stands there is no stranger
    assert found(two) == []


def test_a_copied_folder_is_no_second_version(two, root):
    """A folder that says it is another version is refused by promote and left out of the list."""
    shutil.copytree(root / "1.0.0", root / "5.0.0")
    message, _ = told(IntegrityError, two.promote, V("5.0.0"))
    assert message == f"{root / '5.0.0' / METADATA} says it is version 1.0.0"
    listed = [s.version for s in two.summaries() if not isinstance(s, IntegrityError)]
    assert listed == ["1.1.0", "1.0.0"]


def test_a_folder_that_cannot_be_written_is_told_before_the_search(two, root, monkeypatch):
    """Where a version could not be published, it is said at once; else no trace is left."""
    before = sorted(root.rglob("*"))
    two.store.require_writable()
    assert sorted(root.rglob("*")) == before

    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "link", refuse)
    message, _ = told(StoreError, two.store.require_writable)
    assert "Read-only file system" in message
    assert sorted(root.rglob("*")) == before


def test_a_problem_is_as_the_contract_shows_it():
    """In JSON a problem has the contract's three fields."""
    fields = json.loads(msgspec.json.encode(Problem("1.0.0", "f", "p")))
    assert list(fields) == ["version", "file", "problem"]


# --- events ---------------------------------------------------------------------------------------


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


def test_a_number_that_an_event_names_is_not_given_again(two, root):
    """Even where its folder is gone and it was never promoted."""
    registries.publish(two)
    two.events.append_event("removed", V("1.2.0"))
    remove(root, "1.2.0")
    assert registries.publish(two).version == "1.3.0"


@pytest.mark.parametrize("harm", ["gap", "garbage"])
def test_a_damaged_event_is_named(two, root, harm):
    """A gap among the events, or one that cannot be read; everything else goes on."""
    for _ in range(3):
        two.events.append_event("refused", V("1.1.0"))
    path = root / ".registry/events/00000002.json"
    path.write_bytes(b"{}")
    if harm == "gap":
        path.unlink()
    (problem,) = verify(two).problems
    assert "record 2 is missing" in problem.problem or "not an event" in problem.problem
    assert two.promote(V("1.0.0")).changed
