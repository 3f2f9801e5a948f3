"""Damage by disks, file systems and people: each gets a sentence, and nothing is lost."""

import contextlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field

import pytest
import registries
from command_server import CommandServer

MODEL = "text_classifier.joblib"
PROMOTIONS = ".registry/promotions"
RECORD = PROMOTIONS + "/{:08d}.json"


@pytest.fixture
def models(empty):
    """Return the folder of 1.0.0, 1.1.0 and 1.2.0; the first two were promoted, in this order."""
    registries.filled(empty / "models", "1.0.0", "1.1.0", versions=3, files=registries.FURTHER)
    return empty / "models"


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def leave_staged(models):
    folder = models / ".registry/staging/half"
    folder.mkdir()
    (folder / MODEL).write_bytes(b"half")
    os.utime(folder, (0, 0))


def turn_into(make):
    """Return a damage in which something else stands in a file's place."""

    def change(path):
        path.unlink()
        make(path)

    return change


@dataclass(frozen=True)
class Damage:
    """What was done to a registry, what verify says of it, what --repair leaves, what commands say.

    Attributes:
        cause: called with the models folder.
        named: pairs of a file and the problem (its beginning).
        left: how many of these, from the first, are there still after a repair.
        codes: exit codes of commands, where they are not 0.
        kept: content that must be somewhere, whatever is done.
    """

    cause: object
    named: list
    left: int
    codes: dict = field(default_factory=dict)
    kept: bytes = b""


