"""Every door through which bytes come in, as a function of bytes, for hypothesis and for atheris.

A target returns whatever the bytes are: what they mean is a value or a sentence, never another
exception. ``python tests/fuzz.py SECONDS [TARGET]...`` lets atheris, if it is there, look for bytes
that take new paths through textclf.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_CODES = {0, 1, 2, 3, 4, 6}
_WRITERS = {"train", "promote", "rollback", "verify"}

GRID = "[features.word]\n[classifier.ComplementNB]\nalpha = [1]\n"
DATA = "text,label\n" + "".join(f"good {n},a\nbad {n},b\n" for n in range(12))


def readers(data: bytes) -> None:
    """A data set: the first byte chooses its kind and how it is read, the rest is the file."""
    from textclf.data.dataset import OnBadRows, ReadOptions, read_dataset
    from textclf.data.quality import find_problems
    from textclf.errors import DataError

    choice, content = data[:1] or b"\0", data[1:]
    kinds = ("csv", "tsv", "txt", "jsonl", "json", "ft", "parquet", "csv.gz")
    kind = kinds[choice[0] % len(kinds)]
    columns = ("text", "label") if choice[0] & 0x40 else ("2", "1")
    encoding = "utf-16" if choice[0] & 0x20 else None
    path = Path(f"fuzzed.{kind}")
    path.write_bytes(gzip.compress(content, 1, mtime=0) if kind.endswith(".gz") else content)
    options = ReadOptions(*columns, encoding=encoding, on_bad_rows=OnBadRows.SKIP)
    try:
        dataset = read_dataset(path, options)
    except DataError:
        return
    assert len(dataset.texts) == len(dataset.labels) == len(dataset.places)
    assert all(text and not text.isspace() for text in dataset.texts)
    assert all(label and label == label.strip() and "\0" not in label for label in dataset.labels)
    assert len(dataset.rows_sha256) == len(dataset.sha256)
    find_problems(dataset, dataset)


def texts(data: bytes) -> None:
    """A stream of texts: the first byte chooses the encoding."""
    from textclf.cli.options.texts import open_texts
    from textclf.errors import TextclfError

    encodings = (None, "utf-16", "utf-7", "unicode_escape", "cp1252", "utf-8", "idna", "punycode")
    choice, content = data[:1] or b"\0", data[1:]
    path = Path("fuzzed.gz" if choice[0] & 0x40 else "fuzzed.txt")
    path.write_bytes(content)
    encoding = encodings[choice[0] % len(encodings)]
    with (
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.suppress(TextclfError),
        open_texts([], path) as source,
    ):
        for batch in source.batches(encoding):
            assert not any("\n" in text for text in batch)
            assert "".join(batch).encode() is not None


def space(data: bytes) -> None:
    """A search space."""
    from textclf.errors import UsageError
    from textclf.search.space import list_candidates, parse_space, read_source
    from textclf.search.space_check import check_space

    Path("fuzzed.toml").write_bytes(data)
    with contextlib.suppress(UsageError):
        source = read_source(Path("fuzzed.toml"))
        parsed = parse_space(source)
        candidates = list_candidates(parsed)
        assert all(point.features and point.classifier for point in candidates)
        if len(candidates) < 100:  # scikit-learn takes its time
            check_space(parsed, source.where)


def settings(data: bytes) -> None:
    """A settings file under a command that does nothing else."""
    Path("textclf.toml").write_bytes(data)
    try:
        _run(["versions", "list"])
    finally:
        Path("textclf.toml").unlink()


def metadata(data: bytes) -> None:
    """The metadata of a version, in a registry that is not to be trusted."""
    path = Path("hostile/1.0.0/metadata.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    for command in ("show 1.0.0", "list", "compare 1.0.0 1.0.0", "show 1.0.0 --json"):
        _run(["versions", *command.split(), "--models", "hostile"])
    _run(["verify", "--models", "hostile"])


def record(data: bytes) -> None:
    """A record of the promotion log, likewise."""
    path = Path("hostile/.registry/promotions/00000001.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    for command in ("history", "history --json", "rollback", "verify", "versions list"):
        _run([*command.split(), "--models", "hostile"])


def command(data: bytes) -> None:
    """A command line: its words are separated by null bytes."""
    words = [word.decode("utf-8", "surrogateescape") for word in data.split(b"\0")][:12]
    if any("/" in word or ".." in word or word in ("-", "dask") for word in words):
        return  # not over the fence of this folder
    if words[0] == "train":
        words = [*words[:1], "--grid", "grid.toml", "--cv", "2", *words[1:], "--dry-run"]
    before = _state()
    _run(words)
    if words[0] not in _WRITERS:
        assert _state() == before


@dataclass(frozen=True)
class Target:
    """What to run, and inputs to start from."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


