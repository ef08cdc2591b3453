"""The strict reader refuses whatever two readers could see differently, and the writer's files are the same for everyone."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from sanitizers import zip as archive
from sanitizers.budget import Budget
from sanitizers.model import Encrypted, LimitExceeded, Limits, Malformed, Refused, Unsupported
from sanitizers.source import BLOCK, FOLDED_FROM, Folding, Source
from tests.build.zip import DESCRIPTOR, UTF8, Entry, aes, build, central, deflate, local, plain, traditional, unicode_path

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
MAX32 = 0xFFFFFFFF


def budget(size: int = 1 << 20, **limits: int) -> Budget:
    return Budget(Limits(**limits), size)


def contents(data: bytes, *passwords: str) -> dict[str, bytes]:
    opened = archive.open_archive(Source(data))
    spend = budget()
    return {member.name: opened.read(member, spend, passwords) for member in opened.members if not member.directory}


def code_of(data: bytes) -> str:
    with pytest.raises(Refused) as refusal:
        contents(data)
    return refusal.value.code


def descriptor(data: bytes, *, signed: bool = True, wide: bool = False, crc: int | None = None) -> bytes:
    shape = "<IQQ" if wide else "<III"
    body = struct.pack(shape, zlib.crc32(data) if crc is None else crc, len(deflate(data)), len(data))
    return (b"PK\7\x08" if signed else b"") + body


# --- what is fine ---


def test_reads_stored_and_deflated() -> None:
    data = build(Entry(b"a.txt", b"hello" * 99), Entry(b"b.bin", b"xyz", method=0), Entry(b"empty", b"", method=0))
    assert contents(data) == {"a.txt": b"hello" * 99, "b.bin": b"xyz", "empty": b""}


def test_empty_archive_has_no_members() -> None:
    assert archive.open_archive(Source(build())).members == ()


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_streamed_member_with_data_descriptor(signed: bool, wide: bool) -> None:
    blank = {"crc": 0, "packed": 0, "size": 0}
    streamed = Entry(b"a", b"hello", flags=DESCRIPTOR, local=blank, descriptor=descriptor(b"hello", signed=signed, wide=wide))
    assert contents(build(streamed, Entry(b"b", b"x"))) == {"a": b"hello", "b": b"x"}


def test_python_streaming_writer_is_read() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("日本.txt", b"data")
        writer.writestr("folder/", b"")
    assert contents(pipe.getvalue()) == {"日本.txt": b"data"}


def test_zip64_end_record_that_agrees_is_read() -> None:
    assert contents(build(Entry(b"a", b"1"), zip64=True)) == {"a": b"1"}


def test_zip64_field_that_agrees_is_read() -> None:
    wide = struct.pack("<HHQQ", 1, 16, 5, len(deflate(b"hello")))
    top = {"packed": 0xFFFFFFFF, "size": 0xFFFFFFFF}
    assert contents(build(Entry(b"a", b"hello", extra=wide, local=top, central=top))) == {"a": b"hello"}


@pytest.mark.parametrize("body", [b"", struct.pack("<I", 0)])
def test_zip64_field_that_gives_only_what_the_record_leaves_out_is_read(body: bytes) -> None:
    """With the number of the volume, where that is left out too."""
    wide = struct.pack("<HHQ", 1, 8 + len(body), 5) + body
    said = {"size": MAX32, "extra": wide} | ({"disk": 0xFFFF} if body else {})
    assert contents(build(Entry(b"a", b"hello", central=said))) == {"a": b"hello"}


@pytest.mark.parametrize("disk", [0, 0xFFFF])
def test_zip64_field_that_says_everything_again_is_read(disk: int) -> None:
    wide = struct.pack("<HHQQQI", 1, 28, 5, len(deflate(b"hello")), 0, 0)
    assert contents(build(Entry(b"a", b"hello", central={"extra": wide, "disk": disk}))) == {"a": b"hello"}


def test_a_name_for_other_bytes_is_not_taken() -> None:
    (member,) = archive.open_archive(Source(build(Entry(b"a", b"x", extra=unicode_path(b"a", "b", crc=1))))).members
    assert member.name == "a"


def test_a_member_beyond_four_gigabytes_may_have_a_long_descriptor() -> None:
    """It is opened, and its content refused by its size before a byte of it is inflated."""
    size = 5 << 30
    wide = struct.pack("<HHQQ", 1, 16, size, 5)
    tail = struct.pack("<4sIQQ", b"PK\7\x08", 9, 5, size)
    blank = {"crc": 0, "packed": 0, "size": 0, "extra": b""}
    said = {"crc": 9, "packed": MAX32, "size": MAX32, "extra": wide}
    opened = archive.open_archive(Source(build(Entry(b"a", packed=b"12345", flags=DESCRIPTOR, local=blank, central=said, descriptor=tail))))
    assert [member.size for member in opened.members] == [size]
    with pytest.raises(LimitExceeded):
        opened.read(opened.members[0], budget())
    assert code_of(build(Entry(b"a", packed=b"12345", flags=DESCRIPTOR, local=blank, central=said, descriptor=tail[:16]))) == "zip.gap"


def test_alignment_padding_in_an_extra_field_is_read() -> None:
    assert contents(build(Entry(b"a", b"hello", local={"extra": bytes(7)}))) == {"a": b"hello"}


def test_other_extra_fields_per_record_are_read() -> None:
    times = struct.pack("<HHBI", 0x5455, 5, 1, 0)
    assert contents(build(Entry(b"a", b"hello", local={"extra": times}))) == {"a": b"hello"}


def test_an_archive_inside_an_archive_is_no_second_end() -> None:
    inner = plain(x_txt=b"inner")
    assert contents(build(Entry(b"inner.zip", inner, method=0))) == {"inner.zip": inner}


def test_folders_links_comments_and_unusual_fields_are_told() -> None:
    data = build(
        Entry(b"f/", b"", method=0, attributes=0x10),
        Entry(b"link", b"/etc/passwd", method=0, attributes=0o120777 << 16),
        Entry(b"c", b"1", comment=b"hi"),
        Entry(b"e", b"1", extra=struct.pack("<HH4s", 0x4242, 4, b"hide")),
        Entry(b"d\\x.txt", b"1"),
        comment=b"whole",
    )
    opened = archive.open_archive(Source(data))
    told = {member.name: member for member in opened.members}
    assert told["f/"].directory
    assert told["link"].symlink
    assert told["c"].commented
    assert told["e"].extra
    assert told["d/x.txt"].backslash
    assert opened.comment == 5


# --- ZipDiff: three families, fourteen kinds ---

A = Entry(b"a.txt", b"harmless")
B = Entry(b"b.txt", b"second")
TWO_LOCALS = local(Entry(b"a.txt", b"evil")) + local(A)


def hidden_end() -> bytes:
    """C2: a second complete directory and end record inside the comment of the first."""
    inner = central(Entry(b"a.txt", b"harmless"), 0)
    outer = build(A)
    fake = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(inner), len(outer), 0)
    return build(A, comment=inner + fake)


ZIPDIFF = {
    "A1 method": (build(Entry(b"a", b"x", local={"method": 0})), "zip.header_mismatch"),
    "A2 size": (build(Entry(b"a", b"x", local={"size": 7})), "zip.header_mismatch"),
    "A2 packed size": (build(Entry(b"a", b"x" * 9, method=0, local={"packed": 3}), B), "zip.header_mismatch"),
    "A3 name": (build(Entry(b"a.txt", b"x", local={"name": b"a.exe"})), "zip.header_mismatch"),
    "A3 unicode name": (build(Entry(b"a", b"x", local={"extra": unicode_path(b"a", "b")})), "zip.header_mismatch"),
    "A4 directory flag": (build(Entry(b"a", b"x", attributes=0x10)), "zip.directory_flag"),
    "A4 folder with content": (build(Entry(b"a/", b"x")), "zip.directory_flag"),
    "A5 encryption": (build(Entry(b"a", b"x", local={"flags": 1})), "zip.header_mismatch"),
    "B1 duplicates": (build(A, Entry(b"a.txt", b"evil")), "zip.duplicate_name"),
    "B2 special bytes": (build(Entry(b"a.txt\0.exe", b"x")), "zip.name"),
    "B2 not UTF-8": (build(Entry(b"\x83\x5c.txt", b"x", flags=UTF8)), "zip.name"),
    "B2 two names": (build(Entry(b"a", b"x", flags=UTF8, extra=unicode_path(b"a", "b"))), "zip.name"),
    "B3 canonical": (build(A, Entry(b"./x/..//a.txt", b"evil")), "zip.duplicate_name"),
    "B3 backslash": (build(Entry(b"d/a.txt", b"1"), Entry(b"d\\a.txt", b"2")), "zip.duplicate_name"),
    "B3 composed": (
        build(Entry("が".encode(), b"1", flags=UTF8), Entry("か\u3099".encode(), b"2", flags=UTF8)),
        "zip.duplicate_name",
    ),
    "B3 file and folder": (build(Entry(b"a", b"1"), Entry(b"a/b", b"2")), "zip.duplicate_name"),
    "B4 case": (build(A, Entry(b"A.TXT", b"evil")), "zip.duplicate_name"),
    "C1 orphan local record": (build(Entry(b"evil", b"MZ", listed=False), A), "zip.leading_data"),
    "C1 orphan between": (build(A, Entry(b"evil", b"MZ", listed=False), B), "zip.orphan_entry"),
    "C1 orphan at the end": (build(A, gap=local(Entry(b"evil", b"MZ"))), "zip.orphan_entry"),
    "C2 second end in the comment": (hidden_end(), "zip.two_ends"),
    "C2 end within the comment": (build(A, comment=build(B)), "zip.two_ends"),
    "C2 records within the comment": (build(A, comment=b"x" + local(B)), "zip.two_ends"),
    "C3 count too small": (build(A, B, end={"count": 1, "here": 1}), "zip.count"),
    "C3 count too large": (build(A, end={"count": 2, "here": 2}), "zip.count"),
    "C4 directory offset": (build(A, end={"offset": 0}), "zip.directory"),
    "C4 directory size": (build(A, B, end={"size": 10}), "zip.directory"),
    "C5 zip64 count": (build(A, B, zip64=True, end={"count": 1, "here": 1}), "zip.zip64"),
    "C5 zip64 offset": (build(A, zip64=True, end={"offset": 0}), "zip.zip64"),
    "C5 zip64 field": (build(Entry(b"a", b"x", central={"extra": struct.pack("<HHQ", 1, 8, 99)})), "zip.zip64"),
    "C5 zip64 local field": (build(Entry(b"a", b"x", local={"extra": struct.pack("<HHQQ", 1, 16, 9, 9)})), "zip.zip64"),
}


@pytest.mark.parametrize("kind", ZIPDIFF)
def test_zipdiff_ambiguity_is_refused(kind: str) -> None:
    data, code = ZIPDIFF[kind]
    assert code_of(data) == code


def test_an_end_record_that_swallows_another_is_refused() -> None:
    first = build(A)
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0, 0, 0, len(first), 0)
    swallowing = first[:-2] + struct.pack("<H", len(tail)) + tail
    assert code_of(swallowing) == "zip.two_ends"


# --- hidden bytes and broken records ---

ZIP64 = build(A, zip64=True)

BROKEN = {
    "prefix": (build(A, prefix=b"MZ" + bytes(100)), "zip.leading_data"),
    "prefix with unadjusted offsets": (b"MZ" + bytes(100) + build(A), "zip.directory"),
    "tail": (build(A, suffix=b"tail"), "zip.trailing_data"),
    "gap": (build(A, Entry(b"b", b"2", before=b"hidden bytes")), "zip.gap"),
    "gap before the directory": (build(A, gap=b"hidden bytes"), "zip.gap"),
    "descriptor with a wrong CRC": (
        build(Entry(b"a", b"hello", flags=DESCRIPTOR, local={"crc": 0}, descriptor=descriptor(b"hello", crc=1))),
        "zip.gap",
    ),
    "no descriptor": (build(Entry(b"a", b"x", flags=DESCRIPTOR, local={"crc": 0, "packed": 0, "size": 0})), "zip.gap"),
    "overlap": (build(Entry(b"a", b"x" * 50, central={"packed": 500}, local={"packed": 500}), B), "zip.overlap"),
    "one local record for two": (build(A, Entry(b"b.txt", b"x", written=False, offset=0)), "zip.overlap"),
    "CRC": (build(Entry(b"a", b"x", crc=7)), "zip.crc"),
    "size too small": (build(Entry(b"a", b"x" * 99, local={"size": 5}, central={"size": 5})), "zip.size"),
    "size too large": (build(Entry(b"a", b"x" * 99, local={"size": 500}, central={"size": 500})), "zip.size"),
    "data after deflate": (build(Entry(b"a", b"x" * 99, packed=deflate(b"x" * 99) + b"hide")), "zip.gap"),
    "not deflate": (build(Entry(b"a", b"x" * 9, packed=b"\xff" * 9)), "zip.deflate"),
    "extra field too long": (build(Entry(b"a", b"x", extra=b"\x42\x42\x09\x00a")), "zip.extra_field"),
    "extra field twice": (build(Entry(b"a", b"x", extra=unicode_path(b"a", "a") * 2)), "zip.extra_field"),
    "no name": (build(Entry(b"", b"x")), "zip.name"),
    "method": (build(Entry(b"a", b"x", method=14)), "zip.method"),
    "volumes": (build(A, end={"disk": 1}), "archive.multi_volume"),
    "volume of a member": (build(Entry(b"a", b"x", central={"disk": 2})), "archive.multi_volume"),
    "AES method alone": (build(Entry(b"a", b"x", method=99)), "zip.extra_field"),
    "stored with its own end inside": (
        build(
            Entry(
                b"a",
                b"xPK\7\x08y",
                method=0,
                flags=DESCRIPTOR,
                local={"crc": 0},
                descriptor=struct.pack("<4sIII", b"PK\7\x08", zlib.crc32(b"xPK\7\x08y"), 6, 6),
            )
        ),
        "zip.gap",
    ),
    "no zip at all": (b"hello", "zip.malformed"),
    "end record cut off": (build(A)[:-4], "zip.malformed"),
    "zip64 end record elsewhere": (ZIP64.replace(struct.pack("<4sIQI", b"PK\6\7", 0, len(ZIP64) - 98, 1), struct.pack("<4sIQI", b"PK\6\7", 0, 9, 1)), "zip.zip64"),
    "zip64 volumes": (build(A, zip64=True, end64={"disk": 1}), "archive.multi_volume"),
    "zip64 counts": (build(A, zip64=True, end64={"here": 2}), "archive.multi_volume"),
    "zip64 field of a wrong length": (build(Entry(b"a", b"x", central={"extra": struct.pack("<HH9s", 1, 9, b"")})), "zip.zip64"),
    "zip64 field of another size": (build(Entry(b"a", b"x", central={"extra": struct.pack("<HHQQ", 1, 16, 1, 9)})), "zip.zip64"),
    "zip64 field for another number": (build(Entry(b"a", b"x", offset=MAX32, central={"extra": struct.pack("<HHQQ", 1, 16, 1, 3)})), "zip.zip64"),
    "zip64 field in a local record, one size": (build(Entry(b"a", b"x", local={"extra": struct.pack("<HHQ", 1, 8, 1)})), "zip.zip64"),
    "zip64 volume of a member": (
        build(Entry(b"a", b"x", central={"disk": 0xFFFF, "size": MAX32, "extra": struct.pack("<HHQI", 1, 12, 1, 3)})),
        "archive.multi_volume",
    ),
    "Unicode path of another version": (build(Entry(b"a", b"x", extra=struct.pack("<HHBI", 0x7075, 5, 2, 0))), "zip.extra_field"),
    "Unicode path cut short": (build(Entry(b"a", b"x", extra=struct.pack("<HHB", 0x7075, 1, 1))), "zip.extra_field"),
    "Unicode path that is none": (
        build(Entry(b"a", b"x", extra=struct.pack("<HHBI2s", 0x7075, 7, 1, zlib.crc32(b"a"), b"\x83\\"))),
        "zip.name",
    ),
    "AES field of another length": (build(Entry(b"a", b"x", method=99, flags=1, extra=struct.pack("<HH6s", 0x9901, 6, b"\2\0AE\3\0"))), "zip.extra_field"),
    "AES field of another vendor": (build(Entry(b"a", b"x", method=99, flags=1, extra=struct.pack("<HHH2sBH", 0x9901, 7, 2, b"XX", 3, 0))), "zip.extra_field"),
    "AES of no strength": (build(Entry(b"a", b"x", method=99, flags=1, extra=struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 4, 0))), "zip.extra_field"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_or_hiding_archive_is_refused(kind: str) -> None:
    data, code = BROKEN[kind]
    assert code_of(data) == code


def test_every_truncation_and_many_bit_flips_end_in_a_refusal_or_the_same_members() -> None:
    data = build(A, Entry("日本.txt".encode(), b"x" * 300, flags=UTF8), Entry(b"f/", method=0))
    right = contents(data)
    for length in range(len(data)):
        with pytest.raises(Refused):
            contents(data[:length])
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 0x01
        try:
            found = contents(bytes(flipped))
        except Refused:
            continue
        assert sorted(found.values()) == sorted(right.values()), at


# --- limits ---


def test_too_many_members_are_refused_before_they_are_walked() -> None:
    with pytest.raises(LimitExceeded):
        archive.open_archive(Source(build(A, zip64=True, end64={"count": 1 << 40, "here": 1 << 40})))


def test_a_bomb_stops_at_the_budget() -> None:
    data = build(Entry(b"bomb", bytes(1 << 20)))
    opened = archive.open_archive(Source(data))
    with pytest.raises(LimitExceeded):
        opened.read(opened.members[0], budget(100, expansion_floor=1000, expansion_ratio=1))


def test_a_bomb_is_refused_before_it_is_touched() -> None:
    opened = archive.open_archive(Source(build(Entry(b"bomb", bytes(1 << 20), packed=b"\xff" * 9))))
    with pytest.raises(LimitExceeded):
        opened.read(opened.members[0], budget(100, expansion_floor=1000, expansion_ratio=1))
    with pytest.raises(LimitExceeded):
        opened.read(opened.members[0], budget(memory_bytes=1 << 20))


def test_a_bomb_that_hides_its_size_is_not_inflated_further_than_it_says() -> None:
    data = build(Entry(b"bomb", bytes(1 << 22), local={"size": 10}, central={"size": 10}))
    assert code_of(data) == "zip.size"


def test_reading_spends_the_budget() -> None:
    opened = archive.open_archive(Source(build(Entry(b"a", b"x" * 600), Entry(b"b", b"y" * 600))))
    spend = budget(1, expansion_floor=1000, expansion_ratio=1)
    opened.read(opened.members[0], spend)
    with pytest.raises(LimitExceeded):
        opened.read(opened.members[1], spend)


def test_a_name_longer_than_any_path_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        archive.open_archive(Source(build(Entry(b"n" * 5000, b""))))


# --- passwords ---


@pytest.mark.parametrize("lock", ["traditional", "aes128", "aes192", "aes256", "ae-1"])
def test_password_opens(lock: str) -> None:
    secret = Entry("予算.csv".encode(), b"secret " * 5000, flags=UTF8)
    locked = {
        "traditional": lambda: traditional(secret, b"pass"),
        "aes128": lambda: aes(secret, b"pass", 1),
        "aes192": lambda: aes(secret, b"pass", 2),
        "aes256": lambda: aes(secret, b"pass", 3),
        "ae-1": lambda: aes(secret, b"pass", 3, vendor=1),
    }[lock]()
    data = build(locked, A)
    assert contents(data, "wrong", "", "pass") == {"予算.csv": secret.data, "a.txt": A.data}
    for passwords in ((), ("wrong", "Pass")):
        with pytest.raises(Encrypted):
            contents(data, *passwords)


def test_zipcrypto_is_what_the_world_writes() -> None:
    data = build(traditional(Entry(b"a", b"hello" * 10), b"pw"))
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert other.read("a", b"pw") == b"hello" * 10


def test_infozip_checks_the_password_by_the_time() -> None:
    blank = {"crc": 0, "packed": 0, "size": 0}
    tail = struct.pack("<4sIII", b"PK\7\x08", zlib.crc32(A.data), len(deflate(A.data)) + 12, len(A.data))
    streamed = Entry(b"a.txt", A.data, flags=DESCRIPTOR, local=blank, descriptor=tail)
    assert contents(build(traditional(streamed, b"pass", check=0)), "wrong", "pass") == {"a.txt": A.data}


def test_a_japanese_password_is_tried_as_cp932_too() -> None:
    assert contents(build(traditional(A, "合言葉".encode("cp932"))), "合言葉") == {"a.txt": A.data}


def test_a_forged_aes_member_does_not_open() -> None:
    locked = aes(A, b"pass")
    assert locked.packed is not None
    locked.packed = locked.packed[:20] + bytes([locked.packed[20] ^ 1]) + locked.packed[21:]
    with pytest.raises(Encrypted):
        contents(build(locked), "pass")


# --- the writer ---


def test_writer_is_deterministic_and_read_alike_by_all() -> None:
    members = {"資料/表紙.txt": b"text" * 500, "a.bin": bytes(range(256)), "空.txt": b"", "folder/": b""}

    def write() -> bytes:
        writer = archive.Writer()
        for name, data in members.items():
            writer.add(name, data)
        return writer.finish()

    made = write()
    assert made == write()
    assert contents(made) == {name: data for name, data in members.items() if not name.endswith("/")}
    with zipfile.ZipFile(io.BytesIO(made)) as other:
        assert other.testzip() is None
        assert {info.filename: other.read(info) for info in other.infolist()} == members
        assert [info.flag_bits for info in other.infolist()] == [UTF8, 0, UTF8, 0]
        assert {(info.extra, info.comment, info.date_time) for info in other.infolist()} == {(b"", b"", (1980, 1, 1, 0, 0, 0))}


def test_writer_stores_what_does_not_shrink_or_must_not() -> None:
    writer = archive.Writer()
    writer.add("mimetype", b"application/epub+zip" * 9, store=True)
    writer.add("noise", bytes((n * n * 7919) & 255 for n in range(7)))
    writer.add("text", b"text" * 99)
    with zipfile.ZipFile(io.BytesIO(writer.finish())) as other:
        assert [info.compress_type for info in other.infolist()] == [0, 0, 8]


def test_writer_puts_a_folded_member_in_as_it_is() -> None:
    folding = Folding()
    for _ in range(FOLDED_FROM // BLOCK + 1):
        folding.add(bytes(BLOCK))
    writer = archive.Writer()
    writer.add("large", folding.source())
    with zipfile.ZipFile(io.BytesIO(writer.finish())) as other:
        (info,) = other.infolist()
        assert (info.compress_type, info.file_size) == (8, FOLDED_FROM + BLOCK)
        assert other.testzip() is None


def test_writer_refuses_what_a_plain_file_cannot_count() -> None:
    writer = archive.Writer()
    nothing = Source(b"")
    for number in range(65_534):
        writer.add(f"{number}", nothing)
    with pytest.raises(LimitExceeded):
        writer.add("one more", nothing)


# --- real files ---

REAL = [
    pytest.param(path, id=str(path.relative_to(CORPUS)))
    for folder in ("ooxml", "odf", "epub")
    for path in sorted((CORPUS / folder).rglob("*"))
    if path.is_file() and "crash" not in path.name and path.read_bytes()[:4] == b"PK\3\4"
]


@pytest.mark.corpus
@pytest.mark.skipif(not REAL, reason="corpus is absent")
def test_real_office_files_are_read_as_zipfile_reads_them() -> None:
    for parameter in REAL:
        data = parameter.values[0].read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as other:
            expected = {info.filename.replace("\\", "/"): info.file_size for info in other.infolist() if not info.is_dir()}
        assert {name: len(content) for name, content in contents(data).items()} == expected, parameter.id


def test_refusals_are_of_the_right_class() -> None:
    with pytest.raises(Unsupported):
        contents(BROKEN["method"][0])
    with pytest.raises(Unsupported):
        contents(BROKEN["volumes"][0])
    with pytest.raises(Malformed):
        contents(BROKEN["gap"][0])
