"""Versions that must do no harm: hostile scorers, and hostile archives of versions.

Each is derived from a version that ``textclf train`` published. All digests are right, as they are
where an attacker writes them, so that nothing but the content can be the reason to refuse it.
"""

import copy
import gzip
import hashlib
import io
import json
import random
import re
import struct
import tarfile
from functools import partial

import malicious_models
import numpy as np
from slow_patterns import SLOW_PATTERNS

from textclf.metadata.schema import ARTIFACT, METADATA
from textclf.scorer.format import pack, unpack
from textclf.scorer.scorer import SCORER

SCORERS, ARCHIVES = 300, 200
HUGE = 2**31 - 1


def version_with(files, number, **changed):
    """The files of a version under another number, with other contents and digests that fit."""
    files = {name: data for name, data in {**files, **changed}.items() if data is not None}
    metadata = json.loads(files[METADATA])
    metadata["version"] = number
    metadata["files"] = [record for record in metadata["files"] if record["file"] in files]
    for record in [metadata["artifact"], *metadata["files"]]:
        data = files[record["file"]]
        record |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    return files | {METADATA: json.dumps(metadata).encode()}


# -- scorers ---------------------------------------------------------------------------------------


def scorers(whole):
    """Yield names of hostile scorers, and functions that make their contents."""
    made = {**_settings(whole), **_arrays(whole), **_heads(whole)}
    yield from made.items()
    for number in range(SCORERS - len(made)):
        yield f"bytes changed {number}", partial(_changed_bytes, whole, random.Random(number))


def _parts(whole):
    metadata, arrays = unpack(whole, SCORER)
    parts = {n: (n, a.dtype, a.shape, whole[a.begin : a.end]) for n, a in arrays.items()}
    return metadata, json.loads(metadata["scorer"]), parts


def _with_settings(whole, **settings):
    metadata, scorer, parts = _parts(whole)
    text = json.dumps({**scorer, **settings})
    return pack({**metadata, "scorer": text}, list(parts.values()))


def _with_block(whole, **changes):
    _, scorer, _ = _parts(whole)
    return _with_settings(whole, blocks=[{**scorer["blocks"][0], **changes}, *scorer["blocks"][1:]])


BLOCKS = {
    **{
        f"pattern of {kind}": {"token_pattern": pattern, "runs": None}
        for kind, pattern in SLOW_PATTERNS.items()
    },
    **{
        f"pattern {pattern[:30]}": {"token_pattern": pattern, "runs": None}
        for pattern in (
            "", "(", "(a)(b)", "(?=(.*))", "(?:)*", "(?:){1000000}", "\\", "(?a)(?u)x", "[z-a]",
            "(?i)[\0-\U0010ffff]", "(?P<a>x)(?P=a)", "(?<=a*)b", "x{5000000000}", "\ud800", "(?#",
            ".{0,65535}", "(?s).*", "((((((((((x))))))))))", "(?(1)a|b)(c)", r"\N{DIGIT ONE}-\N{X}",
        )
    },
    **{
        f"range {lo} to {hi}, {kind}": {"ngram_range": [lo, hi], "kind": kind}
        for lo, hi in ((1, HUGE), (HUGE, HUGE), (1, 2**63), (0, 1), (-1, 5), (3, 2), (1, 10**30))
        for kind in ("word", "char", "char_wb")
    },
    **{f"runs of {n}": {"runs": {"of": "word", "least": n}} for n in (0, -1, HUGE, 2**31, 10**20)},
    "stop words": {"stop_words": [f"w{n}" for n in range(200_000)]},
    "stop words of surrogates": {"stop_words": ["\ud800", "\udfff" * 1000]},
    "no norm": {"norm": None, "binary": True},
    "unknown kind": {"kind": "os.system"},
    "a setting of another type": {"lowercase": "yes"},
}  # fmt: skip