DAMAGES = {
    "a version without metadata": Damage(
        lambda m: (m / "1.2.0/metadata.json").unlink(),
        [("1.2.0/metadata.json", "is missing: this folder is not a version")], 1,
        {"versions show 1.2.0": 3, "promote 1.2.0": 3},
    ),
    "a file with a version's name": Damage(
        lambda m: (m / "3.0.0").write_bytes(b"mine"),
        [("3.0.0/metadata.json", "is missing: this folder is not a version")], 1,
        {"versions show 3.0.0": 3, "promote 3.0.0": 3},
        kept=b"mine",
    ),
    "metadata that are no JSON": Damage(
        lambda m: (m / "1.2.0/metadata.json").write_text("{version: 1.2.0}"),
        [("1.2.0/metadata.json", "is damaged: ")], 1,
        {"versions list": 6, "versions show 1.2.0": 6, "promote 1.2.0": 6},
    ),
    "metadata of a newer textclf": Damage(
        lambda m: edit(m / "1.2.0/metadata.json", schema=9),
        [("1.2.0/metadata.json", "was written by a later textclf (schema 9; this one reads 2)")], 1,
        {"versions list": 6, "versions show 1.2.0": 6, "promote 1.2.0": 6},
    ),
    "metadata that are a pipe": Damage(
        lambda m: turn_into(os.mkfifo)(m / "1.2.0/metadata.json"),
        [("1.2.0/metadata.json", "cannot be read: it is not a regular file")], 1,
        {"versions list": 6, "versions show 1.2.0": 1, "promote 1.2.0": 1},
    ),
    "metadata without end": Damage(
        lambda m: turn_into(lambda p: p.symlink_to("/dev/zero"))(m / "1.2.0/metadata.json"),
        [("1.2.0/metadata.json", "cannot be read: it is not a regular file")], 1,
        {"versions list": 6, "versions show 1.2.0": 1, "promote 1.2.0": 1},
    ),
    "a folder in the place of metadata": Damage(
        lambda m: turn_into(lambda p: p.mkdir())(m / "1.2.0/metadata.json"),
        [("1.2.0/metadata.json", "is not a file")], 1,
        {"versions list": 6, "versions show 1.2.0": 6, "promote 1.2.0": 6},
    ),
    "metadata that are no text": Damage(
        lambda m: (m / "1.2.0/metadata.json").write_bytes(b'{"version": "\xff"}'),
        [("1.2.0/metadata.json", "is damaged: ")], 1,
        {"versions list": 6, "versions show 1.2.0": 6, "promote 1.2.0": 6},
    ),
    "metadata larger than any": Damage(
        lambda m: os.truncate(m / "1.2.0/metadata.json", 1 << 40),
        [("1.2.0/metadata.json", "cannot be read: it has more than 64 MB")], 1,
        {"versions list": 6, "versions show 1.2.0": 1, "promote 1.2.0": 1},
    ),
    "a record that is a pipe": Damage(
        lambda m: turn_into(os.mkfifo)(m / RECORD.format(1)),
        [(RECORD.format(1), "cannot be read: it is not a regular file")], 1,
        {"history": 6, "promote 1.2.0": 1, "rollback": 1},
    ),
    "a record larger than any": Damage(
        lambda m: os.truncate(m / RECORD.format(1), 1 << 40),
        [(RECORD.format(1), "cannot be read: it has more than 16 MB")], 1,
        {"history": 6, "promote 1.2.0": 1, "rollback": 1},
    ),
    "a further file that is damaged": Damage(
        lambda m: (m / "1.2.0/notes.md").write_bytes(b"# Other"),
        [("1.2.0/notes.md", "is not the file that was published")], 1,
        {"promote 1.2.0": 6},
    ),
    "a further file that is missing": Damage(
        lambda m: (m / "1.2.0/words.bin").unlink(),
        [("1.2.0/words.bin", "is missing")], 1,
        {"promote 1.2.0": 6},
    ),
    "an unknown file in a version": Damage(
        lambda m: (m / "1.1.0/thoughts.txt").write_bytes(b"mine"),
        [("1.1.0/thoughts.txt", "was not published with this version")], 1,
        kept=b"mine",
    ),
    "an alias edited by hand": Damage(
        lambda m: (m / MODEL).write_bytes(b"edited"),
        [(MODEL, "is not the promoted version 1.1.0")], 0,
        kept=b"edited",
    ),
    "an alias deleted": Damage(
        lambda m: (m / MODEL).unlink(), [(MODEL, "is missing; 1.1.0 is promoted")], 0,
    ),
    "an alias that is a link to another version": Damage(
        lambda m: turn_into(lambda p: p.symlink_to("1.0.0/" + MODEL))(m / MODEL),
        [(MODEL, "is not the promoted version 1.1.0")], 0,
    ),
    "an alias that is a pipe": Damage(
        lambda m: turn_into(os.mkfifo)(m / MODEL),
        [(MODEL, "cannot be read: it is not a regular file")], 1,
        {"promote 1.2.0": 1, "rollback": 1},
    ),
    "a folder in the alias's place": Damage(
        lambda m: turn_into(lambda p: (p.mkdir(), (p / "mine").write_bytes(b"mine")))(m / MODEL),
        [(MODEL, "is missing; 1.1.0 is promoted")], 1,
        {"promote 1.2.0": 1, "rollback": 1},
        kept=b"mine",
    ),
    "a gap in the log": Damage(
        lambda m: (m / RECORD.format(1)).unlink(),
        [(RECORD.format(2), "record 1 is missing before it")], 1,
    ),
    "a log whose end is damaged": Damage(
        lambda m: (m / RECORD.format(2)).write_bytes(b""),
        [(RECORD.format(2), "is damaged: not a promotion record")], 1,
        dict.fromkeys(
            ["versions list", "versions show 1.2.0", "history", "promote 1.2.0", "rollback"], 6
        ),
    ),
    "a log that is lost": Damage(
        lambda m: shutil.rmtree(m / PROMOTIONS),
        [(PROMOTIONS, f"is empty, but {MODEL} is a version of this registry")], 1,
        {"rollback": 3},
    ),
    "a file in the log's place": Damage(
        lambda m: (shutil.rmtree(m / PROMOTIONS), (m / PROMOTIONS).write_bytes(b"mine")),
        [(PROMOTIONS, f"is empty, but {MODEL} is a version of this registry")], 1,
        {"promote 1.2.0": 1, "rollback": 3},
        kept=b"mine",
    ),
    "work that was left behind": Damage(
        leave_staged, [(".registry/staging/half", "was left by an interrupted writer")], 0,
    ),
}  # fmt: skip


def contents(models):
    return {path: content(path) for path in models.rglob("*") if path.is_file()}


def published(models):
    """Every file of every version, and every record: what no command may change."""
    files = [*models.glob("[0-9]*/**/*"), *models.glob(".registry/[pe]*/*.json")]
    return {str(path): content(path) for path in files if path.is_file()}


def content(path):
    """Return what a file holds, or the size of one that is larger than the memory."""
    size = path.stat().st_size
    return path.read_bytes() if size < 1 << 30 else size


def problems(cli):
    return json.loads(cli("verify", "--json").out)["problems"]


