"""Faces over a journal and blobs of their own, with people to use them; no jail, no port, and a clock that only moves when told."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from gateway.admin import registers
from gateway.admin.app import admin
from gateway.admin.care import CareDesk
from gateway.admin.emergency import EmergencyDesk
from gateway.admin.originals import OriginalsDesk
from gateway.admin.overview import OverviewDesk
from gateway.admin.people import PeopleDesk
from gateway.admin.reviews import ReviewsDesk
from gateway.admin.transfers import TransfersDesk
from gateway.admin.visits import VisitsDesk
from gateway.caretaking import Caretaking
from gateway.config import load
from gateway.drop.app import Drop
from gateway.model import Door
from gateway.overview import Overview
from gateway.people import passwords
from gateway.people.accounts import Accounts, Role
from gateway.people.customs import Customs
from gateway.people.reviews import Reviews
from gateway.people.single_sign_on import Provider, SingleSignOn
from gateway.people.staff import Staff
from gateway.pickup.app import Pickup
from gateway.policy import Policy
from gateway.receipts import Signer
from gateway.requests.approvals import Approvals
from gateway.requests.asking import Asking
from gateway.requests.bringing import Bringing, Usage
from gateway.requests.delegates import Delegates
from gateway.requests.exceptions import Exceptions
from gateway.requests.operating import Operating
from gateway.requests.unlocking import Unlocking
from gateway.requests.visits import Visits
from gateway.road.boxes import Boxes, Quotas
from gateway.road.pipeline import Pipeline
from gateway.road.previews import Previews
from gateway.road.uploads import Uploads
from gateway.road.workers import Workers
from gateway.scanners.panel import Panel
from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from gateway.storage.sealer import Sealer
from gateway.storage.settling import Settlement
from gateway.storage.unfinished import Unfinished
from gateway.telling.notices import Office
from gateway.web.announced import Announced
from gateway.web.approval_pages import ApprovalPages
from gateway.web.events import Events
from gateway.web.exception_pages import ExceptionPages
from gateway.web.preview_desks import Looking, looks
from mail.answer import Answer
from mail.connection import Outgoing
from mail.queue import QueueSettings
from sanitizers.model import Report
from tests.build.transfer import BODY, NOW, RESULT, FakeWorkers, arrival, claimed, report, settlement, signer

MOST = 1 << 20
PASSWORD = "kasumi-no-seki 2026"
ROLES = {
    **dict.fromkeys(("tanaka", "suzuki", "sato", "kacho"), Role.STAFF),
    "kanri": Role.ADMINISTRATOR,
    "sousa": Role.OPERATOR,
    "kansa": Role.AUDITOR,
}


@dataclass
class Clock:
    """Seconds since 1970."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class Post:
    """A next hop that takes every letter."""

    def __init__(self) -> None:
        self.taken: list[Outgoing] = []

    async def deliver(self, mail: Outgoing) -> list[Answer]:
        self.taken.append(mail)
        return [Answer(address, "delivered", 250, "2.0.0", "ok") for address in mail.recipients]

    async def close(self) -> None:
        """Nothing is open."""


def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm, made cheap: what is looked at here is who may do what."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


class Faces(MutableMapping[str, web.Application]):
    """Each is made when it is first asked for: hundreds of routes, and most tests look at one face."""

    def __init__(self, makers: Mapping[str, Callable[[], web.Application]]) -> None:
        self._makers = dict(makers)
        self._made: dict[str, web.Application] = {}

    def __getitem__(self, name: str) -> web.Application:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __setitem__(self, name: str, face: web.Application) -> None:
        self._made[name] = face

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._makers, *self._made]))

    def __len__(self) -> int:
        return len(self._makers.keys() | self._made.keys())


@dataclass
class Town:
    """One installation's stores, people and faces."""

    folder: Path
    clock: Clock
    journal: Journal
    blobs: LocalBlobs
    accounts: Accounts
    approvals: Approvals
    staff: Staff
    roles: dict[str, Role] = field(default_factory=lambda: dict(ROLES))
    faces: MutableMapping[str, web.Application] = field(default_factory=dict)
    woken: int = 0
    workers: FakeWorkers = field(default_factory=FakeWorkers)
    pipeline: Pipeline | None = None
    panel: Panel = field(default_factory=Panel)
    seal: Signer = field(default_factory=signer)
    letters: Post = field(default_factory=Post)
    care: Caretaking = field(init=False)

    def __post_init__(self) -> None:
        office = Office("sekisho@town.example.jp", "gate.town.example.jp", "関町")
        self.care = Caretaking(load(None, {}), self.journal, office, self.clock, relay=self.letters, queue=QueueSettings())

    async def settled(self, sender: str = "tanaka", given: Report | None = None, *, door: Door = Door.DROP, result: bytes = RESULT) -> str:
        """A transfer all of whose road is behind it. Its receipt number."""
        await self.blobs.put(BODY)
        await self.blobs.put(result)
        _, receipt_no = await self.journal.accept(arrival(door=door, sender=sender, recipients=(sender,), name="願書.docm"))
        claim = claimed(await self.journal.claim(1, at=NOW, lease_until=NOW + 60))
        await self.journal.settle(claim, self.signed(receipt_no, settlement(given or report(output=result)), given), at=NOW)
        return receipt_no

    def signed(self, receipt_no: str, made: Settlement, given: Report | None) -> Settlement:
        """With a receipt that verifies, where something is delivered."""
        if made.result is None or not made.decision.verdict.delivers:
            return made
        receipt = self.seal.issue(given or report(), made.decision.verdict, receipt_no=receipt_no, organisation="関町",
                                  output_sha256=made.result.sha256, output_size=made.result.size, at=NOW)  # fmt: skip
        return msgspec.structs.replace(made, receipt=receipt)

    async def known(self, login: str) -> None:
        """An account whose temporary password was changed to PASSWORD."""
        first = await self.accounts.add(login, f"{login}さん", self.roles[login], "test")
        account = await self.accounts.find(login)
        assert account is not None
        await self.accounts.change_password(account, first, PASSWORD)

    async def token(self, login: str) -> dict[str, str]:
        """Headers of a machine that acts for that person, who is made if need be."""
        if await self.accounts.find(login) is None:
            await self.known(login)
        account = await self.accounts.find(login)
        assert account is not None
        return {"Authorization": "Bearer " + await self.accounts.issue_token(account, "test", 3600, "test")}

    def wake(self) -> None:
        self.woken += 1


