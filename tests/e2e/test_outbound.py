"""持出し, the other direction: from the LGWAN side to the Internet side, with the settings and the policy that `deploy/settings` shows.
Scanned, its metadata gone, approved by another, held for a while in which it can be stopped, and taken over there by a signed receipt."""

from __future__ import annotations

import asyncio
import io
import json
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docx
import pytest

from gateway.people.accounts import Accounts, Role
from gateway.people.staff import Staff
from gateway.storage.journal import Journal
from tests.build.certificates import Authority
from tests.build.face import PASSWORD, PLAIN
from tests.build.ports import free_port
from tests.e2e.service import Service

SETTINGS = Path(__file__).parents[2] / "deploy/settings"
HOLD_SECONDS = 15.0
SECONDS = 120.0
AUTHOR = "例示 太郎"
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

pytestmark = pytest.mark.slow


class Lane:
    """`inner`: the LGWAN side, where people bring files; `outer`: the Internet side, where they are fetched."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        line = free_port()
        sample = tomllib.loads((SETTINGS / "city-outbound.toml").read_text("utf-8"))
        lane = {f"SEKISHO_LANE_{key.upper()}": str(value) for key, value in sample["lane"].items()}
        self.outer = self._service(folder, "outer", "gate,pickup,admin", lane, {
            "SEKISHO_CROSSING_LISTEN": f"127.0.0.1:{line}", "SEKISHO_CROSSING_KEYS": str(folder / "inner/receipt.pub"),
            "SEKISHO_CROSSING_CLIENTS": "sekisho-out.city.example.jp",
        }, "127.0.0.1")  # fmt: skip
        self.inner = self._service(folder, "inner", "drop,worker,deliver,admin", lane, {
            "SEKISHO_CROSSING_TO": f"https://127.0.0.1:{line}", "SEKISHO_LANE_HOLD": f"{HOLD_SECONDS:.0f}s",
            "SEKISHO_POLICY_FILE": str(SETTINGS / sample["policy"]["file"]),
            "SEKISHO_DROP_APPROVAL": sample["drop"]["approval"], "SEKISHO_DROP_REQUIRED": "true",
            "SEKISHO_DROP_CLASSIFICATIONS": ",".join(sample["drop"]["classifications"]),
        }, "sekisho-out.city.example.jp")  # fmt: skip

    def _service(self, folder: Path, name: str, roles: str, lane: dict[str, str], more: dict[str, str], known_as: str) -> Service:
        held = self.authority.issue(known_as, file=name)
        both = {"SEKISHO_CROSSING_CERTIFICATE": str(held.certificate), "SEKISHO_CROSSING_KEY": str(held.key),
                "SEKISHO_CROSSING_AUTHORITY": str(self.authority.file), "SEKISHO_MAIL_AUTHENTICATION": "off"}  # fmt: skip
        return Service(folder / name, free_port(), lane | both | more, roles=roles)

    def start(self) -> None:
        """With the people of 税務課 on both sides: their tokens are in `tokens`, by side and log-in name."""
        given = {"inner": {"tanaka": Role.STAFF, "kacho": Role.STAFF, "sousa": Role.OPERATOR}, "outer": {"tanaka": Role.STAFF}}
        services = {"inner": self.inner, "outer": self.outer}
        self.tokens = {(side, login): token for side, roles in given.items() for login, token in asyncio.run(people(services[side], roles)).items()}
        for service in services.values():
            service.start(SECONDS)

    def stop(self) -> None:
        for service in (self.inner, self.outer):
            if service.process is not None and service.process.poll() is None:
                service.kill()


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    made = Lane(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.stop()


async def people(service: Service, roles: dict[str, Role]) -> dict[str, str]:
    """Accounts of one department, whose head is `kacho`, made before the service starts; their tokens."""
    journal = Journal(service.folder / "sekisho.db")
    await journal.start()
    try:
        staff, accounts = Staff(journal, time.time, ""), Accounts(journal, time.time, PLAIN)
        await staff.add_department("税務課", "test")
        tokens = {}
        for login, role in roles.items():
            first = await accounts.add(login, login, role, "test")
            account = await accounts.find(login)
            assert account is not None
            await staff.move(account, ["税務課"], "test", head=login == "kacho")
            await accounts.change_password(account, first, PASSWORD)
            tokens[login] = await accounts.issue_token(account, "test", 3_600, "test")
        return tokens
    finally:
        await journal.stop()


def person(port: int, token: str) -> Callable[..., Any]:
    """What somebody asks at a face."""

    def ask(path: str, body: bytes | None = None, *, status: int | None = 200, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, sent)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                seen, kind, content = answer.status, answer.headers.get_content_type(), answer.read()
        except urllib.error.HTTPError as error:
            seen, kind, content = error.code, "", error.read()
        assert status in (seen, None), (seen, content)
        return json.loads(content) if kind == "application/json" else content

    return ask


def document() -> bytes:
    """By somebody, with a comment that is nobody's business outside."""
    made = docx.Document()
    paragraph = made.add_paragraph("令和８年度 事業計画")
    made.add_comment(paragraph.runs, "ここは外に出さないこと", author=AUTHOR, initials="例")
    made.core_properties.author = made.core_properties.last_modified_by = AUTHOR
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def until(done: Callable[[], object], seconds: float = SECONDS) -> None:
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends, "it does not come to that"
        time.sleep(0.2)


