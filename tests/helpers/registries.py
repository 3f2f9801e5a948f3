"""Small registries for tests: made without scikit-learn, checked without textclf."""

import hashlib
import itertools
import json
import os
import re
import shutil
from pathlib import Path

import msgspec

from textclf.metadata.schema import (
    ARTIFACT,
    METADATA,
    SCHEMA,
    BumpRecord,
    Candidate,
    ClassMetrics,
    Code,
    Confusion,
    DataRecord,
    Environment,
    FileRecord,
    Metadata,
    Metrics,
    SearchRecord,
    TestRecord,
)
from textclf.metadata.sketch import Sketch
from textclf.metadata.versions import Bump, parse_version
from textclf.registry.publisher import next_number
from textclf.registry.registry import Registry
from textclf.registry.store.local import LocalStore

LOG = Path(".registry/promotions")
CHANNELS = Path(".registry/channels")
EVENTS = Path(".registry/events")
HOLDS = Path(".registry/holds")
STAGING = Path(".registry/staging")
REPLACED = Path(".registry/replaced")
FURTHER = {"notes.md": b"# Notes\n", "words.bin": bytes(range(256)) * 40}
"""Further files of a version."""
_SERIAL = itertools.count()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def artifact():
    """Bytes that were never made before, and that end in the digest of what stands before it."""
    body = f"{os.getpid()}-{next(_SERIAL)}\n".encode() * 2000
    return body + hashlib.sha256(body).digest()


def is_whole(data):
    """Whether ``data`` is all of what ``artifact`` made."""
    return hashlib.sha256(data[:-32]).digest() == data[-32:]


def sketch(rows=range(40)):
    return Sketch.from_rows([f"text {n}" for n in rows], ["neg" if n % 2 else "pos" for n in rows])


def metrics(f1_neg=0.5, f1_pos=1.0, accuracy=0.75):
    return Metrics(
        accuracy=accuracy,
        macro_f1=(f1_neg + f1_pos) / 2,
        weighted_f1=0.75,
        per_class={
            "neg": ClassMetrics(precision=0.5, recall=0.5, f1=f1_neg, support=2),
            "pos": ClassMetrics(precision=1.0, recall=1.0, f1=f1_pos, support=2),
        },
        confusion=Confusion(labels=["neg", "pos"], matrix=[[1, 1], [0, 2]]),
    )


def metadata(version="1.0.0", model=b"model", /, **changes):
    """A valid record of a version whose model file is ``model``."""
    space = [
        {
            "features": {"word": {"ngram_range": [[1, 1], [1, 2]], "min_df": [1]}},
            "classifier": {"LinearSVC": {"C": [0.1, 1.0]}},
        }
    ]
    candidates = [
        Candidate({"classifier": "LinearSVC", "C": c}, 0.7, 0.1, [0.6, 0.8], 0.7, 0.01)
        for c in (0.1, 1.0)
    ]
    made = Metadata(
        version=version,
        saved_at="2026-01-02T03:04:05Z",
        best_params={"classifier": "LinearSVC", "C": 1.0},
        best_cv_accuracy=0.7,
        test_accuracy=0.75,
        schema=SCHEMA,
        task="text-classification",
        bump=BumpRecord("auto", "major", ["the first version"], None),
        artifact=FileRecord(ARTIFACT, sha256(model), len(model)),
        data=DataRecord(
            path="data/train.csv",
            sha256="d" * 64,
            rows=40,
            labels={"neg": 20, "pos": 20},
            sketch=sketch(),
            rows_sha256="r" * 64,
            format="csv",
            read={"text_column": "text", "label_column": "label", "delimiter": None},
        ),
        test=TestRecord(4, "t" * 64, metrics(), path="data/test.csv", sha256="e" * 64),
        search=SearchRecord(space, "accuracy", 5, 0, candidates),
        environment=Environment("3.11.7", "Linux", {"scikit-learn": "1.6.0", "numpy": "2.0.0"}),
        code=Code("0.1.0", "c" * 64, None, None),
        message=None,
        seconds={"read": 0.1, "search": 1.0},
    )
    return msgspec.structs.replace(made, **changes)


def open_registry(root):
    return Registry(LocalStore(root))


def publish(registry, bump=Bump.MINOR, *, base=None, data=None, files=None):
    """Publish the version that follows ``base`` (the highest), as training does."""
    base = parse_version(base) if base else registry.highest()
    version = next_number(registry, base, bump)
    record = BumpRecord(bump.value, bump.value, ["a test"], str(base) if base else None)
    data = data or artifact()
    return registry.publish(metadata(str(version), data, bump=record), data, files)


def filled(root, *promoted, versions=2, files=None):
    """A registry of 1.0.0, 1.1.0, … where ``promoted`` were promoted, in this order."""
    registry = open_registry(root)
    for _ in range(versions):
        publish(registry, files=files)
    for version in promoted:
        registry.promote(parse_version(version))
    return registry


def refusal(error, call, *arguments, **options):
    """Return the message and the hint of the error that a call raises."""
    try:
        call(*arguments, **options)
    except error as raised:
        return str(raised), raised.hint
    raise AssertionError("nothing was raised")


# -- damage ------------------------------------------------------------------------------------


