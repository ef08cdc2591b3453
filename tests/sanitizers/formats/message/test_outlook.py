"""Outlook's own formats say in a text mail what they said in Outlook; broken and hostile ones end in a refusal."""

from __future__ import annotations

import email
import struct

import pytest

from sanitizers.context import Outcome
from sanitizers.formats.message import rtf
from sanitizers.model import LimitExceeded, Limits, Malformed, Refused
from tests.build import jtd, metafile
from tests.build.context import run
from tests.build.message import Received, part, parts_mail, read_message, text
from tests.build.outlook import attribute, compound, compressed, mapi, msg, msg_tree, tnef, uncompressed
from tests.build.torture_structure import MEMO, PROGRAM

SENT = 134_080_704_000_000_000    # 2025-11-20 00:00 UTC in tenths of microseconds since 1601


def made(data: bytes, name: str = "memo.msg") -> Received:
    outcome = run(data, name)
    assert outcome.content is not None, outcome.report.findings
    return read_message(outcome.content.bytes())


def ends(data: bytes, name: str, **options: object) -> str:
    try:
        outcome: Outcome = run(data, name, **options)
    except Refused as refusal:
        return refusal.code
    return "delivered" if outcome.content is not None else outcome.report.findings[-1].code


# The two examples of MS-OXRTFCP §3.1 and §3.2.
SIMPLE = "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
CROSSING = "1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0"


def test_compressed_rtf_of_the_specification() -> None:
    assert rtf.decompress(bytes.fromhex(SIMPLE), 1000) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    assert rtf.decompress(bytes.fromhex(CROSSING), 1000) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    assert rtf.decompress(bytes(compressed(b"{\\rtf1 x}")), 1000) == rtf.decompress(bytes(uncompressed(b"{\\rtf1 x}")), 1000) == b"{\\rtf1 x}"


@pytest.mark.parametrize("data", [b"", b"x" * 15, b"\0" * 20, bytes.fromhex(SIMPLE).replace(b"LZFu", b"NONE")])
def test_what_is_no_compressed_rtf(data: bytes) -> None:
    with pytest.raises(Malformed):
        rtf.decompress(data, 1000)


@pytest.mark.parametrize(
    ("runs", "letters"),
    [
        (b"\x02a\x0e", b"a"),                # half a reference
        (b"\x02a\x0d\x00", b"a"),           # a reference to where the next letter goes: the end
        (b"\x00abc", b"abc"),
    ],
)
def test_compressed_rtf_that_breaks_off_is_what_came(runs: bytes, letters: bytes) -> None:
    assert rtf.decompress(struct.pack("<II4sI", len(runs) + 12, 500, b"LZFu", 0) + runs, 1000) == letters


def test_compressed_rtf_ends_at_the_limit_and_at_its_end() -> None:
    with pytest.raises(LimitExceeded):
        rtf.decompress(bytes(compressed(b"x" * 5000)), 1000)
    lies = bytearray(compressed(b"{\\rtf1 x}"))
    lies[4:8] = (900).to_bytes(4, "little")
    assert rtf.decompress(bytes(lies), 1000).startswith(b"{\\rtf1 x}")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (rb"{\rtf1\ansi\ansicpg932 \'93\'fa\'96\'7b\par x\line y\tab z}", "日本\nx\ny\tz"),
        (rb"{\rtf1{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset128 B;}}\f1\'93\'fa\f0 e\'e9}", "日eé"),
        (rb"{\rtf1\uc1 \u26085?\u26412?\uc2\u-10179ab\u-8704cd}", "日本😀"),
        (rb"{\rtf1 a{\*\unknown secret}{\pict 89504e47}{\field{\*\fldinst HYPERLINK x}{\fldrslt b}}{\info{\author z}}c}", "abc"),
        (rb"{\rtf1 \{x\}\\\~\_}", "{x}\\\xa0-"),
        (b"{\\rtf1 a\\bin5 \x00{}\\{b}", "ab"),
        (rb"{\rtf1 {\v hidden}shown}", "hiddenshown"),
        (rb"{\rtf1 a}}} b", "a b"),
        (b"{\\rtf1 a\\\nb\\\r\nc\\", "a\nb\nc"),
        (rb"{\rtf1 a\'zz}", "azz"),
        (rb"{\rtf1 a{{{b", "ab"),
    ],
)
def test_words_of_rtf(document: bytes, words: str) -> None:
    assert rtf.joined(rtf.read(document).text) == words


