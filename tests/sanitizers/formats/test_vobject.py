"""Calendars and address cards: the appointment and the address stay, files, pages and programs go."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from sanitizers.formats import vobject as subject
from sanitizers.model import Kind, Malformed
from sanitizers.source import Source
from sanitizers.verify import vobject as verifier
from tests.build.context import changes, sanitize

INVITATION = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
METHOD:REQUEST
X-WR-CALNAME:予定
BEGIN:VTIMEZONE
TZID:Tokyo Standard Time
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0900
TZOFFSETTO:+0900
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:040000008200E00074C5B7101A82E008
ORGANIZER;CN="山田, 太郎":mailto:yamada@example.jp
ATTENDEE;ROLE=REQ-PARTICIPANT;RSVP=TRUE;CN=鈴木:mailto:suzuki@example.jp
DESCRIPTION;LANGUAGE=ja-JP:議題①㈱\\n場所: 3階会議室\\; https://www.example.jp/
DTSTART;TZID=Tokyo Standard Time:20261120T100000
RRULE:FREQ=WEEKLY;COUNT=4
URL:https://www.example.jp/
X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE
{extra}BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
END:VCALENDAR
"""
CARD = "BEGIN:VCARD\nVERSION:3.0\nN:髙橋;太郎;;;\nFN:髙橋 太郎\nTEL;TYPE=WORK,VOICE:03-1234-5678\nitem1.EMAIL:a@example.jp\n{extra}END:VCARD\n"


def calendar(extra: str = "") -> bytes:
    return INVITATION.format(extra=extra).replace("\n", "\r\n").encode()


def card(extra: str = "") -> bytes:
    return CARD.format(extra=extra).replace("\n", "\r\n").encode()


def clean(data: bytes, kind: Kind) -> tuple[bytes, list[tuple[str, str]]]:
    """The new bytes, seen by the verifier and cleaned a second time, and what was found at the first."""
    rebuilt, context = sanitize(subject.SANITIZER, data, kind, "a")
    verifier.verify(rebuilt.content, Source(data), context)
    again, second = sanitize(subject.SANITIZER, rebuilt.content.bytes(), kind, "a")
    assert [found.code for found in changes(second) if found.code != "vobject.photo"] == []
    assert again.content.bytes() == rebuilt.content.bytes()
    return rebuilt.content.bytes(), [(found.code, found.where) for found in changes(context)]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize(("data", "kind"), [(calendar(), Kind.ICS), (card(), Kind.VCF)])
def test_an_ordinary_file_keeps_every_line(data: bytes, kind: Kind, codec: str) -> None:
    out, found = clean(data.decode().encode(codec), kind)
    assert found == []
    assert out.decode(codec).replace("\r\n ", "") == data.decode()


@pytest.mark.parametrize(
    ("extra", "found"),
    [
        ("ATTACH;ENCODING=BASE64;VALUE=BINARY:TVqQAAMAAAA=\n", ("vobject.property", "ATTACH")),
        ("ATTACH:https://evil.example/a.exe\n", ("vobject.property", "ATTACH")),
        ("X-ALT-DESC;FMTTYPE=text/html:<script>x</script>\n", ("vobject.property", "X-ALT-DESC")),
        ("CONFERENCE;VALUE=URI:https://evil.example/\n", ("vobject.property", "CONFERENCE")),
        ("IMAGE;VALUE=URI:https://evil.example/x.png\n", ("vobject.property", "IMAGE")),
        ("URL:javascript:alert(1)\n", ("vobject.link", "URL")),
        ("URL: FILE:///c:/x\n", ("vobject.link", "URL")),
        ("URL:\\\\evil.example\\x\n", ("vobject.link", "URL")),
        ("ATTENDEE:ms-msdt:x\n", ("vobject.link", "ATTENDEE")),
        ('SUMMARY;ALTREP="https://evil.example/":x\n', ("vobject.parameter", "SUMMARY;ALTREP")),
        ("BEGIN:VALARM\nTRIGGER:-PT1M\nACTION:PROCEDURE\nATTACH:file:///calc.exe\nEND:VALARM\n", ("vobject.component", "VALARM")),
        ("BEGIN:VALARM\nACTION:email\nATTENDEE:mailto:x@evil.example\nEND:VALARM\n", ("vobject.component", "VALARM")),
        ("BEGIN:X-EVIL\nSUMMARY:x\nBEGIN:VALARM\nEND:VALARM\nEND:X-EVIL\n", ("vobject.component", "X-EVIL")),
        ("no property at all\n", ("vobject.line", "")),
        ("X-MICROSOFT-CDO-OWNER:<script>\n", ("vobject.property", "X-MICROSOFT-CDO-OWNER")),
        ("COMMENT:a\x1b[31mb\n", ("text.control_characters", "")),
    ],
)  # fmt: skip
def test_what_a_calendar_does_not_need_goes(extra: str, found: tuple[str, str]) -> None:
    out, codes = clean(calendar(extra), Kind.ICS)
    assert codes == [found]
    for word in (b"evil", b"EVIL", b"<script", b"TVqQ", b"FILE:", b"calc", b"\x1b", b"javascript"):
        assert word not in out
    assert "山田, 太郎".encode() in out
    assert out.count(b"BEGIN:VALARM") == 1


