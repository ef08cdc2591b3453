"""Where DATA ends, octet for octet, however it is cut."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from mail.data import DataReader, Flaw, stuffed
from tests.build.smtp import FALSE_ENDS, TRUE_END

ROUNDS = 25_000
LIMIT = 1 << 30


def reference(stream: bytes) -> tuple[bytes, bytes] | None:
    """Content and rest, one octet at a time: a dot at the beginning of a line goes, and ends it all if CR LF follows. None without an end."""
    line, lines, at = b"", [], 0
    while at < len(stream):
        line += stream[at : at + 1]
        at += 1
        if line.endswith(b"\r\n"):
            if line == b".\r\n":
                return b"".join(lines), stream[at:]
            lines.append(line[1:] if line.startswith(b".") else line)
            line = b""
    return None


def reference_normalised(stream: bytes) -> bytes | None:
    """As Postfix under `normalize`: LF ends a line too, but only a dot between two CR LF ends the message; other lone dots are dropped."""
    lines, line, before = [], b"", b"\r\n"
    for octet in stream:
        line += bytes([octet])
        if not line.endswith(b"\n"):
            continue
        own = b"\r\n" if line.endswith(b"\r\n") else b"\n"
        body = line.removesuffix(own)
        if body == b".":
            if own == before == b"\r\n":
                return b"".join(lines)
        else:
            lines.append(body.removeprefix(b".") + b"\r\n")
        before, line = own, b""
    return None


def cut(rng: random.Random, stream: bytes) -> list[bytes]:
    chunks, at = [], 0
    while at < len(stream):
        size = rng.choice((1, 1, 2, 3, 5, 8, 40))
        chunks.append(stream[at : at + size])
        at += size
    return chunks


def read(chunks: list[bytes], **settings: bool) -> tuple[DataReader, bytes, bytes]:
    """The reader, the content, and what is left over with the chunks it was not given."""
    reader, content, rest = DataReader(LIMIT, **settings), b"", b""
    for chunk in chunks:
        if reader.done:
            rest += chunk
        else:
            content += reader.feed(chunk)
    return reader, content, reader.leftover + rest


@pytest.mark.parametrize("seed", [*range(5), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(5, 40))])
def test_any_cut_of_any_stream_reads_as_octet_for_octet(seed: int) -> None:
    rng = random.Random(seed)
    pieces = [b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"\r\n.\r\n", b"..", b"\r\n..", b"\n.\n", b"\r\n.\r", b"a", b"\0", b"QUIT"]
    ended = 0
    for _ in range(ROUNDS // 5):
        stream = b"".join(rng.choices(pieces, k=rng.randrange(0, 14)))
        expected = reference(stream)
        reader, content, rest = read(cut(rng, stream))
        assert reader.done == (expected is not None), stream
        if expected is not None:
            ended += 1
            assert (content, rest) == expected, stream
            assert reader.size == len(content)
            bare = content.replace(b"\r\n", b"")
            assert (Flaw.BARE_NEWLINE in reader.flaws) == (b"\r" in bare or b"\n" in bare), stream
            assert (Flaw.NUL in reader.flaws) == (b"\0" in content)
    assert ended > ROUNDS // 50


@pytest.mark.parametrize("seed", range(3))
def test_normalising_reads_as_postfix_does(seed: int) -> None:
    rng = random.Random(seed)
    pieces = [b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"\n.\r\n", b"\n.\n", b"\r\n.\n", b"..", b"a", b"\n..b", b"\r.\r"]
    for _ in range(3_000):
        stream = b"".join(rng.choices(pieces, k=rng.randrange(0, 14))) + TRUE_END
        expected = reference_normalised(stream)
        reader, content, _ = read(cut(rng, stream), refuse_bare_newlines=False)
        assert reader.done
        assert content == expected, stream
        assert reader.flaws == set()
        assert b"\n" not in content.replace(b"\r\n", b"")


@pytest.mark.parametrize("name", FALSE_ENDS)
def test_only_one_sequence_ends(name: str) -> None:
    stream = b"before" + FALSE_ENDS[name] + b"MAIL FROM:<evil@x.example>\r\n"
    assert not read([stream])[0].done
    reader, content, rest = read([stream + b".\r\n"])
    assert reader.done
    assert rest == b""
    assert b"MAIL FROM:<evil@x.example>" in content
    dirty = b"\0" in FALSE_ENDS[name] or FALSE_ENDS[name].replace(b"\r\n", b"").strip(b". ") != b""
    assert bool(reader.flaws) == dirty


@pytest.mark.parametrize(
    ("stream", "content"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b".x\r\n.\r\n", b"x\r\n"),
        (b"a\r\n...\r\n.\r\n", b"a\r\n..\r\n"),
        (b"Subject: only a header\r\n.\r\n", b"Subject: only a header\r\n"),
    ],
)
def test_the_first_line_and_doubled_dots(stream: bytes, content: bytes) -> None:
    for at in range(len(stream)):
        reader, found, rest = read([stream[:at], stream[at:]])
        assert (reader.done, found, rest) == (True, content, b"")


def test_what_follows_the_end_is_left_over() -> None:
    reader = DataReader(LIMIT)
    reader.feed(b"x\r\n.\r\nMAIL FROM:<>\r\n")
    assert reader.leftover == b"MAIL FROM:<>\r\n"


def test_the_limit_counts_unstuffed_octets() -> None:
    exact = DataReader(5)
    exact.feed(b"..ab\r\n.\r\n")
    assert (exact.size, exact.flaws) == (5, set())
    over = DataReader(4)
    over.feed(b"..ab\r\n.\r\n")
    assert over.flaws == {Flaw.TOO_LARGE}


@pytest.mark.parametrize(("hops", "loop"), [(50, False), (51, True)])
def test_hops_are_counted_in_the_header_only(hops: int, loop: bool) -> None:
    header = b"rEceived: from a\r\n\tby b\r\n" * hops + b"X-Received: c\r\n\r\n"
    stream = header + b"Received: in the body\r\n" * 100 + b".\r\n"
    for size in (1, 7, len(stream)):
        reader = read([stream[at : at + size] for at in range(0, len(stream), size)])[0]
        assert (Flaw.LOOP in reader.flaws) == loop


def test_an_empty_header_has_no_hops() -> None:
    reader = read([b"\r\n" + b"Received: x\r\n" * 60 + b".\r\n"])[0]
    assert reader.flaws == set()


def test_memory_stays_with_the_chunk() -> None:
    """10 MB of CR LF, and 10 MB without one."""
    for chunk in (b"\r\n" * (1 << 15), b"x" * (1 << 16), b"." * (1 << 16)):
        reader = DataReader(LIMIT)
        tracemalloc.start()
        for _ in range(160):
            reader.feed(chunk)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 << 20
        assert reader.size >= 160 * len(chunk) - 4 or chunk[:1] == b"."


# --------------------------------------------------------------------------------------------------------- going out


@pytest.mark.parametrize("name", FALSE_ENDS)
def test_nothing_in_what_we_send_can_be_taken_for_the_end(name: str) -> None:
    sent = stuffed(b"before" + FALSE_ENDS[name] + b"MAIL FROM:<evil@x.example>\r\n")
    assert sent.endswith(TRUE_END)
    inside = sent[: -len(TRUE_END)] + b"\r\n"
    assert all(false == FALSE_ENDS["CRLF..CRLF"] or false not in inside for false in (*FALSE_ENDS.values(), TRUE_END) if b"\0" not in false
               and b" " not in false)  # fmt: skip
    assert b"\n" not in sent.replace(b"\r\n", b"")
    assert b"\r" not in sent.replace(b"\r\n", b"")


@pytest.mark.parametrize("seed", range(3))
def test_what_is_sent_is_what_is_read(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(1_000):
        message = b"".join(rng.choices([b"\r\n", b".", b"a", b".."], k=rng.randrange(0, 12)))
        reader, content, rest = read(cut(rng, stuffed(message)))
        assert (reader.done, rest, reader.flaws) == (True, b"", set())
        assert content == (message if not message or message.endswith(b"\r\n") else message + b"\r\n")