@pytest.mark.parametrize("name", DAMAGES)
def test_verify_names_each_and_repairs_what_is_derived(models, cli, name):
    """Verify names each damage once; --repair restores the alias and staging, and nothing else."""
    damage = DAMAGES[name]
    damage.cause(models)
    before = published(models)
    found = problems(cli)
    assert [problem["file"] for problem in found] == [file for file, _ in damage.named]
    for problem, (_, beginning) in zip(found, damage.named, strict=True):
        assert problem["problem"].startswith(beginning)
    assert cli("verify").code == 6
    repaired = cli("verify", "--repair")
    assert repaired.code == (6 if damage.left else 0), repaired
    assert problems(cli) == found[: damage.left]
    assert published(models) == before
    assert not damage.kept or damage.kept in contents(models).values()


@pytest.mark.parametrize("name", DAMAGES)
def test_other_commands_go_on_or_say_one_sentence(models, cli, name):
    """What can be done is done; else there is a sentence and its code, and nothing is lost."""
    damage = DAMAGES[name]
    damage.cause(models)
    before = published(models)
    commands = ["versions list", "versions show 1.2.0", "history", "promote 1.2.0", "rollback"]
    for command in commands:
        done = cli(*command.split())
        assert done.code == damage.codes.get(command, 0), f"{command}: {done}"
        told = [line for line in done.err.splitlines() if line.startswith(("error", "warning"))]
        assert len(told) <= 1, "a sentence"
        assert bool(done.code) <= bool(told)
        assert "unexpected" not in done.err
        assert before.items() <= published(models).items()
    assert not damage.kept or damage.kept in contents(models).values()


@pytest.mark.parametrize(
    "command",
    ["train", "predict x", "versions list", "versions show 1.0.0", "history", "promote 1.0.0",
     "rollback", "verify", "verify --repair"],
)  # fmt: skip
def test_models_is_a_file(empty, write_data, cli, command):
    """If the models folder is a file, every command says so and none changes it."""
    write_data(empty / "data/train.csv")
    (empty / "models").write_bytes(b"mine")
    done = cli(*command.split())
    assert (done.code, done.out) == (1, "")
    error, hint = done.err.splitlines()
    assert error == "error: models is not a folder, so no models can be kept there"
    assert hint == "hint: name another with --models"
    assert (empty / "models").read_bytes() == b"mine"


@pytest.fixture(scope="module")
def powerless_server():
    """Start a process that permissions bind: root gives up its power over them."""
    power = []
    if os.geteuid() == 0:
        power = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        if not shutil.which("setpriv") or subprocess.run([*power, "true"], check=False).returncode:
            pytest.skip("root cannot give up its power here")
    with contextlib.closing(CommandServer(power)) as server:
        yield server


@pytest.fixture
def powerless(powerless_server, empty):
    """Run a command in the current folder as somebody whom permissions bind."""
    return lambda *arguments: powerless_server.run(empty, arguments)


@pytest.fixture
def forbidden(models):
    """Take permissions from every folder of the registry; they are given back in the end."""
    folders = [models, *(path for path in models.rglob("*") if path.is_dir())]

    def forbid(mode):
        for folder in reversed(folders):
            folder.chmod(mode)

    yield forbid
    for folder in folders:
        folder.chmod(0o755)


def test_a_read_only_folder(models, forbidden, powerless, write_data):
    """In a read-only folder reading works, and writing is refused, by train before the search."""
    write_data(models.parent / "data.csv", 12)
    before = contents(models)
    forbidden(0o555)
    for command in ("versions list", "history", "verify", "verify --repair", "promote 1.1.0"):
        code, _, err = powerless(*command.split())
        assert (code, err) == (0, ""), command
    for command in ("promote 1.2.0", "rollback", "train data.csv --cv 2"):
        code, out, err = powerless(*command.split())
        assert (code, out) == (1, ""), command
        assert err.splitlines()[-1].startswith("error: cannot write models")
        assert err.endswith(": Permission denied\n")
    assert contents(models) == before


@pytest.mark.parametrize("command", ["versions list", "history", "promote 1.1.0", "verify"])
def test_a_folder_without_permission(models, forbidden, powerless, command):
    """A folder that may not be read is an error, and not an empty registry."""
    before = contents(models)
    forbidden(0o000)
    exit_code, out, err = powerless(*command.split())
    forbidden(0o755)
    assert exit_code == 1
    assert out == ""
    assert err.startswith("error: cannot ")
    assert err.endswith(": Permission denied\n")
    assert contents(models) == before


