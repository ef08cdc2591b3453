"""The second opinion on mail: every way in which a composed message could be wrong is noticed."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import message as verifier
from tests.build.message import Delivered, attachment, mail, parts_mail, text

Change = Callable[[bytes], bytes]


def swap(old: bytes, new: bytes, count: int = 1) -> Change:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, count)

    return change


def check(data: bytes, change: Change, treatment: dict[str, object] | None = None) -> None:
    made = Delivered(data, **(treatment or {}))
    verifier.verify(Source(made.bytes), Source(data), made.context)
    verifier.verify(Source(change(made.bytes)), Source(data), made.context)


def body(words: str) -> bytes:
    return base64.encodebytes(words.encode()).replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    "change",
    [
        swap(b"To: ", b"X-Other: y\r\nTo: "),
        swap(b"To: ", b"From: x@y.jp\r\nTo: "),
        swap(b"From: ", b"From: x@y.jp, "),
        swap(b"Subject: test\r\n", b""),
        swap(b"Subject: test", b"Subject: \xe3\x81\x82"),
        swap(b"Subject: test", b"Subject: te\x01st"),
        swap(b"Subject: test\r\n", b"Subject: test\n"),
        swap(b"Subject: test", b"Subject: te\rst"),
        swap(b"Subject: test", b"Subject: " + b"x" * 1000),
        swap(b"text/plain", b"text/html"),
        swap(b"application/pdf", b"text/html"),
        swap(b"application/pdf", b"message/rfc822"),
        swap(b"Content-Disposition: attachment", b"Content-Disposition: inline"),
        swap(b'filename="a.pdf"', b"filename=\"b.pdf\"; filename*=utf-8''c.pdf"),
        swap(b'filename="a.pdf"', b'filename="../a.pdf"'),
        swap(b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: 8bit"),
        swap(b"Content-Disposition", b"Content-ID: <x>\r\nContent-Disposition"),
        swap(b"JVBERi", b"AAAAAA"),
        swap(b"JVBERi", b"JVBE-i"),
        swap(b"--\r\n", b"--\r\nepilogue\r\n"),
        swap(b"\r\n\r\n--", b"\r\n\r\npreamble\r\n--"),
        swap(b"multipart/mixed", b"multipart/alternative"),
        lambda data: data[: data.rfind(b"\r\n--")],
    ],
)
def test_tampered_message_is_noticed(change: Change) -> None:
    with pytest.raises(VerificationFailed):
        check(parts_mail(text(), attachment()), change)


@pytest.mark.parametrize("words", ["http://evil.example/", "www.evil.example", "a\u202eb", "a\x1b[1m", "a\x00b"])
def test_text_that_is_not_inert_is_noticed(words: str) -> None:
    with pytest.raises(VerificationFailed):
        check(mail(b"x"), lambda data: data[: data.find(b"\r\n\r\n") + 4] + body(words))


def test_text_in_other_bytes_is_noticed() -> None:
    broken = base64.encodebytes("日本".encode("cp932")).replace(b"\n", b"\r\n")
    with pytest.raises(VerificationFailed, match="UTF-8"):
        check(mail(b"x"), lambda data: data[: data.find(b"\r\n\r\n") + 4] + broken)


def test_one_long_line_of_base64_is_noticed() -> None:
    with pytest.raises(VerificationFailed, match="76"):
        check(mail(b"x" * 600), lambda data: data[: data.find(b"\r\n\r\n") + 4] + base64.b64encode(b"x" * 600) + b"\r\n" * 11)


def test_live_links_are_allowed_where_policy_says_so() -> None:
    check(mail(b"https://a.jp/"), lambda data: data, {"mail_links_defanged": False})
