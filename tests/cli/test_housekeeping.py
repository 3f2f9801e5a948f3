"""`textclf versions tag`, `prune`, `export` and `import`."""

import gzip
import json
import shutil
import tarfile

import pytest


@pytest.fixture
def old(project):
    """Return a folder of 1.0.0 and 1.0.1, and three older ones that were never promoted."""
    source = project / "models/1.0.0"
    for number, name in enumerate(("0.1.0", "0.2.0", "0.3.0")):
        folder = project / "models" / name
        shutil.copytree(source, folder)
        metadata = json.loads((source / "metadata.json").read_text())
        saved = f"2025-01-0{number + 1}T00:00:00Z"
        (folder / "metadata.json").write_text(
            json.dumps(metadata | {"version": name, "saved_at": saved})
        )
    return project


def folders(project):
    return sorted(path.name for path in (project / "models").glob("[0-9]*"))


def events(project):
    paths = sorted((project / "models/.registry/events").glob("*"))
    return [json.loads(path.read_text()) for path in paths]


# --- tags -----------------------------------------------------------------------------------------


def test_tags_are_put_on_and_taken_off(project, cli):
    """The answer is all tags that the version has; list and show have them, too."""
    done = cli("versions", "tag", "latest", "prod=eu", "approved-by=ada", "-m", "reviewed")
    assert (done.code, done.out, done.err) == (0, "1.0.1: approved-by=ada prod=eu\n", "")
    assert cli("versions", "tag", "1.0.1").out == done.out
    answer = json.loads(cli("versions", "tag", "1.0.1", "--remove", "prod", "--json").out)
    assert answer == {"version": "1.0.1", "tags": {"approved-by": "ada"}}
    listed = {v["version"]: v["tags"] for v in json.loads(cli("versions", "list", "--json").out)}
    assert listed == {"1.0.0": {}, "1.0.1": {"approved-by": "ada"}}
    head, first, second = cli("versions", "list").out.splitlines()
    assert "tags" in head
    assert "approved-by=ada" in first
    assert "approved-by" not in second
    shown = json.loads(cli("versions", "show", "1.0.1", "--json").out)
    assert shown["tags"] == {"approved-by": "ada"}
    assert "approved-by=ada" in cli("versions", "show", "1.0.1").out
    assert [event["message"] for event in events(project)] == ["reviewed", None]
    assert cli("versions", "tag", "1.0.1", "--remove", "approved-by").out == "1.0.1: no tags\n"


@pytest.mark.usefixtures("project")
def test_without_tags_the_list_has_no_column_of_them(cli):
    """Who has none sees none."""
    assert "tags" not in cli("versions", "list").out + cli("versions", "show", "1.0.0").out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["prod"], "'prod' is not a valid tag: write KEY=VALUE"),
        (["=x"], "'' cannot be the key of a tag"),
        (["a b=x"], "'a b' cannot be the key of a tag"),
        (["prod="], "the value of the tag prod has 0 characters"),
        (["prod=\udce9"], "bytes that are not UTF-8"),
        (["--remove", "a b"], "'a b' cannot be the key of a tag"),
    ],
)
def test_what_is_no_tag_is_2(project, cli, arguments, error):
    """And nothing is written."""
    done = cli("versions", "tag", "1.0.0", *arguments)
    assert (done.code, done.out) == (2, "")
    assert error in done.err
    assert events(project) == []


@pytest.mark.usefixtures("project")
def test_a_tag_cannot_move_the_cursor(cli):
    """What was written by others is shown, not obeyed."""
    assert cli("versions", "tag", "1.0.0", "a=\x1b[31mred").code == 0
    shown = cli("versions", "tag", "1.0.0").out + cli("versions", "list").out
    assert "\x1b" not in shown
    assert "\\x1b[31mred" in shown


# --- prune ----------------------------------------------------------------------------------------