def test_versions_without_permission(models, powerless):
    """Verify names each version that cannot be read, and checks the others."""
    (models / "1.0.0").chmod(0o000)
    (models / "1.1.0").chmod(0o111)  # its files can be read, but not listed
    (models / "1.2.0/notes.md").write_bytes(b"# Other")
    exit_code, out, _ = powerless("verify", "--json")
    for version in ("1.0.0", "1.1.0"):
        (models / version).chmod(0o755)
    assert exit_code == 6
    unreadable = "cannot be read: Permission denied"
    assert [(p["version"], p["file"], p["problem"]) for p in json.loads(out)["problems"]] == [
        ("1.0.0", "1.0.0/metadata.json", unreadable),
        ("1.1.0", "1.1.0", unreadable),
        ("1.2.0", "1.2.0/notes.md", "is not the file that was published (its SHA-256 differs)"),
    ]


UNREADABLE = {
    "a folder": turn_into(lambda path: path.mkdir()),
    "a pipe": turn_into(os.mkfifo),
    "a device": turn_into(lambda path: path.symlink_to("/dev/zero")),
    "a link to itself": turn_into(lambda path: path.symlink_to(path)),
    "no text": lambda path: path.write_bytes(b"\xff" * 100),
    "too deep": lambda path: path.write_bytes(b"[" * 1_000_000),
    "huge": lambda path: os.truncate(path, 1 << 40),
    "not to be read": lambda path: path.chmod(0o000),
}


@pytest.fixture
def many(empty):
    """Return the folder of 1.0.0 to 1.5.0; the last two were promoted, in this order."""
    registries.filled(empty / "models", "1.4.0", "1.5.0", versions=6, files=registries.FURTHER)
    return empty / "models"


@pytest.mark.parametrize("kind", UNREADABLE)
def test_one_unreadable_version_is_named_and_the_rest_goes_on(many, powerless, kind):
    """No command that looks at all versions gives up at one that cannot be read."""
    UNREADABLE[kind](many / "1.2.0/metadata.json")
    (many / "1.3.0/notes.md").write_bytes(b"# Other")
    (many / MODEL).write_bytes(b"edited")

    code, out, err = powerless("versions", "list", "--json")
    others = [f"1.{minor}.0" for minor in (5, 4, 3, 1, 0)]
    assert (code, [version["version"] for version in json.loads(out)]) == (6, others)
    assert err.startswith("warning: ")
    assert "1.2.0/metadata.json" in err

    code, out, _ = powerless("verify", "--repair", "--json")
    answer = json.loads(out)
    assert (code, answer["versions"], answer["failed"]) == (6, 6, [])
    assert [action.split(";")[0] for action in answer["repaired"]] == [f"restored models/{MODEL}"]
    assert [problem["version"] for problem in answer["problems"]] == ["1.2.0", "1.3.0"]

    code, out, err = powerless("versions", "prune", "--keep", "3")
    assert (code, out.splitlines()[:2]) == (0, ["pruned 1.0.0", "pruned 1.1.0"])
    assert "1.2.0/metadata.json" in err
    assert (many / "1.2.0").exists()

    (many / MODEL).write_bytes(b"edited again")
    for command, expected in (("promote 1.3.0", 6), ("rollback", 0), ("history", 0)):
        assert powerless(*command.split())[0] == expected, command


def test_one_version_that_cannot_be_removed_is_named_and_the_rest_pruned(many, powerless):
    """A folder that may not be renamed stays; the others are removed, and the exit code says so."""
    (many / "1.1.0/notes.md").unlink()
    (many / "1.1.0").chmod(0o555)
    code, out, err = powerless("versions", "prune", "--keep", "2")
    (many / "1.1.0").chmod(0o755)
    assert code == 1
    assert not (many / "1.0.0").exists()
    assert not (many / "1.2.0").exists()
    assert (many / "1.1.0").exists()
    assert "pruned 1.2.0" in out
    assert err.splitlines()[0].startswith("error: cannot remove models/1.1.0: ")
    assert "verify --repair" in err


def test_one_damaged_record_is_named_and_the_rest_of_the_history_shown(models, cli):
    """The history shows the records that can be read, and exits 6."""
    (models / RECORD.format(1)).write_bytes(b"{")
    done = cli("history", "--json")
    assert (done.code, [record["n"] for record in json.loads(done.out)]) == (6, [2])
    assert f"warning: models/{RECORD.format(1)} is damaged" in done.err
