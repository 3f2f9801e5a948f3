"""The state of a work tree is read as Git would say it, and nothing in the folder is run."""

import os
import shutil
import subprocess

import pytest
from paths import ROOT

from textclf.training.git_state import GitState, read_git_state

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git to make repositories")


class Repository:
    """A repository made by Git itself, without the settings of whoever runs the tests."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def git(self, *words):
        """Run Git and return what it prints."""
        env = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self.folder),
        }
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        done = subprocess.run(
            ["git", *who, *words], cwd=self.folder, env=env, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def commit(self, **files):
        """Write files and commit everything."""
        for name, content in files.items():
            (self.folder / name).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "m")

    def expected(self):
        """What Git says. It refreshes the index on the way, so it is asked last."""
        status = self.git("status", "--porcelain", "--untracked-files=no")
        return GitState(self.git("rev-parse", "HEAD"), bool(status))


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "repository")
    made.git("init", "--quiet", "-b", "main")
    made.commit(one="1", two="2\n")
    return made


CHANGES = {
    "nothing": lambda _: None,
    "an untracked file": lambda r: (r.folder / "three").write_text("3"),
    "an edit": lambda r: (r.folder / "one").write_text("another"),
    "an edit of the same size": lambda r: (r.folder / "one").write_text("9"),
    "a file removed": lambda r: (r.folder / "one").unlink(),
    "a file made executable": lambda r: (r.folder / "one").chmod(0o755),
    "a link in place of a file": lambda r: [
        (r.folder / "one").unlink(),
        (r.folder / "one").symlink_to("two"),
    ],
    "a folder in place of a file": lambda r: [
        (r.folder / "one").unlink(),
        (r.folder / "one").mkdir(),
    ],
    "a new time only": lambda r: os.utime(r.folder / "one", (1, 1)),
    "a staged edit": lambda r: [
        (r.folder / "one").write_text("another"),
        r.git("add", "one"),
    ],
    "a staged removal": lambda r: r.git("rm", "-q", "one"),
    "a commit taken back": lambda r: [
        r.commit(one="another"),
        r.git("reset", "--quiet", "--soft", "HEAD~1"),
    ],
    "a second commit": lambda r: r.commit(one="another"),
    "another branch": lambda r: r.git("checkout", "-q", "-b", "feature/x"),
    "no branch": lambda r: r.git("checkout", "-q", "--detach"),
    "packed objects and refs": lambda r: r.git("gc", "-q"),
    "an edit after packing": lambda r: [
        r.git("gc", "-q"),
        (r.folder / "two").write_text("another"),
    ],
    "a commit in the second pack": lambda r: [
        r.git("repack", "-q"),
        r.commit(one="another"),
        r.git("repack", "-q"),
        r.git("prune-packed"),
    ],
    "files in folders": lambda r: [
        (r.folder / "a/b").mkdir(parents=True),
        r.commit(**{"a/b/c": "1", "a.b": "2", "a/d": "3"}),
    ],
    "a link committed": lambda r: [(r.folder / "l").symlink_to("one"), r.commit()],
    "a link to another file with a name as long": lambda r: [
        (r.folder / "l").symlink_to("one"),
        r.commit(),
        (r.folder / "l").unlink(),
        (r.folder / "l").symlink_to("two"),
    ],
    "a path of 200 characters before a short one, in version 4": lambda r: [
        r.commit(**{"a" * 200: "1"}),
        r.git("update-index", "--index-version=4"),
        (r.folder / "one").write_text("another"),
    ],
    "paths that share their beginnings, in version 4": lambda r: [
        r.commit(**{f"file{n}": str(n) for n in range(30)}),
        r.git("update-index", "--index-version=4"),
        (r.folder / "file7").write_text("another"),
    ],
    "an edit that Git was told to ignore": lambda r: [
        r.git("update-index", "--assume-unchanged", "one"),
        (r.folder / "one").write_text("another"),
    ],
    "a file outside a sparse checkout": lambda r: [
        r.git("update-index", "--skip-worktree", "one"),
        (r.folder / "one").unlink(),
    ],
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_state_is_what_git_says(repository, change):
    """The commit and whether anything tracked differs from it agree with ``git status``."""
    CHANGES[change](repository)
    state = read_git_state(repository.folder)
    assert state == repository.expected()


def test_a_conflict_is_a_modification(repository):
    """Entries of an unfinished merge mean that the work tree is modified."""
    repository.git("checkout", "-q", "-b", "other")
    repository.commit(one="theirs")
    repository.git("checkout", "-q", "main")
    repository.commit(one="ours")
    with pytest.raises(subprocess.CalledProcessError):
        repository.git("merge", "other")
    assert read_git_state(repository.folder).modified is True


def test_a_linked_work_tree(repository, tmp_path):
    """A work tree whose ``.git`` is a file has its own HEAD and the refs of the main one."""
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = Repository(tmp_path / "side")
    assert read_git_state(side.folder) == side.expected()
    side.commit(one="on the side")
    assert read_git_state(side.folder) == side.expected()
    assert read_git_state(side.folder).commit != read_git_state(repository.folder).commit


def test_a_folder_within(repository):
    """The work tree is found from any folder in it."""
    inner = repository.folder / "a" / "b"
    inner.mkdir(parents=True)
    assert read_git_state(inner) == repository.expected()


def test_what_is_not_read_here_is_unknown(repository):
    """A split index is not read: whether anything is modified is unknown, the commit is known."""
    repository.git("update-index", "--split-index")
    state = read_git_state(repository.folder)
    assert state == GitState(repository.git("rev-parse", "HEAD"), None)


UNKNOWN = {
    "an index of a pack in the first version": lambda r: r.git(
        "-c", "pack.indexVersion=1", "gc", "-q"
    ),
    "a damaged commit": lambda r: shutil.copy(*(_object(r, name) for name in ("HEAD:one", "HEAD"))),
}


def _object(repository, name):
    digest = repository.git("rev-parse", name)
    path = repository.folder / ".git" / "objects" / digest[:2] / digest[2:]
    path.chmod(0o644)
    return path


@pytest.mark.parametrize("change", UNKNOWN)
def test_without_the_commit_only_its_name_is_known(repository, change):
    """Where the object of the commit is not read, it is unknown whether anything differs."""
    commit = repository.git("rev-parse", "HEAD")
    UNKNOWN[change](repository)
    assert read_git_state(repository.folder) == GitState(commit, None)


def test_a_head_that_is_no_commit_is_known_by_its_name(repository):
    """Such as the tree that a commit holds, in a pack."""
    tree = repository.git("rev-parse", "HEAD^{tree}")
    repository.git("gc", "-q")
    (repository.folder / ".git/HEAD").write_text(f"{tree}\n")
    assert read_git_state(repository.folder) == GitState(tree, None)


def test_an_index_with_a_file_in_the_place_of_a_folder_is_not_read(repository):
    """Git writes no such index; the commit is known."""
    repository.commit(**{"one-x": "1"})
    repository.git("update-index", "--assume-unchanged", "one-x")
    path = repository.folder / ".git/index"
    path.write_bytes(path.read_bytes().replace(b"one-x", b"one/x"))
    state = read_git_state(repository.folder)
    assert state == GitState(repository.git("rev-parse", "HEAD"), None)


def test_a_branch_that_leads_to_itself_is_unknown(repository):
    """Symbolic refs are not followed forever."""
    (repository.folder / ".git/refs/heads/main").write_text("ref: refs/heads/main\n")
    assert read_git_state(repository.folder) == GitState()


def test_a_difference_that_a_filter_may_explain_is_unknown(repository):
    """With attributes the bytes in the work tree may rightly differ from those committed."""
    repository.commit(**{".gitattributes": "*.txt text\n"})
    (repository.folder / "one").write_text("another")
    assert read_git_state(repository.folder).modified is None


def test_no_repository_and_no_commit(tmp_path):
    """Outside a repository, and before its first commit, nothing is known."""
    assert read_git_state(tmp_path) == GitState()
    empty = Repository(tmp_path / "empty")
    empty.git("init", "--quiet")
    assert read_git_state(empty.folder) == GitState()


def _program(folder):
    script = folder / "program"
    script.write_text(f"#!/bin/sh\ntouch {folder}/ran\ncat\n")
    script.chmod(0o755)
    return script


def test_nothing_that_the_repository_names_is_run(repository, tmp_path):
    """Filters, fsmonitor, hooks, aliases and external diffs of its configuration stay unused.

    ``git status`` runs the filter, which shows that the trap works.
    """
    program = _program(tmp_path)
    repository.commit(**{".gitattributes": "* filter=x diff=x\n"})
    for name in ("filter.x.clean", "filter.x.process", "core.fsmonitor", "diff.external",
                 "diff.x.command", "core.pager", "core.sshCommand", "alias.status"):  # fmt: skip
        repository.git("config", name, str(program))
    hooks = repository.folder / ".git" / "hooks"
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        shutil.copy(program, hooks / name)
    (repository.folder / "one").write_text("9")
    state = read_git_state(repository.folder)
    assert state.modified is None
    assert not (tmp_path / "ran").exists()
    subprocess.run(["git", "status"], cwd=repository.folder, capture_output=True, check=False)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["HEAD", "index", "refs/heads/main", "packed-refs", "commondir"])
@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\0" * 100, b"ref: ref: x", b"ref: HEAD", b"ref: refs/heads/../../x"),
        b"DIRC\0\0\0\4\xff\xff\xff\xff",
    ],
)
def test_a_damaged_repository_is_unknown_and_no_error(repository, name, content):
    """Whatever its files hold, the answer is a state."""
    path = repository.folder / ".git" / name
    path.write_bytes(content)
    assert isinstance(read_git_state(repository.folder), GitState)


def test_pipes_and_devices_do_not_hang_it(repository):
    """A pipe or a device in the place of a file is not waited for."""
    for name in ("HEAD", "index"):
        path = repository.folder / ".git" / name
        kept = path.read_bytes()
        path.unlink()
        os.mkfifo(path)
        assert isinstance(read_git_state(repository.folder), GitState)
        path.unlink()
        path.write_bytes(kept)
    (repository.folder / "one").unlink()
    os.mkfifo(repository.folder / "one")
    assert read_git_state(repository.folder).modified is True


def test_this_checkout():
    """The repository of textclf itself, where there is one, is read as Git reads it."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert read_git_state(ROOT).commit == commit.stdout.strip()