def test_prune_removes_what_no_rule_keeps(old, cli):
    """Oldest first; latest, previous and tagged ones stay and are named with the reason."""
    cli("versions", "tag", "0.2.0", "prod=eu")
    done = cli("versions", "prune", "--keep", "2", "--older-than", "90d", "-m", "disk is full")
    assert done.code == 0
    first, second, total, kept = done.out.splitlines()
    assert (first, second) == ("pruned 0.1.0", "pruned 0.3.0")
    assert total.startswith("2 of 5 versions removed, ")
    assert kept == "kept: 1.0.1 (latest), 1.0.0 (previous), 0.2.0 (tagged prod=eu)"
    assert folders(old) == ["0.2.0", "1.0.0", "1.0.1"]
    assert [(e["kind"], e["version"], e["message"]) for e in events(old)[1:]] == [
        ("pruned", "0.1.0", "disk is full"),
        ("pruned", "0.3.0", "disk is full"),
    ]
    assert cli("verify").code == 0
    refused = cli("promote", "0.1.0")
    assert refused.code == 3
    assert "error: version 0.1.0 was pruned at 20" in refused.err
    assert ": disk is full" in refused.err


def test_a_dry_run_removes_nothing(old, cli):
    """It says the same, and no file is another afterwards."""
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
    """There is no rule that nobody has given, and no age that is none."""
    done = cli("versions", "prune")
    assert done.code == 2
    assert "say which versions to keep" in done.err
    assert cli("versions", "prune", "--older-than", "soon").code == 2
    assert cli("versions", "prune", "--keep", "-1").code == 2
    assert cli("versions", "prune", "--keep", "5").out.startswith("0 of 2 versions to prune\n")


def test_a_damaged_version_is_kept(old, cli):
    """Of what cannot be read nobody knows how old it is."""
    (old / "models/0.1.0/metadata.json").write_text("{")
    done = cli("versions", "prune", "--keep", "0")
    assert done.code == 0
    assert "warning: models/0.1.0/metadata.json is damaged" in done.err
    assert folders(old) == ["0.1.0", "1.0.0", "1.0.1"]


def test_a_prune_that_fails_is_finished_by_repair(old, cli, monkeypatch):
    """The disk refuses: the hint says how to go on, verify names it, --repair finishes it."""
    rename = type(old).rename

    def refuse(path, target):
        if path.name == "0.1.0":
            raise OSError(5, "Input/output error")
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(type(old), "rename", refuse)
        done = cli("versions", "prune", "--keep", "4")
    assert done.code == 1
    assert "cannot remove models/0.1.0: Input/output error" in done.err
    assert "textclf verify --repair" in done.err
    assert "0.1.0 was pruned, but is still there" in cli("verify").out
    assert "repaired: finished removing 0.1.0" in cli("verify", "--repair").out
    assert "0.1.0" not in folders(old)


# --- export and import ----------------------------------------------------------------------------


def test_a_version_goes_to_another_registry(project, cli):
    """Exported, imported under its number, promoted, and it labels the same."""
    done = cli("versions", "export", "latest", "model.tar.gz")
    size = (project / "model.tar.gz").stat().st_size
    files = len(list((project / "models/1.0.1").iterdir()))
    assert done.out == f"model.tar.gz: 1.0.1, {files} files, {size:,} bytes\n"
    other = ("--models", "other")
    done = cli("versions", "import", "model.tar.gz", *other)
    assert (done.code, done.out) == (0, "imported 1.0.1\n")
    assert done.err == "hint: not promoted; to promote it: textclf promote 1.0.1\n"
    assert cli("versions", "import", "model.tar.gz", *other).out.startswith("1.0.1 is already here")
    assert cli("promote", "1.0.1", *other).code == 0
    assert cli("predict", "so great", *other).out == cli("predict", "so great").out
    assert cli("verify", *other).code == 0
    ours, theirs = (
        {path.name: path.read_bytes() for path in (project / at / "1.0.1").iterdir()}
        for at in ("models", "other")
    )
    assert ours == theirs


