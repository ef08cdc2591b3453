"""The second opinion finds whatever a broken archive writer could let through."""

from __future__ import annotations

import dataclasses
import gzip
import io
import tarfile
import zipfile
import zlib

import pytest

from sanitizers import zip as archive
from sanitizers.context import Context
from sanitizers.model import Kind, PartInfo, Report, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.archive import verify_gzip, verify_tar, verify_zip
from tests.build import archive as fake
from tests.build.zip import UTF8, Entry, build

NOTICE = "【無害化通知】\r\n次のファイルは取り込まれませんでした。\r\n".encode()


def given(*delivered: bytes, kind: Kind = Kind.ZIP) -> Context:
    context = fake.context("x", kind)
    for data in delivered:
        source = Source(data)
        info = PartInfo(name="part", size=len(data), sha256=source.sha256, kind=Kind.TEXT)
        context.parts.append(Report(path="part", verdict=Verdict.CLEAN, reason=None, input=info, output=info))
    return context


def written(**members: bytes) -> bytes:
    writer = archive.Writer()
    for name, data in members.items():
        writer.add(name.replace("_", "."), data)
    return writer.finish()


def refused_zip(data: bytes, *delivered: bytes) -> None:
    with pytest.raises(VerificationFailed):
        verify_zip(Source(data), Source(b""), given(*delivered))


def test_what_the_writer_makes_is_fine() -> None:
    data = written(a_txt=b"one" * 100, 資料_txt=b"two")
    verify_zip(Source(data), Source(b""), given(b"one" * 100, b"two"))
    data = written(**{"a_txt": b"one", "e_exe_無害化通知_txt": NOTICE, "folder/": b"", "empty_txt": b""})
    verify_zip(Source(data), Source(b""), given(b"one"))


A = Entry(b"a.txt", b"one")
BAD_ZIP = {
    "comment": build(A, comment=b"c"),
    "extra": build(dataclasses.replace(A, extra=b"\x42\x42\0\0")),
    "local extra": build(dataclasses.replace(A, local={"extra": b"\x42\x42\0\0"})),
    "entry comment": build(dataclasses.replace(A, comment=b"c")),
    "encrypted": build(dataclasses.replace(A, flags=1)),
    "descriptor flag": build(dataclasses.replace(A, flags=8)),
    "symlink": build(dataclasses.replace(A, attributes=0o120777 << 16)),
    "climbs": build(dataclasses.replace(A, name=b"../a.txt")),
    "absolute": build(dataclasses.replace(A, name=b"/a.txt")),
    "stream": build(dataclasses.replace(A, name=b"a.txt:b")),
    "bidi": build(dataclasses.replace(A, name="\u202ea.txt".encode(), flags=UTF8)),
    "trailing dot": build(dataclasses.replace(A, name=b"a.txt.")),
    "other local name": build(dataclasses.replace(A, local={"name": b"b.txt"})),
    "prefix": build(A, prefix=b"MZ"),
    "suffix": build(A, suffix=b"x"),
    "gap": build(A, gap=b"x"),
    "orphan": build(A, Entry(b"o", b"x", listed=False)),
    "folder with content": build(A, Entry(b"d/", b"x", method=0, attributes=0x10)),
    "crc": build(dataclasses.replace(A, crc=1)),
    "no zip": b"hello",
    "cut": build(A)[:-5],
}


@pytest.mark.parametrize("kind", BAD_ZIP)
def test_anything_but_plain_members_fails(kind: str) -> None:
    refused_zip(BAD_ZIP[kind], b"one")


def test_a_member_that_nobody_delivered_fails() -> None:
    refused_zip(written(a_txt=b"one", b_txt=b"stranger"), b"one")
    refused_zip(written(a_txt=b"one", b_txt=b"one"), b"one")
    refused_zip(written(a_txt=b"one", b_txt=NOTICE), b"one")
    refused_zip(written(a_txt=b"one", x_無害化通知_txt=NOTICE + b"\x1b[0m"), b"one")
    refused_zip(written(a_txt=b"one", x_無害化通知_txt=b"MZ" + NOTICE), b"one")
    refused_zip(written(a_txt=b"one", x_無害化通知_txt=NOTICE * 99), b"one")


def test_a_delivered_member_that_is_missing_fails() -> None:
    refused_zip(written(a_txt=b"one"), b"one", b"two")


def refused_tar(data: bytes) -> None:
    with pytest.raises(VerificationFailed):
        verify_tar(Source(data), Source(b""), given(b"one", kind=Kind.TAR))


def a_tar(**fields: object) -> bytes:
    file = io.BytesIO()
    with tarfile.open(mode="w", fileobj=file, format=tarfile.PAX_FORMAT) as writer:
        info = tarfile.TarInfo("資料.txt")
        info.size, info.mode = 3, 0o644
        for key, value in fields.items():
            setattr(info, key, value)
        writer.addfile(info, io.BytesIO(b"one"))
    return file.getvalue()


def test_a_plain_tar_is_fine() -> None:
    verify_tar(Source(a_tar()), Source(b""), given(b"one", kind=Kind.TAR))


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": 0o4755},
        {"uid": 7},
        {"gname": "staff"},
        {"mtime": 9},
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd", "size": 0},
        {"type": tarfile.LNKTYPE, "linkname": "x", "size": 0},
        {"type": tarfile.CHRTYPE, "size": 0},
        {"name": "../x"},
        {"name": "/x"},
        {"name": "a:b"},
        {"name": "x\u202e"},
        {"pax_headers": {"SCHILY.xattr.user.x": "1"}},
    ],
)
def test_anything_but_plain_files_in_a_tar_fails(fields: dict[str, object]) -> None:
    refused_tar(a_tar(**fields))


def test_strangers_and_garbage_in_a_tar_fail() -> None:
    refused_tar(fake.tar({"a": b"two"}))
    refused_tar(b"hello" * 300)


def a_gzip(data: bytes, tail: bytes = b"") -> bytes:
    coder = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = coder.compress(data) + coder.flush()
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little") + tail


def test_gzip() -> None:
    verify_gzip(Source(a_gzip(b"one")), Source(b""), given(b"one", kind=Kind.GZ))
    for data in (
        a_gzip(b"two"),
        a_gzip(b"one", b"tail"),
        a_gzip(b"one")[:-1],
        gzip.compress(b"one"),
        a_gzip(b"one" + bytes(1 << 20)),
        b"x",
    ):
        with pytest.raises(VerificationFailed):
            verify_gzip(Source(data), Source(b""), given(b"one", kind=Kind.GZ))


def test_zipfile_agrees_that_the_bad_ones_are_mostly_valid() -> None:
    """The bad samples are refused for what they hold, not because nobody can open them."""
    openable = 0
    for data in BAD_ZIP.values():
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as other:
                openable += other.testzip() is None
        except (zipfile.BadZipFile, RuntimeError):
            continue
    assert openable > 10
