"""Nobody gets past the door of a face without its sign-in, its role, and a form of its own pages."""

from __future__ import annotations

import asyncio
import platform
import re
import socket
from importlib import resources
from typing import Any

import pytest
from aiohttp import web

from gateway.people.accounts import Role
from gateway.storage.faults import JournalUnavailableError
from gateway.web.routes import DOCUMENT, MACHINES
from sanitizers.model import ENGINE_VERSION
from tests.build.face import PASSWORD, Town, client, csrf, log_in

FACES = ("drop", "pickup", "admin")
OPEN = {"/healthz", "/readyz", "/metrics", "/login", DOCUMENT, "/login/sso", "/login/sso/back"} | {
    f"/static/{file.name}" for file in resources.files("gateway.web").joinpath("static").iterdir()
}
AT_HOME = {"drop": "tanaka", "pickup": "tanaka", "admin": "sousa"}
STRANGER = {"drop": "sousa", "pickup": "kansa", "admin": "tanaka"}


def routes(application: web.Application) -> list[tuple[str, str]]:
    """Method and a concrete path of everything the router knows."""
    found = []
    for route in application.router.routes():
        assert route.resource is not None
        found.append((route.method, route.resource.canonical.replace("{receipt_no}", "20261118-000001")))
    return found


def innocent(text: str) -> None:
    """No stack trace, path, version or banner."""
    for bad in ("Traceback", "aiohttp", "Python", "/srv", "/home", "/tmp", "site-packages", ".py", "sqlite", "secret"):
        assert bad not in text


@pytest.mark.parametrize("name", FACES)
async def test_nothing_without_sign_in(place: Town, name: str) -> None:
    async with client(place.faces[name]) as browser:
        for method, path in [*routes(place.faces[name]), ("GET", "/api/v1/none"), ("GET", "/none"), ("DELETE", "/api/v1/transfers")]:
            answer = await browser.request(method, path, allow_redirects=False, headers={"Authorization": "Bearer wrong"})
            if path in OPEN and method in ("GET", "HEAD"):
                assert answer.status == 200, path
            elif path == "/login":
                assert answer.status == 401
            elif path.startswith("/api/"):
                assert (answer.status, answer.content_type) == (401, "application/problem+json"), path
            else:
                assert (answer.status, answer.headers["Location"]) == (303, "/login"), path


@pytest.mark.parametrize("name", FACES)
async def test_a_role_that_does_not_belong_here(place: Town, name: str) -> None:
    stranger = await place.token(STRANGER[name])
    async with client(place.faces[name]) as browser:
        for path in ("/", "/api/v1/transfers/20261118-000001"):
            assert (await browser.get(path, headers=stranger)).status == 403
        await log_in(browser, STRANGER[name])
        assert (await browser.get("/")).status == 403


@pytest.mark.parametrize("name", FACES)
async def test_sign_in_opens_the_page_of_this_face_only(place: Town, name: str) -> None:
    await place.known("kanri")
    async with client(place.faces[name]) as browser:
        answer = await log_in(browser, "kanri")
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        cookie = answer.cookies[f"sekisho-{name}"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        assert (await browser.get("/")).status == 200
        for other in FACES:
            async with client(place.faces[other]) as elsewhere:
                carried = {"Cookie": f"sekisho-{other}={cookie.value}"}
                answer = await elsewhere.get("/", headers=carried, allow_redirects=False)
                assert answer.status == (200 if other == name else 303)


async def test_a_wrong_password_and_odd_forms(place: Town) -> None:
    await place.known("tanaka")
    async with client(place.faces["drop"]) as browser:
        answer = await log_in(browser, "tanaka", "wrong<script>")
        text = await answer.text()
        assert answer.status == 401
        assert "wrong name or password" in text
        assert "<script>alert" not in text
        assert not answer.cookies
        bad = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await browser.post("/login", data=b"login=\xff&password=%ff", headers=bad)).status == 400
        assert (await browser.post("/login", data=b"x" * (2 << 20), headers=bad)).status == 413
        assert (await browser.post("/login", data=b"{", headers={"Content-Type": "application/json"})).status == 401
        for header in ({"Authorization": b"Bearer \xff\xfe"}, {"Cookie": b"sekisho-drop=\xff\xfe"}):
            given: Any = {name: value.decode("utf-8", "surrogateescape") for name, value in header.items()}
            assert (await browser.get("/api/v1/transfers/x", headers=given)).status == 401


