"""The files of the registry over HTTP, for those who name the server as their registry."""

import hashlib
import os

import pytest
from predictors import published
from served import serving

from textclf.metadata.versions import parse_version
from textclf.registry import layout
from textclf.server.shared_store import SharedStore

SIGNATURE = ".registry/signatures/1.0.0/0123456789ab.sig"
SHOWN = [
    "1.0.0/metadata.json", "1.0.0/text_classifier.joblib", "1.0.0/scorer.safetensors",
    "text_classifier.joblib", ".registry/promotions/00000001.json",
    ".registry/events/00000001.json", ".registry/channels/staging/00000001.json", SIGNATURE,
]  # fmt: skip
HIDDEN = [
    "notes.txt", "1.0.0/notes.txt", "private/metadata.json", ".registry/staging/x",
    ".registry/holds/1.0.0-x", ".registry/replaced/0123456789ab.joblib", ".registry/probe/x",
    ".registry/promotions/notes.txt", ".registry/signatures/notes/x.sig",
    ".registry/signatures/1.0.0/notes.txt", ".registry/channels/00000001.json",
    ".registry/channels/staging/x.sig", ".registry/channels/UPPER/00000001.json",
]  # fmt: skip


@pytest.fixture(scope="module")
def registry(tmp_path_factory, sample):
    """A version, and files beside it that are no part of the registry."""
    registry, _ = published(tmp_path_factory.mktemp("shared") / "models", sample)
    registry.tag(parse_version("1.0.0"), {"owner": "ada"})
    registry.promote(parse_version("1.0.0"), channel="staging")
    for key in [*HIDDEN, SIGNATURE]:
        path = registry.store.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"secret")
    return registry


def test_files_of_the_registry_are_sent(served, registry):
    """Byte for byte, with their digest as ETag; what never changes may be kept for a year."""
    for key in SHOWN:
        content = (registry.store.root / key).read_bytes()
        answer = served.get(f"/v1/registry/files/{key}")
        assert (answer.status, answer.body) == (200, content), key
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        assert answer.headers["etag"] == etag
        assert ("immutable" in answer.headers["cache-control"]) == (key != layout.ALIAS)
        again = served.get(f"/v1/registry/files/{key}", if_none_match=etag)
        assert (again.status, again.body) == (304, b"")
        head = served.request("HEAD", f"/v1/registry/files/{key}")
        assert (head.status, head.body) == (200, b"")


def test_a_file_that_is_truncated_ends_its_answer_alone(served, registry, monkeypatch):
    """Whoever truncates a file while it is sent does not end the server with it."""
    key = "1.0.0/scorer.safetensors"
    path = registry.store.root / key
    content, view = path.read_bytes(), SharedStore.content

    def truncated(self, key):
        found = view(self, key)
        os.truncate(path, 100)
        return found

    monkeypatch.setattr(SharedStore, "content", truncated)
    answer = served.get(f"/v1/registry/files/{key}")
    monkeypatch.undo()
    path.write_bytes(content)
    assert (answer.status, b"cannot be read: it was truncated" in answer.body) == (500, True)
    assert served.get(f"/v1/registry/files/{key}").body == content


@pytest.mark.parametrize(
    "key",
    [
        *HIDDEN, "", "1.0.0", ".registry", "../serve.log", "1.0.0/../../x", "%2e%2e/x",
        "%2fetc%2fpasswd", "/etc/passwd", "1.0.0/..%2fnotes.txt", "9.9.9/metadata.json",
        "1.0.0/none", "1.0.0%00/metadata.json", "x" * 5000,
    ],
)  # fmt: skip
def test_nothing_else_is_sent(served, key):
    """Whatever else lies in the folder, or outside of it, does not exist for those who ask."""
    for method in ("GET", "HEAD"):
        answer = served.request(method, f"/v1/registry/files/{key}")
        assert answer.status == 404
        assert b"secret" not in answer.body


def test_only_the_registry_is_listed(served):
    """Names of other files and folders are not told; nor are those below other folders."""

    def names(folder="", after=""):
        return served.get(f"/v1/registry/names?folder={folder}&after={after}").json()

    assert names() == ["1.0.0", layout.ALIAS]
    assert "metadata.json" in names("1.0.0")
    assert names(layout.PROMOTIONS) == names(layout.EVENTS) == ["00000001.json"]
    assert names(layout.PROMOTIONS, "00000001.json") == []
    assert names(".registry/signatures") == ["1.0.0"]
    assert names(".registry/signatures/1.0.0") == ["0123456789ab.sig"]
    assert names(".registry/channels") == ["staging"]
    assert names(".registry/channels/staging") == ["00000001.json"]
    for folder in ("private", ".registry", ".registry/holds", layout.STAGING, "..", "/etc", "%00"):
        assert names(folder) == [], folder
    assert served.get("/v1/registry/folders?file=metadata.json").json() == ["1.0.0"]
    assert served.get("/v1/registry/folders?file=../x").json() == []


def test_records_and_signatures_are_identified_by_their_digests(served, registry):
    """Of one log, or of all; from one of them on."""
    record = (registry.store.root / layout.PROMOTIONS / "00000001.json").read_bytes()
    digest = hashlib.sha256(record).hexdigest()

    def digests(folder, after=""):
        return served.get(f"/v1/registry/digests?folder={folder}&after={after}").json()

    assert digests(layout.PROMOTIONS) == {"00000001.json": digest}
    assert digests(layout.PROMOTIONS, "00000001.json") == {}
    logs = ("channels/staging", "events", "promotions")
    signature = SIGNATURE.removeprefix(".registry/")
    assert list(digests(".registry")) == [*(f"{log}/00000001.json" for log in logs), signature]
    last = digests(".registry", "events/00000001.json")
    assert last["promotions/00000001.json"] == digest
    assert set(last) == {"promotions/00000001.json", signature}
    assert digests("1.0.0") == digests("") == digests("private") == {}


def test_why_a_version_is_incomplete(served):
    """In a folder, a writer leaves none; of what is no version nothing is said."""
    assert served.get("/v1/registry/incomplete?folder=1.0.0").json() == "damaged"
    assert served.get("/v1/registry/incomplete?folder=private").status == 404


def test_damaged_files_are_sent_as_they_are(tmp_path, sample):
    """Who reads the registry through the server checks them; without metadata none is known."""
    registry, _ = published(tmp_path, sample)
    with serving(registry) as served:
        (tmp_path / "1.0.0/scorer.safetensors").write_bytes(b"damaged")
        assert served.get("/v1/registry/files/1.0.0/scorer.safetensors").body == b"damaged"
        (tmp_path / "1.0.0/metadata.json").write_bytes(b"{")
        assert served.get("/v1/registry/files/1.0.0/metadata.json").body == b"{"
        assert served.get("/v1/registry/files/1.0.0/scorer.safetensors").status == 404


def test_the_key_is_needed(registry):
    """As for every route."""
    with serving(registry, api_key="secret") as served:
        for path in ("names", "digests", "folders", "files/1.0.0/metadata.json"):
            assert served.get(f"/v1/registry/{path}").status == 401
            assert served.get(f"/v1/registry/{path}", x_api_key="secret").status == 200
