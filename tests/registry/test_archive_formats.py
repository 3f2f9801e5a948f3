"""Archives in every format: what is written, and the limits of what is read."""

import io
import lzma
import random
import stat
import tarfile
import tracemalloc
import zipfile

import pytest

from textclf.errors import UsageError
from textclf.registry.archive_formats import (
    DAMAGED,
    ArchiveFormat,
    format_named,
    read_files,
    write_files,
)

FILES = {
    "1.0.0/metadata.json": b"{}",
    "1.0.0/model": random.Random(0).randbytes(3_000) + b"x" * 9_000,
}
LIMIT = 1 << 20
FORMATS = list(ArchiveFormat)


def packed(archive_format, files=FILES, *, compressed=True):
    file = io.BytesIO()
    write_files(files, file, archive_format, compressed=compressed)
    return file.getvalue()


def unpacked(archive, limit=LIMIT):
    return read_files(io.BytesIO(archive), limit)


def zipped(*members, **how):
    """Return a zip archive with these members: names or ZipInfo, and contents."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("archive_format", FORMATS)
@pytest.mark.parametrize("compressed", [True, False])
def test_what_was_packed_is_unpacked(archive_format, compressed):
    """Every file to the byte, whatever the archive is called; the same bytes each time."""
    archive = packed(archive_format, compressed=compressed)
    assert unpacked(archive) == FILES
    assert archive == packed(archive_format, dict(FILES), compressed=compressed)


@pytest.mark.parametrize("archive_format", FORMATS)
def test_other_programs_read_it(archive_format, tmp_path):
    """The name says what is in it: tarfile and zipfile open it by its name."""
    path = tmp_path / f"model{archive_format}"
    path.write_bytes(packed(archive_format))
    if archive_format is ArchiveFormat.ZIP:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert {stat.filemode(m.external_attr >> 16) for m in archive.infolist()} == {
                "-rw-r--r--"
            }
            archive.extractall(tmp_path)
    else:
        with tarfile.open(
            path, f"r:{archive_format.rpartition('.')[2].replace('tar', '')}"
        ) as archive:
            archive.extractall(tmp_path, filter="data")
    assert {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.glob("*/*")} == FILES


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("m.zip", ArchiveFormat.ZIP),
        ("m.tar", ArchiveFormat.TAR),
        ("m.tar.gz", ArchiveFormat.GZIP),
        ("m.TGZ", ArchiveFormat.GZIP),
        ("m.txz", ArchiveFormat.XZ),
        ("m.tar.bz2", ArchiveFormat.BZIP2),
        ("m", ArchiveFormat.GZIP),
    ],
)
def test_the_name_says_the_format(name, expected):
    """The end of the name, in capitals or not, is the format that is written."""
    assert format_named(name) is expected


@pytest.mark.parametrize("name", ["m.gz", "m.7z", ".part", "m.zip.part"])
def test_a_name_of_another_kind_is_refused(name):
    """The formats are listed."""
    with pytest.raises(UsageError, match="is not that of an archive") as caught:
        format_named(name)
    assert ".tar.xz" in caught.value.hint


@pytest.mark.parametrize("archive_format", [f for f in FORMATS if f is not ArchiveFormat.TAR])
def test_what_is_damaged_is_refused(archive_format):
    """Cut off anywhere, or with another bit, it is refused or has the same contents.

    Only a plain tar has no checksum of the contents: there the digests in the metadata tell.
    """
    archive, chance = packed(archive_format), random.Random(1)
    damaged = [archive[:length] for length in range(0, len(archive) - 1, 97)]
    for _ in range(200):
        at = chance.randrange(len(archive))
        bit = bytes([archive[at] ^ 1 << chance.randrange(8)])
        damaged.append(archive[:at] + bit + archive[at + 1 :])
    for one in damaged:
        try:
            files = unpacked(one)
        except DAMAGED:
            continue
        assert set(files.values()) <= set(FILES.values())


@pytest.mark.parametrize("archive_format", FORMATS)
def test_a_bomb_is_refused_in_little_memory(archive_format):
    """What would unpack to more than the limit is not unpacked."""
    bomb = packed(archive_format, {"1.0.0/model": bytes(40 << 20)})
    tracemalloc.start()
    with pytest.raises(ValueError, match="far larger than a model"):
        unpacked(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (16 << 20) + 2 * len(bomb) * (archive_format is ArchiveFormat.TAR)


def test_xz_may_not_ask_for_much_memory(monkeypatch):
    """An archive that needs more memory than the limit is refused before it is allocated."""
    monkeypatch.setattr("textclf.registry.archive_formats._XZ_MEMORY", 1 << 20)
    with pytest.raises(lzma.LZMAError, match=r"(?i)memory usage limit"):
        unpacked(packed(ArchiveFormat.XZ))


def test_what_follows_the_end_of_xz_is_refused():
    """As for gzip, nothing may follow."""
    with pytest.raises(ValueError, match="something follows"):
        unpacked(packed(ArchiveFormat.XZ) + b"more")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_of_anything_but_a_few_regular_files_is_refused(monkeypatch):
    """Folders, encrypted files, other compressions, a file twice, and a comment at the end."""
    encrypted = bytearray(zipped(("1.0.0/a", b"a")))
    encrypted[6] |= 1
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    for archive, why in (
        (zipped(("1.0.0/", b"")), "not a regular file"),
        (bytes(encrypted), "not a regular file"),
        (zipped(("1.0.0/a", b"a"), compression=zipfile.ZIP_BZIP2), "not a regular file"),
        (zipped(("1.0.0/a", b"a"), ("1.0.0/a", b"b")), "is in it twice"),
        (packed(ArchiveFormat.ZIP)[:-2] + b"\x01\x00c", "no complete zip archive"),
        (b"PK", "no complete zip archive"),
    ):
        with pytest.raises(ValueError, match=why):
            unpacked(archive)
    monkeypatch.setattr("textclf.registry.archive_formats._TAR_BYTES", 100)
    with pytest.raises(ValueError, match="more files than a version"):
        unpacked(packed(ArchiveFormat.ZIP))


def test_a_zip_archive_has_a_limit(monkeypatch):
    """The hint names a format that has none."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    with pytest.raises(UsageError, match=r"too large for \.zip") as refused:
        packed(ArchiveFormat.ZIP)
    assert refused.value.hint == "write .tar.gz"


@pytest.mark.parametrize("archive_format", FORMATS)
def test_an_archive_is_read_in_pieces_of_any_size(archive_format, monkeypatch):
    """Also in some from which nothing can be unpacked yet."""
    monkeypatch.setattr("textclf.registry.archive_formats._CHUNK", 7)
    assert unpacked(packed(archive_format)) == FILES


def test_what_follows_the_end_of_tar_is_read():
    """Programs fill archives up with zeros."""
    assert unpacked(packed(ArchiveFormat.TAR) + bytes(100_000)) == FILES
