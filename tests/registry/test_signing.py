"""Signatures: made with real keys, checked by the registry and by OpenSSL."""

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import registries
from cryptography.hazmat.primitives.asymmetric import ec
from keys import write_pair
from registries import LOG, artifact, edit, metadata, sha256, version_files

from textclf.errors import IntegrityError, TextclfError, UsageError
from textclf.metadata.schema import ARTIFACT, METADATA, SIGNATURE, encode
from textclf.metadata.versions import parse_version
from textclf.registry.publisher import reserved_numbers
from textclf.registry.registry import Registry
from textclf.registry.signing import PASSWORD, PublicKey, load_signer
from textclf.registry.store.local import LocalStore
from textclf.registry.verification import verify

V = parse_version
V1, V2 = V("1.0.0"), V("1.1.0")


@pytest.fixture
def keys(tmp_path):
    """The private and the public key."""
    return write_pair(tmp_path, "ours")


@pytest.fixture
def open_models(tmp_path, keys):
    """Open the registry, by default as one that requires our signature."""

    def call(signed_by=keys[1]):
        return Registry(LocalStore(tmp_path / "models"), signed_by and PublicKey(signed_by))

    return call


@pytest.fixture
def models(tmp_path, open_models, keys):
    """A folder where 1.0.0 is signed and promoted, and 1.1.0 is not signed."""
    registry = open_models()
    for version, sign in (("1.0.0", load_signer(keys[0])), ("1.1.0", None)):
        data = artifact()
        registry.publish(metadata(version, data), data, {"notes": b"read"}, sign=sign)
    registry.promote(V1)
    return tmp_path / "models"


def uses(version):
    """All that a registry does for those who use a version."""
    return {
        "promote": lambda registry: registry.promote(version),
        "artifact": lambda registry: registry.artifact(version),
        "file": lambda registry: registry.file(version, "notes"),
        "metadata": lambda registry: registry.metadata(version),
    }


@pytest.mark.usefixtures("models")
def test_a_signed_version_is_used(open_models):
    """What is signed with the required key is promoted, loaded and verified."""
    registry = open_models()
    for use in uses(V1).values():
        use(registry)
    assert registry.file(V1, "notes") == b"read"
    assert registry.signature_problem(V1) is None


@pytest.mark.parametrize("use", uses(V2))
def test_an_unsigned_version_is_of_no_use(open_models, models, use):
    """Nothing unsigned is promoted, loaded or read; without the requirement, all of it is."""
    with pytest.raises(IntegrityError, match=r"1\.1\.0/metadata\.json is not signed"):
        uses(V2)[use](open_models())
    assert len(list((models / LOG).iterdir())) == 1
    uses(V2)[use](open_models(None))


@pytest.mark.parametrize("use", uses(V1))
@pytest.mark.usefixtures("models")
def test_another_s_signature_is_none(open_models, tmp_path, use):
    """What somebody else has signed is of no use either."""
    _, theirs = write_pair(tmp_path, "theirs")
    with pytest.raises(IntegrityError, match=r"is not signed with the key of \S+theirs\.pub"):
        uses(V1)[use](open_models(theirs))


@pytest.mark.parametrize("use", uses(V1))
def test_an_intruder_s_change_is_found(open_models, models, use):
    """Who changes a file and its digests in metadata and log cannot sign that: nothing is used."""
    stranger = b"not the model"
    changed = encode(msgspec.structs.replace(metadata("1.0.0", stranger), files=[]))
    (models / "1.0.0" / ARTIFACT).write_bytes(stranger)
    (models / "1.0.0" / METADATA).write_bytes(changed)
    edit(models / LOG / "00000001.json", metadata_sha256=sha256(changed))
    with pytest.raises(IntegrityError, match="is not signed with the key"):
        uses(V1)[use](open_models())
    assert open_models(None).artifact(V1) == stranger


def test_a_signature_is_of_one_version_only(open_models, models):
    """A signed version under another number is not that version."""
    (models / "1.0.0").rename(models / "2.0.0")
    with pytest.raises(IntegrityError, match=r"says it is version 1\.0\.0"):
        open_models().artifact(parse_version("2.0.0"))


@pytest.mark.parametrize("signature", [b"", b"x" * 64, bytes(64), b"x" * 100_000])
def test_a_signature_of_nonsense_is_none(open_models, models, signature):
    """Whatever stands in a signature's place is a wrong signature, not an accident."""
    (models / "1.0.0" / SIGNATURE).write_bytes(signature)
    with pytest.raises(IntegrityError, match="is not signed with the key"):
        open_models().artifact(V1)


@pytest.mark.usefixtures("models")
def test_rolling_back_to_an_unsigned_version_is_refused(open_models):
    """What was promoted before signatures were required is not rolled back to."""
    open_models(None).promote(V2)
    open_models(None).promote(V1)
    with pytest.raises(IntegrityError, match=r"1\.1\.0/metadata\.json is not signed"):
        open_models().rollback()
    assert open_models(None).latest() == V1


