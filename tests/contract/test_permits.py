"""What accounts may use, and who permitted it: the same on every database."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.conformity.facts import count
from gateway.people.authority import stands_in
from gateway.storage import accounts, people, permits
from gateway.storage.accounts import Account
from gateway.storage.journal import Journal
from tests.build.transfer import NOW


async def added(journal: Journal, login: str, mail: str, *, may: bool, role: str = "staff") -> Account:
    def add(connection: Connection) -> Account:
        accounts.add(connection, login=login, name=login, mail=mail, role=role, password_hash="x", at=NOW, actor="test", employment="fiscal_year",
                     may_drop=may, may_mail=may)  # fmt: skip
        made = accounts.by_login(connection, login)
        assert made is not None
        return made

    return await journal.write(add)


async def test_what_is_given_and_taken_stands_with_who_and_why(journal: Journal) -> None:
    tanaka = await added(journal, "tanaka", "tanaka@town.example.jp", may=False)
    await added(journal, "suzuki", "suzuki@town.example.jp", may=True)
    assert await journal.ask(permits.shut_addresses) == {"tanaka@town.example.jp"}
    counted = await journal.ask(lambda connection: count(connection, NOW))
    assert (counted["fiscal_year"], counted["unpermitted"]) == (2, 1)
    for reason in ("調査票", "調査票（更新）"):
        await journal.write(lambda connection, why=reason: permits.give(connection, tanaka, "mail", reason=why, at=NOW, actor="kanri"))  # type: ignore[misc]
    [one] = await journal.ask(lambda connection: permits.of(connection, tanaka.id))
    assert (one.feature, one.at, one.actor, one.reason) == ("mail", NOW, "kanri", "調査票（更新）")
    assert await journal.ask(permits.all_of) == {tanaka.id: [one]}
    assert await journal.ask(permits.shut_addresses) == frozenset()
    assert (await journal.ask(lambda connection: count(connection, NOW)))["unpermitted"] == 1
    await journal.write(lambda connection: permits.take(connection, tanaka, "mail", reason="", at=NOW, actor="kanri"))
    assert await journal.ask(permits.all_of) == {}
    assert await journal.ask(permits.shut_addresses) == {"tanaka@town.example.jp"}


async def test_a_delegate_of_somebody_privileged_stands_in_by_a_request_only(journal: Journal) -> None:
    kanri = await added(journal, "kanri", "", may=True, role="administrator")
    hosa = await added(journal, "hosa", "", may=True)
    number = await journal.write(
        lambda connection: people.absent(connection, kanri, delegate=hosa, from_at=NOW, until_at=NOW + 60, reason="x", at=NOW, actor="kanri")
    )

    def acts(connection: Connection) -> bool:
        one = people.absence(connection, number)
        assert one is not None
        return stands_in(connection, kanri, one) is not None

    def delegated(connection: Connection) -> None:
        one = people.absence(connection, number)
        assert one is not None
        people.delegated(connection, one, kanri, hosa, request="S-000001", at=NOW, actor="ciso")

    assert not await journal.ask(acts)
    await journal.write(delegated)
    assert await journal.ask(acts)
    await journal.write(lambda connection: accounts.changed(connection, kanri, at=NOW, actor="test", role="operator"))
    assert not await journal.ask(acts), "what was approved was for another role"
