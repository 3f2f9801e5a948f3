"""Signing versions, and requiring it."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import registries
from keys import write_pair
from paths import ROOT

from textclf import load, open_registry
from textclf.errors import IntegrityError, UsageError
from textclf.metadata.schema import ARTIFACT
from textclf.registry.signing import load_signer

TRAIN = ("train", "--preset", "fast", "--cv", "2", "--bump", "patch")


@pytest.fixture
def keys(project):
    """Return the file names of a private and a public key in the current folder."""
    return tuple(str(path.relative_to(project)) for path in write_pair(project, "ours"))


@pytest.fixture
def required(project, keys):
    """Return the current folder, where signatures are required; 1.0.0 and 1.0.1 have none."""
    (project / "textclf.toml").write_text(f'require_signature = "{keys[1]}"\n')
    return project


def test_a_version_is_signed_as_it_is_published(project, keys, cli):
    """`train --sign` writes the signature into the version's folder; `verify --key` checks it."""
    assert cli(*TRAIN, "--sign", keys[0]).code == 0
    assert len((project / "models/1.0.2/metadata.json.sig").read_bytes()) == 64
    done = cli("verify", "--key", keys[1])
    assert done.code == 6
    assert "1.0.0/metadata.json is not signed" in done.out
    assert "1.0.1/metadata.json is not signed" in done.out
    assert "1.0.2" not in done.out
    assert cli("verify").code == 0


def test_old_versions_are_signed_one_by_one(required, keys, cli):
    """`sign` adds the missing signatures, after which `verify` finds every version signed."""
    for version in ("1.0.0", "1.0.1"):
        done = cli("sign", version, "--key", keys[0])
        assert done.code == 0
        assert done.out.startswith(f"signed {version}: models/.registry/signatures/{version}/")
    done = cli("verify")
    assert done.code == 0
    assert done.out == (
        "2 versions, the log and the alias: OK; all versions are signed (ours.pub); "
        "the log, which makes 1.0.1 the latest, is not\n"
    )
    told = json.loads(cli("sign", "latest", "--key", keys[0], "--json").out)
    assert told["version"] == "1.0.1"
    assert (required / told["signature"]).is_file()


