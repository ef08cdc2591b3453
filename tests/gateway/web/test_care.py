"""Backups, drills, and the sheet of what can be watched."""

from __future__ import annotations

import csv
import io
from urllib.parse import unquote

import pytest

from gateway.telemetry import metrics
from tests.build.face import Town, client
from tests.build.transfer import NOW

HELD = {"kind": "restore", "day": "2026-11-10", "minutes": 42, "outcome": "good", "note": "別の機械へ復元し、件数を比べた"}


async def test_a_drill_is_written_down_and_the_light_turns_green(place: Town) -> None:
    who = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        before = await (await browser.get("/drills", headers=who)).text()
        assert before.count('class="light stop"') == 2
        assert (await browser.post("/api/v1/drills", headers=who, json=HELD)).status == 201
        assert (await browser.post("/drills", headers=who, data=HELD | {"outcome": "failed"}, allow_redirects=False)).status == 303
        after = await (await browser.get("/drills", headers=who)).text()
        assert after.count('class="light stop"') == 1, "a failed one turns nothing green, and nothing red"
        told = await (await browser.get("/api/v1/drills", headers=await place.token("kansa"))).json()
    assert [(one["number"], one["outcome"], one["seconds"]) for one in told] == [("DR-2026-0002", "failed", 2_520.0), ("DR-2026-0001", "good", 2_520.0)]
    assert [entry.actor async for entry in place.journal.entries() if entry.action == "drill.recorded"] == ["sousa"] * 2


async def test_a_backup_that_the_record_knows_is_told(place: Town) -> None:
    await place.journal.record(at=NOW - 60, actor="root", action="backup.made", subject="", detail={})
    who = await place.token("kansa")
    async with client(place.faces["admin"]) as browser:
        page = await (await browser.get("/drills", headers=who)).text()
        assert page.count('class="light ok"') == 1
        place.clock.pass_by(3 * 86_400)
        who = await place.token("kansa")
        assert (await (await browser.get("/drills", headers=who)).text()).count('class="light ok"') == 0


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "party"}, {"day": "soon"}, {"day": "2027-01-01"}, {"minutes": -1}, {"minutes": "x"}, {"minutes": 1e9}, {"outcome": "fine"}, {"note": 7}],
)
async def test_what_is_no_drill_is_refused(place: Town, wrong: dict[str, object]) -> None:
    who = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        assert (await browser.post("/api/v1/drills", headers=who, json=HELD | wrong)).status == 400
        assert (await browser.post("/api/v1/drills", headers=await place.token("kansa"), json=HELD)).status == 403
        assert (await browser.post("/drills", headers=who, data={"kind": "restore"})).status == 400


async def test_the_sheet_names_what_metrics_really_exports(place: Town) -> None:
    who = await place.token("kansa")
    async with client(place.faces["admin"]) as browser:
        exported = await (await browser.get("/metrics")).text()
        rows = await (await browser.get("/api/v1/monitored", headers=who)).json()
        page = await (await browser.get("/monitored", headers=who)).text()
        answer = await browser.get("/api/v1/monitored.csv", headers=who)
        sheet = await answer.read()
    names = {row["name"] for row in rows}
    assert len(names) == len(metrics.monitored()) > 10
    for name in names:
        assert f"# TYPE {name} " in exported, name
        assert name in page, name
    told = {line.split()[2] for line in exported.splitlines() if line.startswith("# TYPE sekisho_") and not line.split()[2].endswith("_created")}
    assert told <= names
    assert unquote(answer.headers["Content-Disposition"]).endswith("取扱注意_監視項目一覧.csv")
    assert [entry.subject async for entry in place.journal.entries() if entry.action == "guarded.exported"] == ["/api/v1/monitored.csv"]
    assert {row["名称"] for row in csv.DictReader(io.StringIO(sheet.decode("utf-8-sig")))} == names