async def test_another_pages_form_is_refused(place: Town) -> None:
    await place.known("tanaka")
    async with client(place.faces["drop"]) as browser:
        for header in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            answer = await browser.post("/login", data={"login": "tanaka", "password": PASSWORD}, headers=header, allow_redirects=False)
            assert answer.status == 403, "nobody is logged in by a foreign page"
        await log_in(browser, "tanaka")
        word = await csrf(browser)
        foreign = [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site", "X-CSRF-Token": word},
            {"Origin": "https://evil.example", "X-CSRF-Token": word},
            {"Origin": "null"},
            {"X-CSRF-Token": "0" * 64},
            {"X-CSRF-Token": "é"},
            {},
        ]
        for header in foreign:
            for method, path in (("POST", "/"), ("POST", "/logout"), ("POST", "/api/v1/transfers"), ("POST", "/password")):
                answer = await browser.request(method, path, data=b"x", headers=header, allow_redirects=False)
                assert answer.status == 403, (header, path)
        assert await place.journal.transfers() == []
        own = f"{browser.host}:{browser.port}"
        for header in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": f"http://{own}"}, {"X-CSRF-Token": word}):
            assert (await browser.post("/api/v1/transfers", data=b"x", headers=header)).status == 202
        answer = await browser.post("/logout", data={"csrf": "0" * 64}, allow_redirects=False)
        assert answer.status == 403
        answer = await browser.post("/logout", data={"csrf": word}, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/login")
        assert (await browser.get("/", allow_redirects=False)).status == 303


async def test_a_temporary_password_opens_only_the_page_to_change_it(place: Town) -> None:
    first = await place.accounts.add("tanaka", "田中", Role.STAFF, "test")
    account = await place.accounts.find("tanaka")
    assert account is not None
    machine = {"Authorization": "Bearer " + await place.accounts.issue_token(account, "x", 60, "test")}
    async with client(place.faces["drop"]) as browser:
        assert (await browser.post("/api/v1/transfers", data=b"x", headers=machine)).status == 403
        answer = await log_in(browser, "tanaka", first)
        assert answer.headers["Location"] == "/password"
        answer = await browser.get("/", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/password")
        assert (await browser.get("/api/v1/transfers/20261118-000001")).status == 403
        word = await csrf(browser)
        assert (await browser.post("/api/v1/transfers", data=b"x", headers={"X-CSRF-Token": word})).status == 403
        weak = await browser.post("/password", data={"csrf": word, "old": first, "new": "short"})
        assert weak.status == 400
        assert "12文字以上" in await weak.text()
        done = await browser.post("/password", data={"csrf": word, "old": first, "new": PASSWORD}, allow_redirects=False)
        assert (done.status, done.headers["Location"]) == (303, "/login")
        assert (await browser.get("/", allow_redirects=False)).headers["Location"] == "/login", "every session ended"
        assert (await log_in(browser, "tanaka")).headers["Location"] == "/"
        assert (await browser.get("/")).status == 200


SECURE = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "sekisho",
}


@pytest.mark.parametrize("name", FACES)
async def test_headers_and_errors_say_nothing_of_our_insides(place: Town, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    home = await place.token(AT_HOME[name])

    async def broken(*_: object) -> None:
        raise RuntimeError("secret /srv/somewhere.py line 3")

    async def failed(*_: object, **__: object) -> None:
        raise JournalUnavailableError("database: /tmp/secret sqlite")

    seen = set()
    async with client(place.faces[name]) as browser:

        async def look(method: str, path: str, **given: Any) -> None:
            answer = await browser.request(method, path, allow_redirects=False, **given)
            seen.add(answer.status)
            for header, value in SECURE.items():
                assert value in answer.headers[header], (path, header)
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
            if answer.status >= 400:
                innocent(await answer.text())
                assert answer.content_type in ("application/problem+json", "text/html")

        for path in ("/", "/login", "/healthz", "/readyz", "/static/sekisho.css", DOCUMENT, "/none", "/api/v1/none"):
            await look("GET", path)
            await look("GET", path, headers=home)
        await look("DELETE", "/healthz")
        await look("DELETE", "/", headers=home)
        for fault in (broken, failed):
            monkeypatch.setattr(place.journal, "find", fault)
            await look("GET", "/api/v1/transfers/20261118-000001", headers=home)
        monkeypatch.setattr(place.accounts, "by_token", broken)
        await look("GET", "/", headers=home)
    assert seen >= {200, 303, 401, 404, 405, 500, 503}


async def test_what_is_not_http_gets_no_banner(place: Town) -> None:
    async with client(place.faces["drop"]) as browser:
        assert browser.port is not None

        def talk() -> bytes:
            with socket.create_connection((browser.host, browser.port), timeout=5) as raw:
                raw.sendall(b"BROKEN \x01 HTTP/1.1\r\n: x\r\n\r\n")
                return raw.makefile("rb").read()

        said = await asyncio.to_thread(talk)
        assert said.startswith(b"HTTP/1.0 400")
        innocent(said.decode())


async def test_a_person_is_told_by_a_page_and_a_machine_in_json(place: Town) -> None:
    await place.known("tanaka")
    number = await place.settled("suzuki")
    async with client(place.faces["pickup"]) as browser:
        await log_in(browser, "tanaka")
        for path, status in ((f"/transfers/{number}", 403), ("/transfers/<script>x", 403), ("/none", 404)):
            shown = await browser.get(path, headers={"Accept": "text/html,*/*"})
            text = await shown.text()
            assert (shown.status, shown.content_type, "<script>" in text) == (status, "text/html", False)
            assert 'href="/"' in text
            innocent(text)
            told = await browser.get(path)
            assert (told.status, told.content_type) == (status, "application/problem+json")
            assert (await told.json())["title"] in text
        api = await browser.get(f"/api/v1/transfers/{number}", headers={"Accept": "text/html"})
        assert api.content_type == "application/problem+json", "the interface speaks JSON to everybody"


async def test_metrics_tell_no_version(place: Town) -> None:
    async with client(place.faces["drop"]) as browser:
        text = await (await browser.get("/metrics")).text()
        assert "# HELP" in text
        assert "python_info" not in text
        assert ENGINE_VERSION not in text
        assert platform.python_version() not in text


@pytest.mark.parametrize("name", FACES)
async def test_the_openapi_document_and_the_router_agree(place: Town, name: str) -> None:
    application = place.faces[name]
    async with client(application) as browser:
        written = await (await browser.get(DOCUMENT)).json()
    assert written["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, methods in written["paths"].items() for method in methods}
    served = {(route.method, route.resource.canonical) for route in application.router.routes() if route.resource is not None}
    assert described == {(method, path) for method, path in served if (method != "HEAD" and path in MACHINES) or path.startswith("/api/")}
    assert len(described) > 2
    for path, methods in written["paths"].items():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["responses"]
            named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
    cookie = written["components"]["securitySchemes"]["session"]["name"]
    assert cookie == f"sekisho-{name}"
