"""Files that stand in the text of a mail: what is one comes out as an attachment, what only begins like one stays text."""

from __future__ import annotations

import base64
import binascii

import pytest

from sanitizers.model import LimitExceeded, Limits
from tests.build.message import HEAD, Delivered, mail, outcome, page
from tests.build.torture_structure import HQX, MEMO, PLAIN64, UUENCODED, encoded, uu, yenc

BANNER = b"(This file must be converted with BinHex 4.0)\r\n"


def _hqx(packed: bytes) -> bytes:
    return BANNER + b":" + base64.b64encode(packed).rstrip(b"=").translate(bytes.maketrans(PLAIN64, HQX)) + b":\r\n"


def _whole(name: bytes, data: bytes) -> bytes:
    """Header and data fork as they are before runs are packed, without marks in them."""
    head = bytes((len(name),)) + name + b"\0TEXTttxt\0\0" + len(data).to_bytes(4, "big") + bytes(4)
    return b"".join(piece + binascii.crc_hqx(piece, 0).to_bytes(2, "big") for piece in (head, data))


@pytest.mark.parametrize(
    ("body", "first"),
    [
        (BANNER + b"note: no letters\r\n", "> (This file must be converted"),
        (BANNER + b":#'ePE~~~@mZG:\r\n", "> (This file must be converted"),
        (BANNER + b":!!!!:\r\n", "> (This file must be converted"),
        (BANNER + b"::\r\n", "> (This file must be converted"),
        (_hqx(_whole(b"memo.txt", MEMO)[:-3]), "> (This file must be converted"),
        (b"begin 644 x.exe\r\nthese are words\r\nend\r\n", "> begin 644 x.exe"),
        (b"begin 644 x.exe\r\n#86)C\r\nend of the story\r\n", "> begin 644 x.exe"),
        (b"begin-base64 644 x.exe\r\naGVsbG8=\r\n=====\r\n", "> begin-base64 644 x.exe"),
        (b"begin-base64 644 x.exe\r\n<aGVsbG8=>\r\n====\r\n", "> begin-base64 644 x.exe"),
    ],
)
def test_what_only_begins_like_a_file_stays_text(body: bytes, first: str) -> None:
    mailed = Delivered(mail(body))
    assert mailed.files == {}
    assert mailed.body.startswith(first)
    assert "mail.uuencode" not in mailed.codes


@pytest.mark.parametrize(
    ("body", "name", "content"),
    [
        (b"begin-base64 644 memo.txt\r\n" + base64.encodebytes(MEMO) + b"====\r\n", "memo.txt", MEMO),
        (UUENCODED, "memo.txt", MEMO),
        (_hqx(_whole(b"memo.txt", MEMO)), "memo.txt", MEMO),
        (_hqx(_whole(b"a.txt", b"x" * 40).replace(b"x" * 40, b"x\x90\x28")), "a.txt", b"x" * 40),
        (_hqx(_whole(b"\x90.txt", b"a\x90b").replace(b"\x90", b"\x90\0")), "〓.txt", b"a\x90b"),
        (yenc(MEMO).replace(b"\r\n", b"\r\n=ybegin line=128 size=1 name=inner.exe\r\n", 1), "memo.txt", None),
    ],
)
def test_what_is_a_file_becomes_an_attachment(body: bytes, name: str, content: bytes | None) -> None:
    mailed = Delivered(encoded(b"8bit", b"above\r\n" + body + b"below\r\n"))
    assert mailed.body == "above\nbelow"
    assert list(mailed.files) == [name]
    assert content is None or mailed.files[name] == content
    assert mailed.codes["mail.uuencode"] == "rewritten"


def test_runs_are_counted_before_they_are_written() -> None:
    bomb = mail(_hqx(b"\1a" + b"x\x90\xff" * 20_000))
    with pytest.raises(LimitExceeded, match="BinHex of"):
        Delivered(bomb, limits=Limits(expanded_bytes=1 << 20))


@pytest.mark.parametrize(
    ("encoding", "body", "ends"),
    [
        (b"x-uuencode", b"begin 644 x\r\n#abc\r\nend\r\n", "mail.ambiguous"),
        (b"uue", uu(MEMO), "delivered"),
        (b"base64", b"aGVsbG8=aGVsbG8=", "mail.ambiguous"),
        (b"7bit", b"begin-base64 644 x\r\naGVsbG8=aGVsbG8=\r\n====\r\n", "mail.ambiguous"),
        (b"base64", b"aGVs!!bG8=", "mail.ambiguous"),
    ],
)
def test_where_readers_could_get_other_bytes_the_mail_is_held(encoding: bytes, body: bytes, ends: str) -> None:
    assert outcome(encoded(encoding, body)) == ends


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"aGVsbG8", "hello"),                # no padding
        (b"aGVsbG8=!!\r\n", "hello"),         # junk behind the end
        (b"aGVsbG8!!\r\n", "hello"),
        (b"aGVsb", "hel"),                    # six bits that hold no byte
        (b"aGVsb!", "hel"),
    ],
)
def test_base64_that_all_programs_read_alike(body: bytes, said: str) -> None:
    assert Delivered(encoded(b"base64", body)).body == said


def test_a_file_in_a_page_is_taken_out_too() -> None:
    mailed = Delivered(HEAD + page("<pre>" + (b"begin-base64 644 memo.txt\n" + base64.encodebytes(MEMO) + b"====\n").decode() + "</pre>"))
    assert mailed.files == {"memo.txt": MEMO}
