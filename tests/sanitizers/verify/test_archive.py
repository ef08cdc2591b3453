"""The second opinion finds whatever a broken archive writer could let through."""

from __future__ import annotations

import dataclasses
import gzip
import io
import struct
import tarfile
import zipfile
import zlib

import msgspec
import pytest
from libarchive.exception import ArchiveError

from sanitizers import zip as archive
from sanitizers.context import Context
from sanitizers.model import Kind, PartInfo, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import archive as verifier
from sanitizers.verify.archive import verify_gzip, verify_tar, verify_zip
from tests.build import archive as fake
from tests.build.context import delivered, run
from tests.build.zip import UTF8, Entry, build

NOTICE = "【無害化通知】\r\n次のファイルは取り込まれませんでした。\r\n".encode()


def given(*members: bytes, kind: Kind = Kind.ZIP) -> Context:
    return delivered(fake.context("x", kind), *members, kind=Kind.TEXT)


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
    refused_zip(written(a_txt=b"one", x_無害化通知_txt=NOTICE + b"\xff"), b"one")


def test_a_delivered_member_that_is_missing_fails() -> None:
    refused_zip(written(a_txt=b"one"), b"one", b"two")
    refused_zip(written(a_txt=b"one"), b"one", b"one")


def test_members_may_be_alike() -> None:
    verify_zip(Source(written(a_txt=b"one", b_txt=b"one")), Source(b""), given(b"one", b"one"))
    refused_zip(written(a_txt=b"one", b_txt=b"one", c_txt=b"one"), b"one", b"one")


END = struct.Struct("<4s4H2IH")


@pytest.mark.parametrize(("field", "value"), [(0, b"PK\x05\x07"), (1, 1), (2, 1), (3, 2), (4, 2), (5, 1), (6, 1), (7, 1)])
def test_the_end_of_the_directory_says_what_is_there(field: int, value: object) -> None:
    data = written(a_txt=b"one")
    verifier._forward_walk(Source(data), 1)
    said = [*END.unpack(data[-22:])]
    said[field] = value
    with pytest.raises(VerificationFailed, match="the directory does not follow"):
        verifier._forward_walk(Source(data[:-22] + END.pack(*said)), 1)


def test_bytes_before_or_behind_the_directory_fail() -> None:
    data = written(a_txt=b"one")
    at = END.unpack(data[-22:])[6]
    for wrong in (data[:at] + b"x" + data[at:], data[:-22] + b"x" + data[-22:], data + b"x"):
        with pytest.raises(VerificationFailed, match="the directory does not follow"):
            verifier._forward_walk(Source(wrong), 1)


def test_a_local_record_that_is_cut_fails() -> None:
    refused_zip(b"PK\x03\x04" + END.pack(b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 0))


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


def test_a_gzip_that_stops_in_the_middle_or_has_too_much_fails() -> None:
    whole = a_gzip(b"one" * 1000)
    for data in (whole[:10] + b"\xff" * 20, a_gzip(bytes(3 << 20)), whole[:10]):
        with pytest.raises(VerificationFailed):
            verify_gzip(Source(data), Source(b""), given(b"one" * 1000, kind=Kind.GZ))
    large = bytes(range(256)) * (10 << 10)
    verify_gzip(Source(a_gzip(large)), Source(b""), given(large, kind=Kind.GZ))
    verify_gzip(Source(a_gzip(b"")), Source(b""), given(kind=Kind.GZ))


def test_what_zlib_still_holds_back_is_asked_for() -> None:
    """A decoder may have taken all input and still owe output."""

    class Slow:
        unconsumed_tail, eof = b"", False

        def decompress(self, block: bytes, most: int) -> bytes:
            return b"a" if block else b"b"

    assert b"".join(verifier._inflated(Slow(), Source(b"x"), 3)) == b"abb"


def delivering(kind: Kind, made: Kind) -> Context:
    """One part of this kind, in which there is another that was delivered and one that was not."""
    context = given(b"one", kind=kind)
    (inner,) = context.parts
    info = PartInfo(name="x", size=5, sha256=Source(b"outer").sha256, kind=made)
    held = msgspec.structs.replace(inner, verdict=Verdict.HELD, output=None)
    context.parts[:] = [msgspec.structs.replace(inner, input=info, output=info, parts=(inner, held))]
    return context


