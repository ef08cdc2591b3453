"""The way over by mail: what a mail server on the way may do to it, what it may not, and that other mail goes its own way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.crossing.letter import ByMail, Sorting
from gateway.crossing.papers import RefusedError
from gateway.crossing.taking import BrokenOffError
from gateway.model import State
from gateway.road.post import MailIntake
from mail.answer import Answer
from mail.connection import Outgoing
from mail.envelope import Envelope
from mail.intake import Overloaded
from tests.build.segments import Sides, sides
from tests.build.transfer import NOW

TO = "crossing@town.example.jp"


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Sides]:
    async with sides(tmp_path) as made:
        yield made


class Hop:
    """A next hop that keeps what it is given."""

    def __init__(self, status: str = "delivered") -> None:
        self.status = status
        self.mails: list[Outgoing] = []

    async def deliver(self, mail: Outgoing) -> list[Answer]:
        self.mails.append(mail)
        return [Answer(mail.recipients[0], cast("Any", self.status), 250, "2.0.0", "ok")]


def by_mail(hop: Hop, *, largest: int = 1 << 20) -> ByMail:
    return ByMail(hop, "postmaster@town.example.jp", TO, largest=largest, clock=lambda: NOW)


def door(two: Sides, *, shut: tuple[str, ...] = ()) -> Sorting:
    others = MailIntake(two.inner, two.inner_blobs, ["town.example.jp"], recipients=["kakari@town.example.jp"], clock=two.clock)
    others.shut(shut)
    return Sorting(two.taking, TO, others, largest=1 << 20)


async def handed(two: Sides, content: bytes, *recipients: str) -> str:
    envelope = Envelope(sender="postmaster@town.example.jp", recipients=list(recipients or (TO,)), client_ip="192.0.2.5", helo="outer")
    incoming = await door(two).begin(envelope)
    for start in range(0, len(content), 700):
        await incoming.write(content[start : start + 700])
    return await incoming.commit()


async def written(two: Sides) -> bytes:
    hop = Hop()
    number = await two.mail()
    await two.push(by_mail(hop), number)
    (mail,) = hop.mails
    assert list(mail.recipients) == [TO]
    return mail.content


async def test_a_mail_carries_it(two: Sides) -> None:
    content = await written(two)
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content.isascii()
    await handed(two, content)
    assert len(await two.arrived()) == 1


async def test_lines_that_a_server_adds_to_the_head(two: Sides) -> None:
    content = b"Received: from outer by hop;\r\n\tSat, 21 Nov 2026 09:00:00 +0900\r\n" + await written(two)
    await handed(two, content)
    assert len(await two.arrived()) == 1


async def test_what_comes_twice_is_told(two: Sides) -> None:
    content = await written(two)
    await handed(two, content)
    with pytest.raises(RefusedError, match="used before"):
        await handed(two, content)
    assert len(await two.arrived()) == 1


@pytest.mark.parametrize("spoil", [lambda body: body[:-40], lambda body: b"hello", lambda body: body.replace(b"A", b"B"), lambda body: b"??"])
async def test_a_body_that_is_another(two: Sides, spoil: Any) -> None:
    head, _, body = (await written(two)).partition(b"\r\n\r\n")
    with pytest.raises((RefusedError, BrokenOffError)):
        await handed(two, head + b"\r\n\r\n" + spoil(body))
    with pytest.raises(RefusedError):
        await handed(two, head)
    assert await two.arrived() == []


async def test_a_mail_that_was_broken_off_leaves_nothing(two: Sides) -> None:
    content = await written(two)
    envelope = Envelope(sender="sekisho@outer.example.jp", recipients=(TO,), client_ip="192.0.2.9", helo="x")
    package = await door(two).begin(envelope)
    await package.write(content)
    await package.abort()
    with pytest.raises(RefusedError):
        await package.commit()
    assert await two.arrived() == []


async def test_what_is_too_large_for_a_mail_stays(two: Sides) -> None:
    hop = Hop()
    number = await two.mail()
    await two.push(by_mail(hop, largest=1_000), number, state=State.DEFERRED)
    assert hop.mails == []


async def test_a_next_hop_that_does_not_take_it(two: Sides) -> None:
    number = await two.mail()
    await two.push(by_mail(Hop("deferred")), number, state=State.DEFERRED)
    assert await two.arrived() == []


async def test_who_may_not_receive_mail_is_none_of_the_crossings(two: Sides) -> None:
    assert [door(two).admits(address) for address in (TO.upper(), "kakari@town.example.jp")] == [True, True]
    sorting = door(two, shut=(TO.lower(), "kakari@town.example.jp"))
    assert [sorting.admits(address) for address in (TO.upper(), "kakari@town.example.jp")] == [True, False]


async def test_other_mail_goes_its_own_way(two: Sides) -> None:
    sorting = door(two)
    assert sorting.accepts(TO.upper())
    assert sorting.knows(TO)
    assert sorting.accepts("kakari@town.example.jp")
    assert not sorting.knows("nobody@town.example.jp")
    assert not sorting.accepts("kakari@elsewhere.example.com")
    await handed(two, b"Subject: x\r\n\r\nHello\r\n", "kakari@town.example.jp")
    (transfer,) = await two.arrived()
    assert transfer.state is State.RECEIVED


async def test_a_mail_to_both_is_not_taken(two: Sides) -> None:
    with pytest.raises(Overloaded):
        await handed(two, b"x", TO, "kakari@town.example.jp")


async def test_more_than_the_door_takes_in(two: Sides) -> None:
    with pytest.raises(Overloaded):
        await handed(two, b"x" * (1 << 20) + b"y")
