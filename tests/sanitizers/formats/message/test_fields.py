"""Header fields, well written and badly: what is read out of them, and where reading ends."""

from __future__ import annotations

import re

import pytest

from tests.build.message import HEAD, Delivered, by_smtp, mail, outcome, parts_mail, read_message, text
from tests.build.torture_structure import MEMO

DATE = b"Date: Fri, 20 Nov 2026 09:00:00 +0900\r\n"
AUTHOR = b"From: =?UTF-8?B?5bGx55Sw?= <yamada@example.jp>\r\n"


def _typed(value: bytes, body: bytes = "日本語".encode("euc_jp")) -> bytes:
    return mail(body, b"Content-Type: " + value + b"\r\n")


@pytest.mark.parametrize(
    "data",
    [
        mail(b"x", b"X-A: b\r\n" + b" c\r\n" * 10_000),     # lines
        mail(b"x", b"X-A: b\r\n" * 2_001),                  # fields
    ],
)
def test_headers_end_at_a_limit(data: bytes) -> None:
    assert len(data) < 256 << 10
    assert outcome(data) == "file.limit_exceeded"


def test_a_transfer_without_any_field_of_a_mail_is_held() -> None:
    ended = by_smtp(b"X-A: b\r\nSender-Of: x\r\n\r\nhello\r\n")
    assert (ended.content, ended.report.reason) == (None, "malformed")
    assert [finding.code for finding in ended.report.findings] == ["file.malformed"]


@pytest.mark.parametrize(
    "date",
    [b"yesterday", b"Fri, 45 Nov 2026 09:00:00 +0900", b"31 Feb 2026 09:00:00 +0900", b"20 Nov 2026 09:00:00 +9900", b"20 Nov 99999 09:00:00 +0900"],
)
def test_a_date_that_is_none_is_left_out_and_said(date: bytes) -> None:
    mailed = Delivered(mail(head=HEAD.replace(DATE, b"Date: " + date + b"\r\n")))
    assert mailed.tree["date"] is None
    assert mailed.codes == {"mail.header_dropped": "removed"}
    assert [finding.detail for finding in mailed.context.findings] == [date.decode()]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (rb'"a\"b" <x@example.jp>', 'a"b'),
        (rb'"back\\slash" <x@example.jp>', r"back\slash"),
        (b"=?utf-8?q?a=22b?= <x@example.jp>", 'a"b'),
        (b'"a, b" <x@example.jp>', "a, b"),
        (rb"(by \) hand) <x@example.jp>", "by ) hand"),
        (b"=?utf-8?q?=E6=97=A5?= =?iso-2022-jp?B?GyRCS1wbKEI=?= <x@example.jp>", "日本"),
        (b"=?utf-8?q?a?= (b) <x@example.jp>", "a"),
    ],
)
def test_names_with_signs_in_them(written: bytes, name: str) -> None:
    mailed = Delivered(mail(head=HEAD.replace(AUTHOR, b"From: " + written + b"\r\n")))
    (shown,) = mailed.tree["from"].addresses
    assert (shown.display_name.replace('"', ""), shown.addr_spec) == (name.replace('"', ""), "x@example.jp")


@pytest.mark.parametrize(
    "value",
    [
        b"text/plain; charset=euc-jp",
        b"text/plain; odd; charset=euc-jp",                 # a word without a value
        b"text/plain; x**y=1; charset=euc-jp",              # no name of RFC 2231
        b'text/plain; x="a" charset=euc-jp',                # forgotten semicolons
        b'text/plain; type="a" charset=euc-jp',
        b"text/plain; type=a charset=euc-jp",
        b'text/plain; x="a" junk; charset=euc-jp',
        b"text/plain; charset=euc-jp junk",
        b'text/plain; charset="euc-jp" (a comment)',
        b"text/plain charset=euc-jp",
        b'text/plain; charset="euc\\-jp"',
    ],
)
def test_parameters_however_sloppy(value: bytes) -> None:
    assert Delivered(_typed(value)).body == "日本語"


@pytest.mark.parametrize(
    ("value", "ends"),
    [
        (b"multipart/mixed; boundary=b1 charset=utf-8", "delivered"),
        (b'multipart/mixed; boundary="b1" charset=utf-8', "delivered"),
        (b"multipart/mixed; boundary=b1 junk", "mail.ambiguous"),
        (b'multipart/mixed; boundary="b1" junk', "mail.ambiguous"),
        (b'multipart/mixed; boundary="b1', "mail.ambiguous"),
        (b"multipart/mixed; boundary*0=b; boundary*0=1", "mail.ambiguous"),
    ],
)
def test_a_boundary_is_read_in_one_way_or_not_at_all(value: bytes, ends: str) -> None:
    assert outcome(_typed(value, b"--b1\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b1--\r\n")) == ends


def test_a_file_name_in_segments_of_two_charsets_worth_of_spelling() -> None:
    named = b"Content-Disposition: attachment; filename*0*=utf-8''%E8%B3%87; filename*1=.txt\r\n"
    mailed = Delivered(parts_mail(text(), named + b"Content-Type: text/plain\r\n\r\n" + MEMO))
    assert list(mailed.files) == ["資.txt"]


@pytest.mark.parametrize(("received_at", "date"), [("2026-11-20T09:00:00+09:00", "Fri, 20 Nov 2026 09:00:00 +0900"), ("x", "Thu, 01 Jan 1970 00:00:00 -0000")])
def test_our_own_station_is_written_whatever_the_clock_said(received_at: str, date: str) -> None:
    ended = by_smtp(mail(), received_at=received_at, receipt_no="20261120-000123")
    assert ended.content is not None
    assert re.findall(rb"^Received: (.*)\r$", ended.content.bytes(), re.MULTILINE) == [b"by sekisho.invalid id 20261120-000123; " + date.encode()]


def test_passwords_of_a_text_are_remembered_where_policy_says_so() -> None:
    mailed = Delivered(mail("解凍パスワードは Abc#1234 です\r\n".encode()), mail_passwords_tried=True)
    assert "Abc#1234" in mailed.context.passwords_seen
    assert Delivered(mail("解凍パスワードは Abc#1234 です\r\n".encode())).context.passwords_seen == {}


def test_words_of_two_charsets_side_by_side() -> None:
    ended = by_smtp(mail(head=HEAD.replace(b"Subject: test", b"Subject: =?utf-8?B?5pel?= =?iso-2022-jp?B?GyRCS1wbKEI=?= =?utf-8?q?=21?=")))
    assert ended.content is not None
    assert read_message(ended.content.bytes()).subject == "日本!"