def test_an_alias_is_not_restored_from_an_unsigned_version(open_models, models):
    """Repair copies nothing unsigned to where clients load it from."""
    open_models(None).promote(V2)
    (models / ARTIFACT).unlink()
    found = verify(open_models(), repair=True)
    assert not (models / ARTIFACT).exists()
    assert {(p.version, p.problem) for p in found.problems} >= {("1.1.0", "is not signed")}


@pytest.mark.parametrize("act", ["promote", "repair"])
def test_an_alias_is_compared_with_the_signed_version(open_models, models, act):
    """A replaced alias is restored, and kept, although the record's digest was edited with it."""
    (models / ARTIFACT).write_bytes(b"planted")
    edit(models / LOG / "00000001.json", sha256=sha256(b"planted"))
    if act == "promote":
        done = open_models().promote(V1)
        assert (done.changed, bool(done.kept)) == (False, True)
    else:
        verify(open_models(), repair=True)
    assert (models / ARTIFACT).read_bytes() == (models / "1.0.0" / ARTIFACT).read_bytes()


@pytest.mark.usefixtures("models")
def test_verify_names_what_is_unsigned(open_models):
    """With a key, verify tells which version is not signed, and checks its files all the same."""
    [problem] = verify(open_models()).problems
    assert (problem.file, problem.problem) == ("1.1.0/metadata.json", "is not signed")
    assert verify(open_models(None)).ok


@pytest.mark.usefixtures("models")
def test_an_unsigned_version_can_be_looked_at(open_models):
    """What is not signed is listed and shown."""
    assert open_models().unverified_metadata(V2).version == "1.1.0"
    assert [str(v) for v in open_models().versions()] == ["1.0.0", "1.1.0"]
    assert len(list(open_models().summaries())) == 2


def recipe():
    return metadata().recipe()


PLANTED = {
    "unsigned": lambda _: None,
    "signed by somebody else": lambda folder: (folder / SIGNATURE).write_bytes(b"s" * 64),
    "a signed version under another number": lambda folder: shutil.copytree(
        folder.parent / "1.0.0", folder, dirs_exist_ok=True
    ),
    "a pipe as metadata": lambda folder: (
        (folder / METADATA).unlink(), os.mkfifo(folder / METADATA),
    ),
    "not JSON": lambda folder: (folder / METADATA).write_bytes(b"\xff"),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("number", ["5.0.0", "999999999.0.0", "1.999999999.0"])
def test_an_unsigned_version_is_no_base_and_reserves_its_number(
    open_models, models, planted, number
):
    """Where signatures are required, a planted version neither stops nor steers a training."""
    open_models(None).publish(metadata(number, b"planted"), b"planted")
    PLANTED[planted](models / number)
    registry = open_models()
    unchanged = registry.plan(recipe(), registries.sketch(), requested="auto", base=None)
    assert (unchanged.version, unchanged.bump.base) == (None, "1.0.0")
    for bump, expected in (("patch", "1.0.1"), ("minor", "1.2.0"), ("major", "2.0.0")):
        plan = registry.plan(recipe(), registries.sketch(), requested=bump, base=None)
        assert (str(plan.version), plan.bump.base) == (expected, "1.0.0")
    assert V(number) in reserved_numbers(registry)
    with pytest.raises(TextclfError):
        registry.plan(recipe(), registries.sketch(), requested="patch", base=V(number))


def test_without_a_signed_version_the_next_is_the_first(open_models, models, keys):
    """The first signed version gets a number that no unsigned one has."""
    shutil.rmtree(models)
    open_models(None).publish(metadata("1.0.0", b"planted"), b"planted")
    registry = open_models()
    plan = registry.plan(recipe(), registries.sketch(), requested="auto", base=None)
    assert (str(plan.version), plan.bump.reasons) == ("2.0.0", ["the first signed version"])
    planned = metadata("2.0.0", b"model", bump=plan.bump)
    published = registry.publish(planned, b"model", sign=load_signer(keys[0]))
    assert published.version == "2.0.0"


def test_a_version_can_be_signed_later(open_models, models, keys):
    """A signature added to an unsigned version makes it of use, and touches no file of it."""
    before = version_files(models)
    registry = open_models()
    place = registry.sign(V2, load_signer(keys[0]))
    assert registry.sign(V2, load_signer(keys[0])) == place
    assert version_files(models) == before
    assert registry.promote(V2).changed
    assert verify(registry).ok
    assert [(e.kind, e.version) for e in registry.events.records()] == [("signed", "1.1.0")]


@pytest.mark.usefixtures("models")
def test_what_is_not_signed_is_not_imported(open_models, tmp_path, keys):
    """Where a signature is required, a version from elsewhere needs it, be it added later."""
    elsewhere = open_models(None)
    here = Registry(LocalStore(tmp_path / "here"), PublicKey(keys[1]))
    with pytest.raises(IntegrityError, match="is not signed"):
        here.import_version(V2, elsewhere.export_files(V2), source="a test")
    assert here.versions() == []
    elsewhere.sign(V2, load_signer(keys[0]))
    assert here.import_version(V2, elsewhere.export_files(V2), source="a test")
    assert here.promote(V2).changed
    assert verify(here).ok


@pytest.mark.usefixtures("models")
def test_a_key_can_be_changed(open_models, tmp_path):
    """A version that an old key has signed is signed with the new one, and good for both."""
    new, public = write_pair(tmp_path, "new")
    open_models(None).sign(V1, load_signer(new))
    assert open_models(public).artifact(V1) == open_models().artifact(V1)


@pytest.mark.parametrize("damage", [ARTIFACT, "notes", METADATA])
def test_what_is_damaged_is_not_signed(open_models, models, keys, damage):
    """A version is vouched for as it was published and promoted, or not at all."""
    file = models / "1.0.0" / damage
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(IntegrityError):
        open_models().sign(V1, load_signer(keys[0]))
    assert not (models / ".registry/signatures").exists()


@pytest.mark.skipif(not shutil.which("openssl"), reason="this machine has no openssl")
def test_openssl_makes_the_keys_and_checks_the_signature(open_models, tmp_path):
    """Keys and signatures are OpenSSL's: nobody needs textclf to check one."""
    key, public = tmp_path / "made.key", tmp_path / "made.pub"
    run = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", key]
    subprocess.run(run, check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    data = artifact()
    open_models(public).publish(metadata("1.0.0", data), data, sign=load_signer(key))
    folder = tmp_path / "models/1.0.0"
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in",
         folder / METADATA, "-sigfile", folder / SIGNATURE],
        check=True, capture_output=True,
    )  # fmt: skip
    assert b"Verified Successfully" in done.stdout
    assert open_models(public).promote(V1).changed