@pytest.mark.parametrize(
    "command",
    [
        ("predict", "great"),
        ("evaluate", "data/test.csv"),
        ("promote", "1.0.0"),
        ("rollback",),
        ("predict", "great", "--version", "1.0.0"),
        ("predict", "great", "--unsafe-load"),
        ("versions", "compare", "1.0.0", "1.0.1"),
        ("verify",),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("required")
def test_nothing_unsigned_is_used(cli, command):
    """With require_signature an unsigned version is refused with exit code 6."""
    done = cli(*command)
    assert done.code == 6
    assert "metadata.json is not signed" in done.out + done.err
    assert "Traceback" not in done.err


@pytest.mark.usefixtures("required")
def test_what_is_unsigned_can_be_looked_at(cli):
    """`list` and `show` work for unsigned versions; `show` says that the signature is missing."""
    assert "1.0.1" in cli("versions", "list").out
    done = cli("versions", "show", "1.0.1")
    assert done.code == 0
    assert done.err == "warning: models/1.0.1/metadata.json is not signed\n"


@pytest.mark.parametrize("flags", [(), ("--no-promote",), ("--dry-run",)])
def test_training_without_a_key_is_refused_before_the_search(required, cli, flags):
    """If a signature is required, `train` asks for the key before the search."""
    done = cli("train", "data/none.csv", *flags)
    assert done.code == 2
    assert "require_signature is set (ours.pub)" in done.err
    assert "hint: --sign KEY, in Python sign=KEY, signs it" in done.err
    assert not (required / "models/1.0.2").exists()


def test_training_with_another_key_is_refused_before_the_search(required, cli):
    """A key whose signature would be refused is refused before the search."""
    private, _ = write_pair(required, "theirs")
    done = cli("train", "data/none.csv", "--sign", private)
    assert done.code == 2
    assert "theirs.key is not the private key of ours.pub" in done.err


def test_training_with_the_key_goes_on_from_an_unsigned_version(required, keys, cli):
    """The first signed version can follow unsigned ones, be promoted, and predict."""
    (required / "textclf.toml").write_text(
        f'require_signature = "{keys[1]}"\n[train]\nsign = "{keys[0]}"\n'
    )
    assert cli(*TRAIN).code == 0
    assert cli("predict", "great").code == 0
    assert cli("rollback").code == 6


def test_the_environment_can_require_it(project, keys, cli, monkeypatch):
    """TEXTCLF_REQUIRE_SIGNATURE takes precedence over the setting."""
    monkeypatch.setenv("TEXTCLF_REQUIRE_SIGNATURE", os.path.abspath(keys[1]))  # noqa: PTH100
    assert cli("predict", "great").code == 6
    (project / "textclf.toml").write_text('require_signature = "none.pub"\n')
    assert cli("predict", "great").code == 6
    monkeypatch.delenv("TEXTCLF_REQUIRE_SIGNATURE")
    assert "cannot read the key none.pub" in cli("predict", "great").err


@pytest.mark.usefixtures("project")
def test_the_environment_can_require_it_of_programs(keys, cli, monkeypatch):
    """`load` obeys the variable too, unless it is given a key."""
    assert load().predict("great").label == "positive"
    monkeypatch.setenv("TEXTCLF_REQUIRE_SIGNATURE", os.path.abspath(keys[1]))  # noqa: PTH100
    with pytest.raises(IntegrityError, match="is not signed"):
        load()
    assert cli(*TRAIN, "--sign", keys[0]).code == 0
    assert load().version == "2.0.0"
    monkeypatch.setenv("TEXTCLF_REQUIRE_SIGNATURE", "")
    with pytest.raises(UsageError):
        load()
    monkeypatch.setenv("TEXTCLF_REQUIRE_SIGNATURE", "/none.pub")
    assert load(signed_by=keys[1]).version == "2.0.0"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('require_signature = ""\n', "textclf.toml: require_signature is not a file name"),
        ("require_signature = true\n", "textclf.toml: require_signature is not a file name"),
        ('require_signature = "none.pub"\n', "cannot read the key none.pub"),
        ('require_signature = "ours.key"\n', "ours.key is a private key"),
        ('[predict]\nrequire_signature = "ours.pub"\n', "predict has no option"),
        ('require_signatur = "ours.pub"\n', "did you mean 'require_signature'?"),
    ],
)
@pytest.mark.usefixtures("keys")
def test_a_requirement_that_cannot_be_met_is_no_permission(project, cli, settings, said):
    """A setting that is not valid is an error, and never allows unsigned versions."""
    (project / "textclf.toml").write_text(settings)
    done = cli("predict", "great")
    assert (done.code, done.out) == (2, "")
    assert said in done.err


@pytest.mark.parametrize(
    "value", ["", "ours.pub", "./ours.pub", "../ours.pub", "~no-such-user/ours.pub"]
)
@pytest.mark.usefixtures("keys")
def test_a_variable_that_is_not_an_absolute_path_is_no_permission(cli, monkeypatch, value):
    """The variable is an error unless it is an absolute path, or one from a home.

    A relative path would name a key in the current folder, which may be a stranger's.
    """
    monkeypatch.setenv("TEXTCLF_REQUIRE_SIGNATURE", value)
    done = cli("predict", "great")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: TEXTCLF_REQUIRE_SIGNATURE")
    for use in (load, lambda: open_registry("models")):
        with pytest.raises(UsageError, match="TEXTCLF_REQUIRE_SIGNATURE"):
            use()


def test_a_variable_may_name_a_key_at_home(project, keys, cli, monkeypatch):
    """`~` in the variable and in the setting is the user's home, whatever the current folder is."""
    monkeypatch.setenv("HOME", str(project))
    (project / "textclf.toml").write_text(f'require_signature = "~/{keys[1]}"\n')
    assert cli("predict", "great").code == 6
    (project / "textclf.toml").write_text('require_signature = "~no-such-user/ours.pub"\n')
    done = cli("predict", "great")
    assert (done.code, "there is no home for '~no-such-user/ours.pub'" in done.err) == (2, True)
    monkeypatch.setenv("TEXTCLF_REQUIRE_SIGNATURE", f"~/{keys[1]}")
    assert "is not signed" in cli("predict", "great").err


