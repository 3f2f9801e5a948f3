"""Drive hostile versions through every command that opens them, in processes that are watched.

``python watched_commands.py FOLDER EVERY FIRST KIND…`` makes a registry in FOLDER, plants in copies
of it one hostile version after the other (every EVERY-th of each KIND, from FIRST on) and prints a
JSON object for each command: what was planted, the command, its exit code (negative: the signal
that ended it), what it said, how many seconds of work it took, and how much memory it had. A
process has all commands for one version; one that waits for a minute is ended.

A process of its own, because it forks; no threads here.
"""

import contextlib
import gc
import io
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from itertools import islice
from pathlib import Path

import hostile_versions
from paths import TEST, TRAIN

from textclf.cli.app import run
from textclf.scorer.scorer import SCORER

SECONDS = 60
MEMORY = 3 << 30
NUMBER = "2.0.0"
GRID = """
[features.word]
ngram_range = [[1, 2]]
token_pattern = '(?i)[a-z]{2,}'
[features.char_wb]
ngram_range = [[2, 3]]
max_features = 500
[classifier.LogisticRegression]
C = [1.0]
"""
OPEN = (
    ("predict", "this is great", "--version", NUMBER),
    ("predict", "--explain", "waste of money, broke after two days", "--version", NUMBER),
    ("predict", "--file", "long.txt", "--version", NUMBER, "--format", "jsonl"),
    ("evaluate", "test.csv", "--version", NUMBER),
    ("versions", "compare", NUMBER, "1.0.0", "--data", "test.csv"),
    ("verify",),
    ("promote", NUMBER),
    ("predict", "this is great"),
)
"""Commands that open the scorer."""
RECORDED = (
    ("versions", "list"),
    ("versions", "show", NUMBER),
    ("versions", "report", NUMBER, "-o", "page.html"),
    ("versions", "report", "1.0.0", NUMBER, "-o", "both.html"),
    ("versions", "report", NUMBER, "--data", "test.csv", "-o", "rows.html"),
    ("versions", "compare", "1.0.0", NUMBER),
    ("versions", "prune", "--keep", "1", "--dry-run"),
    ("versions", "export", NUMBER, "out.tar.gz"),
    ("promote", "1.0.0", "--max-regression", "0.5"),
    ("reproduce", NUMBER, "--jobs", "1"),
    ("train", "train.csv", "--grid", "grid.toml", "--dry-run"),
)
"""Commands that believe the metadata, or open the model file."""
OFTEN = 10
"""Of how many scorers one meets the commands that do not open scorers."""


def main(folder, every, first, *kinds):
    """Print what became of each command."""
    folder = Path(folder)
    os.chdir(folder)
    prepare(folder)
    gc.freeze()  # so that children do not copy what they only look through
    files = {path.name: path.read_bytes() for path in (folder / "models/1.0.0").iterdir()}
    for kind in kinds:
        if kind == "scorers":
            planted = hostile_versions.scorers(files[SCORER])
        else:
            planted = hostile_versions.archives(files, NUMBER, folder / "canary")
        for number, (name, make) in enumerate(islice(planted, int(first), None, int(every))):
            all_commands = kind == "archives" or number % OFTEN == 0
            for outcome in attack(folder, kind, files, make(), OPEN + RECORDED * all_commands):
                sys.stdout.write(json.dumps({"planted": name, **outcome}) + "\n")
    assert not (folder / "canary").exists(), "code was run"


def prepare(folder):
    """Publish a version, and load all that honest commands load."""
    for source, target, count in ((TRAIN, "train.csv", 200), (TEST, "test.csv", 60)):
        lines = source.read_text("utf-8").splitlines(keepends=True)
        (folder / target).write_text("".join(lines[: count + 1]), "utf-8")
    (folder / "long.txt").write_text("this is great value for money\n" * 4_000)
    (folder / "grid.toml").write_text(GRID)
    train = (
        "train",
        "train.csv",
        "--test",
        "test.csv",
        "--grid",
        "grid.toml",
        "--jobs",
        "1",
        "--cv",
        "2",
    )
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert run(train) == 0
        honest = [
            [word.replace(NUMBER, "1.0.0") for word in command] for command in OPEN + RECORDED
        ]
        codes = {" ".join(command): run(command) for command in honest}
        assert set(codes.values()) <= {0, 2}, codes  # 2: a version beside itself
    shutil.copytree(folder / "models", folder / "honest")


def attack(folder, kind, files, data, commands):
    """Plant a hostile version in a copy of the registry; return what each command does."""
    shutil.rmtree(folder / "models")
    shutil.copytree(folder / "honest", folder / "models")
    for output in (*folder.glob("*.html"), *folder.glob("out.tar.gz")):
        output.unlink()
    if kind == "scorers":
        planted = hostile_versions.version_with(files, NUMBER, **{SCORER: data})
        (folder / "models" / NUMBER).mkdir()
        for name, content in planted.items():
            (folder / "models" / NUMBER / name).write_bytes(content)
    else:
        (folder / "in.tar.gz").write_bytes(data)
        commands = (("versions", "import", "in.tar.gz"), *commands)
    return watched(commands)


def watched(commands):
    """Run commands in a child, with its memory and time limited; the rest if the first succeeds."""
    with tempfile.TemporaryFile("w+") as told:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            _limited(commands, told)
        _, status, usage = os.wait4(child, 0)
        told.seek(0)
        outcomes = list(map(json.loads, told))
    if code := os.waitstatus_to_exitcode(status):
        killed = {"command": " ".join(commands[len(outcomes)]), "code": code, "said": ""}
        outcomes.append({**killed, "seconds": SECONDS})
    return [{**outcome, "bytes": usage.ru_maxrss * 1024} for outcome in outcomes]


def _limited(commands, told):
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY,) * 2)
    warnings.simplefilter("ignore")
    try:
        for number, command in enumerate(commands):
            signal.alarm(SECONDS)
            outcome = _outcome(command)
            told.write(json.dumps(outcome) + "\n")
            told.flush()
            if number == 0 and command[1] == "import" and outcome["code"]:
                break
        os._exit(0)
    finally:
        os._exit(1)


def _outcome(command):
    said, begin = io.StringIO(), time.process_time()
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(said),
    ):
        code = run(command)
    return {
        "command": " ".join(command),
        "code": code,
        "said": said.getvalue()[-2_000:],
        "seconds": round(time.process_time() - begin, 2),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
