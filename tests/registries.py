"""Small registries for tests: made without scikit-learn, checked without textclf.

A test gets this module from the fixture ``registries``; the scripts ``crashes.py`` and
``rivals.py`` import it as their neighbour.
"""

import hashlib
import itertools
import json
import os
import re
from pathlib import Path

import msgspec

from textclf.metadata import (
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
from textclf.registry import Registry
from textclf.sketch import Sketch
from textclf.store.local import LocalStore
from textclf.versions import Bump, next_version, parse_version

LOG = Path(".registry/promotions")
STAGING = Path(".registry/staging")
REPLACED = Path(".registry/replaced")
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
    return Sketch.of([f"text {n}" for n in rows], ["neg" if n % 2 else "pos" for n in rows])


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


def publish(registry, bump=Bump.MINOR, *, base=None, data=None):
    """Publish the version that follows ``base`` (the highest), as training does."""
    base = parse_version(base) if base else registry.highest()
    version = next_version(base, bump, registry.taken())
    record = BumpRecord(bump.value, bump.value, ["a test"], str(base) if base else None)
    data = data or artifact()
    return registry.publish(metadata(str(version), data, bump=record), data)


def filled(root, *promoted, versions=2):
    """A registry of 1.0.0, 1.1.0, … where ``promoted`` were promoted, in this order."""
    registry = open_registry(root)
    for _ in range(versions):
        publish(registry)
    for version in promoted:
        registry.promote(parse_version(version))
    return registry


# -- what lies on disk, read without textclf ----------------------------------------------------


def version_files(root):
    """Every file of every version: path below ``root`` → content."""
    folders = [p for p in Path(root).glob("*") if re.fullmatch(r"\d+\.\d+\.\d+", p.name)]
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in folders
        for path in [folder, *folder.rglob("*")]
        if path.is_file()
    }


def log(root):
    """The promotion log, oldest first."""
    return [json.loads(path.read_bytes()) for path in sorted((Path(root) / LOG).glob("*"))]


def alias(root):
    path = Path(root) / ARTIFACT
    return path.read_bytes() if path.exists() else None


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
        *_version_violations(Path(root)),
        *_log_violations(Path(root)),
        *_alias_violations(root, settled=settled, foreign=foreign),
    ]


def _version_violations(root):
    for folder in root.glob("*.*.*"):
        names = sorted(path.name for path in folder.glob("*"))
        if names != [METADATA, ARTIFACT]:
            yield f"{folder.name} holds {names}"
            continue
        try:
            record = json.loads((folder / METADATA).read_bytes())
        except ValueError as error:
            yield f"{folder.name}: {error}"
            continue
        if record["version"] != folder.name:
            yield f"{folder.name} says it is {record['version']}"
        if record["artifact"]["sha256"] != sha256((folder / ARTIFACT).read_bytes()):
            yield f"{folder.name} is torn"


def _log_violations(root):
    names = sorted(path.name for path in (root / LOG).glob("*"))
    if names != [f"{n:08d}.json" for n in range(1, len(names) + 1)]:
        yield f"the log is {names}"
        return
    try:
        records = log(root)
    except ValueError as error:
        yield f"the log: {error}"
        return
    before = None
    for n, record in enumerate(records, 1):
        if (record["n"], record["from"]) != (n, before):
            yield f"record {n} is {record}"
        if not (root / record["to"] / METADATA).exists():
            yield f"record {n} names {record['to']}"
        before = record["to"]


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
