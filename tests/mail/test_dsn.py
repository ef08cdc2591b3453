"""Notices to senders, read back with the standard library."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage

import pytest

from mail import dsn
from mail.dsn import Told
from mail.envelope import Notify, Wishes
from mail.outbox import Result
from tests.build.smtp import NOW, delivery

GONE = Result("gone@town.example.jp", "failed", 550, "5.1.1", "No such user here")


def written(*failed: Result, sender: str = "taro@partner.example") -> bytes:
    return told(*(Told(one, "FAILURE") for one in failed or (GONE,)), sender=sender)


def told(*what: Told, sender: str = "taro@partner.example", wishes: Wishes | None = None) -> bytes:
    about = replace(delivery(sender=sender), wishes=wishes or Wishes())
    made = dsn.notice(about, what, hostname="mx.example.jp", postmaster="postmaster@town.example.jp", now=NOW)
    assert made is not None
    return made


def read(octets: bytes) -> EmailMessage:
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not [part.defects for part in message.walk() if part.defects]
    return message


def test_it_is_a_delivery_report_in_two_languages() -> None:
    message = read(written())
    assert (message.get_content_type(), message.get_param("report-type")) == ("multipart/report", "delivery-status")
    assert message["To"] == "taro@partner.example"
    assert message["From"] == "Mail Delivery System <postmaster@town.example.jp>"
    assert message["Subject"] == "配送できませんでした / Undelivered mail （受付番号 20261120-000001）"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["Date"].datetime.timestamp() == NOW
    assert str(message["Message-ID"]).startswith("<20261120-000001.")
    text, status = message.iter_parts()
    words = text.get_content()
    for piece in ("配送できませんでした", "could not be delivered", "20261120-000001", "gone@town.example.jp", "5.1.1 No such user here"):
        assert piece in words
    assert status.get_content_type() == "message/delivery-status"


def test_the_status_is_for_machines() -> None:
    late = Result("late@town.example.jp", "failed", 451, "5.4.7", "gave up after 40 attempts; the last: 4.2.0 later")
    never = Result("never@town.example.jp", "failed", 0, "4.4.1", "cannot be reached")
    _, status = read(written(GONE, late, never)).iter_parts()
    blocks = status.get_payload()
    assert isinstance(blocks, list)
    whole, *each = [dict(block.items()) for block in blocks]
    assert whole["Reporting-MTA"] == "dns; mx.example.jp"
    assert whole["X-Sekisho-Receipt"] == "20261120-000001"
    assert [(one["Final-Recipient"], one["Action"], one["Status"]) for one in each] == [
        ("rfc822; gone@town.example.jp", "failed", "5.1.1"),
        ("rfc822; late@town.example.jp", "failed", "5.4.7"),
        ("rfc822; never@town.example.jp", "failed", "5.4.1"),
    ]
    assert each[0]["Diagnostic-Code"] == "smtp; 550 5.1.1 No such user here"
    assert "Diagnostic-Code" not in each[2]


def test_lines_are_short_and_end_in_cr_lf_and_no_word_of_the_content_is_there() -> None:
    long = Result("a@town.example.jp", "failed", 550, "5.0.0", "word " * 90)
    octets = written(long)
    assert octets.isascii()
    assert octets.count(b"\n") == octets.count(b"\r\n") == octets.count(b"\r")
    assert max(len(line) for line in octets.split(b"\r\n")) <= 78
    assert len(list(read(octets).walk())) <= 5


@pytest.mark.parametrize("text", ["550\r\nBcc: evil@x.example", "\x1b[31m red", "あ" * 300, "--=_boundary", "\udcff", ""])
def test_what_the_next_hop_said_cannot_shape_the_notice(text: str) -> None:
    text = text.replace("\udcff", "?")
    message = read(written(Result("a@town.example.jp", "failed", 550, "5.0.0", text)))
    assert message["Bcc"] is None
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "message/delivery-status"]


@pytest.mark.parametrize("sender", ["foo..bar.@docomo.ne.jp", '"a b\\"c@d"@x.example', "a@[192.0.2.1]", '""@x', "a%b!c@x.example"])
def test_any_sender_form_can_be_told(sender: str) -> None:
    assert f"To: <{sender}>\r\n".encode() in written(sender=sender)


def test_addresses_beyond_ascii() -> None:
    octets = written(Result("役場+x@town.example.jp", "failed", 550, "5.1.1", "no"), sender="差出人@x.example")
    assert octets.isascii()
    assert b"To: undisclosed-recipients:;\r\n" in octets
    assert b"Final-Recipient: utf-8; \\x{5F79}\\x{5834}\\x{2B}x@town.example.jp\r\n" in octets
    text, _ = read(octets).iter_parts()
    assert "役場+x@town.example.jp" in text.get_content()


def test_nobody_to_tell_and_nothing_to_say() -> None:
    assert dsn.notice(delivery(sender=""), [Told(GONE, "FAILURE")], hostname="x", postmaster="y", now=NOW) is None
    assert dsn.notice(delivery(), [], hostname="x", postmaster="y", now=NOW) is None


# ------------------------------------------------------------------------------------------------------------ RFC 3461

OK = Result("ok@town.example.jp", "delivered", 250, "2.0.0", "queued")
LATE = Result("late@town.example.jp", "deferred", 451, "4.2.0", "later", NOW + 60)


def test_what_there_is_to_tell() -> None:
    assert dsn.event_of(GONE, late=False) == dsn.event_of(GONE, late=True) == "FAILURE"
    assert (dsn.event_of(LATE, late=False), dsn.event_of(LATE, late=True)) == (None, "DELAY")
    assert (dsn.event_of(OK, late=False), dsn.event_of(replace(OK, passed_on=True), late=False)) == ("SUCCESS", None)


@pytest.mark.parametrize(
    ("on", "wanted"),
    [((), {"FAILURE"}), (("NEVER",), set()), (("SUCCESS",), {"SUCCESS"}), (("DELAY", "FAILURE"), {"DELAY", "FAILURE"})],
)
def test_a_sender_hears_what_he_wants_to(on: tuple[str, ...], wanted: set[str]) -> None:
    assert {event for event in ("FAILURE", "DELAY", "SUCCESS") if Notify(on).wants(event)} == wanted


@pytest.mark.parametrize(
    ("result", "event", "action", "status", "subject"),
    [(OK, "SUCCESS", "relayed", "2.0.0", "配送しました"), (LATE, "DELAY", "delayed", "4.2.0", "配送が遅れています")],
)
def test_good_and_late_news(result: Result, event: dsn.Event, action: str, status: str, subject: str) -> None:
    message = read(told(Told(result, event)))
    assert str(message["Subject"]).startswith(subject)
    _, machine = message.iter_parts()
    _, block = machine.get_payload()  # type: ignore[misc]
    assert (block["Action"], block["Status"]) == (action, status)


def test_the_gravest_news_gives_the_subject_and_all_are_told() -> None:
    message = read(told(Told(OK, "SUCCESS"), Told(GONE, "FAILURE"), Told(LATE, "DELAY")))
    assert str(message["Subject"]).startswith("配送できませんでした")
    text, machine = message.iter_parts()
    assert [block["Action"] for block in machine.get_payload()[1:]] == ["relayed", "failed", "delayed"]  # type: ignore[index]
    assert text.get_content().count("受付番号 20261120-000001") == 3


def test_what_the_sender_gave_comes_back_to_him() -> None:
    wishes = Wishes("QQ 314159", "", {GONE.address: Notify(("FAILURE",), "rfc822;Old+2BName@partner.example")})
    _, machine = read(told(Told(GONE, "FAILURE"), wishes=wishes)).iter_parts()
    whole, one = machine.get_payload()  # type: ignore[misc]
    assert whole["Original-Envelope-Id"] == "QQ 314159"
    assert one["Original-Recipient"] == "rfc822; Old+Name@partner.example"


@pytest.mark.parametrize("original", ["rfc822;a+0D+0ABcc:+20x@y.example", "rfc822;" + "x" * 480, "x-y;+"])
def test_no_original_recipient_shapes_the_notice(original: str) -> None:
    octets = told(Told(GONE, "FAILURE"), wishes=Wishes("", "", {GONE.address: Notify((), original)}))
    _, machine = read(octets).iter_parts()
    assert len(machine.get_payload()) == 2  # type: ignore[arg-type]
    assert b"\r\nBcc" not in octets