# Passwords are enough here, and nobody has to elevate himself: what those two add has tests of its own.
PLAIN = Customs(second_factor="off", elevation=0, visits=False)


@asynccontextmanager
async def town(
    folder: Path,
    *,
    reserve: int = 0,
    customs: Customs = PLAIN,
    provider: Provider | None = None,
    usage: Usage | None = None,
    shares: dict[str, str] | None = None,
    quotas: Quotas | None = None,
) -> AsyncIterator[Town]:
    """Started stores and the three faces, at rest."""
    clock, journal, blobs = Clock(), Journal(folder / "sekisho.db"), LocalBlobs(folder / "blobs", reserve=reserve)
    await blobs.start()
    await journal.start()

    async def ready() -> list[str]:
        return []

    sso = None if provider is None else SingleSignOn(provider, journal, clock, Sealer())
    made = Town(folder, clock, journal, blobs, Accounts(journal, clock, customs, sso=sso), Approvals(journal, clock), Staff(journal, clock, "関町"))
    Delegates(made.approvals, made.accounts.absences, clock)
    seal = made.seal
    pipeline = Pipeline(journal, blobs, made.workers, Policy(), seal, clock=clock)
    made.pipeline = pipeline
    operating = Operating(journal, seal, clock, pipeline, made.wake)
    unlocking, events = Unlocking(journal, pipeline, clock), Events(journal, pipeline.progress)
    uploads = Uploads(blobs, journal, clock, made.wake, most=MOST, organisation="関町")
    previews = Previews(blobs, lambda rules: Workers(rules, 2))
    looking = Looking(previews, journal, made.approvals, clock)
    boxes = Boxes(journal, quotas or Quotas(), days=14, clock=clock)
    versions = {"walls": "seccomp", "rules": "rules-1", "policy": "policy-1"}
    made.faces = Faces({
        "drop": lambda: Drop(
            uploads,
            journal,
            unlocking,
            made.accounts,
            unfinished=Unfinished(folder / "uploads"),
            asking=(made.approvals, Asking(journal, made.approvals, operating, pipeline=pipeline, blobs=blobs, clock=clock)),
            bringing=Bringing(journal, made.approvals, operating, usage or Usage(), shares or {}, boxes=boxes),
            readiness=ready,
            events=events,
            desks=[ApprovalPages(made.approvals, looks=partial(looks, journal)), *looking.of_drop(originals=True), Announced(journal, clock)],
            jail=True,
        ).application,
        "pickup": lambda: Pickup(blobs, journal, unlocking, made.accounts, ready, clock=clock, events=events, days=14, desks=[*looking.of_pickup(), Announced(journal, clock)],
                         public_key=seal.public_key, boxes=boxes, jail=True).application,
        "admin": lambda: admin(
            made.accounts,
            ready,
            [
                OverviewDesk(journal, Overview(journal, made.panel, versions=lambda: versions, ready=ready, folder=folder, clock=clock)),
                OriginalsDesk(journal, blobs, made.approvals, clock, four_eyes=True),
                TransfersDesk(journal, operating, clock),        # after the one before it: any other word is a deed
                ApprovalPages(made.approvals, overseen=True, looks=partial(looks, journal)),
                PeopleDesk(made.accounts, made.staff, clock),
                ReviewsDesk(Reviews(journal, made.accounts, clock), clock),
                VisitsDesk(Visits(journal, made.approvals, clock), made.accounts, clock),
                CareDesk(journal, clock),
                EmergencyDesk(journal, clock, made.wake),
                ExceptionPages(Exceptions(journal, made.approvals, clock), clock),
                *registers.desks(made.care),
                *looking.of_admin(),
            ],
            jail=True,
        ),
    })  # fmt: skip
    try:
        yield made
    finally:
        await previews.stop()
        await journal.stop()
        await blobs.stop()


@asynccontextmanager
async def client(application: web.Application) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """A browser without memory of other faces."""
    async with TestClient(TestServer(application)) as made:
        yield made


async def log_in(browser: TestClient[web.Request, web.Application], login: str, password: str = PASSWORD) -> ClientResponse:
    return await browser.post("/login", data={"login": login, "password": password}, allow_redirects=False)


async def csrf(browser: TestClient[web.Request, web.Application], page: str = "/password") -> str:
    """The word that the forms of this session carry."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', await (await browser.get(page)).text())
    assert found is not None
    return found[1]
