"""権限表: every endpoint of every face, asked with every role; who has to elevate himself; and that what nobody named is nobody's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from gateway.people.customs import Customs
from gateway.people.permissions import ENDPOINTS, FACES, PERMISSIONS, Action, action, needs_elevation, permitted
from gateway.people.roles import TITLES, Role, exclusive
from gateway.web.ownership import NOT_YOURS
from gateway.web.signin import OPEN
from tests.build.face import client, log_in, quick_passwords, town

_KEEPER = (Action.REGISTER, Action.KEEP, Action.REPORT)
_WATCH = (Action.AUDIT, Action.INSPECT)
_INSPECT = (Action.PREVIEW, Action.ORIGINAL, Action.TAKE_OUT)
# Said once more and by hand, role by role: what each may do on each face besides looking after himself.
_MAY = {
    Role.STAFF: {"drop": {Action.DROP, Action.ASK}, "pickup": {Action.PICKUP}},
    Role.OPERATOR: {"admin": {Action.LOOK, Action.EXPORT, Action.OPERATE, Action.PUBLISH, Action.ASK, Action.VISIT, Action.HALT, *_INSPECT,
                              *_KEEPER}},
    Role.ADMINISTRATOR: {
        "drop": {Action.DROP, Action.ASK},
        "pickup": {Action.PICKUP},
        "admin": {Action.LOOK, Action.EXPORT, Action.OPERATE, Action.PUBLISH, Action.PEOPLE, Action.MANAGE, Action.ASK, Action.REVIEW, Action.VISIT,
                  Action.HALT, *_INSPECT, *_KEEPER, *_WATCH},
    },
    Role.CISO: {
        "drop": {Action.DROP, Action.ASK},
        "pickup": {Action.PICKUP},
        "admin": {Action.LOOK, Action.EXPORT, Action.PUBLISH, Action.PEOPLE, Action.ASK, Action.REVIEW, Action.VISIT, Action.HALT, *_KEEPER, *_WATCH,
                  Action.INVESTIGATE},
    },
    Role.CSIRT: {"admin": {Action.LOOK, Action.EXPORT, Action.ASK, Action.HALT, *_INSPECT, *_KEEPER, *_WATCH, Action.INVESTIGATE}},
    Role.AUDITOR: {"admin": {Action.LOOK, Action.EXPORT, Action.PEOPLE, Action.ASK, Action.REGISTER, Action.REPORT, *_WATCH, Action.INVESTIGATE}},
    Role.CONTRACTOR: {"admin": {Action.LOOK}},
}
_CHANGES = (Action.OPERATE, Action.PUBLISH, Action.MANAGE, Action.REVIEW, Action.ORIGINAL, Action.TAKE_OUT)
LOGINS = {
    Role.STAFF: "tanaka", Role.OPERATOR: "sousa", Role.ADMINISTRATOR: "kanri", Role.CISO: "ciso", Role.CSIRT: "csirt",
    Role.AUDITOR: "kansa", Role.CONTRACTOR: "itaku",
}  # fmt: skip


def endpoints(application: web.Application) -> Iterator[tuple[str, str]]:
    """Method and path, as the router has them, of everything that needs a log-in."""
    for route in application.router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        if path not in OPEN and not path.startswith("/static/") and route.method != "HEAD":
            yield route.method, path


def concrete(path: str) -> str:
    for variable in ("receipt_no", "login", "number", "factor", "handle", "absence", "deed", "word", "name", "version", "backtest", "rule",
                     "subject", "period"):
        path = path.replace(f"{{{variable}}}", "0")
    assert "{" not in path, path
    return path


async def test_every_endpoint_is_named_and_nothing_else(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        for face, application in place.faces.items():
            for method, path in endpoints(application):
                assert action(face, method, path) is not None, f"add to gateway/people/permissions.py: {face} {method} {path}"
    assert action("admin", "GET", "/none") is None
    assert not any(permitted("admin", "GET", "/none", role) for role in Role)
    assert all(needs_elevation("admin", "GET", "/none", role) for role in Role)


async def test_every_endpoint_with_every_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server answers is what the hand-written table says: 403 or not 403, by token."""
    quick_passwords(monkeypatch)
    asked = 0
    async with town(tmp_path) as place:
        for role, login in LOGINS.items():
            monkeypatch.setitem(place.roles, login, role)
            machine = await place.token(login)
            for face, application in place.faces.items():
                async with client(application) as browser:
                    for method, path in endpoints(application):
                        what = action(face, method, path)
                        wanted = what in _MAY[role].get(face, set())
                        answer = await browser.request(method, concrete(path), headers=machine, allow_redirects=False)
                        asked += 1
                        if what is Action.SELF:     # a token is no person: at most it is sent to a page of its own
                            assert answer.status in (200, 403), (role, face, method, path)
                        elif wanted:
                            assert answer.status != 403 or NOT_YOURS.rpartition(" / ")[2] in await answer.text(), (role, face, method, path)
                        else:
                            assert answer.status == 403, (role, face, method, path)
    assert asked > len(Role) * 100


