"""The interface and its document are the same: every endpoint is in it, and whatever is asked, only what it says is answered.

schemathesis reads the document of each face of the whole house and asks what it allows and what it does not, as a clerk, as an
administrator and as nobody; the examples are the same in each run.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks, openapi
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation

from gateway.model import Door
from gateway.people.roles import Role
from gateway.storage.unfinished import Begun
from tests.build.face import client
from tests.build.house import Open, opened
from tests.build.transfer import BODY, NOW, RESULT, arrival, claimed, report, settlement

DOCUMENT = "/api/v1/openapi.json"
CHECKS = [checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance,
          checks.response_headers_conformance]  # fmt: skip
# Streams that end with the browser's window: nothing of them is asked but who may.
ENDLESS = {("admin", "/api/v1/overview/events")}


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    async with opened(tmp_path, monkeypatch) as made:
        await made.known("tanaka", Role.STAFF, "税務課")
        await made.known("kacho", Role.STAFF, "税務課", head=True)
        await made.known("yobi", Role.STAFF)
        await made.known("kanri", Role.ADMINISTRATOR, "税務課")
        yield made


async def things(house: Open) -> dict[str, list[str]]:
    """One of each that an address can name, by the name of its variable."""
    journal, blobs = house.house.journal, house.house.blobs
    await blobs.put(BODY)
    await blobs.put(RESULT)
    _, receipt_no = await journal.accept(arrival(door=Door.DROP, sender="tanaka", recipients=("tanaka",)))
    await journal.settle(claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60)), settlement(report()), at=NOW)
    begun = Begun(owner="tanaka", name="a", length=3, at=NOW)
    upload = await asyncio.to_thread(house.house._unfinished.begin, begun)
    return {"receipt_no": [receipt_no], "login": ["yobi"], "number": [upload, "S-000001"], "version": ["1"], "deed": ["hold"],
            "name": ["窓口"]}  # fmt: skip


# -------------------------------------------------------------------------------------------------------- the document


async def test_every_endpoint_is_in_the_document_and_nothing_else(house: Open) -> None:
    for face, application in house.faces.items():
        served = {
            (route.method.lower(), route.resource.canonical)
            for route in application.router.routes()
            if route.resource is not None and (route.resource.canonical.startswith("/api/") or route.resource.canonical in ("/healthz", "/readyz", "/metrics"))
        }
        async with client(application) as browser:
            told = await (await browser.get(DOCUMENT)).json()
        written = {(method, path) for path, operations in told["paths"].items() for method in operations}
        assert written == {one for one in served if one != ("head", DOCUMENT) and not (one[0] == "head" and "uploads" not in one[1])}, face
        names = [operation["operationId"] for operations in told["paths"].values() for operation in operations.values()]
        assert len(names) == len(set(names)), face
        assert "sekisho" not in str(told["info"]), "no banner"
        schemathesis.openapi.from_dict(told).validate()


# ---------------------------------------------------------------------------------------------------------- the answers


def asked(operation: APIOperation[Any, Any, Any], known: Mapping[str, list[str]], most: int, ask: Callable[[schemathesis.Case], None]) -> None:
    """What the document allows and what it does not, of nothing and of what there is."""
    both = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)))

    @settings(max_examples=most, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(case=both, real=st.booleans(), which=st.integers(0, 9))
    def examples(case: schemathesis.Case, real: bool, which: int) -> None:
        if real:
            case.path_parameters = {
                name: known[name][which % len(known[name])] if name in known else value for name, value in (case.path_parameters or {}).items()
            }
        ask(case)

    examples()


def faults_of(face: str, address: str, document: dict[str, Any], headers: dict[str, str], known: dict[str, list[str]], most: int) -> list[str]:
    """What was answered that the document does not say."""
    schema, found, count = openapi.from_dict(document), [], 0
    session = requests.Session()

    def ask(case: schemathesis.Case) -> None:
        nonlocal count
        case.cookies = {}
        case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
        try:
            answer = case.call(base_url=address, session=session, headers=headers, timeout=20)
        except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL):
            return                      # nobody can send that
        count += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as wrong:
            why = "; ".join(str(one) for one in wrong.exceptions)
            found.append(f"{answer.status_code} {why} ← {case.as_curl_command()[:400]}")

    for one in schema.get_all_operations():
        operation = one.ok()
        if (face, operation.path) not in ENDLESS and operation.method.upper() != "PATCH":
            asked(operation, known, most, ask)
    assert count >= len(document["paths"]), "it was asked"
    return found


SOME = [("tanaka", "drop", 4), ("tanaka", "pickup", 4), ("kanri", "admin", 2)]
MANY = [pytest.param(login, face, 40, marks=[pytest.mark.slow, pytest.mark.timeout(1800)]) for login, face in (("tanaka", "drop"), ("tanaka", "pickup"), ("kanri", "admin"))]


@pytest.mark.parametrize(("login", "face", "most"), [*SOME, *MANY])
async def test_no_fault_of_ours_and_no_answer_that_is_not_written(house: Open, login: str, face: str, most: int) -> None:
    known = await things(house)
    headers = await house.token(login) if login else {}
    async with TestServer(house.faces[face]) as server:
        address = str(server.make_url("")).rstrip("/")
        async with client(house.faces[face]) as browser:
            document = await (await browser.get(DOCUMENT)).json()
        found = await asyncio.to_thread(faults_of, face, address, document, headers, known, most)
    assert found == []


@pytest.mark.parametrize("login", ["", "tanaka"])
async def test_who_may_not_is_told_so_in_the_written_way(house: Open, login: str) -> None:
    """Nobody at every face, and a clerk at the administration's."""
    headers = await house.token(login) if login else {}
    for face in ("admin",) if login else tuple(house.faces):
        async with client(house.faces[face]) as browser:
            document = await (await browser.get(DOCUMENT)).json()
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    answer = await browser.request(method, re.sub(r"\{\w+\}", "1", path), headers=headers)
                    closed = operation.get("security") != []
                    assert answer.status == (200 if not closed else 403 if login else 401), (face, method, path)
                    assert str(answer.status) in operation["responses"]
                    if closed and method != "head":
                        assert answer.content_type == "application/problem+json"
                        assert set(await answer.json()) <= {"type", "status", "title", "detail"}


BODIES = {
    "nested too deep": (b'{"a":' + b"[" * 100_000, "application/json"),
    "nested too deep for its reason": (b'{"reason":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "application/json"),
    "a list": (b"[1]", "application/json"),
    "in an encoding that nobody knows": (b'{"reason": "x"}', "application/json; charset=no-such"),
    "not in its encoding": (b'{"reason": "\xff"}', "application/json"),
    "a form in an encoding that nobody knows": (b"reason=x", "application/x-www-form-urlencoded; charset=no-such"),
}


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize(("login", "face"), [("tanaka", "drop"), ("tanaka", "pickup"), ("kanri", "admin")])
async def test_a_body_that_cannot_be_read_is_the_askers_mistake(house: Open, login: str, face: str, what: str) -> None:
    known, headers = await things(house), await house.token(login)
    body, type_ = BODIES[what]
    async with client(house.faces[face]) as browser:
        for route in house.faces[face].router.routes():
            if route.method not in ("POST", "PUT", "PATCH", "DELETE") or route.resource is None or not route.resource.canonical.startswith("/api/"):
                continue
            path = re.sub(r"\{(\w+)\}", lambda name: known.get(name[1], ["1"])[0], route.resource.canonical)
            answer = await browser.request(route.method, path, headers=headers | {"Content-Type": type_}, data=body)
            assert answer.status < 500, (route.method, path, answer.status)
