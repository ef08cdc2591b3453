"""How full boxes are: nothing more goes into a full one, and its people hear of it once at 80 and once at 100 percent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.model import Door
from gateway.people.roles import RefusedError, Role
from gateway.road.boxes import Boxes, BoxKeeper, Quotas
from gateway.storage import accounts as account_rows
from gateway.storage import boxes as rows
from gateway.storage import letters, people
from gateway.storage.accounts import Account
from gateway.telling.notices import Office
from tests.build.people import DAY, Hall, hall
from tests.build.transfer import NOW, RESULT, arrival, claimed, report, settlement

SIZE = len(RESULT)
OFFICE = Office(sender="kakari@town.example.jp", hostname="sekisho.town.example.jp")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path) as made:
        await made.department("税務課")
        yield made


async def brought(place: Hall, *recipients: str, result: bytes = RESULT) -> str:
    _, number = await place.journal.accept(arrival(door=Door.DROP, sender=recipients[0], recipients=recipients, name="願書.docx"))
    claim = claimed(await place.journal.claim(1, at=place.clock(), lease_until=place.clock() + 60))
    await place.journal.settle(claim, settlement(report(output=result)), at=place.clock())
    return number


def boxes(place: Hall, person: int = 10 * SIZE, shared: int = 10 * SIZE) -> Boxes:
    return Boxes(place.journal, Quotas(person, shared), days=14, clock=place.clock)


async def with_mail(place: Hall, login: str, *places: tuple[str, bool]) -> Account:
    account = await place.account(login, Role.STAFF, *places)
    await place.journal.write(
        lambda c: account_rows.changed(c, account, at=NOW, actor="test", mail=f"{login}@town.example.jp")
    )
    return account


async def test_what_lies_in_ones_boxes(place: Hall) -> None:
    tanaka = await place.account("tanaka", Role.STAFF, ("税務課", False))
    suzuki = await place.account("suzuki")
    group = await place.journal.write(lambda c: people.group_set(c, "選挙班", [tanaka.id], at=NOW, actor="test"))
    department = f"department:{place.departments['税務課'].id}"
    await brought(place, "tanaka", department)
    await brought(place, "suzuki", "person:tanaka")
    await brought(place, "suzuki", f"group:{group}")
    found = {one.address: (one.title.partition(" / ")[0], one.used) for one in await boxes(place).of(tanaka)}
    assert found == {
        "tanaka": ("自分の受取箱", 2 * SIZE), department: ("税務課の受取箱", SIZE), f"group:{group}": ("選挙班の受取箱", SIZE),
    }  # fmt: skip
    assert [one.address for one in await boxes(place).of(suzuki)] == ["suzuki"]


async def test_what_was_taken_back_or_is_over_does_not_count(place: Hall) -> None:
    tanaka = await place.account("tanaka")
    number = await brought(place, "tanaka")
    await brought(place, "tanaka")
    transfer = await place.journal.find(number)
    await place.journal.hold(transfer.id, at=place.clock(), actor="sousa", note="wait")
    assert (await boxes(place).of(tanaka))[0].used == SIZE
    place.clock.pass_by(15 * DAY)
    assert (await boxes(place).of(tanaka))[0].used == 0


@pytest.mark.parametrize("to", ["own", "department", "person"])
async def test_nothing_more_goes_into_a_full_box(place: Hall, to: str) -> None:
    tanaka = await place.account("tanaka", Role.STAFF, ("税務課", False))
    address = {"own": "tanaka", "department": f"department:{place.departments['税務課'].id}", "person": "suzuki"}[to]
    limits = boxes(place, 2 * SIZE, 2 * SIZE)
    wanted = () if to == "own" else ("person:suzuki",) if to == "person" else (address,)
    await limits.roomy(tanaka, wanted)
    for _ in range(2):
        await brought(place, "hoka", address)
    with pytest.raises(RefusedError, match="100 %"):
        await limits.roomy(tanaka, wanted)
    if to != "own":
        await limits.roomy(tanaka, ("share:zeimu", "person:hoka2"))


async def test_without_quotas_no_box_is_full_but_one_with_its_own(place: Hall) -> None:
    tanaka = await place.account("tanaka")
    limits = boxes(place, 0, 0)
    await brought(place, "tanaka")
    await limits.roomy(tanaka, ())
    await place.journal.write(lambda c: rows.limit(c, "tanaka", SIZE, at=NOW, actor="kanri"))
    with pytest.raises(RefusedError):
        await limits.roomy(tanaka, ())
    await place.journal.write(lambda c: rows.limit(c, "tanaka", 2 * SIZE, at=NOW, actor="kanri"))
    await limits.roomy(tanaka, ())
    assert ("kanri", "box.quota", "tanaka") in await place.deeds()


async def queued(place: Hall) -> list[str]:
    return [one.recipient for one in await place.journal.write(lambda c: letters.claim(c, 100, place.clock(), place.clock() + 60))]


async def test_people_hear_once_at_80_and_once_at_100_and_anew_after_it_was_less(place: Hall) -> None:
    for login in ("tanaka", "suzuki"):
        await with_mail(place, login, ("税務課", False))
    address = f"department:{place.departments['税務課'].id}"
    limits = boxes(place, 0, 10 * SIZE)
    keeper = BoxKeeper(place.journal, limits, OFFICE, place.clock)
    heard = []
    for _ in range(11):
        heard.append(await keeper.run_once())
        await brought(place, "hoka", address)
    assert heard == [0] * 8 + [2, 0, 2], "at 8 and at 10 of 10"
    assert await queued(place) == ["suzuki@town.example.jp", "tanaka@town.example.jp"] * 2
    place.clock.pass_by(15 * DAY)
    assert await keeper.run_once() == 0
    assert await place.journal.ask(rows.all_told) == {}
    for _ in range(9):
        await brought(place, "hoka", address)
    assert await keeper.run_once() == 2


async def test_the_letter_says_which_box_and_how_full(place: Hall) -> None:
    await with_mail(place, "tanaka")
    keeper = BoxKeeper(place.journal, boxes(place, SIZE, 0), OFFICE, place.clock)
    await brought(place, "tanaka")
    assert await keeper.run_once() == 1
    [letter] = await place.journal.write(lambda c: letters.claim(c, 1, place.clock(), place.clock() + 60))
    import email
    import email.policy

    mail = email.message_from_bytes(await place.journal.ask(lambda c: letters.content(c, letter.id)), policy=email.policy.default)
    assert mail["To"] == "tanaka@town.example.jp"
    assert "いっぱい" in mail["Subject"]
    assert "100%" in mail.get_content()
