"""The second opinion on composed mail: whatever differs from what we write is noticed, one thing at a time."""

from __future__ import annotations

import base64
from email.message import Message

import pytest

from sanitizers.charset import encode
from sanitizers.formats.message.compose import File, compose
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import message as verifier
from tests.build import message as build
from tests.build.context import delivered
from tests.build.message import ATTACHED

HEAD = [
    "Received: by sekisho.invalid id 20261120-000001; Fri, 20 Nov 2026 09:00:00 +0900", "From: yamada@example.jp", "To: soumu@town.example.jp",
    "Subject: test", "Date: Fri, 20 Nov 2026 09:00:00 +0900", "Message-ID: <1@example.jp>", "X-Sekisho-Result: CDR; id=20261120-000001",
]
TEXT = "本文です\n"
PLAIN = b"Content-Type: text/plain; charset=utf-8"


def composed(head: list[str] | None = None, text: str = TEXT, name: str = "資料.pdf", charset: str = "utf-8") -> bytes:
    return compose(head or HEAD, text, [File(name, Source(ATTACHED), Kind.PDF)], charset)


def check(data: bytes, attached: bytes | None = ATTACHED, **treatment: object) -> None:
    given = build.given(**treatment)
    if attached is not None:
        delivered(given, attached, kind=Kind.PDF)
    verifier.verify(Source(data), Source(b""), given)


def test_what_we_compose_passes() -> None:
    check(composed())
    check(composed(name="memo.pdf"))
    check(compose(HEAD, TEXT, []), None)
    check(composed(text="㈱髙ﾃｽﾄ①\n", charset="iso-2022-jp"))
    check(composed(text="http://a.jp/\n"), mail_links_defanged=False)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ([*HEAD, "X-Internal: 1"], "header fields"),
        ([*HEAD, "From: b@example.jp"], "header fields"),
        ([*HEAD, "List-Unsubscribe: <http://x>"], "header fields"),
        (HEAD[2:], "Received|header fields"),
        (["Received: from a.example by b.example; Fri, 20 Nov 2026 09:00:00 +0900", *HEAD[1:]], "Received field"),
        (["Received: by hop.invalid; Fri, 20 Nov 2026 09:00:00 +0900"] * 102 + HEAD[1:], "Received field"),
        (["From: a@example.jp, b@example.jp", *HEAD[2:]], "not one address"),
        (["From: a@example.jp", *HEAD[2:-1]], "header fields"),
        ([*HEAD, "Cc: " + "a" * 1000], "998"),
        ([*HEAD, "Cc: a\rb"], "line ends"),
        ([*HEAD, "Cc: a\x1bb"], "control"),
        ([*HEAD, "Content-Type: text/html"], "header fields"),
    ],
)
def test_header(head: list[str], why: str) -> None:
    with pytest.raises(VerificationFailed, match=why):
        check(composed(head))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"multipart/mixed", b"multipart/related", "not plain base64"),
        (PLAIN, b"Content-Type: text/html; charset=utf-8", "not described as text"),
        (PLAIN, PLAIN + b"; name=x.exe", "not described as text"),
        (b"application/pdf;", b"text/html;", "unexpected tree"),
        (b"application/pdf;", b"message/rfc822;", "defect|unexpected tree"),
        (b"application/pdf;", b"application/pdf; name=b.exe;", "another way"),
        (b"Content-Disposition: attachment;", b"Content-Disposition: inline;", "another way"),
        (b"Content-Disposition: attachment;\r\n filename*=UTF-8''%E8%B3%87%E6%96%99.pdf", b"Content-Disposition: attachment;\r\n filename*=UTF-8''%0D%0A.pdf", "unsafe name|readers"),
        (b"UTF-8''%E8%B3%87%E6%96%99.pdf", b"UTF-8''..%2Fa.pdf", "unsafe name"),
        (b"\r\nContent-Disposition", b"\r\nX-Other: 1\r\nContent-Disposition", "another way"),
        (b"--\r\n", b"--\r\nepilogue\r\n", "not between our boundaries"),
        (b'"\r\n\r\n--', b'"\r\n\r\npreamble\r\n--', "not between our boundaries"),
        (base64.b64encode(ATTACHED)[:40], b"!" + base64.b64encode(ATTACHED)[1:40], "not plain base64"),
        (base64.b64encode(ATTACHED)[:40], base64.b64encode(ATTACHED)[:20] + b"\r\n" + base64.b64encode(ATTACHED)[22:40], "not plain base64|lines of 76"),
        (b"base64\r\nContent-Disposition", b"8bit\r\nContent-Disposition", "another way"),
        (b"JVBERi", b"JVBERj", "not those that were rebuilt"),
    ],
)
def test_bytes(old: bytes, new: bytes, why: str) -> None:
    data = composed()
    at = data.rfind(old)
    assert at >= 0
    with pytest.raises(VerificationFailed, match=why):
        check(data[:at] + new + data[at + len(old) :])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a\x1b[31m\n", "control"), ("a\x00\n", "control"), ("a\u202eb\n", "direction"), ("a\u2067b\n", "direction"),
        ("https://a.jp/\n", "live link"), ("Ftp://a.jp/\n", "live link"), ("x www.a.jp\n", "live link"),
    ],
)
def test_text(text: str, why: str) -> None:
    with pytest.raises(VerificationFailed, match=why):
        check(composed(text=text))


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a\xc0\x80"])
def test_text_that_is_not_what_it_says(body: bytes) -> None:
    data = composed().replace(base64.encodebytes(TEXT.encode()).replace(b"\n", b"\r\n"), base64.b64encode(body) + b"\r\n")
    with pytest.raises(VerificationFailed, match="not utf-8"):
        check(data)


