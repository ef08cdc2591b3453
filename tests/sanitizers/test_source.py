"""Sources that lie folded: the same bytes as any other, in any way that they are asked for."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
import zipfile
import zlib

import pytest

from sanitizers import source as module
from sanitizers.model import Kind, Verdict
from sanitizers.scan import compile_rules
from sanitizers.source import BLOCK, Folded, Folding, Source
from tests.build.context import run
from tests.build.readers import walked
from tests.build.text import ENCODINGS, TEXT, encoded
from tests.build.zip import Entry, aes, build, traditional


@pytest.fixture(autouse=True)
def _folds_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FOLDED_FROM", 1 << 18)


def folded(data: bytes, step: int = 77_777) -> Source:
    folding = Folding()
    for at in range(0, len(data), step):
        folding.add(data[at : at + step])
    return folding.source()


NOISE = random.Random(1).randbytes(3 * BLOCK + 5)


def test_small_ones_stay_as_they_are() -> None:
    assert not isinstance(folded(NOISE[:1000]), Folded)
    assert folded(b"").bytes() == b""


@pytest.mark.parametrize("data", [NOISE, NOISE[: 2 * BLOCK], bytes(5 * BLOCK)])
def test_a_folded_source_is_its_bytes(data: bytes) -> None:
    source, plain = folded(data), Source(data)
    assert isinstance(source, Folded)
    assert (len(source), source.sha256, source.crc) == (len(data), plain.sha256, zlib.crc32(data))
    assert b"".join(source.blocks()) == source.bytes() == bytes(source.view) == data
    for start, size in ((0, 10), (BLOCK - 3, 6), (BLOCK, BLOCK), (5, 2 * BLOCK), (len(data) - 2, 99), (len(data) + 5, 9), (7, 0)):
        assert source.part(start, size) == plain.part(start, size) == data[start : start + size]
    assert (source.head(9), source.tail(9)) == (data[:9], data[-9:])


def test_its_pieces_are_one_deflate_stream() -> None:
    source = folded(NOISE)
    assert isinstance(source, Folded)
    decoder = zlib.decompressobj(-15)
    assert decoder.decompress(b"".join(source.pieces) + Folded.CLOSING) == NOISE
    assert decoder.eof
    assert not decoder.unused_data


def test_its_reader_seeks_as_files_do() -> None:
    stream, plain = folded(NOISE).stream(), io.BytesIO(NOISE)
    for offset, whence, size in ((5, 0, 10), (-7, 2, 20), (3, 0, BLOCK + 9), (-4, 1, 5)):
        assert stream.seek(offset, whence) == plain.seek(offset, whence)
        assert stream.read(size) == plain.read(size)


def test_runs_of_lines_end_where_lines_end() -> None:
    data = b"".join(b"%d %s\n" % (number, b"x" * (number % 900)) for number in range(9000)) + b"the last"
    runs = list(folded(data).runs_of_lines())
    assert b"".join(runs) == data
    assert len(runs) > 3
    assert all(run.endswith(b"\n") for run in runs[:-1])
    assert list(Source(b"x" * (2 * BLOCK)).runs_of_lines()) == [b"x" * (2 * BLOCK)]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_long_text_keeps_every_byte(encoding: str) -> None:
    data = encoded(TEXT * 1500, encoding)
    outcome = run(build(Entry(b"a.txt", data), Entry(b"b.txt", b"x\r\n")), "x.zip")
    assert outcome.content is not None
    assert outcome.report.verdict is Verdict.CLEAN
    assert walked(outcome.content.bytes())["a.txt"] == data


@pytest.mark.parametrize("bad", ["\x1b[31m", "\u202e", "\u200b", "\x00"])
def test_what_must_go_goes_wherever_it_stands(bad: str) -> None:
    lines = [f"行 {number} 能登\r\n" for number in range(60_000)]
    lines[0] = lines[30_000] = lines[-1] = f"前{bad}後\r\n"
    outcome = run(build(Entry(b"a.txt", "".join(lines).encode())), "x.zip")
    assert outcome.content is not None
    text = walked(outcome.content.bytes())["a.txt"].decode()
    assert text == "".join(line.replace(bad, "") for line in lines)
    assert [finding.detail for finding in outcome.report.parts[0].findings] == ["3"]


def test_ascii_that_turns_into_shift_jis_is_read_to_its_end() -> None:
    data = b"0123456789\r\n" * 200_000 + "表計算ソフト能\r\n".encode("cp932") * 9
    outcome = run(build(Entry(b"a.txt", data)), "x.zip")
    assert outcome.content is not None
    assert walked(outcome.content.bytes())["a.txt"] == data


def test_two_encodings_in_one_text_are_not_mixed_up() -> None:
    data = "漢字とかな\r\n".encode() * 100_000 + "表計算ソフト能\r\n".encode("cp932") * 9
    outcome = run(build(Entry(b"a.txt", data)), "x.zip")
    whole = run(data, "a.txt")
    assert (outcome.report.parts[0].verdict, outcome.report.parts[0].reason) == (whole.report.verdict, whole.report.reason)


@pytest.mark.parametrize("lock", [traditional, aes])
def test_long_members_under_a_password(lock: object) -> None:
    data = encoded(TEXT * 500, "utf-8")
    outcome = run(build(lock(Entry(b"a.txt", data), b"pass")), "x.zip", passwords=("no", "pass"))  # type: ignore[operator]
    assert outcome.content is not None
    assert walked(outcome.content.bytes())["a.txt"] == data


def test_a_long_tar_in_gz_stays_one() -> None:
    data = encoded(TEXT * 900, "utf-8")
    file = io.BytesIO()
    with tarfile.open(mode="w:gz", fileobj=file) as writer:
        for name in ("a.txt", "b.txt"):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            writer.addfile(info, io.BytesIO(data))
    outcome = run(file.getvalue(), "x.tgz")
    assert outcome.content is not None
    assert outcome.report.verdict is Verdict.CLEAN
    with tarfile.open(fileobj=io.BytesIO(outcome.content.bytes()), mode="r:gz") as other:
        assert [(info.name, info.size) for info in other] == [("a.txt", len(data)), ("b.txt", len(data))]


def test_a_long_member_of_another_kind_is_seen_whole() -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as writer:
        writer.writestr("deep.txt", encoded(TEXT * 700, "utf-8"))
    outcome = run(build(Entry(b"in.zip", inner.getvalue())), "x.zip")
    assert outcome.content is not None
    assert outcome.report.parts[0].input.kind is Kind.ZIP


def test_rules_see_every_stretch_of_a_long_text_and_its_borders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sanitizers.scan._WINDOW", BLOCK)
    scanner = compile_rules({"a.yar": 'rule Marked { strings: $a = "THE-MARK" condition: $a }'})
    for at in (10, BLOCK - 4, 2 * BLOCK + 5):
        data = b"x" * at + b"THE-MARK" + b"x" * (3 * BLOCK - at)
        assert [match.rule for match in scanner.scan(folded(data), "", Kind.TEXT)] == ["Marked"]
    assert scanner.scan(folded(b"x" * 3 * BLOCK), "", Kind.TEXT) == []


def test_a_hash_is_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FOLDED_FROM", 1 << 30)
    assert folded(NOISE).sha256 == hashlib.sha256(NOISE).hexdigest()
