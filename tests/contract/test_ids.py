"""No address is a capability: whatever an address names, others get the same answer as for what does not exist, and never what is there.

Each kind of thing that an address can name has a row in THINGS that makes one of somebody's; an endpoint whose address names something
new fails here until it has one. Asked are a colleague of the same department, people of another, and nobody at all.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from sqlalchemy import Connection

from gateway.model import Door
from gateway.people.roles import Role
from gateway.policy import KindAction
from gateway.requests.approvals import Kind
from gateway.requests.exceptions import Wanted
from gateway.storage import factors, people
from gateway.storage.unfinished import Begun
from sanitizers.model import Kind as FileKind
from tests.build.face import client, log_in
from tests.build.house import Open, opened
from tests.build.transfer import BODY, NOW, RESULT, arrival, claimed, report, settlement

Browser = TestClient[web.Request, web.Application]
DAY = 86_400.0
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
# Whose things they are on each face, and who else stands there.
OWNER = {"drop": "tanaka", "pickup": "tanaka", "admin": "kanri"}
OTHERS = {"drop": ("suzuki", "sato", "bucho"), "pickup": ("suzuki", "sato", "bucho"), "admin": ("sousa", "kansa")}


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    async with opened(tmp_path, monkeypatch) as made:
        await made.known("tanaka", Role.STAFF, "税務課")
        await made.known("kacho", Role.STAFF, "税務課", head=True)
        await made.known("suzuki", Role.STAFF, "税務課")
        await made.known("sato", Role.STAFF, "総務課")
        await made.known("bucho", Role.STAFF, "総務課", head=True)
        await made.known("kanri", Role.ADMINISTRATOR, "税務課")
        await made.known("sousa", Role.OPERATOR)
        await made.known("kansa", Role.AUDITOR)
        await made.known("fukucho", Role.CISO)
        yield made


# --------------------------------------------------------------------------------------------------- one of each, somebody's


async def transfer(house: Open, login: str) -> str:
    journal, blobs = house.house.journal, house.house.blobs
    await blobs.put(BODY)
    await blobs.put(RESULT)
    _, receipt_no = await journal.accept(arrival(door=Door.DROP, sender=login, recipients=(login,), name="himitsu.docx"))
    await journal.settle(claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60)), settlement(report()), at=NOW)
    return receipt_no


async def upload(house: Open, login: str) -> str:
    return await asyncio.to_thread(house.house._unfinished.begin, Begun(owner=login, name="himitsu.docx", length=3, at=NOW))


async def request(house: Open, login: str) -> str:
    account = await house.house.accounts.find(login)
    assert account is not None
    return (await house.house.approvals.request(Kind.FILE, await transfer(house, login), account, "himitsu")).number


async def exception(house: Open, login: str) -> str:
    account, ciso = [await house.house.accounts.find(one) for one in (login, "fukucho")]
    assert account is not None
    assert ciso is not None
    wanted = Wanted(kind=FileKind.SVG, action=KindAction.SANITIZE, until=NOW + DAY, sha256="0" * 64)
    asked = await house.house.exceptions.request(account, wanted, "himitsu")
    await house.house.approvals.approve(asked.number, ciso, "himitsu")
    return max(one.number for one in await house.house.exceptions.listed())


async def session(house: Open, login: str) -> str:
    account = await house.house.accounts.find(login)
    assert account is not None
    return (await house.house.accounts.sessions_of(account))[0].handle


async def token(house: Open, login: str) -> str:
    account = await house.house.accounts.find(login)
    assert account is not None
    await house.house.accounts.issue_token(account, "himitsu", DAY, login)
    return (await house.house.accounts.tokens_of(account))[0].handle


async def absence(house: Open, login: str) -> str:
    account = await house.house.accounts.find(login)
    assert account is not None

    def away(connection: Connection) -> int:
        return people.absent(connection, account, delegate=None, from_at=NOW, until_at=NOW + DAY, reason="himitsu", at=NOW, actor=login)

    return str(await house.house.journal.write(away))


async def factor(house: Open, login: str) -> str:
    account = await house.house.accounts.find(login)
    assert account is not None
    await house.house.accounts.factors.start_totp(account)
    begun = await house.house.journal.ask(lambda connection: factors.of_account(connection, account.id, active=False))
    return str(begun[-1].id)


# What an address names, up to its first variable → one of somebody's.
Make = Callable[[Open, str], Awaitable[str]]
THINGS: dict[tuple[str, str], Make] = {
    **{(face, f"/account/{thing}"): make for face in OWNER for thing, make in (
        ("sessions/{handle}", session), ("tokens/{handle}", token), ("absences/{absence}", absence), ("factors/{factor}", factor))},
    **{(face, prefix + "/transfers/{receipt_no}"): transfer for face in ("drop", "pickup") for prefix in ("", "/api/v1")},
    ("drop", "/api/v1/uploads/{number}"): upload,
    **{("drop", prefix + "/requests/{number}"): request for prefix in ("", "/api/v1")},
    **{("drop", prefix + "/exceptions/{number}"): exception for prefix in ("", "/api/v1")},
}  # fmt: skip
# What is of the house, and for everybody there whose role may use that endpoint at all.
HOUSE = frozenset({
    "announcements", "cases", "contacts", "documents", "exceptions", "groups", "incidents", "inspections", "people", "policies", "requests",
    "reviews", "rules", "rulesets", "transfers", "versions", "visits",
})  # fmt: skip
# As long and of the same letters as a real one, and of nothing.
NONE = {transfer: "20991231-999999", upload: "0" * 32, request: "S-999999", exception: "EX-999999", session: "f" * 16, token: "f" * 16, absence: "999999",
        factor: "999999"}  # fmt: skip


def owned(face: str, thing: str) -> Make | None:
    """How one is made that is somebody's; None for what is of the house. Raises KeyError for what nobody has said anything of."""
    if face == "admin" and thing.split("/")[-2] in HOUSE:
        return None
    return THINGS[face, thing]