def test_html_inside_rtf() -> None:
    document = rb"{\rtf1\ansi\ansicpg932\fromhtml1{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 \'82\'a0<&{\*\htmltag72 </p>}\htmlrtf }\htmlrtf0 {\*\htmltag84 &nbsp;}}"
    told = rtf.read(document)
    assert told.html
    assert told.text == "<p>あ<&</p>&nbsp;"


def test_deep_rtf_ends_at_a_limit() -> None:
    with pytest.raises(LimitExceeded):
        rtf.read(b"{" * 5000)


def test_an_item_says_who_when_what() -> None:
    item = {0x37: "会議の件", 0x1000: "本文①です", 0x0C1A: "山田 太郎", 0x5D01: "yamada@example.jp", 0x39: SENT, 0x1035: "<1@example.jp>"}
    to = ({0x3001: "総務課", 0x39FE: "soumu@town.example.jp", 0x0C15: 1}, {0x3001: "財政課", 0x39FE: "zaisei@town.example.jp", 0x0C15: 2})
    outcome = run(msg(item, recipients=to, files=({0x3707: "資料.txt", 0x3701: bytearray(MEMO)},)), "memo.msg")
    assert outcome.content is not None
    raw = outcome.content.bytes()
    assert read_message(raw)[0] == "会議の件"
    assert read_message(raw).body == "本文①です"
    assert read_message(raw).names == ("資料.txt",)
    assert outcome.report.mail is not None
    assert outcome.report.mail.author == "山田 太郎 <yamada@example.jp>"
    for line in (b"Date: Thu, 20 Nov 2025 00:00:00 +0000", b"Message-ID: <1@example.jp>", b"<soumu@town.example.jp>", b"<zaisei@town.example.jp>"):
        assert line in raw


def test_a_sender_who_is_only_in_the_header_that_came_with_it() -> None:
    item = {0x37: "x", 0x1000: "y", 0x0C1F: "/O=TOWN/CN=YAMADA", 0x7D: "Received: from z\r\nFrom: Yamada <yamada@example.jp>\r\n"}
    outcome = run(msg(item), "memo.msg")
    assert outcome.report.mail is not None
    assert outcome.report.mail.author == "Yamada <yamada@example.jp>"
    nobody = run(msg({0x37: "x", 0x1000: "y", 0x0C1A: "山田", 0x7D: "From: nobody at all\r\n"}), "memo.msg")
    assert nobody.report.mail is not None
    assert nobody.report.mail.author == "山田 <unknown@invalid>"


@pytest.mark.parametrize(("ticks", "line"), [(SENT, b"Date: Thu, 20 Nov 2025 00:00:00 +0000"), ((1 << 63) - 1, None), (1 << 60, b"Date: ")])
def test_a_moment_beyond_all_calendars_is_no_date(ticks: int, line: bytes | None) -> None:
    outcome = run(msg({0x37: "x", 0x1000: "y", 0x39: ticks}), "memo.msg")
    assert outcome.content is not None
    assert (b"\r\nDate: " in outcome.content.bytes()) == (line is not None)
    assert line is None or line in outcome.content.bytes()


def test_text_and_html_go_before_rtf() -> None:
    item = {0x37: "x", 0x1000: "本文です", 0x1013: bytearray("<p>本文です</p>".encode()), 0x1009: compressed(b"{\\rtf1 other words}")}
    assert made(msg(item)).body == "本文です"


