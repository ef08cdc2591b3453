"""The second opinion on composed mail: whatever differs from what we write is noticed, one thing at a time."""

from __future__ import annotations

import base64

import pytest

from sanitizers.charset import encode
from sanitizers.formats.message.compose import File, compose
from sanitizers.model import Kind, PartInfo, Report, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import message as verifier
from tests.build import message as build
from tests.build.message import ATTACHED

HEAD = [
    "Received: by sekisho.invalid id 20261120-000001; Fri, 20 Nov 2026 09:00:00 +0900", "From: yamada@example.jp", "To: soumu@town.example.jp",
    "Subject: test", "Date: Fri, 20 Nov 2026 09:00:00 +0900", "Message-ID: <1@example.jp>", "X-Sekisho-Result: CDR; id=20261120-000001",
]
TEXT = "本文です\n"
PLAIN = b"Content-Type: text/plain; charset=utf-8"


def composed(head: list[str] | None = None, text: str = TEXT, name: str = "資料.pdf", charset: str = "utf-8") -> bytes:
    return compose(head or HEAD, text, [File(name, Source(ATTACHED), Kind.PDF)], charset)


def check(data: bytes, delivered: bytes | None = ATTACHED, **treatment: object) -> None:
    given = build.given(**treatment)
    if delivered is not None:
        info = PartInfo(name="a.pdf", size=len(delivered), sha256=Source(delivered).sha256, kind=Kind.PDF)
        given.parts.append(Report(path="a.pdf", verdict=Verdict.CLEAN, reason=None, input=info, output=info))
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
