"""The table of replies: its digits agree, and what it says in public says nothing of us."""

from __future__ import annotations

import pytest

from mail.replies import HANG_UP, Reply, Trouble, gravest


@pytest.mark.parametrize("trouble", Trouble)
def test_the_digits_agree(trouble: Trouble) -> None:
    reply = trouble.value
    assert 200 <= reply.code < 600
    if reply.enhanced:
        assert reply.enhanced[0] == str(reply.code)[0]
        assert [part.isdigit() for part in reply.enhanced.split(".")] == [True, True, True]
    else:
        assert reply.code == 354


def test_a_line_is_code_enhanced_code_and_text() -> None:
    assert Trouble.OK.value.line() == b"250 2.0.0 Ok\r\n"
    assert Trouble.QUEUED.value.line("ABC123") == b"250 2.0.0 Ok: queued as ABC123\r\n"
    assert Trouble.GO_AHEAD.value.line() == b"354 End data with <CR><LF>.<CR><LF>\r\n"
    assert Reply(250, "", "").line() == b"250\r\n"
    assert Reply(250, "", "gate").line("\u3042") == b"250 gate?\r\n"


# What every SMTP client acts on (RFC 5321 4.2.3, RFC 3207): a reply may get other words, its code only with a reason.
CODES = {
    220: "READY_FOR_TLS", 221: "BYE", 250: "OK SENDER_OK RECIPIENT_OK QUEUED", 252: "CANNOT_VERIFY", 354: "GO_AHEAD",
    421: "CLOSING TIMED_OUT TOO_SLOW TOO_MANY_CONNECTIONS TOO_MANY_ERRORS", 450: "TOO_MANY_MESSAGES", 451: "NOT_NOW", 452: "FULL TOO_MANY_RECIPIENTS",
    500: "UNKNOWN_COMMAND LINE_TOO_LONG BARE_NEWLINE_COMMAND", 501: "SYNTAX BAD_SENDER", 502: "NO_SUCH_COMMAND", 503: "BAD_SEQUENCE",
    550: "NO_SUCH_RECIPIENT NO_MAIL NO_RELAY BARE_NEWLINE NUL", 552: "TOO_LARGE", 553: "BAD_RECIPIENT", 554: "NO_RECIPIENTS LOOP EARLY_DATA",
    555: "UNKNOWN_PARAMETER",
}  # fmt: skip


def test_the_codes_that_clients_act_on() -> None:
    assert {name: code for code, names in CODES.items() for name in names.split()} == {one.name: one.value.code for one in Trouble}


def test_no_two_are_the_same() -> None:
    assert len({trouble.value for trouble in Trouble}) == len(Trouble.__members__)


@pytest.mark.parametrize("trouble", Trouble)
def test_the_public_text_is_one_ascii_line_and_not_the_reason(trouble: Trouble) -> None:
    reply = trouble.value
    line = reply.line("\u3042")
    assert line.isascii()
    assert line.endswith(b"\r\n")
    assert line.count(b"\n") == 1
    assert len(line) < 100
    assert bool(reply.reason) == (reply.code >= 400)
    assert not reply.reason or reply.reason.encode() not in line


def test_the_table_goes_from_good_to_grave() -> None:
    classes = [trouble.value.code // 100 for trouble in Trouble if trouble.value.code // 100 >= 4]
    assert classes == sorted(classes)
    assert gravest([Trouble.LOOP, Trouble.FULL]) is Trouble.LOOP
    assert gravest([Trouble.FULL, Trouble.TOO_LARGE, Trouble.NOT_NOW]) is Trouble.TOO_LARGE


def test_hanging_up_is_no_line_of_the_table() -> None:
    assert HANG_UP.code == 0
    assert HANG_UP not in {trouble.value for trouble in Trouble}
