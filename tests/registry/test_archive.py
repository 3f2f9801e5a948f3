"""Archives of versions: what is written, and what is never taken in."""

import gzip
import hashlib
import io
import random
import re
import tarfile
import tracemalloc

import msgspec
import pytest
import registries
from hostile_versions import with_size
from hypothesis import given
from hypothesis import strategies as st

from textclf.errors import IntegrityError, UsageError
from textclf.metadata.schema import ARTIFACT, METADATA, FileRecord, encode
from textclf.metadata.versions import parse_version
from textclf.registry.archive import ExportedVersion, read_archive, write_archive
from textclf.registry.archive_formats import ArchiveFormat

V = parse_version
MODEL = b"model" * 100


@pytest.fixture(scope="module")
def contents():
    """Return the files of a version with a further file and a signature."""
    further = FileRecord("report.html", hashlib.sha256(b"<p>").hexdigest(), 3)
    metadata = registries.metadata("1.2.3", MODEL, files=[further])
    return {
        METADATA: encode(metadata),
        "metadata.json.sig": b"signature",
        ARTIFACT: MODEL,
        "report.html": b"<p>",
    }


def packed(contents, version="1.2.3"):
    file = io.BytesIO()
    write_archive(ExportedVersion(V(version), contents), file)
    return file.getvalue()


def unpacked(archive, size=None):
    return read_archive(io.BytesIO(archive), len(archive) if size is None else size, "a.tar.gz")


def archive_of(*members, format_=tarfile.GNU_FORMAT):
    """An archive with these members: names and contents, or TarInfo and contents."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=format_) as archive:
        for name, data in members:
            member = tarfile.TarInfo(name) if isinstance(name, str) else name
            if member.isreg():
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


def under(folder, contents):
    return [(f"{folder}/{name}", data) for name, data in contents.items()]


def special(kind, name="1.2.3/link", to="/etc/passwd"):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, to
    return member, b""


def refused(archive, size=None):
    with pytest.raises(IntegrityError) as caught:
        unpacked(archive, size)
    message = str(caught.value)
    assert message.startswith("a.tar.gz cannot be imported: ")
    return message.removeprefix("a.tar.gz cannot be imported: ")


def test_what_was_packed_is_unpacked(contents):
    """Every file to the byte, under the same number."""
    assert unpacked(packed(contents)) == ExportedVersion(V("1.2.3"), contents)


def test_the_same_version_gives_the_same_bytes(contents):
    """No time, no owner, no name: the same version has an archive with the same digest."""
    archive = packed(contents)
    assert archive == packed(dict(contents))
    assert archive[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        for member in members:
            assert (member.mtime, member.uid, member.gid, member.uname) == (0, 0, 0, "")
            assert member.mode == 0o644


def test_tar_unpacks_it(contents, tmp_path):
    """Nobody needs textclf to have the files back."""
    with tarfile.open(fileobj=io.BytesIO(packed(contents))) as archive:
        archive.extractall(tmp_path, filter="data")
    assert {path.name: path.read_bytes() for path in (tmp_path / "1.2.3").iterdir()} == contents


def test_an_archive_written_by_others_is_read_if_it_holds_the_same(contents):
    """The order of the files and the compression are nobody's business."""
    again = archive_of(*reversed(under("1.2.3", contents)))
    assert dict(unpacked(again).files) == contents


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (b"", "it does not hold|empty|Compressed file ended"),
        (b"hello", "truncated header"),
        (gzip.compress(b""), "empty"),
        (gzip.compress(b"hello" * 1000), "invalid header|truncated"),
        (archive_of(), "does not hold one version"),
        (archive_of(("x", b"1")), "does not hold one version"),
    ],
    ids=["empty", "text", "nothing", "no tar", "no member", "stray"],
)
def test_what_is_no_archive_is_refused(archive, why):
    """With a sentence that says what it is not."""
    assert re.search(why, refused(archive))


def test_every_way_out_of_the_folder_is_refused(contents):
    """Links, devices, folders, names that climb, second versions, second files of a name."""
    good = under("1.2.3", contents)
    for kind in (
        tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
        tarfile.DIRTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE, tarfile.XHDTYPE, b"Z",
    ):  # fmt: skip
        assert "is not a regular file" in refused(archive_of(*good, special(kind)))
        assert "is not a regular file" in refused(archive_of(special(kind), *good))
    for name in (
        "1.2.3/../x", "../x", "/etc/x", "1.2.3/a/b", "1.2.4/x", "x", "1.2.3/", "", "1.2.3\\x", "./x"
    ):  # fmt: skip
        assert refused(archive_of(*good, (name, b"x")))
    assert "is in it twice" in refused(archive_of(*good, good[2]))