def endpoints(application: web.Application) -> Iterator[tuple[str, str, str]]:
    """Method, address, and the part of it that names the first thing."""
    for route in application.router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        if "{" in path and route.method != "HEAD":
            yield route.method, path, path[: path.index("}") + 1]


def filled(path: str, thing: str) -> str:
    return re.sub(r"\{\w+\}", "1", re.sub(r"\{\w+\}", thing, path, count=1))


async def said(answer: ClientResponse, *named: str) -> tuple[int, str, str]:
    """All that tells one answer from another, but for the name that was asked for."""
    text = await answer.text(errors="replace")
    for name in named:
        text = text.replace(name, "…") if len(name) > 3 else text
    return answer.status, answer.headers.get("Location", ""), text


def test_nothing_is_named_without_a_row(house: Open) -> None:
    for face, application in house.faces.items():
        for _, _, thing in endpoints(application):
            try:
                owned(face, thing)
            except KeyError:
                pytest.fail(f"{face} {thing}: make one of it in THINGS, or say in HOUSE that it is of the house")


@pytest.mark.parametrize("face", ["drop", "pickup", "admin"])
async def test_others_learn_nothing(house: Open, face: str) -> None:
    asked = 0
    async with AsyncExitStack() as stack:
        async def enter(login: str) -> Browser:
            browser = await stack.enter_async_context(client(house.faces[face]))
            if login:
                assert (await log_in(browser, login)).status == 303
            return browser

        owner, others = await enter(OWNER[face]), {login: await enter(login) for login in (*OTHERS[face], "")}
        for method, path, thing in endpoints(house.faces[face]):
            make = owned(face, thing)
            if make is None:
                continue
            real, none = await make(house, OWNER[face]), NONE[make]
            for login, browser in others.items():
                first, second = [
                    await said(await browser.request(method, filled(path, one), headers=OWN_PAGE, allow_redirects=False), one) for one in (real, none)
                ]
                assert first == second, f"{login or 'nobody'} learns from {method} {path} that it exists"
                assert first[0] in ((303, 401) if not login else (400, 403, 404)), (login, method, path, first)
                assert "himitsu" not in first[2]
                asked += 1
            if (method, path) == ("GET", thing):
                answer = await owner.get(filled(path, real), headers=OWN_PAGE, allow_redirects=False)
                assert answer.status == 200, f"and its owner does not see it either: {path}"
    assert asked > 5


async def test_what_is_of_the_house_is_for_its_people_only(house: Open) -> None:
    """On the administration's face: a clerk and nobody are told the same of what there is and of what there is not."""
    numbers = {"requests": await request(house, "tanaka"), "exceptions": await exception(house, "tanaka")}
    names = {"receipt_no": await transfer(house, "tanaka"), "login": "tanaka"}
    async with client(house.faces["admin"]) as browser:
        clerk = await house.token("tanaka")
        for method, path, thing in endpoints(house.faces["admin"]):
            if owned("admin", thing) is not None:
                continue
            *_, kind, variable = thing.strip("/{}").replace("{", "").split("/")
            one = numbers.get(kind) or names.get(variable, "1")
            for headers, wanted in ((clerk, {403}), ({}, {401, 303})):
                first, second = [
                    await said(await browser.request(method, filled(path, name), headers=headers, allow_redirects=False), name)
                    for name in (one, "999999")
                ]
                assert first == second, (method, path)
                assert first[0] in wanted, (method, path, first)


async def test_what_a_body_or_a_query_names(house: Open) -> None:
    """Boxes, files for a zip and destinations are named in no address, and are looked at all the same."""
    receipt_no = await transfer(house, "tanaka")
    (taxes,) = [one.id for one in await house.staff.departments() if one.name == "税務課"]
    for login in ("sato", "bucho"):
        who = await house.token(login)
        async with client(house.faces["pickup"]) as browser:
            for real, none in ((f"department:{taxes}", "department:999"), ("tanaka", "nobody"), ("person:tanaka", "person:nobody")):
                for path in ("/", "/api/v1/transfers"):
                    first, second = [await said(await browser.get(path, params={"box": box}, headers=who), box) for box in (real, none)]
                    assert first == second
                    assert first[0] == 403
            assert await (await browser.get("/api/v1/transfers", headers=who)).json() == [], "nothing listed"
            first, second = [
                await said(await browser.post("/zip", data={"receipt_no": one}, headers=who), one) for one in (receipt_no, "20991231-999999")
            ]
            assert first == second
            assert first[0] == 403
        async with client(house.faces["drop"]) as browser:
            first, second = [
                await said(await browser.post("/api/v1/transfers", params={"to": box}, data=b"x", headers=who), box)
                for box in (f"department:{taxes}", "department:999")
            ]
            assert first == second
            assert first[0] == 422