def test_a_signed_message_is_read_through_its_only_attachment() -> None:
    whole = parts_mail(text("署名された本文"), part(b"x", b"Content-Type: application/pkcs7-signature; name=smime.p7s"), kind=b"signed")
    outcome = run(msg({0x37: "外", 0x1000: ""}, files=({0x3707: "smime.p7m", 0x370E: "multipart/signed", 0x3701: bytearray(whole)},)), "memo.msg")
    assert outcome.content is not None, outcome.report.findings
    assert "署名された本文" in read_message(outcome.content.bytes()).text
    assert {"mail.outlook", "mail.signature"} <= {finding.code for finding in outcome.report.findings}


def test_a_file_without_a_list_of_properties_is_taken_by_its_streams() -> None:
    tree = msg_tree({0x37: "x", 0x1000: "y"}, files=({0x3707: "a.txt", 0x3701: bytearray(MEMO)},))
    del tree["__attach_version1.0_#00000000"]["__properties_version1.0"]
    assert made(compound(tree)).names == ("a.txt",)


def test_compound_files_of_too_many_streams_are_refused() -> None:
    flood = {f"s{n}": {f"t{m}": b"" for m in range(140)} for n in range(145)}
    assert ends(compound(msg_tree({0x37: "x"}) | flood), "memo.msg") == "file.limit_exceeded"


def test_strings_without_unicode() -> None:
    assert made(msg({0x37: "㈱髙﨑".encode("cp932"), 0x1000: "～本文".encode("cp932"), 0x3FFD: 932}))[0] == "㈱髙﨑"
    assert made(tnef({0x37: "㈱髙﨑".encode("cp932"), 0x1000: "～本文".encode("cp932")}), "winmail.dat").body == "～本文"


def _escaped(text: str) -> bytes:
    """In RTF a letter of two bytes is written in hexadecimal: its second one may be a brace."""
    return b"".join(char.encode() if char.isascii() else b"".join(b"\\'%02x" % byte for byte in char.encode("cp932")) for char in text)


def test_html_is_converted_whatever_it_is_wrapped_in() -> None:
    page = "<p>本文</p><script>x()</script><a href='http://a.jp/'>甲</a>"
    wrapped = b"{\\rtf1\\ansi\\ansicpg932\\fromhtml1 {\\*\\htmltag64 " + _escaped(page) + b"}}"
    for item in ({0x1013: bytearray(page.encode())}, {0x1013: page}, {0x1009: compressed(wrapped)}):
        assert made(msg(item)).body == "本文\n\n甲〈hxxp://a[.]jp/〉"


def test_attachments_of_an_item_go_round_the_engine() -> None:
    outcome = run(msg({0x37: "x"}, files=({0x3707: "x.exe", 0x3701: bytearray(PROGRAM)}, {0x3704: "b.txt", 0x3701: bytearray(MEMO)})), "memo.msg")
    assert [part.reason for part in outcome.report.parts] == ["forbidden_kind", None]
    outcome = run(tnef({}, ("x.exe", PROGRAM), ("b.txt", MEMO)), "winmail.dat")
    assert [part.reason for part in outcome.report.parts] == ["forbidden_kind", None]


def test_items_in_items_end_at_a_limit() -> None:
    tree = msg_tree({0x37: "最後"}, start=24)
    for _ in range(12):
        tree = msg_tree({0x37: "x"}, files=(({0x3001: "x"}, tree),), start=24)
    assert ends(msg({0x37: "x"}, files=(({0x3001: "x"}, tree),)), "memo.msg") == "file.limit_exceeded"
    inner = tnef({0x37: b"last"})
    for _ in range(12):
        inner = tnef({}, {0x3701: (inner,)})
    assert ends(inner, "winmail.dat") == "file.limit_exceeded"