def edit(path, **changes):
    """Change fields of a JSON file in place."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def remove(root, version):
    """Delete the folder of a version, as somebody may."""
    shutil.rmtree(root / version)


# -- what lies on disk, read without textclf ----------------------------------------------------


def version_folders(root):
    """The names of the folders of versions."""
    return sorted(path.name for path in Path(root).glob("[0-9]*"))


def version_files(root):
    """Every file of every version: path below ``root`` → content."""
    folders = [p for p in Path(root).glob("*") if re.fullmatch(r"\d+\.\d+\.\d+", p.name)]
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in folders
        for path in [folder, *folder.rglob("*")]
        if path.is_file()
    }


def log(root, folder=LOG):
    """The promotion log, or another, oldest first."""
    return [json.loads(path.read_bytes()) for path in sorted((Path(root) / folder).glob("[!.]*"))]


def promotion_logs(root):
    """The folders of the promotion logs, that of ``latest`` first."""
    return [LOG, *(path.relative_to(root) for path in sorted((Path(root) / CHANNELS).glob("*")))]


def promotions(root):
    """The records of all promotion logs."""
    return [record for folder in promotion_logs(root) for record in log(root, folder)]


def events(root):
    """The log of events, oldest first."""
    return log(root, EVENTS)


def pruned(root):
    """Versions that an event says were pruned, and none that they were kept or brought back."""
    marks, removed = {}, set()
    for event in events(root):
        version = event["version"]
        if event["kind"] == "pruned":
            marks[version] = event["n"]
        elif event["kind"] == "removed" and event["detail"]["event"] == marks.get(version):
            removed.add(version)
        elif event["kind"] == "imported" or (event["kind"] == "kept" and version not in removed):
            marks.pop(version, None)
            removed.discard(version)
    return set(marks)


def alias(root):
    path = Path(root) / ARTIFACT
    return path.read_bytes() if path.exists() else None


def model(root, version):
    return (Path(root) / version / ARTIFACT).read_bytes()


def staged(root):
    return sorted(p.name for p in (Path(root) / STAGING).glob("*"))


def violations(root, *, settled=False, foreign=()):
    """Everything that must never be seen on disk, at any instant.

    Args:
        root: the models folder.
        settled: no writer is at work and the last one succeeded: the alias is the log's head.
        foreign: digests of files that somebody else put in the alias's place.
    """
    return [
        *(bad for folder in Path(root).glob("*.*.*") for bad in version_violations(folder)),
        *(bad for each in promotion_logs(root) for bad in _log_violations(Path(root), each)),
        *_event_violations(Path(root)),
        *_alias_violations(root, settled=settled, foreign=foreign),
    ]


def version_violations(folder):
    """Everything that must never be seen of one version."""
    try:
        record = json.loads((folder / METADATA).read_bytes())
    except (OSError, ValueError) as error:
        yield f"{folder.name}: {error}"
        return
    if record["version"] != folder.name:
        yield f"{folder.name} says it is {record['version']}"
    files = {f["file"]: f["sha256"] for f in (record["artifact"], *record.get("files", []))}
    names = {path.name for path in folder.glob("*")} - {METADATA}
    if names != files.keys():
        yield f"{folder.name} holds {sorted(names)}"
        return
    for name, digest in files.items():
        if digest != sha256((folder / name).read_bytes()):
            yield f"{folder.name}/{name} is torn"


def _records(root, folder):
    """The records of a log, or ``None`` and what is wrong with their numbers or their JSON."""
    names = sorted(path.name for path in (root / folder).glob("[!.]*"))
    if names != [f"{n:08d}.json" for n in range(1, len(names) + 1)]:
        return None, f"{folder} is {names}"
    try:
        records = log(root, folder)
    except ValueError as error:
        return None, f"{folder}: {error}"
    wrong = [record for n, record in enumerate(records, 1) if record["n"] != n]
    return records, f"{folder} has {wrong}" if wrong else None


def _log_violations(root, folder):
    records, problem = _records(root, folder)
    if problem:
        yield problem
    before = None
    gone = pruned(root)
    for record in records or ():
        if record["from"] != before:
            yield f"record {record['n']} is {record}"
        if not (root / record["to"] / METADATA).exists() and record["to"] not in gone:
            yield f"record {record['n']} names {record['to']}"
        before = record["to"]
    for version in {record[side] for record in (records or ())[-1:] for side in ("from", "to")} - {
        None
    }:
        if not (root / version / METADATA).exists():
            channel = "latest" if folder == LOG else folder.name
            yield f"{version}, {channel} or previous, is not there"


def _event_violations(root):
    records, problem = _records(root, EVENTS)
    if problem:
        yield problem
    tokens = [record["token"] for record in records or ()]
    if len(tokens) != len(set(tokens)):
        yield "an event stands twice in its log"


def _alias_violations(root, *, settled, foreign):
    try:
        promoted = [record["sha256"] for record in log(root)]
    except ValueError:
        return
    data = alias(root)
    found = sha256(data) if data is not None else None
    if found and found not in {*promoted, *foreign}:
        yield "the alias is no promoted version"
    if settled and promoted and found != promoted[-1]:
        yield "the alias is not the head of the log"


def plain_files(root):
    """All that a registry consists of: path below ``root`` → content.

    What is not of it are half-written work, holds, findings about a server, and files of others.
    """
    paths = (path.relative_to(root) for path in Path(root).rglob("*") if path.is_file())
    return {str(p): (Path(root) / p).read_bytes() for p in paths if is_plain(p.as_posix())}


def is_plain(key):
    """Whether a key is a part of what a registry consists of."""
    return not re.match(r"\.registry/(staging|holds|probe|replaced)/", key)