def test_what_leaves_is_scanned_stripped_approved_and_held(lane: Lane) -> None:
    tanaka, kacho = (person(lane.inner.drop, lane.tokens["inner", login]) for login in ("tanaka", "kacho"))
    sousa, there = person(lane.inner.admin, lane.tokens["inner", "sousa"]), person(lane.outer.pickup, lane.tokens["outer", "tanaka"])
    said = urllib.parse.urlencode({"purpose": "事業計画の公表", "classification": "機密性1", "reason": "公表のため"})
    named = {"X-File-Name": urllib.parse.quote("事業計画.docx"), "Content-Type": "application/octet-stream"}
    tanaka("/api/v1/transfers", document(), status=422, **named)     # nothing leaves without a word why

    def brought(content: bytes, **headers: str) -> str:
        return str(tanaka(f"/api/v1/transfers?{said}", content, status=202, **(named | headers))["receipt_no"])

    def state(receipt_no: str) -> str:
        return str(tanaka(f"/api/v1/transfers/{receipt_no}")["state"])

    leaves, stays, malware = brought(document()), brought(document()), brought(EICAR.encode(), **{"X-File-Name": "x.txt"})
    until(lambda: state(malware) == "blocked")
    until(lambda: state(leaves) == state(stays) == "held")
    requests = {row["subject"]: row["number"] for row in kacho("/api/v1/requests?of=waiting")}
    assert {leaves, stays} <= set(requests)
    for number in requests.values():
        tanaka(f"/api/v1/requests/{number}/approve", b'{"reason": "x"}', status=409)      # nobody may approve what he asked for himself
    began = time.monotonic()
    for number in requests.values():
        kacho(f"/api/v1/requests/{number}/approve", json.dumps({"reason": "確認"}).encode(), status=None)
    until(lambda: state(stays) == "released")
    assert state(malware) == "blocked", "whoever approves it"
    sousa(f"/api/v1/transfers/{stays}/hold", json.dumps({"reason": "宛先の誤り"}).encode())
    until(lambda: state(leaves) == "delivered")
    assert time.monotonic() - began >= HOLD_SECONDS, "it was held first"
    assert state(stays) == "held"
    assert [row["receipt_no"] for row in there("/api/v1/transfers")] == [leaves], "nothing else is over there"
    got = there(f"/api/v1/transfers/{leaves}/file")
    read = docx.Document(io.BytesIO(got))
    assert [paragraph.text for paragraph in read.paragraphs] == ["令和８年度 事業計画"]
    assert not read.core_properties.author and not read.core_properties.last_modified_by
    with zipfile.ZipFile(io.BytesIO(got)) as opened:
        assert not [name for name in opened.namelist() if "comment" in name]
        assert not any(AUTHOR.encode() in opened.read(name) for name in opened.namelist())