# --- keys


def test_a_password_is_read_from_the_environment(tmp_path, monkeypatch):
    """An encrypted key needs its password, and says so where that is missing or wrong."""
    private, public = write_pair(tmp_path, "locked", password=b"sesame")
    monkeypatch.delenv(PASSWORD, raising=False)
    with pytest.raises(UsageError, match="is encrypted"):
        load_signer(private)
    monkeypatch.setenv(PASSWORD, "simsim")
    with pytest.raises(UsageError, match="or TEXTCLF_KEY_PASSWORD is not its password"):
        load_signer(private)
    monkeypatch.setenv(PASSWORD, "sesame")
    assert PublicKey(public).verifies(load_signer(private)(b"data"), b"data")


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_key_that_others_can_read_is_refused(keys, mode):
    """A private key that is no secret is not used."""
    keys[0].chmod(mode)
    with pytest.raises(UsageError, match="others can read") as caught:
        load_signer(keys[0])
    assert caught.value.hint.startswith("chmod 600 ")


def other_key(folder):
    return write_pair(folder, "curve", ec.generate_private_key(ec.SECP256R1()))


PRIVATE = {
    "a public key": lambda folder: write_pair(folder, "x")[1],
    "a key of another kind": lambda folder: other_key(folder)[0],
}
PUBLIC = {
    "a private key": lambda folder: write_pair(folder, "x")[0],
    "a key of another kind": lambda folder: other_key(folder)[1],
}


def nothing(folder):
    return folder / "nothing"


def text(folder):
    (folder / "text").write_text("hello")
    (folder / "text").chmod(0o600)
    return folder / "text"


@pytest.mark.parametrize("make", [*PRIVATE.values(), nothing, text, lambda folder: folder])
def test_what_is_not_a_private_key_is_refused(tmp_path, make):
    """A file that cannot sign is a mistake of usage, and named."""
    with pytest.raises(UsageError, match=str(make(tmp_path).name)):
        load_signer(make(tmp_path))


@pytest.mark.parametrize("make", [*PUBLIC.values(), nothing, text, lambda folder: folder])
def test_what_is_not_a_public_key_is_refused(tmp_path, make):
    """A file that cannot check a signature is a mistake of usage, and named."""
    with pytest.raises(UsageError, match=str(make(tmp_path).name)):
        PublicKey(make(tmp_path)).verifies(bytes(64), b"data")


def test_without_the_library_it_is_named(keys, monkeypatch):
    """Where cryptography is not installed, the sentence says how to get it."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    for use in (lambda: load_signer(keys[0]), lambda: PublicKey(keys[1]).verifies(b"", b"")):
        with pytest.raises(TextclfError, match="cryptography") as caught:
            use()
        assert "[sign]" in caught.value.hint


def test_a_key_is_the_same_in_another_process(keys, monkeypatch):
    """Wherever that runs."""
    monkeypatch.chdir(keys[1].parent)
    copied = pickle.dumps(PublicKey(Path(keys[1].name)))
    monkeypatch.chdir("/")
    pickle.loads(copied).require_usable()
