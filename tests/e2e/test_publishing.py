"""A rule from draft to force and back in a running service: two persons by the interface, real jail, real compiler, real mail."""

from __future__ import annotations

import asyncio
import io
import json
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from tests.e2e.service import NextHop, Service
from tests.e2e.test_mail import send

SETS = "/api/v1/rulesets"
RULE = 'rule Test_Any_Pdf { meta: severity = "high" strings: $a = "%PDF-" condition: $a at 0 }\n'
PASSWORD = "kasumi-no-seki 2026"


@dataclass
class Person:
    """Somebody at the administration, by his token."""

    address: str
    token: str

    def ask(self, path: str, body: dict[str, object] | None = None, status: int = 200) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Authorization": f"Bearer {self.token}"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                seen, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            seen, content = error.code, error.read()
        assert seen == status, content
        return json.loads(content)


def person(service: Service, login: str, role: str) -> Person:
    """An account of that role whose temporary password was changed."""
    added = service.command("user", "add", login, "--role", role, "--json")
    assert added.returncode == 0, added.stderr
    address = f"http://127.0.0.1:{service.admin}"
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    given = {"login": login, "password": json.loads(added.stdout)["password"]}
    opener.open(f"{address}/login", urllib.parse.urlencode(given).encode())
    csrf = opener.open(f"{address}/password").read().decode().split('name="csrf" value="')[1].split('"')[0]
    chosen = {"csrf": csrf, "old": given["password"], "new": PASSWORD}
    opener.open(f"{address}/password", urllib.parse.urlencode(chosen).encode())
    issued = service.command("user", "token", login, "--json")
    assert issued.returncode == 0, issued.stderr
    return Person(address, json.loads(issued.stdout)["token"])


def version_in_force(service: Service) -> str:
    done = service.command("rules", "versions", "--json")
    assert done.returncode == 0, done.stderr
    (standing,) = [row["version"] for row in map(json.loads, done.stdout.splitlines()) if row["in_force"]]
    return str(standing)


async def test_a_rule_comes_in_force_and_goes_again(service: Service, next_hop: NextHop) -> None:
    kanri = await asyncio.to_thread(person, service, "kanri", "administrator")
    hoka = await asyncio.to_thread(person, service, "hoka", "administrator")
    before = await asyncio.to_thread(version_in_force, service)
    receipt_no = (await asyncio.to_thread(send, service)).rpartition(" ")[2]
    await delivered(next_hop, 1)

    def submitted() -> tuple[int, str]:
        made = kanri.ask(SETS, {"files": {"candidate.yar": RULE}, "note": "試験"}, status=201)
        one = f"{SETS}/{made['number']}"
        kanri.ask(one + "/submit", {})
        kanri.ask(one + "/approve", {"reason": "x"}, status=403)
        asked = kanri.ask(one + "/backtests", {}, status=202)
        return int(asked["id"]), one

    number, one = await asyncio.to_thread(submitted)
    async with asyncio.timeout(120):
        while (test := await asyncio.to_thread(kanri.ask, f"{one}/backtests/{number}"))["state"] in ("waiting", "running"):
            await asyncio.sleep(0.2)
    assert test["state"] == "done", test
    assert test["summary"]["new"] == {"Test_Any_Pdf": 1}
    assert test["summary"]["clean_hits"] == {"Test_Any_Pdf": 1}, "the clean set has a PDF"
    assert [row["name"] for row in test["differences"]] == ["clean.pdf", receipt_no]
    await asyncio.to_thread(hoka.ask, one + "/approve", {"reason": "確認"})
    after = (await asyncio.to_thread(kanri.ask, one + "/publish", {}))["version"]
    assert after != before
    assert await asyncio.to_thread(version_in_force, service) == after

    await asyncio.to_thread(send, service)
    await delivered(next_hop, 2)
    rows = {row["receipt_no"]: row for row in await asyncio.to_thread(service.transfers)}
    assert sorted(row["rules"] for row in rows.values()) == sorted((before, after)), "at once, without a restart"

    (late,) = await late_hits(kanri)
    assert (late["receipt_no"], late["name"]) == (receipt_no, "Test_Any_Pdf"), "what was let through before is looked at again"
    assert late["received_by"]["delivered"] == ["clerk@town.example.jp"]

    await asyncio.to_thread(kanri.ask, SETS + "/rollback", {"reason": "誤検知"})
    await asyncio.to_thread(send, service)
    await delivered(next_hop, 3)
    rows = {row["receipt_no"]: row for row in await asyncio.to_thread(service.transfers)}
    assert sorted(row["rules"] for row in rows.values()) == sorted((before, before, after)), "the same digest of rules as before"
    first, between, last = [contents(message, rows) for message in mails(next_hop)]
    assert first == last, "the same bytes"
    assert set(first) - set(between) == {"見積書.pdf"}, "the rule took the PDF out"

    listed = await asyncio.to_thread(service.command, "rules", "list", "--json")
    assert all({"state", "matches", "last_match"} <= row.keys() for row in map(json.loads, listed.stdout.splitlines()))
    verified = await asyncio.to_thread(service.command, "audit", "verify")
    assert verified.returncode == 0, verified.stderr


def mails(next_hop: NextHop) -> list[EmailMessage]:
    """Without notices of the house."""
    return [message for message in next_hop.messages if message["Message-ID"] == "<sample-1@partner.example>"]


async def delivered(next_hop: NextHop, count: int) -> None:
    async with asyncio.timeout(60):
        while len(mails(next_hop)) < count:
            await asyncio.sleep(0.1)


async def late_hits(somebody: Person) -> list[dict[str, Any]]:
    """As soon as there are some."""
    async with asyncio.timeout(120):
        while not (found := (await asyncio.to_thread(somebody.ask, "/api/v1/rescans"))["late_hits"]):
            await asyncio.sleep(0.2)
    return list(found)


def contents(message: EmailMessage, receipts: Iterable[str]) -> dict[str, bytes]:
    """Name of each part → its bytes, without the number under which the mail passed."""
    found = {}
    for part in message.walk():
        content, name = part.get_payload(decode=True), part.get_filename() or part.get_content_type()
        if not isinstance(content, bytes):
            continue
        found[name] = content
        if name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                found |= {f"{name}/{member}": archive.read(member) for member in archive.namelist()}
            del found[name]
    for receipt_no in receipts:
        found = {name: content.replace(receipt_no.encode(), b"-") for name, content in found.items()}
    return found