def _settings(whole):
    made = {name: partial(_with_block, whole, **changes) for name, changes in BLOCKS.items()}
    _, scorer, _ = _parts(whole)
    for name, values in {
        "labels": ([], ["a"], ["a"] * 3, ["\ud800"] * 3, ["\x1b[31m\n", "<script>", "=cmd()"],
                   [f"l{n}" for n in range(100_000)], ["x" * 10**4, "y", "z"]),
        "outputs": (0, 1, 2, -1, HUGE, 10**30),
        "intercept": ([], [1e308] * 3, [-1e308, 1e308, 0], [0] * 10**6, [0, 0, "x"]),
        "link": ("softmax", "logistic", "clip", "none", "eval"),
        "scale": (0, -1, 1e-308, 1e308, "1"),
        "threshold": (-1e308, 1e308, "x", 0.5),
        "blocks": ([], scorer["blocks"] * 2, scorer["blocks"] * 1000, [{}], [None]),
        "unicode": ("", "99.0", "x" * 10**6),
    }.items():  # fmt: skip
        for number, value in enumerate(values):
            made[f"{name} {number}"] = partial(_with_settings, whole, **{name: value})
    return made


def _arrays(whole):
    made = {"one slot": partial(_in_one_slot, whole)}
    for name, (_, dtype, _, _) in _parts(whole)[2].items():
        highest = np.iinfo(KINDS[dtype]).max if dtype != "F64" else 0
        for extreme in (np.nan, np.inf, 1e308) if dtype == "F64" else (0, 1, highest):
            for where in (0, slice(None), slice(None, None, 2)):
                made[f"{name} {where} {extreme}"] = partial(
                    _with_values, whole, name, where, extreme
                )
    return made


KINDS = {"F64": "<f8", "U32": "<u4", "U8": "<u1"}


def _with_values(whole, name, where, value):
    metadata, _, parts = _parts(whole)
    _, dtype, shape, content = parts[name]
    values = np.frombuffer(content, KINDS[dtype]).copy()
    values[where] = value
    return pack(metadata, list({**parts, name: (name, dtype, shape, values.tobytes())}.values()))


def _in_one_slot(whole, count=150_000):
    """A scorer in whose index every lookup would compare all n-grams, 5 MB of them."""
    metadata, scorer, parts = _parts(whole)
    width = 1 + scorer["outputs"]
    arrays = {
        "0.rows": ("0.rows", "F64", (count, width), bytes(8 * count * width)),
        "0.starts": ("0.starts", "U32", (2,), struct.pack("<II", 0, count)),
        "0.ends": ("0.ends", "U32", (count + 1,), np.arange(count + 1, dtype="<u4").tobytes()),
        "0.text": ("0.text", "U8", (count,), b"x" * count),
    }
    return pack(metadata, list({**parts, **arrays}.values()))


def _heads(whole):
    (length,) = struct.unpack_from("<Q", whole)
    heads = {
        "nothing": lambda: b"",
        "nested": lambda: b'{"a":' + b"[" * 100_000,
        "many arrays": lambda: b"{" + b",".join(b'"%d":0' % n for n in range(1_500_000)) + b"}",
        "long": lambda: b" " * 30_000_000,
        "large numbers": lambda: (
            b'{"a":{"dtype":"F64","shape":[281474976710655],"data_offsets":[0,0]}}'
        ),
    }

    def with_head(make):
        head = make()
        return struct.pack("<Q", len(head)) + head + whole[8 + length :]

    made = {f"head of {name}": partial(with_head, make) for name, make in heads.items()}
    for size in (0, 1, 7, 2**31, 2**63, 2**64 - 1):
        made[f"head of {size} bytes"] = lambda size=size: struct.pack("<Q", size) + whole[8:]
    return made | {
        "empty": lambda: b"",
        "zeros": lambda: bytes(100_000),
        "a pickle": lambda: malicious_models.PROGRAMS["GLOBAL"],
    }


def _changed_bytes(whole, chance):
    data = bytearray(whole)
    (length,) = struct.unpack_from("<Q", whole)
    for _ in range(chance.choice((1, 3, 30))):
        data[chance.choice((chance.randrange(8 + length), chance.randrange(len(data))))] = (
            chance.randrange(256)
        )
    return bytes(data)


# -- archives --------------------------------------------------------------------------------------