def test_both_answer_in_json(project, cli):
    """With what a script goes on from."""
    answer = json.loads(cli("versions", "export", "1.0.0", "a.tar.gz", "--json").out)
    assert {"metadata.json", "text_classifier.joblib"} <= set(answer["files"])
    assert answer == {
        "version": "1.0.0",
        "path": "a.tar.gz",
        "bytes": (project / "a.tar.gz").stat().st_size,
        "files": answer["files"],
    }
    command = ("versions", "import", "a.tar.gz", "--models", "other", "--json", "-q")
    answers = [json.loads(cli(*command).out) for _ in range(2)]
    assert [answer.pop("changed") for answer in answers] == [True, False]
    path = "other/1.0.0/text_classifier.joblib"
    assert answers == [{"version": "1.0.0", "path": path}] * 2


def test_the_same_version_makes_the_same_archive(project, cli):
    """So that an archive can be told by its digest."""
    for name in ("a.tar.gz", "b.tar.gz"):
        assert cli("versions", "export", "1.0.0", name).code == 0
    assert (project / "a.tar.gz").read_bytes() == (project / "b.tar.gz").read_bytes()


def test_archived_pruned_and_brought_back(old, cli):
    """The way to free space and lose nothing."""
    assert cli("versions", "export", "0.1.0", "a.tar.gz").code == 0
    assert cli("versions", "prune", "--keep", "4").out.startswith("pruned 0.1.0\n")
    assert cli("versions", "import", "a.tar.gz").out == "imported 0.1.0\n"
    assert "0.1.0" in folders(old)
    assert cli("promote", "0.1.0").code == 0
    assert cli("verify").code == 0


def test_a_taken_number_is_refused(project, cli, data):
    """Another version of that number: exit 1, what to do, and nothing is touched."""
    cli("train", "--seed", "3", "--models", "other", "-q")
    cli("versions", "export", "1.0.0", "a.tar.gz", "--models", "other")
    before = (project / "models/1.0.0/metadata.json").read_bytes()
    done = cli("versions", "import", "a.tar.gz")
    assert (done.code, done.out) == (1, "")
    assert "1.0.0 is another version in this registry" in done.err
    assert "--models DIR" in done.err
    assert (project / "models/1.0.0/metadata.json").read_bytes() == before
    assert events(data) == []


def test_an_export_never_overwrites(project, cli):
    """A file that is there stays; one that cannot be written whole does not."""
    (project / "a.tar.gz").write_text("mine")
    done = cli("versions", "export", "1.0.0", "a.tar.gz")
    assert done.code == 2
    assert "a.tar.gz already exists" in done.err
    assert (project / "a.tar.gz").read_text() == "mine"
    assert cli("versions", "export", "1.0.0", "nowhere/a.tar.gz").code == 1
    (project / "models/1.0.0/text_classifier.joblib").write_bytes(b"?")
    assert cli("versions", "export", "1.0.0", "b.tar.gz").code == 6
    assert not (project / "b.tar.gz").exists()


def test_what_is_no_archive_is_6(project, cli):
    """A planted archive is refused whole: nothing is written anywhere."""
    (project / "text.tar.gz").write_text("hello")
    with tarfile.open(project / "evil.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("1.2.3/../../evil")
        archive.addfile(member)
    (project / "cut.tar.gz").write_bytes(gzip.compress(b"x" * 1000)[:-4])
    before = sorted(project.rglob("*"))
    for name in ("text", "evil", "cut"):
        done = cli("versions", "import", f"{name}.tar.gz")
        assert (done.code, done.out) == (6, "")
        assert f"error: {name}.tar.gz cannot be imported: " in done.err
        assert "textclf versions export" in done.err
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize("name", ["none.tar.gz", "data"])
@pytest.mark.usefixtures("project")
def test_an_archive_that_cannot_be_read_is_4(cli, name):
    """As every other file of the user's."""
    done = cli("versions", "import", name)
    assert done.code == 4
    assert f"error: cannot read {name}" in done.err