TARGETS = {
    "readers": Target(
        readers,
        (
            b"\x40" + DATA.encode(),
            b'\x43{"text": "a", "label": "b"}\n',
            b"\x45__label__a b\n",
            b'\x01a\t"b\n"c"\td\n',
            b"\x60" + DATA.encode("utf-16"),
        ),
    ),
    "texts": Target(
        texts, (b"\x00one\ntwo\r\n", b"\x02+2AA-", b"\x01\xff\xfea\0", b"\x40\x1f\x8b")
    ),
    "space": Target(
        space, (GRID.encode(), b"[[space]]\n" + GRID.replace("[", "[space.", 2).encode())
    ),
    "settings": Target(settings, (b'models = "x"\n[train]\nseed = 1\n', b"json = true\n")),
    "metadata": Target(metadata, ()),
    "record": Target(record, ()),
    "command": Target(
        command,
        (
            b"predict\0good\0--json",
            b"check\0--delimiter\0;\0--encoding\0utf-8",
            b"versions\0show\0latest",
            b"promote\x001.0.0\0-m\0why",
            b"train\0--text-column\0text\0--cv\x003\0--seed\x001",
            b"verify\0--repair",
            b"evaluate\0data.csv\0--on-bad-rows\0skip",
        ),
    ),
}


def prepare() -> None:
    """Make the current folder a project: data, a small search space, two versions."""
    Path("data").mkdir()
    Path("data/train.csv").write_text(DATA, "utf-8")
    Path("data.csv").write_text(DATA, "utf-8")
    Path("grid.toml").write_text(GRID, "utf-8")
    for bump in ("major", "patch"):
        assert _run(["train", "--grid", "grid.toml", "--cv", "2", "--bump", bump]) == 0


def seeds(name: str) -> tuple[bytes, ...]:
    """What to start from; of files that textclf writes, those of the project."""
    written = {
        "metadata": "models/1.0.0/metadata.json",
        "record": "models/.registry/promotions/00000001.json",
    }
    made = (Path(written[name]).read_bytes(),) if name in written else ()
    return TARGETS[name].seeds + made


def _run(words: list[str]) -> int:
    """Run a command; what it says is a sentence, and obeyed by no terminal."""
    from textclf.cli.app import run

    out = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", newline="")
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", newline="")
    stdin = io.TextIOWrapper(io.BytesIO(b"some text\n"), "utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        sys.stdin, before = stdin, sys.stdin
        try:
            code = run(words)
        finally:
            sys.stdin = before
    said = "".join(stream.buffer.getvalue().decode() for stream in (out, err) if not stream.flush())
    assert code in _CODES, (words, code, said)
    assert "error: unexpected" not in said, (words, said)
    assert not _RAW.search(said), (words, said)
    return code


def _state() -> list[tuple[str, bytes]]:
    files = (path for path in Path("models").rglob("*") if path.is_file())
    return sorted((str(path), path.read_bytes()) for path in files)


def main() -> None:
    """Fuzz each target for so many seconds, in a process and a folder of its own."""
    seconds, *names = sys.argv[1:]
    try:
        import atheris  # noqa: F401 - only to know whether it is there
    except ImportError as error:
        sys.stdout.write(
            f"skipped: atheris, which would steer the fuzzing, is not there: {error}\n"
        )
        return
    for name in names or TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            words = [sys.executable, __file__, "--one", name, seconds]
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        runs = re.search(r"stat::number_of_executed_units: *(\d+)", done.stderr)
        sys.stdout.write(f"{name}: {runs[1] if runs else 0} cases in {seconds} s\n")
        sys.stdout.flush()
        if done.returncode:
            sys.exit(done.stderr[-5000:])


_FUZZED = (
    "cli.app", "cli.options.texts", "data.quality", "evaluation.metadata_diff",
    "registry.registry", "search.space",
)  # fmt: skip


def _fuzz(name: str, seconds: str) -> None:
    import atheris

    with atheris.instrument_imports(include=["textclf", "tomllib", "json"]):
        for module in _FUZZED:
            importlib.import_module(f"textclf.{module}")
    prepare()
    Path("corpus").mkdir()
    for number, seed in enumerate(seeds(name)):
        Path(f"corpus/{number}").write_bytes(seed)
    flags = [f"-max_total_time={seconds}", "-max_len=8192", "-timeout=20", "-rss_limit_mb=4000"]
    atheris.Setup([name, *flags, "-print_final_stats=1", "corpus"], TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        _fuzz(*sys.argv[2:])
    else:
        main()