@pytest.mark.usefixtures("project")
def test_a_program_that_opens_a_registry_obeys_the_variable(keys, monkeypatch):
    """`open_registry` requires what the variable requires, unless it is given another key."""
    monkeypatch.setenv("TEXTCLF_REQUIRE_SIGNATURE", os.path.abspath(keys[1]))  # noqa: PTH100
    registry = open_registry("models")
    with pytest.raises(IntegrityError, match="is not signed"):
        registry.promote(registry.resolve("1.0.0"))
    assert str(open_registry("models", signed_by="theirs.pub").signed_by.path) == "theirs.pub"


def test_verify_says_that_the_log_is_not_signed(required, keys, cli):
    """If the log is set back to an old signed version, `verify` says which one is latest by it."""
    for version in ("1.0.0", "1.0.1"):
        assert cli("sign", version, "--key", keys[0]).code == 0
    shutil.copy(required / "models/1.0.0" / ARTIFACT, required / "models" / ARTIFACT)
    (required / "models/.registry/promotions/00000002.json").unlink()
    done = cli("verify")
    assert done.code == 0
    assert "all versions are signed" in done.out
    assert "the log, which makes 1.0.0 the latest, is not\n" in done.out


@pytest.mark.parametrize("signed", [True, False])
def test_cryptography_is_loaded_where_a_key_is_used(required, keys, cli, signed):
    """Promoting imports cryptography only if a signature is checked, and nothing heavy."""
    assert cli("sign", "1.0.0", "--key", keys[0]).code == 0
    if not signed:
        (required / "textclf.toml").unlink()
    probe = (
        "import sys; from textclf.cli.app import run; code = run(['promote', '1.0.0']);"
        "print(code, *{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe],
        capture_output=True, text=True, check=True, cwd=required, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    code, *loaded = done.stdout.splitlines()[-1].split()
    assert code == "0"
    assert ("cryptography" in loaded) == signed
    assert not {"numpy", "sklearn", "scipy", "joblib"} & set(loaded)


def plant(project, version, saved_at):
    """Copy 1.0.1 to another number, as somebody may who has no key."""
    folder = project / "models" / version
    shutil.copytree(project / "models/1.0.1", folder)
    path = folder / "metadata.json"
    changes = {"version": version, "saved_at": saved_at}
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_planted_version_stops_no_signed_training(required, keys, cli):
    """An unsigned version with the same recipe is no reason to train nothing, nor a base."""
    plant(required, "5.0.0", "2100-01-01T00:00:00Z")
    planned = cli("train", "--sign", keys[0], "--dry-run", "--json")
    assert planned.code == 0
    assert "nothing changed" not in planned.out + planned.err
    told = cli("train", "--sign", keys[0], "--from", "5.0.0", "--dry-run")
    assert (told.code, told.out) == (6, "")
    assert "5.0.0/metadata.json is not signed" in told.err


def test_planted_versions_take_no_place_among_those_that_are_kept(required, keys, cli):
    """Unsigned versions of the far future do not push signed ones out; they are kept, and told."""
    registry = registries.open_registry(required / "models")
    sign = load_signer(required / keys[0])
    registry.publish(registries.metadata("1.0.2", b"model"), b"model", sign=sign)
    for version in ("5.0.0", "6.0.0"):
        plant(required, version, "2100-01-01T00:00:00Z")
    done = cli("versions", "prune", "--keep", "1", "--dry-run", "--json")
    answer = json.loads(done.out)
    assert (done.code, answer["pruned"]) == (0, [])
    assert answer["kept"] == [{"version": "1.0.2", "why": "one of the last 1"}]
    assert "5.0.0/metadata.json is not signed; it is kept" in done.err
