"""What every journal must do beside the road: turns of organisations, results of before, exceptions. Run on all implementations."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from gateway.model import Door
from gateway.storage import exceptions, results
from gateway.storage.blobs import Blob
from gateway.storage.exceptions import NoSuchExceptionError
from gateway.storage.journal import Journal
from gateway.storage.results import ResultGoneError
from gateway.storage.settling import pack
from tests.build.road import accepted, released
from tests.build.transfer import DAY, NOW, RESULT, digest, report

BLOB = Blob(digest(RESULT), len(RESULT))
MIB = 1 << 20


async def test_organisations_take_turns(journal: Journal) -> None:
    for organisation, count in (("A", 12), ("B", 4), ("", 4)):
        for _ in range(count):
            await accepted(journal, organisation=organisation)
    claims = await journal.claim(9, at=NOW, lease_until=NOW + 60)
    assert Counter(claim.transfer.organisation for claim in claims) == {"A": 3, "B": 3, "": 3}
    rest = [*await journal.claim(5, at=NOW, lease_until=NOW + 60), *await journal.claim(9, at=NOW, lease_until=NOW + 60)]
    assert Counter(claim.transfer.organisation for claim in rest) == {"A": 9, "B": 1, "": 1}
    assert await journal.claim(9, at=NOW, lease_until=NOW + 60) == []


async def test_weights_are_turns(journal: Journal) -> None:
    for organisation in ("A", "B"):
        for _ in range(8):
            await accepted(journal, organisation=organisation)
    claims = await journal.claim(8, at=NOW, lease_until=NOW + 60, weights={"A": 3.0})
    assert Counter(claim.transfer.organisation for claim in claims) == {"A": 6, "B": 2}


async def test_small_before_large(journal: Journal) -> None:
    large = await accepted(journal, size=40 * MIB)
    small = await accepted(journal, received_at=NOW + 60)
    assert [claim.transfer.id for claim in await journal.claim(9, at=NOW, lease_until=NOW + 60)] == [small, large]


async def test_nobody_claims_what_another_has(journal: Journal) -> None:
    ids = {await accepted(journal, organisation=f"{number % 3}") for number in range(12)}
    claims = await asyncio.gather(*(journal.claim(3, at=NOW, lease_until=NOW + 60) for _ in range(6)))
    got = [claim.transfer.id for batch in claims for claim in batch]
    assert (len(got), set(got)) == (12, ids)


async def test_a_result_is_found_while_it_stands(journal: Journal) -> None:
    transfer_id = await released(journal, door=Door.DROP, recipients=())
    packed = pack(report())

    async def find(since: float = NOW - DAY) -> results.Kept | None:
        return await journal.ask(lambda connection: results.find(connection, "key", since))

    def remember(content: bytes) -> object:
        return journal.write(lambda c: results.remember(c, "key", transfer_id, blob=BLOB, packed=content, at=NOW))

    assert await find() is None
    await remember(b"another report")  # type: ignore[misc]
    assert await find() is None, "not the report that is kept"
    await remember(packed)  # type: ignore[misc]
    assert await find() == (BLOB, packed)
    assert await find(NOW) is None
    await journal.write(lambda connection: results.must_stand(connection, BLOB))
    await journal.dispose(transfer_id, at=NOW, actor="sousa")
    assert await find() is None
    with pytest.raises(ResultGoneError):
        await journal.write(lambda connection: results.must_stand(connection, BLOB))
    assert await journal.write(lambda connection: results.forget(connection, NOW)) == 0
    assert await journal.write(lambda connection: results.forget(connection, float("inf"))) == 1


async def test_exceptions_count_from_the_grant_to_the_end(journal: Journal) -> None:
    def grant(request: str) -> object:
        return journal.write(
            lambda c: exceptions.grant(c, request=request, kind="svg", action="sanitize", bound={"sender": "@a.example"}, reason="図面",
                                       requester="tanaka", approver="fukucho", at=NOW, expires_at=NOW + DAY)
        )  # fmt: skip

    async def live(at: float) -> list[str]:
        return [one.request for one in await journal.ask(lambda connection: exceptions.live(connection, at))]

    first, second = await grant("S-1"), await grant("S-2")  # type: ignore[misc]
    assert first.number != second.number
    assert (await live(NOW - 1), await live(NOW), await live(NOW + DAY)) == ([], ["S-2", "S-1"], [])
    await journal.write(lambda c: exceptions.used(c, first.number, "20261118-000001", NOW + 5))
    await journal.write(lambda c: exceptions.revoke(c, second.number, at=NOW + 6, actor="fukucho", reason="不要"))
    with pytest.raises(NoSuchExceptionError):
        await journal.write(lambda c: exceptions.revoke(c, second.number, at=NOW + 7, actor="fukucho", reason="不要"))
    assert await live(NOW + 7) == ["S-1"]
    found = await journal.ask(lambda c: exceptions.find(c, first.number))
    assert (found.uses, found.used_at, found.sender) == (1, NOW + 5, "@a.example")
    assert [one.live(NOW + 7) for one in await journal.ask(lambda c: exceptions.listed(c, NOW + 7, over=True))] == [False, True]