@pytest.mark.parametrize("body", [b"\x1b$BF|K\\", b"\x1b$(DF|\x1b(B", b"\x1b$BF\x1b(B", b"\xe3\x81\x82", b"a\x0eb\x0f"])
def test_jis_that_old_programs_could_not_read(body: bytes) -> None:
    given = "日本\n"
    made = base64.encodebytes(encode(given, "iso-2022-jp-ms")).replace(b"\n", b"\r\n")
    data = composed(text=given, charset="iso-2022-jp")
    assert made in data
    with pytest.raises(VerificationFailed):
        check(data.replace(made, base64.b64encode(body) + b"\r\n"))


def test_attachments_are_those_that_were_rebuilt() -> None:
    with pytest.raises(VerificationFailed, match="not those"):
        check(composed(), b"other")
    with pytest.raises(VerificationFailed, match="not those"):
        check(composed(), None)
    with pytest.raises(VerificationFailed, match="not those"):
        check(compose(HEAD, TEXT, []))


def test_a_message_without_an_end_of_its_header_is_none() -> None:
    with pytest.raises(VerificationFailed, match="no end of the header"):
        check(b"From: a@example.jp\r\n", None)


def test_a_part_without_a_header_is_none() -> None:
    data = composed()
    boundary = data.partition(b'boundary="')[2].partition(b'"')[0]
    opening = b"--" + boundary + b"\r\n"
    with pytest.raises(VerificationFailed, match="part without a header"):
        check(data.replace(opening, opening + b"no header\r\n" + opening, 1))


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("Content-Transfer-Encoding", "8bit", "not in base64"),
        ("Content-Disposition", 'attachment; filename="../a.pdf"', "unsafe name"),
        ("Content-Disposition", 'attachment; filename="a\\\\b.pdf"', "unsafe name"),
        ("Content-Disposition", "attachment", "unsafe name"),
        ("Content-Disposition", 'inline; filename="a.pdf"', "with the fields"),
        ("Content-Type", "multipart/mixed; boundary=x", "with the fields"),
        ("X-Other", "1", "with the fields"),
    ],
)
def test_an_attachment_as_a_reader_sees_it(field: str, value: str, why: str) -> None:
    """Both of Python's readers are asked too, whatever the spelling that was proved before them."""
    leaf = Message()
    for name, said in (("Content-Type", "application/pdf"), ("Content-Transfer-Encoding", "base64"), ("Content-Disposition", 'attachment; filename="a.pdf"')):
        leaf[name] = said
    verifier._check_attachment(leaf)
    del leaf[field]
    leaf[field] = value
    if value.startswith("multipart"):
        leaf.set_payload([Message()])
    with pytest.raises(VerificationFailed, match=why):
        verifier._check_attachment(leaf)


@pytest.mark.parametrize(
    ("text", "alive"),
    [
        ("https://gate.town.example.jp/transfers/20261120-000001 をご覧ください\n", False),
        ("https://gate.town.example.jp/transfers/20261120-000001 https://gate.town.example.jp/transfers/20261120-000001\n", True),
        ("https://gate.town.example.jp/transfers/20261120-000002\n", True),
        ("https://gate.town.example.jp/transfers/20261120-000001 http://a.jp/\n", True),
    ],
)
def test_our_own_page_alone_is_a_link(text: str, alive: bool) -> None:
    given = {"pickup_url": "https://gate.town.example.jp/", "receipt_no": "20261120-000001"}
    if alive:
        with pytest.raises(VerificationFailed, match="live link"):
            check(composed(text=text), **given)
    else:
        check(composed(text=text), **given)
    for lacking in given:
        with pytest.raises(VerificationFailed, match="live link"):
            check(composed(text=text), **(given | {lacking: ""}))


def test_a_body_has_lines_of_76_characters() -> None:
    line = b"QUJD" * 19
    assert verifier._decoded(line + b"\r\n" + b"QUJD\r\n") == b"ABC" * 20
    assert verifier._decoded(b"") == b""
    for body in (b"QUJD\r\n" + line + b"\r\n", line[:72] + b"\r\n" + line + b"QUJD\r\n"):
        with pytest.raises(VerificationFailed, match="lines of 76"):
            verifier._decoded(body)
