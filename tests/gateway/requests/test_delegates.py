"""Whom a privileged person names acts for him on the CISO's word only; everybody else names his delegate as he likes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from gateway.conformity.facts import count
from gateway.people.accounts import Account, Role
from gateway.people.roles import RefusedError
from gateway.requests.approvals import Kind, Request, RequestState
from gateway.requests.pointless import Pointless
from gateway.storage import people
from gateway.storage.tables import absences
from tests.build.face import Town, client, csrf, log_in, quick_passwords, town

DAY = 86_400.0


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        made.roles |= {"ciso": Role.CISO, "ciso2": Role.CISO, "fuku": Role.OPERATOR, "tanaka": Role.STAFF, "hosa": Role.STAFF}
        for login in ("kanri", "ciso", "fuku", "tanaka", "hosa"):
            await made.known(login)
        yield made


async def person(place: Town, login: str) -> Account:
    found = await place.accounts.find(login)
    assert found is not None
    return found


async def away(place: Town, who: str, delegate: str, days: float = 3) -> None:
    at = place.clock()
    await place.accounts.absences.register(
        await person(place, who), delegate=delegate, from_at=at, until_at=at + days * DAY, reason="出張", actor=who
    )


async def nominations(place: Town) -> list[Request]:
    return await place.approvals.listed(kinds=[Kind.DELEGATE])


async def nominated(place: Town, who: str = "kanri", delegate: str = "fuku") -> Request:
    await away(place, who, delegate)
    return (await nominations(place))[0]


async def asked(place: Town, kind: Kind = Kind.VISIT) -> list[str]:
    """Who may decide a request of staff now, and for whom: of a visit the administrators and then the CISO, of an exception the CISO."""
    waiting = await place.approvals.listed(kinds=[kind]) or [await place.approvals.request(kind, "x", await person(place, "tanaka"), "y")]
    return [seat.account.login + (f" for {seat.principal.login}" if seat.principal else "") for seat in await place.approvals.asked(waiting[0])]


async def counted(place: Town) -> tuple[int, int]:
    """As the sheet says: who acts for somebody privileged, and who waits for it."""
    numbers = await place.journal.ask(lambda connection: count(connection, place.clock()))
    return numbers["delegates"], numbers["nominations"]


async def test_the_absence_holds_at_once_and_the_delegate_acts_on_the_cisos_word_only(place: Town) -> None:
    request = await nominated(place)
    assert "fuku for kanri" not in await asked(place)
    assert "ciso" in await asked(place), "kanri is away already: the next of the chain is asked"
    [waiting] = await place.accounts.absences.listed(await person(place, "kanri"))
    assert (waiting.delegate, waiting.acts, waiting.absence.delegate_id) == ("fukuさん", False, None)
    assert [seat.account.login for seat in await place.approvals.asked(request)] == ["ciso"]
    assert await counted(place) == (0, 1)
    for stranger in ("kanri", "fuku", "tanaka"):
        with pytest.raises(RefusedError):
            await place.approvals.approve(request.number, await person(place, stranger))
    done = await place.approvals.approve(request.number, await person(place, "ciso"))
    assert done.carried_out_at is not None
    assert "fuku for kanri" in await asked(place)
    assert await counted(place) == (1, 0)
    [acting] = await place.accounts.absences.listed(await person(place, "kanri"))
    assert (acting.delegate, acting.acts, acting.absence.approval) == ("fukuさん", True, request.number)
    told = {entry.action: (entry.actor, json.loads(entry.detail)) async for entry in place.journal.entries(subject="kanri")}
    assert told["absence.added"][1] | {"delegate": "", "nominee": "fuku"} == told["absence.added"][1]
    assert told["absence.delegated"][0] == "ciso"
    assert told["absence.delegated"][1] | {"delegate": "fuku", "request": request.number} == told["absence.delegated"][1]
    place.clock.pass_by(3 * DAY)
    assert "fuku for kanri" not in await asked(place), "for its dates only"
    assert await counted(place) == (0, 0)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.CSIRT, Role.AUDITOR, Role.CONTRACTOR, Role.ADMINISTRATOR, Role.CISO])
async def test_every_privileged_role_waits_and_staff_do_not(place: Town, role: Role) -> None:
    place.roles["dare"] = role
    await place.known("dare")
    await away(place, "dare", "hosa")
    [one] = await place.accounts.absences.listed(await person(place, "dare"))
    assert not one.acts
    assert [request.requester.login for request in await nominations(place)] == ["dare"]


async def test_a_head_of_department_names_his_delegate_as_before(place: Town) -> None:
    department = await place.staff.add_department("税務課", "test")
    await place.staff.move(await person(place, "hosa"), ["税務課"], "test", head=True)
    await away(place, "hosa", "fuku")
    assert await nominations(place) == []
    [one] = await place.accounts.absences.listed(await person(place, "fuku"))
    assert (one.who, one.acts, one.absence.approval) == ("hosaさん", True, "")
    await place.staff.move(await person(place, "tanaka"), ["税務課"], "test")
    request = await place.approvals.request(Kind.FILE, "x", await person(place, "tanaka"), "y", department_id=department.id)
    assert "fuku" in [seat.account.login for seat in await place.approvals.asked(request)]


async def test_whoever_becomes_privileged_keeps_no_delegate_that_nobody_approved(place: Town) -> None:
    await away(place, "hosa", "fuku")
    hosa = await person(place, "hosa")
    await place.accounts.change(hosa, "test", name=hosa.name, mail="", role=Role.ADMINISTRATOR)
    assert "hosa" in await asked(place)
    assert "fuku for hosa" not in await asked(place)
    [one] = await place.accounts.absences.listed(await person(place, "hosa"))
    assert (one.delegate, one.acts) == ("fukuさん", False)


async def test_what_was_approved_for_one_role_is_not_for_another(place: Town) -> None:
    await place.approvals.approve((await nominated(place, "fuku", "hosa")).number, await person(place, "ciso"))
    fuku = await person(place, "fuku")
    await place.accounts.change(fuku, "test", name=fuku.name, mail="", role=Role.ADMINISTRATOR)
    assert "fuku" in await asked(place)
    assert "hosa for fuku" not in await asked(place)
    fuku = await person(place, "fuku")
    await place.accounts.change(fuku, "test", name="福", mail="", role=Role.ADMINISTRATOR)
    later = await nominated(place, "fuku", "hosa")
    await place.approvals.approve(later.number, await person(place, "ciso"))
    fuku = await person(place, "fuku")
    await place.accounts.change(fuku, "test", name="another name", mail="", role=Role.ADMINISTRATOR)
    assert "hosa for fuku" in await asked(place), "another name is no other role"


async def test_one_whose_role_changed_meanwhile_is_not_approved(place: Town) -> None:
    request = await nominated(place)
    kanri = await person(place, "kanri")
    await place.accounts.change(kanri, "test", name=kanri.name, mail="", role=Role.OPERATOR)
    with pytest.raises(RefusedError, match="another role"):
        await place.approvals.approve(request.number, await person(place, "ciso"))
    assert (await place.approvals.find(request.number)).state is RequestState.REQUESTED, "the word is not given"


@pytest.mark.parametrize("how", ["over", "taken back"])
async def test_one_whose_absence_is_over_is_not_approved_and_closed_by_itself(place: Town, how: str) -> None:
    request = await nominated(place)
    Pointless(place.journal, place.approvals)
    await place.approvals.tick()
    assert (await place.approvals.find(request.number)).state is RequestState.REQUESTED
    if how == "over":
        place.clock.pass_by(3 * DAY)
    else:
        [one] = await place.accounts.absences.listed(await person(place, "kanri"))
        assert await place.accounts.absences.end(await person(place, "kanri"), one.absence.id, "kanri")
    with pytest.raises(RefusedError, match="is over, or was taken back"):
        await place.approvals.approve(request.number, await person(place, "ciso"))
    await place.approvals.tick()
    assert (await place.approvals.find(request.number)).state is RequestState.CLOSED


async def test_an_absence_that_is_not_the_requesters_gets_no_delegate(place: Town) -> None:
    request = await nominated(place)
    hosa = await person(place, "hosa")
    await place.journal.write(lambda connection: connection.execute(update(absences).values(account_id=hosa.id)))
    with pytest.raises(RefusedError, match="is over, or was taken back"):
        await place.approvals.approve(request.number, await person(place, "ciso"))


@pytest.mark.parametrize("lost", ["disabled", "shared"])
async def test_a_delegate_who_may_act_no_more_is_not_approved(place: Town, lost: str) -> None:
    request = await nominated(place, "kanri", "hosa")
    hosa = await person(place, "hosa")
    await (place.accounts.disable(hosa, "test") if lost == "disabled" else place.accounts.share(hosa, [], "test"))
    with pytest.raises(RefusedError, match="may not act for you"):
        await place.approvals.approve(request.number, await person(place, "ciso"))


async def test_who_may_not_be_named_leaves_nothing_behind(place: Town) -> None:
    place.roles["kansa"] = Role.AUDITOR
    await place.known("kansa")
    for delegate in ("nobody", "kanri", "kansa"):
        with pytest.raises(RefusedError):
            await away(place, "kanri", delegate)
    assert await place.accounts.absences.listed(await person(place, "kanri")) == []
    assert await nominations(place) == []
    await away(place, "hosa", "kansa")
    assert (await place.accounts.absences.listed(await person(place, "hosa")))[0].acts, "who has no privilege is not audited"


async def test_where_nobody_can_be_asked_nobody_is_named(place: Town) -> None:
    place.accounts.absences.nominate = None
    with pytest.raises(RefusedError, match="cannot be asked here"):
        await away(place, "kanri", "fuku")
    assert await place.accounts.absences.listed(await person(place, "kanri")) == []
    await away(place, "kanri", "")
    [one] = await place.accounts.absences.listed(await person(place, "kanri"))
    assert (one.delegate, one.acts) == ("", False)


async def test_who_is_named_does_not_approve_it_for_an_absent_ciso(place: Town) -> None:
    await place.known("ciso2")
    await place.approvals.approve((await nominated(place, "ciso", "fuku")).number, await person(place, "ciso2"))
    request = await nominated(place, "kanri", "fuku")
    with pytest.raises(RefusedError, match="who is named"):
        await place.approvals.approve(request.number, await person(place, "fuku"))
    other = await nominated(place, "kanri", "hosa")
    assert (await place.approvals.approve(other.number, await person(place, "fuku"))).decisions[-1].principal == "ciso", "代決 as ever"


async def test_a_ciso_who_is_named_himself_gives_his_own_word(place: Town) -> None:
    request = await nominated(place, "kanri", "ciso")
    await place.approvals.approve(request.number, await person(place, "ciso"))
    assert (await place.accounts.absences.listed(await person(place, "kanri")))[0].acts


# ------------------------------------------------------------------------------------------------------------ the CISO's own


async def test_a_cisos_own_delegate_is_another_cisos_to_approve(place: Town) -> None:
    await place.known("ciso2")
    request, ciso = await nominated(place, "ciso", "fuku"), await person(place, "ciso")
    with pytest.raises(RefusedError, match="nobody may approve what he asked for himself"):
        await place.approvals.approve(request.number, ciso)
    with pytest.raises(RefusedError, match="the word of a CISO"):
        await place.approvals.proceed(request.number, ciso, "急ぎ")
    assert "fuku for ciso" not in await asked(place, Kind.EXCEPTION)
    await place.approvals.approve(request.number, await person(place, "ciso2"))
    assert "fuku for ciso" in await asked(place, Kind.EXCEPTION)


async def test_an_only_ciso_goes_ahead_alone_and_that_is_reported(place: Town) -> None:
    request, ciso = await nominated(place, "ciso", "fuku"), await person(place, "ciso")
    assert await place.approvals.asked(request) == []
    assert await place.approvals.may_stand_alone(request, ciso)
    await place.approvals.proceed(request.number, ciso, "ほかにCISOがいない")
    assert "fuku for ciso" in await asked(place, Kind.EXCEPTION)
    [report] = await place.approvals.listed(kinds=[Kind.REPORT])
    assert report.detail["number"] == request.number


async def test_nobody_else_goes_ahead_alone(place: Town) -> None:
    """Not even who acts for the CISO."""
    request = await nominated(place)
    with pytest.raises(RefusedError, match="not yours"):
        await place.approvals.proceed(request.number, await person(place, "kanri"), "急ぎ")
    await place.approvals.proceed((await nominated(place, "ciso", "kanri")).number, await person(place, "ciso"), "ほかにいない")
    with pytest.raises(RefusedError, match="the word of a CISO"):
        await place.approvals.proceed(request.number, await person(place, "kanri"), "急ぎ")


# ------------------------------------------------------------------------------------------------------------------ pages


async def test_pages_say_that_it_waits_and_what_became_of_it(place: Town) -> None:
    given = {"from": "2026-11-18", "until": "2026-11-30", "delegate": "fuku", "reason": "出張"}
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "kanri")
        before = await (await browser.get("/account")).text()
        assert "特権のある人の代決者は、CISOが認めてから代決できます" in before
        assert "承認待ち" not in before
        assert (await browser.post("/account/absences", data=given | {"csrf": await csrf(browser)}, allow_redirects=False)).status == 303
        request = (await nominations(place))[0]
        page = await (await browser.get("/account")).text()
        assert "承認待ち" in page
        assert f'href="/requests/{request.number}"' in page
        seen = await (await browser.get(f"/requests/{request.number}")).text()
        assert "代行者（代決者）の指名" in seen
        assert "情報システム管理者" in seen
        assert "<dt>absence" not in seen
        assert "承認待ち" in await (await browser.get("/people/kanri")).text()
        await place.approvals.refuse(request.number, await person(place, "ciso"), "別の人に")
        assert "差戻し" in await (await browser.get("/account")).text()
    async with client(place.faces["pickup"]) as browser:
        await log_in(browser, "kanri")
        page = await (await browser.get("/account")).text()
        assert request.number in page
        assert "/requests/" not in page, "that face has no such page"


async def test_pages_say_when_it_was_approved_and_when_nobody_did(place: Town) -> None:
    await place.approvals.approve((await nominated(place)).number, await person(place, "ciso"))
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "kanri")
        assert "CISO承認済み" in await (await browser.get("/account")).text()
        await place.journal.write(lambda connection: connection.execute(update(absences).values(approval="")))
        assert "CISOの承認がないため代決できません" in await (await browser.get("/account")).text()


async def test_a_ciso_reads_who_approves_his_and_staff_read_nothing_of_it(place: Town) -> None:
    for login, face, said in (("ciso", "admin", True), ("tanaka", "drop", False)):
        async with client(place.faces[face]) as browser:
            await log_in(browser, login)
            page = await (await browser.get("/account")).text()
            assert ("別のCISOがいない場合に限り" in page) is said
            assert ("CISOが認めてから" in page) is said


async def test_what_an_older_version_registered_does_not_act(place: Town) -> None:
    """Without a request there was no word of the CISO, whatever stands in the row."""
    kanri, fuku = await person(place, "kanri"), await person(place, "fuku")

    def registered(connection: Connection) -> int:
        return people.absent(connection, kanri, delegate=fuku, from_at=place.clock(), until_at=place.clock() + DAY, reason="出張", at=place.clock(),
                             actor="kanri")  # fmt: skip

    await place.journal.write(registered)
    assert "fuku for kanri" not in await asked(place)
