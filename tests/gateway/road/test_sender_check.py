"""What the road finds out about a mail's sender before the jail sees the mail, and what the jail is told of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from gateway.config import ConfigError, load
from gateway.fittings import sender_check
from gateway.model import Door
from gateway.road.post import SenderCheck
from mail.authentication import Checker, UnansweredError
from sanitizers.model import Authentication
from tests.build.transfer import transfer

MESSAGE = b"Authentication-Results: mx.example.jp; spf=softfail; dkim=pass; dmarc=pass\r\nFrom: a@example.jp\r\nSubject: x\r\n\r\nhello\r\n"
ZONE = {("example.jp", "TXT"): ["v=spf1 ip4:8.8.4.4 -all"], ("_dmarc.example.jp", "TXT"): ["v=DMARC1; p=reject"]}


def checker() -> Checker:
    return Checker(lookup=lambda name, kind: ZONE.get((name.rstrip("."), kind), []))


async def told(check: SenderCheck, door: Door = Door.SMTP, client: str = "8.8.4.4") -> Authentication | None:
    with tempfile.TemporaryFile() as original:
        original.write(MESSAGE)
        original.seek(7)
        found = await check(transfer(door=door, client=client, sender="a@example.jp", size=len(MESSAGE)), original.fileno())
        assert os.lseek(original.fileno(), 0, os.SEEK_CUR) == 7    # the jail reads the same descriptor
    return found


async def test_a_mail_is_checked() -> None:
    found = await told(SenderCheck("mx.town.example.jp", checker()))
    assert found == Authentication(server="mx.town.example.jp", sender="a@example.jp", spf="pass", dkim="none", dmarc="pass")
    found = await told(SenderCheck("mx.town.example.jp", checker()), client="9.9.9.9")
    assert found is not None
    assert (found.spf, found.dmarc) == ("fail", "fail")


async def test_what_did_not_come_by_smtp_has_no_sender_to_check() -> None:
    assert await told(SenderCheck("x", checker()), Door.DROP) is None


async def test_a_trusted_server_upstream_is_believed_and_asked_nothing_else() -> None:
    found = await told(SenderCheck("mx.town.example.jp", checker(), upstream="mx.example.jp"))
    assert found == Authentication(server="mx.example.jp", sender="a@example.jp", spf="softfail", dkim="pass", dmarc="pass")


async def test_nobody_is_asked_where_it_is_off() -> None:
    assert await told(SenderCheck("x", None)) is None


async def test_a_silent_dns_delays_nothing_and_says_so() -> None:
    def silent(name: str, kind: str) -> list[Any]:
        raise UnansweredError(name)

    found = await told(SenderCheck("x", Checker(lookup=silent)))
    assert found is not None
    assert (found.spf, found.dmarc) == ("temperror", "temperror")


def test_a_server_that_is_believed_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "sekisho.toml"
    path.write_text('[mail]\nauthentication = "upstream"\n', "utf-8")
    with pytest.raises(ConfigError, match="authserv_id"):
        sender_check(load(path, {}))