def photo(fmt: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 10, 10)).save(out, fmt)
    return out.getvalue()


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("PHOTO;ENCODING=b;TYPE=JPEG:{}\n", "PHOTO;ENCODING=b;TYPE=JPEG:"),
        ("PHOTO;ENCODING=BASE64;JPEG:{}\n", "PHOTO;ENCODING=BASE64;JPEG:"),
        ("PHOTO:data:image/jpeg;base64,{}\n", "PHOTO:data:image/jpeg;base64,"),
    ],
)
def test_the_picture_of_a_person_is_rebuilt(line: str, start: str) -> None:
    hidden = photo() + b"PK\x03\x04 appended"
    out, _ = clean(card(line.format(base64.b64encode(hidden).decode())), Kind.VCF)
    text = out.decode().replace("\r\n ", "")
    data = base64.b64decode(text.partition(start)[2].partition("\r\n")[0])
    assert Image.open(io.BytesIO(data)).size == (8, 8)
    assert b"appended" not in data


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ("PHOTO;VALUE=URI:https://evil.example/x.png\n", "vobject.property"),
        ("PHOTO;ENCODING=b:TVqQAAMAAAAEAAAA\n", "vobject.photo"),
        ("PHOTO;ENCODING=b:!!!!\n", "vobject.property"),
        ("SOUND;VALUE=URI:https://evil.example/x.wav\n", "vobject.property"),
        ("LOGO;ENCODING=b:AAAA\n", "vobject.property"), ("KEY;ENCODING=b:AAAA\n", "vobject.property"),
        ("AGENT:evil\n", "vobject.property"),
        ("URL:vbscript:evil\n", "vobject.link"),
    ],
)
def test_what_a_card_does_not_need_goes(extra: str, code: str) -> None:
    out, found = clean(card(extra), Kind.VCF)
    assert [name for name, _ in found] == [code]
    assert b"evil" not in out
    assert b"TVqQ" not in out


def test_quoted_printable_of_old_telephones() -> None:
    data = b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=SHIFT_JIS;ENCODING=QUOTED-PRINTABLE:=8ER=93c;=91=BE=\r\n=98Y\r\nTEL;CELL:090-1111-2222\r\nEND:VCARD\r\n"
    assert clean(data, Kind.VCF) == (data.replace(b"=\r\n", b""), [])
    out, found = clean(b"BEGIN:VCARD\r\nNOTE;ENCODING=QUOTED-PRINTABLE:a=1B=5B31mb=00\r\nEND:VCARD\r\n", Kind.VCF)
    assert b":=61=62\r\n" in out
    assert found == [("text.control_characters", "")]


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "BEGIN:VCALENDAR\n", "SUMMARY:x\nBEGIN:VCALENDAR\nEND:VCALENDAR\n",
        "BEGIN:VCALENDAR\nEND:VCALENDAR\nSUMMARY:x\n", "BEGIN:VCARD\nEND:VCARD\n", "nothing\n",
    ],
)  # fmt: skip
def test_blocks_that_do_not_match_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        sanitize(subject.SANITIZER, text.encode(), Kind.ICS, "a.ics")


@pytest.mark.parametrize("data", [b"A" * 300_000, b"NOTE;ENCODING=QUOTED-PRINTABLE:=\r\n" * 30_000, b"A" + b";B=1" * 60_000, b'A;B="' * 60_000, b"\r\n " * 100_000])
def test_hostile_cards_take_linear_time(data: bytes) -> None:
    out, _ = sanitize(subject.SANITIZER, b"BEGIN:VCARD\r\n" + data + b"\r\nEND:VCARD\r\n", Kind.VCF, "a.vcf")
    assert out.content.bytes().startswith(b"BEGIN:VCARD")


def test_long_lines_are_folded_between_characters_and_quoted_ones_not_at_all() -> None:
    note = "日本語の長い覚え書き" * 30
    out, _ = clean(card(f"NOTE:{note}\n"), Kind.VCF)
    assert max(len(line) for line in out.split(b"\r\n")) <= 75
    assert f"NOTE:{note}\r\n" in out.decode().replace("\r\n ", "")
    quoted = "NOTE;ENCODING=QUOTED-PRINTABLE:" + "=E3=81=82" * 40
    out, _ = clean(card(quoted + "\n"), Kind.VCF)
    assert quoted.encode() in out


QUOTED = "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Yamada\r\nNOTE;CHARSET=SHIFT_JIS;ENCODING=QUOTED-PRINTABLE:{}\r\nEND:VCARD\r\n"


def test_quoted_values_whose_bytes_mean_nothing_are_told() -> None:
    data, found = clean(QUOTED.format("=93=FA=96=7B=FF=FF").encode(), Kind.VCF)
    assert found == [("text.undecodable", "NOTE")]
    assert b"=93=FA=96=7B" in data


def test_a_value_that_goes_on_behind_the_end_ends_there() -> None:
    """A line behind the card, which nothing follows."""
    card = "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Yamada\r\nEND:VCARD\r\nNOTE;ENCODING=QUOTED-PRINTABLE:evil="
    with pytest.raises(Malformed):
        clean(card.encode(), Kind.VCF)