def test_the_table_is_what_is_said_here() -> None:
    assert set(PERMISSIONS) == set(Action)
    assert set(TITLES) == set(Role) == set(_MAY) == set(LOGINS)
    for role, faces in _MAY.items():
        assert {face for face, roles in FACES.items() if role in roles} == set(faces)
        for (face, method, path), what in ENDPOINTS.items():
            if what is not Action.SELF:
                assert permitted(face, method, path, role) == (what in faces.get(face, set())), (role, face, path)


def test_only_the_administrator_elevates_himself_and_only_to_change() -> None:
    for what, grant in PERMISSIONS.items():
        assert grant.elevated <= grant.roles
        assert (grant.elevated == {Role.ADMINISTRATOR}) == (what in _CHANGES)


def test_who_is_audited_does_not_audit() -> None:
    for role in Role:
        assert exclusive(Role.AUDITOR, role) == exclusive(role, Role.AUDITOR) == (role not in (Role.STAFF, Role.AUDITOR))
    assert not exclusive(Role.OPERATOR, Role.ADMINISTRATOR)


async def test_an_administrator_is_an_ordinary_user_until_he_elevates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)
    async with town(tmp_path, customs=Customs(second_factor="off", elevation=600)) as place:
        await place.known("kanri")
        own = {"Sec-Fetch-Site": "same-origin"}
        async with client(place.faces["admin"]) as browser:
            await log_in(browser, "kanri")
            assert (await browser.get("/people")).status == 200, "looking needs none"
            refused = await browser.post("/api/v1/departments", json={"name": "税務課"}, headers=own)
            assert refused.status == 403
            assert "elevate" in (await refused.json())["detail"]
            sent = await browser.post("/departments", data={"name": "税務課"}, headers=own, allow_redirects=False)
            assert (sent.status, sent.headers["Location"]) == (303, "/elevate?back=/")
            assert (await browser.post("/elevate", data={"reason": " "}, headers=own)).status == 400
            done = await browser.post("/elevate", data={"reason": "人事異動", "back": "/departments"}, headers=own, allow_redirects=False)
            assert (done.status, done.headers["Location"]) == (303, "/departments")
            assert "特権を行使中" in await (await browser.get("/")).text()
            assert (await browser.post("/api/v1/departments", json={"name": "税務課"}, headers=own)).status == 201
            place.clock.pass_by(601)
            assert (await browser.post("/api/v1/departments", json={"name": "土木課"}, headers=own)).status == 403
            await browser.post("/elevate", data={"reason": "続き", "back": "https://evil.example/"}, headers=own, allow_redirects=False)
            await browser.post("/elevate/end", headers=own)
            assert (await browser.post("/api/v1/departments", json={"name": "土木課"}, headers=own)).status == 403
        deeds = [(entry.action, entry.detail) async for entry in place.journal.entries() if entry.action.startswith("elevation")]
        assert [one[0] for one in deeds] == ["elevation.begun", "elevation.begun", "elevation.ended"]
        assert "人事異動" in deeds[0][1]


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "evil"])
async def test_elevation_leads_back_to_this_face_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: str) -> None:
    quick_passwords(monkeypatch)
    async with town(tmp_path, customs=Customs(second_factor="off")) as place:
        await place.known("kanri")
        async with client(place.faces["admin"]) as browser:
            await log_in(browser, "kanri")
            own = {"Sec-Fetch-Site": "same-origin"}
            done = await browser.post("/elevate", data={"reason": "x", "back": back}, headers=own, allow_redirects=False)
            assert (done.status, done.headers["Location"]) == (303, "/")


async def test_staff_have_nothing_to_elevate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)
    async with town(tmp_path, customs=Customs(second_factor="off")) as place:
        await place.known("tanaka")
        async with client(place.faces["drop"]) as browser:
            await log_in(browser, "tanaka")
            assert (await browser.get("/elevate")).status == 403
            assert (await browser.post("/elevate", data={"reason": "x"}, headers={"Sec-Fetch-Site": "same-origin"})).status == 403