def test_floods_end_at_a_limit() -> None:
    flood = tnef({}) + attribute(0x00069006, b"x") * 30_000
    assert ends(flood, "winmail.dat") == "file.limit_exceeded"
    many = tnef({}) + attribute(0x00069003, (30_000).to_bytes(4, "little") + b"\x03\x00\x01\x00\0\0\0\0" * 30_000)
    assert ends(many, "winmail.dat") == "file.limit_exceeded"
    large = msg({0x37: "x"}, files=({0x3707: "a.txt", 0x3701: bytearray(b"x" * 50_000)},))
    assert ends(large, "memo.msg", limits=Limits(expanded_bytes=40_000)) == "file.limit_exceeded"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (tnef({}, ("a.txt", MEMO))[:-10], "winmail.dat"),
        (tnef({}) + attribute(0x00069003, b"\x01\0\0\0\x1f\0\x37\0\x01\0\0\0\xff\xff\0\0"), "winmail.dat"),
        (tnef({}) + attribute(0x00069003, mapi({0x37: "x"})[:-6]), "winmail.dat"),
        (tnef({}) + attribute(0x00069003, b"\x01\0\0\0\xaa\x0a\x37\0"), "winmail.dat"),
        (msg({0x37: "x"})[:700], "memo.msg"),
        (compound({"__properties_version1.0": b"", "__substg1.0_0037001F": b"x", "__nameid_version1.0": {}})[:1500], "memo.msg"),
    ],
)
def test_broken_items_are_refused(data: bytes, name: str) -> None:
    assert ends(data, name) in ("mail.tnef_broken", "mail.outlook_broken", "file.malformed", "file.unsupported_kind")


def test_twice_is_once() -> None:
    outcome = run(msg({0x37: "件名", 0x1000: "本文"}), "memo.msg")
    assert outcome.content is not None
    again = run(outcome.content.bytes(), "memo.eml")
    assert again.report.verdict == "clean"
    assert again.content is not None
    assert again.content.bytes() == outcome.content.bytes()


def test_files_of_ichitaro_and_metafiles_are_called_what_they_are() -> None:
    files = ({0x3707: "a.jtd", 0x3701: bytearray(jtd.document())}, {0x3707: "b.emf", 0x3701: bytearray(metafile.emf(metafile.rectangle(1, 2, 3, 4)))})
    outcome = run(msg({0x37: "x", 0x1000: "y"}, files=files), "memo.msg")
    assert outcome.content is not None, outcome.report.findings
    written = outcome.content.bytes()
    assert written.count(b"Content-Type: application/x-js-taro;") == written.count(b"Content-Type: image/emf;") == 1


CANARY = "CANARY-71e4"
HIDING: dict[str, tuple[bytes, str]] = {
    "a property of another program": (msg({0x37: "x", 0x1000: "y", 0x8001: CANARY}), "memo.msg"),
    "a property that nobody shows": (msg({0x37: "x", 0x1000: "y", 0x0E1D + 0x100: bytearray(CANARY.encode())}), "memo.msg"),
    "behind the text": (msg({0x37: "x", 0x1000: "y"}) + CANARY.encode() * 50, "memo.msg"),
    "a storage that nobody knows": (compound(msg_tree({0x37: "x", 0x1000: "y"}) | {"__nameid_version1.0": {"__substg1.0_00040102": CANARY.encode("utf-16-le")}}), "memo.msg"),
    "a property of an attachment": (msg({0x37: "x", 0x1000: "y"}, files=({0x3707: "a.txt", 0x3701: bytearray(MEMO), 0x8002: CANARY},)), "memo.msg"),
    "an attribute that nobody knows": (tnef({0x37: b"x", 0x1000: b"y"}, tail=attribute(0x9999, CANARY.encode())), "winmail.dat"),
    "behind the attributes": (tnef({0x37: b"x", 0x1000: b"y"}, tail=b"\xff" + CANARY.encode()), "winmail.dat"),
}  # fmt: skip


@pytest.mark.parametrize("case", HIDING)
def test_what_nobody_sees_does_not_cross(case: str) -> None:
    data, name = HIDING[case]
    wide, narrow = CANARY.encode("utf-16-le"), CANARY.encode()
    assert wide in data or narrow in data
    outcome = run(data, name)
    assert outcome.content is not None, outcome.report.findings
    parts = [part.get_payload(decode=True) or b"" for part in email.message_from_bytes(outcome.content.bytes()).walk() if not part.is_multipart()]
    assert parts
    assert not [found for found in (*parts, outcome.content.bytes()) for said in (wide, narrow, narrow.hex().encode()) if said in found]