@pytest.mark.parametrize("kind", [Kind.BZ2, Kind.XZ, Kind.ZST, Kind.LZ4, Kind.COMPRESS])
def test_a_tar_that_was_compressed_is_a_zip_of_its_members(kind: Kind) -> None:
    context = delivering(kind, Kind.TAR)
    verify_zip(Source(written(a_txt=b"one")), Source(b""), context)
    with pytest.raises(VerificationFailed, match="missing"):
        verify_zip(Source(written(a_txt=b"")), Source(b""), context)
    with pytest.raises(VerificationFailed, match="no sanitizer made"):
        verify_zip(Source(written(a_txt=b"outer")), Source(b""), context)


@pytest.mark.parametrize(("kind", "made"), [(Kind.ZIP, Kind.TAR), (Kind.XZ, Kind.ZIP), (Kind.SEVENZIP, Kind.TAR)])
def test_any_other_part_is_a_member_as_it_is(kind: Kind, made: Kind) -> None:
    context = delivering(kind, made)
    verify_zip(Source(written(a_tar=b"outer")), Source(b""), context)
    with pytest.raises(VerificationFailed, match="no sanitizer made"):
        verify_zip(Source(written(a_txt=b"one")), Source(b""), context)


def test_of_nothing_there_is_nothing_in_it() -> None:
    verify_zip(Source(written(a_txt=b"")), Source(b""), given(kind=Kind.XZ))


def test_members_that_two_readers_of_tar_see_differently_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "_through_libarchive", lambda _output: [("other", None)])
    with pytest.raises(VerificationFailed, match="see different members"):
        verify_tar(Source(a_tar()), Source(b""), given(b"one", kind=Kind.TAR))


def test_a_link_that_only_libarchive_sees_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "_check_tar_member", lambda _info: None)
    refused_tar(a_tar(type=tarfile.SYMTYPE, linkname="/etc/passwd", size=0))


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


@pytest.mark.parametrize("error", [zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError])
def test_whatever_zipfile_stumbles_over_is_a_refusal(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_arguments: object) -> None:
        raise error("x")

    monkeypatch.setattr(zipfile, "ZipFile", stumble)
    refused_zip(written(a_txt=b"one"), b"one")


@pytest.mark.parametrize("error", [tarfile.TarError, ArchiveError, ValueError])
def test_whatever_a_reader_of_tar_stumbles_over_is_a_refusal(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_arguments: object, **_options: object) -> None:
        raise error("x")

    data = fake.tar({"a": b"one"})
    monkeypatch.setattr(tarfile, "open", stumble)
    refused_tar(data)


@pytest.mark.parametrize(
    "local", [{"flags": 1}, {"flags": 8}, {"flags": 0x2000}, {"method": 9}, {"method": 12}, {"extra": b"\x42\x42\0\0"}]
)
def test_a_local_record_says_no_more_than_the_directory(local: dict[str, object]) -> None:
    data = build(dataclasses.replace(A, local=local))
    with pytest.raises(VerificationFailed, match="in a local record"):
        verifier._forward_walk(Source(data), 1)


def test_a_notice_is_ours_in_either_language_and_short() -> None:
    for name, title in (("a.exe.無害化通知.txt", "【無害化通知】\r\n"), ("a.exe.sanitisation-notice.txt", "[Sanitisation notice]\r\n")):
        notice = (title + "x" * (4_096 - len(title.encode()))).encode()
        assert verifier._is_notice(name, notice)
        assert not verifier._is_notice(name, notice + b"x")
        assert not verifier._is_notice("a.txt", notice)
        assert not verifier._is_notice(name, b"x" + notice[1:])
        for text in ("全角　空白", "外字\ue000", "a\ufffd"):
            assert verifier._is_notice(name, f"{title}{text}".encode())
        for wrong in (b"\xff", b"\x1b[0m", "\u202e".encode(), "\u2028".encode(), "\u00a0".encode()):
            assert not verifier._is_notice(name, title.encode() + wrong)


def test_a_notice_about_a_member_with_a_character_of_ones_own_is_a_notice() -> None:
    data = build(Entry(b"a.txt", b"one"), Entry("\ue000.exe".encode(), b"MZ" + bytes(100), flags=UTF8))
    assert run(data, "x.zip").report.verdict is Verdict.SANITIZED


def test_each_kind_has_its_verifier() -> None:
    assert {Kind.ZIP: verify_zip, Kind.TAR: verify_tar, Kind.GZ: verify_gzip} == verifier.VERIFIERS


@pytest.mark.parametrize("error", [ArchiveError, ValueError])
def test_whatever_libarchive_stumbles_over_is_a_refusal(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_output: object) -> None:
        raise error("x")

    monkeypatch.setattr(verifier, "_through_libarchive", stumble)
    refused_tar(a_tar())