def archives(files, number, canary):
    """Yield names of hostile archives, and functions that make their contents.

    Code that they run would make the file ``canary``.
    """
    made = {**_pickles(files, number, canary), **_forms(files, number)}
    yield from made.items()
    changes = list(metadata_changes(json.loads(version_with(files, number)[METADATA])))
    for name, make in random.Random(1).sample(changes, ARCHIVES - len(made)):
        yield f"metadata: {name}", lambda make=make: archive(number, {**files, METADATA: make()})


def archive(number, files):
    return _tar([(f"{number}/{name}", data) for name, data in files.items()])


def _tar(members, level=1):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as written:
        for member, data in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = len(data) if info.isreg() else info.size
            written.addfile(info, io.BytesIO(data))
    return gzip.compress(file.getvalue(), level)


def _pickles(files, number, canary):
    """Model files that would run code, in versions without a scorer, so that they are opened."""
    payloads = {
        kind: partial(malicious_models.payload, kind, canary) for kind in malicious_models.RUNS_CODE
    }
    for kind, make in [*malicious_models.MISFITS.items()][::4]:
        payloads[kind] = lambda make=make: malicious_models.dumped(make())

    def without_scorer(make):
        return archive(number, version_with(files, number, **{ARTIFACT: make(), SCORER: None}))

    return {f"model: {kind}": partial(without_scorer, make) for kind, make in payloads.items()}


def _forms(files, number):
    good = version_with(files, number)
    members = [(f"{number}/{name}", data) for name, data in good.items()]
    sizes = (b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 12)

    def size_field(size):
        return gzip.compress(with_size(gzip.decompress(_tar(members)), size), 1)

    def with_members(*more):
        return lambda: _tar([*members, *more])

    def twice():
        metadata = json.loads(good[METADATA])
        metadata["files"].append(copy.deepcopy(metadata["files"][0]))
        return archive(number, {**good, METADATA: json.dumps(metadata).encode()})

    def zeros():
        return archive(number, version_with(files, number, **{ARTIFACT: bytes(400 << 20)}))

    return {
        **{f"size field {n}": partial(size_field, size) for n, size in enumerate(sizes)},
        "a model of zeros": zeros,
        "a bomb": lambda: _tar([*members, (f"{number}/zeros", bytes(300 << 20))]),
        "a file twice": with_members(members[-1]),
        "a file twice in the metadata": twice,
        "many members": with_members(*((f"{number}/{n}", b"") for n in range(20_000))),
        "cut": lambda: _tar(members)[:-20],
        "nothing": lambda: b"",
        "text": lambda: b"hello",
        "another number": partial(archive, "999999999.0.0", good),
        "a folder above": with_members(("../x", b"x")),
        "a link": with_members((_special(tarfile.SYMTYPE, f"{number}/x"), b"")),
        "a device": with_members((_special(tarfile.CHRTYPE, f"{number}/x"), b"")),
        "gzip in gzip": lambda: gzip.compress(_tar(members)),
    }


def with_size(tar, field):
    """A tar archive whose first member says another size, under a right checksum."""
    header = bytearray(tar[:512])
    header[124:136], header[148:156] = field, b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + tar[512:]


def _special(kind, name):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    return member


WRONG = (
    None, True, -1, 0, 1, 2, 1.5, 1e308, 2**40, 2**63, 10**30, "", "x", "../x", "\x1b[31m\n\0",
    "<script>alert(1)</script>", "x" * 1_000_000, [], {}, [[]], [None], [1e308] * 3, {"x": {}},
)  # fmt: skip
"""Values for any field, whatever its type."""


def metadata_changes(metadata):
    """Yield names, and functions that make metadata with one value replaced, of every field."""
    for path in _paths(metadata):
        for number, value in enumerate(WRONG):
            yield f"{'.'.join(map(str, path))} {number}", partial(_changed, metadata, path, value)


def _changed(metadata, path, value):
    changed = copy.deepcopy(metadata)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(changed).encode()


def _paths(value, path=()):
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in [*items][:3] if path else [*items]:
        if isinstance(inner, dict | list) and not re.fullmatch("hashes", str(key)):
            yield from _paths(inner, (*path, key))
        else:
            yield (*path, key)