@pytest.mark.parametrize("format_", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_are_refused(contents, format_):
    """They come as extensions, which may be as large as they like."""
    archive = archive_of(*under("1.2.3", contents), (f"1.2.3/{'x' * 300}", b""), format_=format_)
    assert "is not a regular file" in refused(archive)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({ARTIFACT: None}, "text_classifier.joblib is missing"),
        ({"report.html": None}, "report.html is missing"),
        ({METADATA: None}, "does not hold one version"),
        ({"more.txt": b""}, "do not record 'more.txt'"),
        ({ARTIFACT: MODEL[:-1] + b"x"}, "joblib is not the file that was published"),
        ({ARTIFACT: MODEL + b"x"}, "joblib is not the file that was published"),
        ({"report.html": b""}, "report.html is not the file that was published"),
        ({METADATA: b"{}"}, "metadata.json is damaged"),
        ({METADATA: b"\xff"}, "metadata.json is damaged"),
        ({METADATA: b'{"schema": 99}'}, "written by a later textclf"),
    ],
)
def test_a_file_that_is_not_as_recorded_is_refused(contents, changes, why):
    """One that is missing, is another, or is not accounted for."""
    changed = {k: v for k, v in {**contents, **changes}.items() if v is not None}
    assert why in refused(packed(changed))


@pytest.mark.parametrize("folder", ["1.2.4", "1.2", "v1.2.3", "01.2.3", "..", "1.2.3-rc1"])
def test_the_folder_is_the_number(contents, folder):
    """The metadata say which version it is, and the folder says the same."""
    why = refused(archive_of(*under(folder, contents)))
    assert "is that of 1.2.3" in why or "does not hold one version" in why


def test_metadata_that_name_another_model_file_are_refused(contents):
    """The model has its name, or joblib users would not find it."""
    record = msgspec.json.decode(contents[METADATA])
    record["artifact"]["file"] = "other.joblib"
    renamed = {**contents, METADATA: msgspec.json.encode(record), "other.joblib": MODEL}
    del renamed[ARTIFACT]
    assert "is not called text_classifier.joblib" in refused(packed(renamed))


def test_a_bomb_is_not_unpacked(contents):
    """Twenty times its size is the most that is read of it, or 64 MB."""
    bomb = archive_of(*under("1.2.3", contents), ("1.2.3/zeros", bytes(70_000_000)))
    assert len(bomb) < 100_000
    assert "far larger than a model" in refused(bomb)


def test_what_can_be_compressed_further_is_exported_so_that_it_can_be_imported():
    """A model that is mostly zeros is stored without compression, as the same bytes each time."""
    zeros = bytes(100_000_000)
    contents = {METADATA: encode(registries.metadata("1.2.3", zeros)), ARTIFACT: zeros}
    archive = packed(contents)
    assert len(archive) > len(zeros)
    assert archive == packed(contents)
    assert unpacked(archive).files == contents


@pytest.mark.parametrize(
    "field", [b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 12, b"\xff" * 11 + b"\0"]
)
def test_an_impossible_size_is_refused(contents, field):
    """The size that a header names may be any number, also a negative one."""
    tar = gzip.decompress(packed(contents))
    assert refused(gzip.compress(with_size(tar, field)))


def test_unpacking_holds_each_byte_once():
    """The memory is that of the files, and not also that of the archive unpacked as a whole."""
    model = random.Random(0).randbytes(30_000_000)
    archive = packed({METADATA: encode(registries.metadata("1.2.3", model)), ARTIFACT: model})
    tracemalloc.start()
    unpacked(archive)
    assert tracemalloc.get_traced_memory()[1] < 2.2 * len(model)
    tracemalloc.stop()


@pytest.mark.parametrize("size", [10, 200, -30, -9, -1])
def test_an_archive_that_was_cut_off_is_refused(contents, size):
    """Wherever it ends."""
    assert refused(packed(contents)[:size])


@given(st.data())
def test_a_damaged_archive_is_refused_or_harmless(contents, data):
    """Whatever byte is another: a sentence, or the very same files."""
    archive = bytearray(packed(contents))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(archive) - 1))
        archive[place] = data.draw(st.integers(0, 255))
    try:
        found = unpacked(bytes(archive))
    except IntegrityError:
        return
    assert found == ExportedVersion(V("1.2.3"), contents)


@given(st.data())
def test_a_damaged_tar_is_refused_or_the_digests_hold(contents, data):
    """Below gzip's checksum: headers may lie, but what is taken in is what was recorded."""
    tar = bytearray(gzip.decompress(packed(contents)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 4 * 512) | st.integers(0, len(tar) - 1))
        tar[place] = data.draw(st.integers(0, 255))
    archive = gzip.compress(bytes(tar), 1)
    try:
        found = unpacked(archive)
    except IntegrityError:
        return
    assert found.files[ARTIFACT] == MODEL
    assert found.files.keys() <= contents.keys()


def test_a_format_that_compresses_always_refuses_what_could_not_be_imported(monkeypatch):
    """The hint names one that can store."""
    monkeypatch.setattr("textclf.registry.archive._LEAST_LIMIT", 1000)
    contents = {METADATA: encode(registries.metadata("1.2.3", bytes(10_000_000)))}
    exported = ExportedVersion(V("1.2.3"), {**contents, ARTIFACT: bytes(10_000_000)})
    with pytest.raises(UsageError, match=r"as \.tar\.xz the version would be so small") as refused:
        write_archive(exported, io.BytesIO(), ArchiveFormat.XZ)
    assert refused.value.hint == "write .tar.gz"
