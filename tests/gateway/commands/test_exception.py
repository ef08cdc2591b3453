"""`sekisho exception`: who asks and who grants is who the token is of; nobody grants his own."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest

from gateway.people.accounts import Role
from gateway.requests.approvals import Kind, RequestState
from tests.build.face import ROLES, Town
from tests.gateway.commands.conftest import Installation

HASH = "ab" * 32


@pytest.fixture
def tokens(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.setitem(ROLES, "fukucho", Role.CISO)

    async def issued(place: Town) -> dict[str, str]:
        place.clock.now = time.time()
        return {login: (await place.token(login))["Authorization"].split()[1] for login in ("tanaka", "fukucho")}

    files = {}
    for login, value in sekisho.prepare(issued).items():
        files[login] = tmp_path / f"{login}.token"
        files[login].write_text(value + "\n")
    return files


def day(days: int) -> str:
    return (dt.datetime.now(dt.UTC).astimezone() + dt.timedelta(days=days)).date().isoformat()


def ask(sekisho: Installation, token: Path, *words: object) -> list[object]:
    given = ["exception", "add", "--kind", "svg", "--action", "sanitize", "--reason", "図面", "--token-file", token, "--json"]
    return [*given, *words] if words else [*given, "--sha256", HASH, "--until", day(30)]


def test_asked_granted_listed_and_revoked(sekisho: Installation, tokens: dict[str, Path]) -> None:
    made = sekisho(*ask(sekisho, tokens["tanaka"]))
    assert made.status == 0, made.err
    number = made.rows[0]["request"]
    assert sekisho("exception", "list", "--json").rows == []
    sekisho("exception", "approve", number, "--token-file", tokens["tanaka"]).failed(1, "asked for himself")
    granted = sekisho("exception", "approve", number, "--token-file", tokens["fukucho"], "--json")
    assert granted.status == 0, granted.err
    (one,) = granted.rows
    assert (one["kind"], one["action"], one["sha256"], one["requester"], one["approver"]) == ("svg", "sanitize", HASH, "tanaka", "fukucho")
    assert sekisho("exception", "show", one["number"], "--json").rows == granted.rows
    assert one["number"] in sekisho("exception", "list").out
    assert sekisho("exception", "revoke", one["number"], "--reason", "不要").status == 0
    sekisho("exception", "revoke", one["number"], "--reason", "不要").failed(1, "no such exception")
    assert sekisho("exception", "list", "--json").rows == []
    assert len(sekisho("exception", "list", "--all", "--json").rows) == 1


def test_wrong_usage(sekisho: Installation, tokens: dict[str, Path], tmp_path: Path) -> None:
    clerk = tokens["tanaka"]
    sekisho("exception", "show").failed(2, "NUMBER")
    sekisho("exception", "add", "--reason", "x").failed(2, "--token-file")
    sekisho("exception", "add", "--token-file", clerk).failed(2, "--reason")
    sekisho("exception", "revoke", "EX-1").failed(2, "--reason")
    sekisho(*ask(sekisho, clerk, "--until", "soon")).failed(2, "exception add")
    sekisho(*ask(sekisho, clerk, "--sha256", HASH, "--until", day(500))).failed(1, "within a year")
    sekisho(*ask(sekisho, clerk, "--until", day(5))).failed(1, "say for which")
    sekisho("exception", "show", "EX-9").failed(1, "no such exception")
    sekisho("exception", "approve", "S-000009", "--token-file", tokens["fukucho"]).failed(1, "no such request")
    wrong = tmp_path / "wrong"
    wrong.write_text("nonsense")
    sekisho(*ask(sekisho, wrong)).failed(1, "not a token")
    sekisho(*ask(sekisho, tmp_path / "none")).failed(2, "none")


def test_no_other_request_is_decided_here(sekisho: Installation, tokens: dict[str, Path]) -> None:
    """What follows from another kind is not to be had in a command."""

    async def asked(place: Town) -> str:
        account = await place.accounts.find("tanaka")
        assert account is not None
        return (await place.approvals.request(Kind.RULES, "1", account, "規則の公開")).number

    number = sekisho.prepare(asked)
    sekisho("exception", "approve", number, "--token-file", tokens["fukucho"]).failed(1, "not a request for an exception")

    async def state(place: Town) -> RequestState:
        return (await place.approvals.find(number)).state

    assert sekisho.prepare(state) is RequestState.REQUESTED
