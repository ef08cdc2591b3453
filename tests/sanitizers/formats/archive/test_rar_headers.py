"""Headers of RAR files, locked and not, written block by block: what they may leave out, and what contradicts itself."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from sanitizers.formats.archive import rar, rar_locked
from sanitizers.model import Encrypted, Kind, LimitExceeded, Malformed, Refused, Unsupported
from tests.build import archive as fake
from tests.build import rar as build
from tests.build.rar import rar4, rar5

TEXT = "来月の資料です。\r\n".encode()
KEY, SUM_KEY, CHECK = build._keys5("p", 4)
LOCK = b"\0\1\4" + build._SALT + build._VECTOR + CHECK        # version, a check is there, rounds
END5 = build._head5(5, b"\0")


def read(data: bytes, *passwords: str) -> dict[str, bytes]:
    made = fake.sanitize(data, fake.context("x.rar", Kind.RAR, size=len(data), passwords=passwords))
    with zipfile.ZipFile(io.BytesIO(made)) as other:
        return {info.filename: other.read(info) for info in other.infolist()}


def refusal(data: bytes, *passwords: str) -> Refused:
    with pytest.raises(Refused) as caught:
        read(data, *passwords)
    return caught.value


def file5(name: bytes, data: bytes, lock: bytes | None = LOCK, *, crc: bool = True, method: int = 0, packed: bytes | None = None) -> bytes:
    """One member; `lock`: the record of its encryption."""
    known = struct.pack("<I", zlib.crc32(data)) if crc else b""
    body = bytes((4 if crc else 0,)) + build._vint(len(data)) + b"\x20" + known + build._vint(method << 7) + b"\0" + build._vint(len(name)) + name
    extra = b"" if lock is None else build._vint(len(lock) + 1) + b"\1" + lock
    packed = packed if packed is not None else data if lock is None else build._cbc(KEY, build._VECTOR, data)
    return build._head5(2, body, extra, len(packed)) + packed


def archive5(*blocks: bytes) -> bytes:
    return rar.RAR5 + build._head5(1, b"\0") + b"".join(blocks) + END5


def test_members_without_a_lock_beside_locked_ones() -> None:
    data = archive5(file5(b"a.txt", TEXT, None), build._head5(3, b"\0"), file5(b"b.txt", TEXT * 2))
    assert read(data, "wrong", "p") == {"a.txt": TEXT, "b.txt": TEXT * 2}


def test_locked_headers_that_end_with_the_file() -> None:
    """Without an end block: WinRAR leaves it out where it is told to."""
    whole = rar5({"a.txt": TEXT}, "p", names_too=True)
    assert read(whole[:-32], "p") == {"a.txt": TEXT}


@pytest.mark.parametrize(
    ("data", "refused", "code"),
    [
        (archive5(file5(b"a", TEXT, b"\1" + LOCK[1:])), Unsupported, "archive.locked"),
        (archive5(file5(b"a", TEXT, b"\0\0" + LOCK[2:])), Unsupported, "archive.locked"),
        (archive5(file5(b"a", TEXT, LOCK[:-1])), Unsupported, "archive.locked"),
        (archive5(file5(b"a", TEXT, b"\0\1\x19" + LOCK[3:])), Malformed, "archive.malformed"),
        (archive5(file5(b"a", TEXT, LOCK[:-1] + b"\0")), Malformed, "archive.malformed"),
        (archive5(file5(b"a", TEXT, crc=False)), Unsupported, "archive.locked"),
        (archive5(file5(b"a", TEXT, packed=bytes(17))), Malformed, "archive.malformed"),
        (archive5(file5(b"a", TEXT, method=3, packed=build._cbc(KEY, build._VECTOR, bytes(32)))), Malformed, "archive.malformed"),
        (archive5(file5(b"a", TEXT, method=3, packed=build._cbc(KEY, build._VECTOR, b"\0\0\xff" + bytes(13)))), Malformed, "archive.malformed"),
        (archive5(file5(b"a", TEXT)[:-10]), Malformed, "archive.malformed"),
        (rar.RAR5 + bytes(6), Malformed, "archive.malformed"),
        (b"Rar!\x1a\x07\x02\0" + bytes(60), Malformed, "archive.malformed"),
    ],
    ids=[
        "version", "no check", "record cut short", "rounds", "sum of the check", "no CRC", "half a block", "no last block", "block too long",
        "cut", "no headers", "no RAR",
    ],
)  # fmt: skip
def test_a_rar_5_that_lies_is_refused(data: bytes, refused: type[Refused], code: str) -> None:
    caught = refusal(data, "p")
    assert (type(caught), caught.code) == (refused, code)


def test_a_large_file_of_rar_4_says_so_in_two_halves() -> None:
    def head(upper: int) -> bytes:
        sizes = struct.pack("<IIBIIBBHI", len(TEXT), len(TEXT), 2, zlib.crc32(TEXT), 0x5A21_0000, 29, 0x30, 5, 0x20)
        return build._head4(0x74, 0x8000 | rar.LARGE4, sizes + struct.pack("<II", upper, 0) + b"a.txt")

    start = rar.RAR4 + build._head4(0x73, 0, bytes(6))
    assert read(start + head(0) + TEXT + build._head4(0x7B, 0x4000, b"")) == {"a.txt": TEXT}
    assert rar.packed4(head(2)) == (2 << 32) + len(TEXT)
    assert not rar.is_locked(start + head(2) + TEXT)


LOCKED4 = rar.LOCKED4 | rar.SALT4 | rar.HAS_DATA4


def archive4(*blocks: bytes, flags: int = 0) -> bytes:
    return rar.RAR4 + build._head4(0x73, flags, bytes(6)) + b"".join(blocks)


def file4(packed: bytes, *, size: int, crc: int = 0, method: int = 0x33, flags: int = LOCKED4, name: bytes = b"a.txt") -> bytes:
    rest = struct.pack("<IIBIIBBHI", len(packed), size, 2, crc, 0x5A21_0000, 29, method, len(name), 0x20)
    return build._head4(0x74, flags, rest + name + build._SALT[:8]) + packed


@pytest.mark.parametrize(
    ("data", "refused", "code"),
    [
        (archive4(file4(bytes(15), size=15)), Malformed, "archive.malformed"),
        (archive4(build._head4(0x74, LOCKED4, bytes(20))), Malformed, "archive.malformed"),
        (archive4(struct.pack("<HBHH", 0, 0x74, 0, 6)), Malformed, "archive.malformed"),
        (archive4(file4(bytes(16), size=16, flags=LOCKED4 & ~rar.SALT4)), Unsupported, "archive.locked"),
        (archive4(file4(bytes(32), size=900, crc=7)), Encrypted, "file.encrypted"),
        (archive4(file4(bytes(32), size=32, crc=7, method=0x30)), Encrypted, "file.encrypted"),
        (archive4(file4(bytes(32), size=9))[:-4], Malformed, "archive.malformed"),
    ],
    ids=["half a block", "header too short", "header of six bytes", "no salt", "compressed garbage", "stored garbage", "cut"],
)
def test_a_rar_4_that_lies_is_refused(data: bytes, refused: type[Refused], code: str) -> None:
    caught = refusal(data, "p")
    assert (type(caught), caught.code) == (refused, code)


def test_other_blocks_of_a_locked_rar_4_stay_behind() -> None:
    whole = rar4({"a.txt": TEXT}, "p")
    end = build._head4(0x7B, 0x4000, b"")
    note = build._head4(0x7A, 0x8000, struct.pack("<I", 6)) + b"canary"
    assert read(whole.removesuffix(end) + note + end, "p") == {"a.txt": TEXT}
    assert read(whole.removesuffix(end) + note, "p") == {"a.txt": TEXT}


def test_salts_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rar_locked, "_MOST_SALTS", 0)
    assert isinstance(refusal(rar4({"a.txt": TEXT}, "p"), "p"), LimitExceeded)


@pytest.mark.parametrize(
    "data",
    [
        archive5(*[build._head5(3, b"\0")] * 9, file5(b"a.txt", TEXT)), archive5(file5(b"a.txt", TEXT), *[build._head5(3, b"\0")] * 9),
        archive4(*[build._head4(0x75, 0, b"")] * 9, file4(bytes(16), size=16)), archive4(file4(bytes(16), size=16), *[build._head4(0x75, 0, b"")] * 9),
    ],
)  # fmt: skip
def test_blocks_are_counted_so_that_no_member_is_lost_behind_them(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rar, "MOST_BLOCKS", 5)
    assert isinstance(refusal(data, "p"), LimitExceeded)


def test_only_the_first_names_of_what_is_locked_are_listed() -> None:
    caught = refusal(rar5({f"{number}.txt": TEXT for number in range(60)}, "p"))
    assert isinstance(caught, Encrypted)
    assert caught.detail.endswith(": " + ", ".join(f"{number}.txt" for number in range(50)))
