"""The conformity sheet on the administration's face."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from gateway import config
from gateway.admin.app import admin
from gateway.admin.conformity import ConformityDesk
from gateway.conformity.facts import Gathering
from gateway.people.roles import Role
from gateway.policy import Policy
from tests.build.face import ROLES, Town, client, quick_passwords, town


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    monkeypatch.setitem(ROLES, "itaku", Role.CONTRACTOR)
    async with town(tmp_path) as made:

        async def ready() -> list[str]:
            return []

        gathering = Gathering(
            made.journal,
            config.load(None, {}).values,
            customs=made.accounts.customs,
            panel=made.panel,
            in_force=lambda: (Policy(), ("seccomp",), "rules-1"),
            clock=made.clock,
        )
        made.faces["admin"] = admin(made.accounts, ready, [ConformityDesk(made.journal, gathering)], jail=True)
        yield made


async def test_the_sheet_in_its_three_forms(place: Town) -> None:
    who = await place.token("kansa")
    async with client(place.faces["admin"]) as browser:
        told = await (await browser.get("/api/v1/conformity", headers=who)).json()
        page = await (await browser.get("/conformity?policy=熊本市", headers=who)).text()
        table = await (await browser.get("/api/v1/conformity.csv", headers=who)).read()
        assert (await browser.get("/conformity?policy=nowhere", headers=who)).status == 404
        assert (await browser.get("/conformity?profile=other", headers=who)).status == 404
        inbound = await (await browser.get("/api/v1/conformity?profile=inbound", headers=who)).json()
        assert "取込みのみ</strong>" in (await (await browser.get("/conformity?profile=inbound", headers=who)).text()).replace(" / inbound only", "")
    assert sum(told["sums"].values()) == len(told["rows"]) > 150
    assert inbound["sums"]["apart"] == told["sums"]["apart"] + 6
    assert told["sums"]["fails"] > 0, "no second factor, no TLS: this town is told so"
    assert "自己点検票" in page
    assert "小諸市 対策基準" not in page
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    assert {row["判定"] for row in rows} >= {"適", "否", "未対応", "運用", "対象外"}


@pytest.mark.parametrize("login", ["tanaka"])
async def test_not_for_staff(place: Town, login: str) -> None:
    async with client(place.faces["admin"]) as browser:
        assert (await browser.get("/api/v1/conformity", headers=await place.token(login))).status == 403


async def test_it_is_not_for_outside(place: Town) -> None:
    """Its pages say so, its table is named so, a vendor takes none of it, and who takes it stands in the record."""
    auditor, vendor = [await place.token(login) for login in ("kansa", "itaku")]
    async with client(place.faces["admin"]) as browser:
        answer = await browser.get("/api/v1/conformity.csv", headers=auditor)
        assert unquote(answer.headers["Content-Disposition"]) == "attachment; filename*=UTF-8''取扱注意_自己点検票.csv"
        assert (await browser.get("/api/v1/conformity.csv?policy=nowhere", headers=auditor)).status == 404
        assert (await browser.get("/api/v1/conformity.csv", headers=vendor)).status == 403
        pages = [await (await browser.get("/conformity", headers=who)).text() for who in (auditor, vendor)]
        other = await (await browser.get("/account", headers=auditor)).text()
    assert [[word in page for page in (*pages, other)] for word in ('class="guarded">取扱注意', "CSVで出力")] == [[True, True, False], [True, False, False]]
    taken = [(entry.actor, entry.subject) async for entry in place.journal.entries() if entry.action == "guarded.exported"]
    assert taken == [("kansa", "/api/v1/conformity.csv")]
