"""gz stays gz; bz2, xz, zst, lz4 and Z come out as zip; broken streams and bytes behind them are refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from sanitizers.model import Action, Forbidden, Kind, LimitExceeded, Limits, Refused
from sanitizers.source import Source
from sanitizers.verify.archive import VERIFIERS
from tests.build import archive as fake

CHANGES = (Action.REMOVED, Action.REWRITTEN)
TEXT = "報告\r\n".encode() * 1000
OUT = {Kind.GZ: Kind.GZ, Kind.BZ2: Kind.ZIP, Kind.XZ: Kind.ZIP, Kind.ZST: Kind.ZIP}
# Zstandard frame with one raw block, RFC 8878; LZ4 frame with one uncompressed block
ZSTD = b"\x28\xb5\x2f\xfd\x20\x05" + (5 << 3 | 1).to_bytes(3, "little") + b"hello"


def rebuilt(data: bytes, name: str, **options: object) -> tuple[bytes, list[str]]:
    kind = fake.kind_of(data)
    given = fake.context(name, kind, size=len(data), **options)  # type: ignore[arg-type]
    made = fake.sanitize(data, given)
    VERIFIERS[OUT[kind]](Source(made), Source(data), given)
    again = fake.context(name, OUT[kind], size=len(made))
    assert fake.sanitize(made, again) == made
    assert not [finding for finding in again.findings if finding.action in CHANGES]
    return made, [finding.code for finding in given.findings if finding.action in CHANGES]


def refusal(data: bytes, name: str = "x", **options: object) -> Refused:
    with pytest.raises(Refused) as caught:
        fake.sanitize(data, fake.context(name, fake.kind_of(data), size=len(data), **options))  # type: ignore[arg-type]
    return caught.value


def zipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        return {info.filename: other.read(info) for info in other.infolist()}


def test_gz_stays_gz_and_is_clean() -> None:
    made, changed = rebuilt(fake.gz(TEXT, "報告.txt"), "報告.txt.gz")
    assert gzip.decompress(made) == TEXT
    assert changed == []


def test_nothing_stays_nothing() -> None:
    assert gzip.decompress(rebuilt(fake.gz(b""), "x.txt.gz")[0]) == b""
    assert zipped(rebuilt(bz2.compress(b""), "x.bin.bz2")[0]) == {"x.txt": b""}


def test_members_of_a_gz_file_belong_together() -> None:
    made, _ = rebuilt(fake.gz(b"one") + fake.gz(b"two") + bytes(20), "x.gz")
    assert gzip.decompress(made) == b"onetwo"


def test_tar_gz_stays_tar_gz_and_its_members_are_rebuilt() -> None:
    made, _ = rebuilt(fake.gz(fake.tar({"a.txt": b"x", "e.exe": fake.BAD})), "pack.tgz")
    with tarfile.open(fileobj=io.BytesIO(made), mode="r:gz") as other:
        assert other.getnames() == ["a.txt", "e.exe.無害化通知.txt"]


@pytest.mark.parametrize("squeeze", [bz2.compress, lzma.compress])
def test_bz2_and_xz_become_zip(squeeze: object) -> None:
    ending = "bz2" if squeeze is bz2.compress else "xz"
    made, changed = rebuilt(squeeze(TEXT), f"報告.txt.{ending}")  # type: ignore[operator]
    assert zipped(made) == {"報告.txt": TEXT}
    assert changed == ["archive.container_converted"]
    twice, _ = rebuilt(squeeze(b"one") + squeeze(b"two"), f"x.txt.{ending}")  # type: ignore[operator]
    assert zipped(twice) == {"x.txt": b"onetwo"}


@pytest.mark.parametrize("squeeze", [bz2.compress, lzma.compress])
def test_a_compressed_tar_becomes_a_flat_zip(squeeze: object) -> None:
    data = squeeze(fake.tar({"資料/a.txt": b"x", "空/": b"", "e.exe": fake.BAD}))  # type: ignore[operator]
    made, _ = rebuilt(data, "pack.tar.xz")
    assert list(zipped(made)) == ["資料/a.txt", "e.exe.無害化通知.txt", "空/"]


def test_zstandard_is_read() -> None:
    made, _ = rebuilt(ZSTD, "x.txt.zst")
    assert zipped(made) == {"x.txt": b"hello"}


def test_a_gzip_comment_is_gone_and_told() -> None:
    data = bytearray(fake.gz(TEXT))
    data[3] |= 16
    made, changed = rebuilt(bytes(data[:10]) + b"canary\0" + bytes(data[10:]), "x.txt.gz")
    assert b"canary" not in made
    assert changed == ["archive.comment"]


def test_what_else_a_gzip_header_holds_is_gone_and_told() -> None:
    data = bytearray(fake.gz(TEXT))
    data[3] |= 4 | 16 | 2
    made, changed = rebuilt(bytes(data[:10]) + b"\x06\0canary" + b"canary\0" + b"\0\0" + bytes(data[10:]), "x.txt.gz")
    assert gzip.decompress(made) == TEXT
    assert b"canary" not in made
    assert changed == ["archive.comment"]


def test_a_content_that_takes_several_bites_is_whole() -> None:
    noise = random.Random(1).randbytes(300_000)
    made, _ = rebuilt(bz2.compress(noise), "x.txt.bz2")
    assert zipped(made) == {"x.txt": noise}


GZ = fake.gz(TEXT)
BZ2, XZ = bz2.compress(TEXT), lzma.compress(TEXT)
BROKEN = {
    "gz cut": GZ[:-1],
    "gz tail": GZ + b"tail",
    "gz half a second member": GZ + GZ[:20],
    "gz checksum": GZ[:-8] + bytes(4) + GZ[-4:],
    "gz size": GZ[:-4] + bytes(4),
    "gz header": GZ[:3] + b"\xff" + GZ[4:],
    "gz endless name": GZ[:3] + b"\x08" + GZ[4:10] + b"n" * 100_000,
    "gz stream": GZ[:10] + b"\xff" * 50,
    "bz2 cut": BZ2[:-3],
    "bz2 tail": BZ2 + b"tail",
    "bz2 stream": BZ2[:20] + b"\0" * 20 + BZ2[40:],
    "xz cut": XZ[:-3],
    "xz tail": XZ + b"tail",
    "xz stream": XZ[:30] + b"\0\1\2" + XZ[33:],
    "zst cut": ZSTD[:-2],
    "zst of nothing": ZSTD[:5] + bytes((0, 1, 0, 0)),
    "Z without data": b"\x1f\x9d\x90",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_stream_is_refused(kind: str) -> None:
    assert refusal(BROKEN[kind]).code in ("archive.malformed", "archive.trailing_data")


def test_bad_content_refuses_the_whole() -> None:
    assert isinstance(refusal(fake.gz(fake.BAD), "x.exe.gz"), Forbidden)
    assert isinstance(refusal(bz2.compress(fake.BAD), "x.exe.bz2"), Forbidden)


@pytest.mark.parametrize("squeeze", [fake.gz, bz2.compress, lzma.compress])
def test_a_bomb_stops_at_the_budget(squeeze: object) -> None:
    limits = Limits(expansion_floor=1 << 20, expansion_ratio=1)
    assert isinstance(refusal(squeeze(bytes(8 << 20)), limits=limits), LimitExceeded)  # type: ignore[operator]


def test_many_gzip_members_stop_at_the_limit() -> None:
    assert isinstance(refusal(fake.gz(b"x") * 60, limits=Limits(parts=50)), LimitExceeded)


def test_nested_gz_stops_at_the_depth() -> None:
    data = b"x"
    for _ in range(12):
        data = fake.gz(data)
    assert isinstance(refusal(data), LimitExceeded)


@pytest.mark.parametrize("pack", [fake.gz, bz2.compress, lzma.compress])
def test_one_content_may_take_a_quarter_of_the_memory(pack: Callable[[bytes], bytes]) -> None:
    data = pack(TEXT * 1280)
    assert isinstance(refusal(data, limits=Limits(memory_bytes=40_000_000)), LimitExceeded)
    assert rebuilt(data, "x.txt", limits=Limits(memory_bytes=45_000_000))
