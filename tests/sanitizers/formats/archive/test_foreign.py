"""lzh, cab, cpio, ar, 7z and rar are read and come out as zip; split, locked and broken ones stay."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from sanitizers import library
from sanitizers.model import Action, Encrypted, Kind, LimitExceeded, Limits, Malformed, Refused, Unsupported
from sanitizers.source import Source
from sanitizers.verify.archive import verify_zip
from tests.build import archive as fake
from tests.build import zip as zips

CHANGES = (Action.REMOVED, Action.REWRITTEN)
CORPUS = Path(__file__).resolve().parents[5] / "shared" / "corpus" / "archive"
BUILDERS = {"lzh": fake.lzh, "cab": fake.cab, "cpio": fake.cpio, "ar": fake.ar, "7z": fake.sevenzip, "iso": fake.iso}


def rebuilt(data: bytes, **options: object) -> tuple[dict[str, bytes], list[str]]:
    given = fake.context("x", fake.kind_of(data), size=len(data), **options)  # type: ignore[arg-type]
    made = fake.sanitize(data, given)
    verify_zip(Source(made), Source(data), given)
    again = fake.context("x.zip", Kind.ZIP, size=len(made))
    assert fake.sanitize(made, again) == made
    assert not [finding for finding in again.findings if finding.action in CHANGES]
    with zipfile.ZipFile(io.BytesIO(made)) as other:
        found = {info.filename: other.read(info) for info in other.infolist()}
    return found, [finding.code for finding in given.findings if finding.action in CHANGES]


def refusal(data: bytes, **options: object) -> Refused:
    with pytest.raises(Refused) as caught:
        fake.sanitize(data, fake.context("x", fake.kind_of(data), size=len(data), **options))  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_members_survive_in_a_zip(build: Callable[[dict[str, bytes]], bytes]) -> None:
    members = {"a.txt": b"hello", "b.csv": b"1,2\r\n" * 99}
    made, changed = rebuilt(build(members))
    assert made == members
    assert changed == ["archive.container_converted"]


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_a_bad_member_leaves_a_notice(build: Callable[[dict[str, bytes]], bytes]) -> None:
    made, changed = rebuilt(build({"a.txt": b"hello", "e.exe": fake.BAD}))
    assert list(made) == ["a.txt", "e.exe.無害化通知.txt"]
    assert "archive.member_dropped" in changed


@pytest.mark.parametrize("build", [fake.lzh, fake.cab, fake.cpio], ids=["lzh", "cab", "cpio"])
def test_a_climbing_path_is_never_written(build: Callable[[dict[str, bytes]], bytes]) -> None:
    made, changed = rebuilt(build({"a.txt": b"hello", "../e.txt": b"evil"}))
    assert b"evil" not in made.values()
    assert "archive.path_traversal" in changed


@pytest.mark.parametrize("name", [name for name in fake.JAPANESE_NAMES if len(name.encode("cp932", "replace")) < 40])
def test_lzh_names_are_cp932(name: str) -> None:
    try:
        data = fake.lzh({name: b"x"})
    except UnicodeEncodeError:
        return
    (made,) = rebuilt(data)[0]
    assert made.rpartition(".")[0] == name.replace("\u301c", "\uff5e").rpartition(".")[0]


@pytest.mark.parametrize("build", [fake.lzh, fake.cab, fake.cpio, fake.ar, fake.sevenzip], ids=["lzh", "cab", "cpio", "ar", "7z"])
def test_every_truncation_is_refused_or_delivers_whole_members(build: Callable[[dict[str, bytes]], bytes]) -> None:
    members = {"a.txt": b"hello" * 20, "b.txt": b"world" * 20}
    data = build(members)
    for length in range(24, len(data), 7):
        try:
            made, _ = rebuilt(data[:length])
        except Refused:
            continue
        assert made.items() <= members.items(), length


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_twins_and_too_many_members_are_refused(build: Callable[[dict[str, bytes]], bytes]) -> None:
    assert refusal(build({"a.txt": b"1", "A.TXT": b"2"})).code == "archive.duplicate_name"
    many = build({f"{number}.txt": b"x" for number in range(60)})
    assert isinstance(refusal(many, limits=Limits(parts=50)), LimitExceeded)


def test_7z_names_are_unicode() -> None:
    members = {f"資料/{name}": name.encode() for name in fake.JAPANESE_NAMES if not name.endswith("docx")}
    made, _ = rebuilt(fake.sevenzip(members))
    assert {name.rpartition(".")[0]: data for name, data in made.items()} == {
        name.rpartition(".")[0]: data for name, data in members.items()
    }


def test_lzh_headers_are_checked() -> None:
    data = fake.lzh({"a.txt": b"hello"})
    assert isinstance(refusal(data.replace(b"a.txt", b"b.txt")), Malformed)
    assert refusal(data + b"tail").code == "archive.trailing_data"


def test_links_are_never_written() -> None:
    made, changed = rebuilt(fake.lzh({"good.txt": b"x", "link|": b"/etc/passwd"}))
    assert "archive.link" in changed
    assert b"/etc/passwd" not in made.values()
    made, changed = rebuilt(fake.cpio({"good.txt": b"x", "again.txt": b""}, linked=True))
    assert "archive.link" in changed


def test_a_flipped_byte_in_lzh_content_is_found() -> None:
    data = bytearray(fake.lzh({"a.txt": b"hello"}))
    data[-3] ^= 1
    assert isinstance(refusal(bytes(data)), Malformed)


@pytest.mark.parametrize("names_too", [False, True])
def test_a_password_opens_7z(names_too: bool) -> None:
    members = {"資料/予算.csv": b"1,2\r\n" * 900, "b.txt": b"hello"}
    data = fake.locked_sevenzip(members, "合言葉", names_too=names_too)
    made, changed = rebuilt(data, passwords=("wrong", "合言葉"))
    assert made == members
    assert changed == ["file.decrypted", "archive.container_converted"]
    for passwords in ((), ("wrong", "")):
        locked = refusal(data, passwords=passwords)
        assert isinstance(locked, Encrypted)
        assert names_too or "予算.csv" in locked.detail


def test_one_member_alone_opens_too() -> None:
    assert rebuilt(fake.locked_sevenzip({"a.txt": b"hello"}, "p"), passwords=("p",))[0] == {"a.txt": b"hello"}


def test_7z_windows_and_checksums_are_checked() -> None:
    wide = fake.locked_sevenzip({"a.txt": b"hello"}, "p", window=34)
    assert isinstance(refusal(wide, passwords=("p",)), LimitExceeded)
    wrong = fake.locked_sevenzip({"a.txt": b"hello", "b.txt": b"world"}, "p", crc_off=1)
    assert isinstance(refusal(wrong, passwords=("p",)), Malformed)


def test_a_7z_key_that_takes_for_ever_is_refused() -> None:
    data = bytearray(fake.locked_sevenzip({"a.txt": b"hello"}, "p", names_too=True))
    at = data.index(b"\xc6\x3fsalt", data.rindex(b"\x06\xf1\x07\x01"))
    data[at] = 0xC0 | 30
    size = int.from_bytes(data[20:28], "little")
    data[28:32] = struct.pack("<I", zlib.crc32(data[-size:]))
    data[8:12] = struct.pack("<I", zlib.crc32(data[12:32]))
    assert isinstance(refusal(bytes(data), passwords=("p",)), LimitExceeded)


def vint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + vint(value >> 7)


def rar5_block(kind: int, body: bytes, flags: int = 0, extra: bytes = b"") -> bytes:
    flags |= 1 if extra else 0
    head = vint(kind) + vint(flags) + (vint(len(extra)) if extra else b"") + body + extra
    head = vint(len(head)) + head
    return struct.pack("<I", zlib.crc32(head)) + head


RAR5 = b"Rar!\x1a\x07\x01\x00"
RAR4 = b"Rar!\x1a\x07\x00"


def rar4_block(kind: int, flags: int, body: bytes = b"") -> bytes:
    return struct.pack("<HBHH", 0, kind, flags, 7 + len(body)) + body


START = struct.pack("<QQI", 50_000, 100, 0)
LOCKED = {
    "rar5 headers": RAR5 + rar5_block(4, b"\0\0\x0f" + bytes(16)),
    "rar5 member": RAR5 + rar5_block(1, b"\0") + rar5_block(2, b"\0\0\0\0\0\0", extra=b"\x02\x01\0"),
    "rar4 headers": RAR4 + rar4_block(0x73, 0x80, bytes(6)),
    "rar4 member": RAR4 + rar4_block(0x73, 0, bytes(6)) + rar4_block(0x74, 4, bytes(25)),
}
SPLIT = {
    "rar5": RAR5 + rar5_block(1, b"\1"),
    "rar4": RAR4 + rar4_block(0x73, 1, bytes(6)),
    "7z": b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I20s", zlib.crc32(START), START) + bytes(100),
    "cab": fake.cab({"a.txt": b"x"}, flags=2),
}


@pytest.mark.parametrize("kind", LOCKED)
def test_a_locked_archive_is_held_as_encrypted(kind: str) -> None:
    assert isinstance(refusal(LOCKED[kind]), Encrypted)


@pytest.mark.parametrize("kind", SPLIT)
def test_a_part_of_a_split_set_is_held(kind: str) -> None:
    caught = refusal(SPLIT[kind])
    assert isinstance(caught, Unsupported)
    assert caught.code == "archive.multi_volume"


@pytest.mark.parametrize(
    "data", [RAR5 + b"\xff" * 40, RAR4 + b"\xff" * 40, RAR4 + bytes(40), RAR5, RAR4, b"7z\xbc\xaf\x27\x1c" + bytes(40)]
)
def test_garbage_is_refused(data: bytes) -> None:
    assert isinstance(refusal(data), Refused)


def test_a_member_in_a_way_that_the_library_does_not_know_is_unsupported() -> None:
    with library.reading(zips.build(zips.Entry(b"a.txt", b"x" * 99, method=97)), "zip") as opened:
        for _ in opened.entries():
            with pytest.raises(Unsupported, match=r"(?i)unsupported"):
                opened.read(1 << 20)


@pytest.mark.parametrize("form", ["raw", "tar"])
def test_a_frame_that_wants_two_gigabytes_of_memory_is_past_the_limit(form: str) -> None:
    """A window of 2^31 bytes is announced before anything is unpacked (RFC 8878, 3.1.1.1.2)."""
    frame = b"\x28\xb5\x2f\xfd\x00\xa8" + (0x21).to_bytes(3, "little") + b"abcd" + bytes(64)
    with pytest.raises(LimitExceeded, match="memory"), library.reading(frame, form, "zstd") as opened:
        list(opened.entries())


def test_a_member_is_not_read_past_what_is_left() -> None:
    with library.reading(fake.cpio({"a.txt": bytes(4 << 20)}), "cpio") as opened:
        for _ in opened.entries():
            with pytest.raises(LimitExceeded):
                opened.read(1 << 20)
