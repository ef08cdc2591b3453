"""DER and BER: what is read, and what is called broken rather than guessed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sanitizers import der
from sanitizers.der import Broken
from tests.build.pdf_signing import der as made
from tests.build.pdf_signing import oid

BROKEN: dict[str, tuple[Callable[[], object], str]] = {
    "nothing": (lambda: der.parse(b""), "cannot be read"), "a tag and no length": (lambda: der.parse(b"\x30"), "cannot be read"),
    "a tag of several octets": (lambda: der.parse(b"\x3f\x81\x01\x00"), "cannot be read"),
    "a value longer than its data": (lambda: der.parse(b"\x04\x05abc"), "longer than its data"),
    "a length longer than its data": (lambda: der.parse(b"\x04\x84\xff\xff\xff\xff"), "longer than its data"),
    "a text without a length": (lambda: der.parse(b"\x04\x80abc\x00\x00"), "without a length"),
    "a list without an end": (lambda: der.parse(b"\x30\x80\x02\x01\x05"), "cannot be read"),
    "26 lists without lengths": (lambda: der.parse(b"\x30\x80" * 26 + b"\x00\x00" * 26), "cannot be read"),
    "a number where a list belongs": (lambda: der.items(der.parse(b"\x02\x01\x05")), "where a list belongs"),
    "a number where a sequence belongs": (lambda: der.sequence(der.parse(b"\x02\x01\x05")), "tag 0x2 where 0x30 belongs"),
    "a hundred thousand values and one": (lambda: der.items(der.parse(made(0x30, b"\x05\x00" * 100_001))), "too many values"),
    "an identifier of nothing": (lambda: der.identifier(der.parse(b"\x06\x00")), "empty identifier"),
    "an identifier without an end": (lambda: der.identifier(der.parse(b"\x06\x01\x81")), "empty identifier"),
    "an identifier of seventy bits": (lambda: der.identifier(der.parse(made(6, b"\xff" * 10))), "too long"),
    "a text for a number": (lambda: der.integer(der.parse(b"\x04\x01a")), "tag 0x4 where 0x2 belongs"),
    "pieces that are no text": (lambda: der.octets(der.parse(made(0x24, b"\x02\x01\x05"))), "tag 0x2 where 0x4 belongs"),
    "a time of words": (lambda: der.time(der.parse(made(0x18, b"yesterday"))), "a time that cannot be read"),
    "a time without a zone": (lambda: der.time(der.parse(made(0x18, b"20261120010203"))), "a time that cannot be read"),
    "a text for a time": (lambda: der.time(der.parse(made(0x04, b"20261120010203Z"))), "a time that cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_called_broken(case: str) -> None:
    act, said = BROKEN[case]
    with pytest.raises(Broken, match=said):
        act()


def test_a_hundred_thousand_values_are_read() -> None:
    assert len(der.items(der.parse(made(0x30, b"\x05\x00" * 100_000)))) == 100_000


@pytest.mark.parametrize("dotted", ["1.2.840.113549.1.7.2", "2.16.840.1.101.3.4.2.1", "0.9", "2.999.18446744073709551615"])
def test_an_identifier_is_read_as_it_is_written(dotted: str) -> None:
    encoded = made(6, b"\x88\x37" + oid("1.2." + dotted.split(".")[2])[3:]) if dotted.startswith("2.999") else oid(dotted)
    assert der.identifier(der.parse(encoded)) == dotted


@pytest.mark.parametrize(("data", "value"), [(b"\x02\x01\xff", -1), (b"\x02\x02\x00\x80", 128), (b"\x02\x00", 0)])
def test_an_integer_has_its_sign(data: bytes, value: int) -> None:
    assert der.integer(der.parse(data)) == value


def test_text_in_pieces_and_lists_without_lengths_are_read() -> None:
    assert der.octets(der.parse(made(0x24, made(4, b"ab"), made(4, b"c"), endless=True))) == b"abc"
    inner = made(0x30, made(2, b"\5"), endless=True)
    node = der.parse(made(0x30, inner, inner, endless=True) + b"padding")
    assert [der.integer(der.sequence(item)[0]) for item in der.sequence(node)] == [5, 5]


@pytest.mark.parametrize(
    ("tag", "text", "time"),
    [
        (0x17, b"261120010203Z", "2026-11-20T01:02:03Z"), (0x17, b"500101000000Z", "1950-01-01T00:00:00Z"), (0x17, b"4901010000Z", "2049-01-01T00:00:00Z"),
        (0x18, b"20261120010203.25Z", "2026-11-20T01:02:03Z"), (0x18, b"20261120010203+0900", "2026-11-20T01:02:03+09:00"),
    ],
)  # fmt: skip
def test_a_time_is_read_as_it_is_meant(tag: int, text: bytes, time: str) -> None:
    assert der.time(der.parse(made(tag, text))) == time
