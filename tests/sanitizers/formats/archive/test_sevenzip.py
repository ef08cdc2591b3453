"""Headers of 7z archives, written field by field: what each may leave out, and each way in which one can lie."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import NamedTuple

import pytest

from sanitizers.formats.archive import sevenzip
from sanitizers.formats.archive.pack import What
from sanitizers.formats.archive.sevenzip_streams import AES
from sanitizers.model import Encrypted, Kind, LimitExceeded, Limits, Malformed, Refused, Unsupported
from tests.build import archive as fake

MOST = 8
COPY, LZMA, LZMA2, PPMD = b"\x00", b"\x03\x01\x01", b"\x21", b"\x03\x04\x01"
NAMED = b"\x05\x01\x11\x05\0" + "a".encode("utf-16-le") + b"\0\0\0"      # one file, named "a", and the end


def archive(header: bytes, packed: bytes = b"") -> bytes:
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + packed + header


def number(value: int) -> bytes:
    return fake._number(value)


def pack(*sizes: int) -> bytes:
    return b"\x06\0" + number(len(sizes)) + b"\x09" + b"".join(map(number, sizes)) + b"\0"


def coder(method: bytes, properties: bytes | None = None) -> bytes:
    flags = len(method) | (0 if properties is None else 0x20)
    return bytes([flags]) + method + (b"" if properties is None else number(len(properties)) + properties)


def folder(*coders: bytes, pairs: bytes = b"") -> bytes:
    return number(len(coders)) + b"".join(coders) + pairs


def unpack(*folders: bytes, sizes: tuple[int, ...], tail: bytes = b"\0") -> bytes:
    return b"\x07\x0b" + number(len(folders)) + b"\0" + b"".join(folders) + b"\x0c" + b"".join(map(number, sizes)) + tail


ONE = unpack(folder(coder(COPY)), sizes=(5,))
STREAMS = pack(5) + ONE


def header(streams: bytes, files: bytes = NAMED) -> bytes:
    return b"\x01\x04" + streams + b"\0" + files + b"\0"


def locked(content: bytes, files: bytes, substreams: bytes, *, position: bytes = b"\0", checksum: bytes = b"") -> bytes:
    """One folder under the password "p"; `files` and `substreams` as they shall lie in the header."""
    secret, streams = fake._locked_stream(content, "p", 4, 0)
    streams = b"\x06" + position + streams[2:].replace(b"\0\x07\x0b", checksum + b"\0\x07\x0b", 1)
    return archive(b"\x01\x04" + streams + substreams + b"\0" + files + b"\0", secret)


def opened(data: bytes, *passwords: str) -> sevenzip.Archive:
    return sevenzip.open_archive(data, passwords, MOST)


def refusal(data: bytes, *passwords: str) -> Refused:
    with pytest.raises(Refused) as caught:
        opened(data, *passwords)
    return caught.value


class Wrong(NamedTuple):
    header: bytes
    refusal: type[Refused] = Malformed
    packed: bytes = b"hello"


def encoded(streams: bytes) -> bytes:
    """A header that is packed itself."""
    return b"\x17" + streams + b"\0"


_ITSELF = b"\x06\x05\x01\x09\x12\0" + unpack(folder(coder(COPY)), sizes=(18,))      # what is packed begins behind "hello"

LIES = {
    "cut short": Wrong(header(STREAMS)[:-6]),
    "counts too much": Wrong(b"\x01\x04\x06\0" + number(9999)),
    "no folders": Wrong(header(pack(5) + b"\x07\x0a")),
    "another kind of header": Wrong(b"\x02"),
    "packed into itself for ever": Wrong(encoded(_ITSELF)),
    "two folders of a packed header": Wrong(encoded(pack(2, 3) + unpack(folder(coder(COPY)), folder(coder(COPY)), sizes=(2, 3)))),
    "several packed streams": Wrong(header(pack(2, 3) + ONE), Unsupported),
    "something after the streams": Wrong(b"\x01\x04" + STREAMS + b"\x0e"),
    "something among the packed streams": Wrong(b"\x01\x04\x06\0\x01\x09\x05\x0e"),
    "too many folders": Wrong(header(pack(5) + unpack(*[folder(coder(COPY))] * (MOST + 1), sizes=(1,) * (MOST + 1))), LimitExceeded),
    "something among the folders": Wrong(header(pack(5) + unpack(folder(coder(COPY)), sizes=(5,), tail=b"\x0e"))),
    "no coder": Wrong(header(pack(5) + unpack(folder(), sizes=(5,)))),
    "a coder that feeds itself": Wrong(header(pack(5) + unpack(folder(coder(COPY), coder(COPY), pairs=b"\0\0"), sizes=(5, 5)))),
    "coders in a ring": Wrong(header(pack(5) + unpack(folder(*[coder(COPY)] * 3, pairs=b"\1\2\2\1"), sizes=(5, 5, 5)))),
    "a coder of several streams": Wrong(header(pack(5) + unpack(b"\1\x11\0\2\1", sizes=(5,))), Unsupported),
    "something among the substreams": Wrong(header(STREAMS + b"\x08\x0e")),
    "too many substreams": Wrong(header(STREAMS + b"\x08\x0d" + number(MOST + 1)), LimitExceeded),
    "substreams larger than their folder": Wrong(header(STREAMS + b"\x08\x0d\2\x09\6\0")),
    "too many files": Wrong(header(STREAMS, b"\x05" + number(MOST + 1)), LimitExceeded),
    "files without names": Wrong(header(STREAMS, b"\x05\x01\0")),
    "names stored elsewhere": Wrong(header(STREAMS, b"\x05\x01\x11\x01\x01")),
    "half a character for a name": Wrong(header(STREAMS, b"\x05\x01\x11\x05\0\0\xd8\0\0\0")),
    "a name without an end": Wrong(header(STREAMS, b"\x05\x01\x11\x03\0a\0\0")),
    "more members than contents": Wrong(header(STREAMS, b"\x05\x02\x11\x09\0" + "a\0b\0".encode("utf-16-le") + b"\0")),
    "a packed header larger than any": Wrong(encoded(pack(5) + unpack(folder(coder(COPY)), sizes=(1 << 40,))), LimitExceeded),
    "a packed header cut short": Wrong(encoded(pack(5) + unpack(folder(coder(COPY)), sizes=(6,)))),
    "LZMA2 without a window": Wrong(encoded(pack(5) + unpack(folder(coder(LZMA2, b"")), sizes=(5,)))),
    "LZMA2 with a window of its own kind": Wrong(encoded(pack(5) + unpack(folder(coder(LZMA2, b"\x29")), sizes=(5,)))),
    "LZMA with short properties": Wrong(encoded(pack(5) + unpack(folder(coder(LZMA, b"\x5d\0")), sizes=(5,)))),
    "LZMA with impossible properties": Wrong(encoded(pack(5) + unpack(folder(coder(LZMA, b"\xff\0\0\1\0")), sizes=(5,)))),
    "LZMA that is none": Wrong(encoded(pack(5) + unpack(folder(coder(LZMA, b"\x5d\0\0\1\0")), sizes=(5,)))),
    "LZMA with too large a window": Wrong(encoded(pack(5) + unpack(folder(coder(LZMA, b"\x5d\0\0\0\xff")), sizes=(5,))), LimitExceeded),
}


@pytest.mark.parametrize("what", LIES)
def test_a_header_that_lies_is_refused(what: str) -> None:
    lie = LIES[what]
    caught = refusal(archive(lie.header, lie.packed))
    assert type(caught) is lie.refusal
    assert caught.code != "archive.locked"
    if lie.refusal is Malformed:
        assert caught.code == "archive.malformed"


@pytest.mark.parametrize("what", LIES)
def test_nor_does_it_pass_as_an_archive_without_password(what: str) -> None:
    data = archive(LIES[what].header, LIES[what].packed)
    with pytest.raises(Refused):
        fake.sanitize(data, fake.context("x.7z", Kind.SEVENZIP, size=len(data), limits=Limits(parts=MOST)))


def test_the_header_is_checked_against_its_checksum() -> None:
    data = bytearray(archive(header(STREAMS), b"hello"))
    data[-1] ^= 1
    assert refusal(bytes(data)).code == "archive.malformed"


@pytest.mark.parametrize("inner", [b"", b"\x01\0", *(b"\x01\x04" + streams + b"\0\0" for streams in (b"", b"\x08\0", pack() + unpack(sizes=())))])
def test_an_archive_of_nothing_has_no_members(inner: bytes) -> None:
    assert opened(archive(inner)).members == ()


def test_a_header_that_is_packed_into_nothing_is_none() -> None:
    data = archive(encoded(pack(5) + unpack(folder(coder(LZMA2, b"\0")), sizes=(0,))), b"hello")
    assert opened(data).members == ()


def test_a_header_under_a_coder_that_is_not_known_is_no_lock() -> None:
    caught = refusal(archive(encoded(pack(5) + unpack(folder(coder(PPMD)), sizes=(5,))), b"hello"))
    assert (type(caught), caught.code) == (Unsupported, "file.unsupported_kind")


# --- under a password ---

A_B = b"\x11\x09\0" + "a\0b\0".encode("utf-16-le")
CRC_OF_ALL = b"\x08\x0a\x01" + struct.pack("<I", zlib.crc32(b"hello")) + b"\0"


def read(data: bytes) -> dict[str, bytes]:
    made = fake.sanitize(data, fake.context("x.7z", Kind.SEVENZIP, size=len(data), passwords=("wrong", "p")))
    with zipfile.ZipFile(io.BytesIO(made)) as other:
        return {info.filename: other.read(info) for info in other.infolist()}


def test_numbers_may_be_longer_than_they_need_to_be() -> None:
    assert read(locked(b"hello", NAMED, CRC_OF_ALL, position=b"\xff" + bytes(8))) == {"a.txt": b"hello"}
    assert read(locked(b"hello", NAMED, CRC_OF_ALL, position=b"\x80\0")) == {"a.txt": b"hello"}


def test_packed_streams_may_have_checksums() -> None:
    assert read(locked(b"hello", NAMED, CRC_OF_ALL, checksum=b"\x0a\x01" + bytes(4))) == {"a.txt": b"hello"}


def test_checksums_and_attributes_may_be_there_for_some_alone() -> None:
    halves = b"\x08\x0d\x02\x09\x02\x0a\0\x80" + struct.pack("<I", zlib.crc32(b"he")) + b"\0"
    link = b"\x15\x07\0\x40\0" + struct.pack("<I", 0o120777 << 16 | 0x8000)
    files = b"\x05\x02" + A_B + link + b"\0"
    archived = opened(locked(b"hello", files, halves), "p")
    assert [(member.name, member.what, member.crc is None) for member in archived.members] == [
        ("a", What.FILE, False),
        ("b", What.OTHER, True),
    ]
    assert [archived.content(member, 99) for member in archived.members] == [b"he", b"llo"]
    made = read(locked(b"hello", files, halves))
    assert list(made) == ["a.txt", "b.無害化通知.txt"]
    assert b"llo" not in made.values()


def test_empty_files_and_folders_have_no_content() -> None:
    three = b"\x11\x0d\0" + "a\0b\0c\0".encode("utf-16-le")
    nothing = b"\x0e\x01\x60" + b"\x0f\x01\x80" + b"\x19\x02\0\0"         # b and c have no content, b is a file; padding
    assert read(locked(b"hello", b"\x05\x03" + three + nothing + b"\0", CRC_OF_ALL)) == {"a.txt": b"hello", "b": b"", "c/": b""}


def test_a_folder_is_not_unpacked_past_the_limit() -> None:
    data = locked(b"hello" * 99, NAMED, CRC_OF_ALL)
    (member,) = opened(data).members
    with pytest.raises(LimitExceeded):
        opened(data, "p").content(member, 400)


def _with_key(properties: bytes, size: int = 16) -> bytes:
    return archive(header(pack(size) + unpack(folder(coder(AES, properties)), sizes=(5,), tail=CRC_OF_ALL[1:])), bytes(size))


@pytest.mark.parametrize(
    "data",
    [
        _with_key(b"\x04"), _with_key(b"\xc4\x3f" + bytes(9)), _with_key(b"\x04\0", 15),
        locked(b"hello", NAMED, b"\x08\x0a\x01" + bytes(4) + b"\0"), locked(b"hello", NAMED, b""),
    ],
    ids=["no properties", "short salt", "half a block", "wrong checksum", "no checksum"],
)  # fmt: skip
def test_no_password_opens_what_is_broken_under_its_lock(data: bytes) -> None:
    archived = opened(data, "wrong", "p")
    assert archived.locked
    with pytest.raises(Encrypted, match="no password opens it"):
        archived.content(archived.members[0], 99)


def test_a_locked_member_beside_coders_that_only_others_know_is_said_to_be_locked() -> None:
    jumps = b"\1\x14\x03\x03\x01\x1b\x04\x01\0\1\2\3"                    # BCJ2: four streams in, one out
    streams = pack(16, 2, 1, 1, 1) + unpack(folder(coder(AES, b"\x04\0")), jumps, sizes=(5, 5), tail=b"\x0a\x01" + bytes(8) + b"\0")
    data = archive(header(streams + b"\x08\0", b"\x05\x02" + A_B + b"\0"), bytes(21))
    with pytest.raises(Unsupported) as caught:
        fake.sanitize(data, fake.context("x.7z", Kind.SEVENZIP, size=len(data), passwords=("p",)))
    assert caught.value.code == "archive.locked"