def plain(name: str = "a.txt", **changes: object) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = 0x10 if name.endswith("/") else 0
    for key, value in changes.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize(
    "info",
    [
        plain(extra=b"x"), plain(comment=b"x"), plain(flag_bits=1), plain(flag_bits=8), plain(flag_bits=0x801), plain(external_attr=0x20),
        plain(external_attr=0o120777 << 16), plain(date_time=(1980, 1, 2, 0, 0, 0)), plain(date_time=(2026, 1, 1, 0, 0, 0)), plain("d/", external_attr=0),
        plain("d/", file_size=1), plain(".."), plain("a/../b"), plain("a."), plain("a "), plain("a\x01"), plain("a\u202e"), plain("a\ud800"), plain("a:b"),
    ],
)  # fmt: skip
def test_a_member_says_nothing_but_its_name(info: zipfile.ZipInfo) -> None:
    for good in (plain(), plain("d/"), plain("資料.txt", flag_bits=0x800)):
        verifier._check_zip_member(good)
    with pytest.raises(VerificationFailed):
        verifier._check_zip_member(info)


def in_tar(name: str = "a.txt", **changes: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode = 0o644
    for key, value in changes.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize(
    "info",
    [
        in_tar(uid=1), in_tar(gid=1), in_tar(uname="x"), in_tar(gname="x"), in_tar(mtime=1), in_tar(linkname="x"), in_tar(pax_headers={"path": "a", "x": "y"}),
        in_tar(mode=0o755), in_tar(mode=0o645), in_tar(type=tarfile.DIRTYPE), in_tar(type=tarfile.DIRTYPE, mode=0o756), in_tar(type=tarfile.SYMTYPE),
        in_tar(type=tarfile.FIFOTYPE), in_tar("../a"),
    ],
)  # fmt: skip
def test_a_member_of_a_tar_says_nothing_but_its_name(info: tarfile.TarInfo) -> None:
    for good in (in_tar(), in_tar("d", type=tarfile.DIRTYPE, mode=0o755), in_tar(pax_headers={"path": "a.txt"})):
        verifier._check_tar_member(good)
    with pytest.raises(VerificationFailed):
        verifier._check_tar_member(info)


def test_folders_of_a_tar_are_no_members() -> None:
    file = io.BytesIO()
    with tarfile.open(mode="w", fileobj=file, format=tarfile.PAX_FORMAT) as writer:
        folder = in_tar("d", type=tarfile.DIRTYPE, mode=0o755)
        writer.addfile(folder)
        info = in_tar("d/a.txt", size=3)
        writer.addfile(info, io.BytesIO(b"one"))
    verify_tar(Source(file.getvalue()), Source(b""), given(b"one", kind=Kind.TAR))


@pytest.mark.parametrize("fields", [{"type": tarfile.SYMTYPE, "linkname": "x", "size": 0}, {"type": tarfile.FIFOTYPE, "size": 0}, {"type": tarfile.LNKTYPE, "linkname": "x", "size": 0}])
def test_libarchive_is_asked_for_plain_files_too(fields: dict[str, object]) -> None:
    assert [name for name, _ in verifier._through_libarchive(Source(a_tar()))] == ["資料.txt"]
    with pytest.raises(VerificationFailed, match="more than a plain file"):
        verifier._through_libarchive(Source(a_tar(**fields)))


def test_a_link_with_content_of_its_own_is_a_link() -> None:
    """libarchive takes it for a file as well, in the newer format."""
    with pytest.raises(VerificationFailed, match="more than a plain file"):
        verifier._through_libarchive(Source(a_tar(type=tarfile.LNKTYPE, linkname="x")))


def test_a_part_that_stayed_behind_is_not_asked_for() -> None:
    context = given(b"one", kind=Kind.GZ)
    context.parts.append(msgspec.structs.replace(context.parts[0], verdict=Verdict.HELD, output=None))
    verify_gzip(Source(a_gzip(b"one")), Source(b""), context)
    with pytest.raises(VerificationFailed, match="gzip:"):
        verify_gzip(Source(a_gzip(b"one")[:10] + b"\xff" * 20), Source(b""), context)


def test_a_decoder_is_never_asked_for_everything() -> None:
    """A limit of 0 means none to zlib."""

    class Greedy:
        eof = False

        def decompress(self, block: bytes, most: int) -> bytes:
            assert most > 0
            self.unconsumed_tail = block
            return b"a" * most

    assert b"".join(verifier._inflated(Greedy(), Source(b"xy"), 3)) == b"aaa"
