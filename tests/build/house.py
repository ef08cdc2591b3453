"""The whole house with all its desks, as it is served, but for the jail, the ports and SMTP: every face as an application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from gateway import config, house
from gateway.house import ROLES, House
from gateway.people.accounts import Role
from gateway.people.staff import Staff
from sanitizers.model import Job
from sanitizers.preview_words import Shown, View
from tests.build.face import PASSWORD, Clock, quick_passwords
from tests.build.transfer import FakeWorkers


class NoJail(FakeWorkers):
    """Workers that start at once and take any rules."""

    walls = ("seccomp (fake)",)

    def __init__(self, rules: Mapping[str, str], *_: object, **__: object) -> None:
        super().__init__()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def reload(self, rules: Mapping[str, str]) -> None: ...

    async def show(self, _fd: int, job: Job) -> tuple[Shown, bytes]:
        """One white dot, where a picture is asked for."""
        drawn = job.look is not None and job.look.view is View.PAGE
        return Shown(name=job.name, pages=1, drawn=(1, 1) if drawn else None), b"\xff\xff\xff" if drawn else b""


@dataclass
class Open:
    """A house that stands, and nobody works in it: what is handed in waits."""

    house: House
    clock: Clock
    staff: Staff
    faces: dict[str, web.Application] = field(default_factory=dict)

    async def known(self, login: str, role: Role = Role.STAFF, *departments: str, head: bool = False, person: str = "") -> None:
        """Somebody who has chosen PASSWORD, in those departments, which are made if need be."""
        accounts = self.house.accounts
        first = await accounts.add(login, f"{login}さん", role, "test", person=person)
        account = await accounts.find(login)
        assert account is not None
        await accounts.change_password(account, first, PASSWORD)
        there = {one.name for one in await self.staff.departments()}
        for name in departments:
            if name not in there:
                await self.staff.add_department(name, "test")
        if departments:
            await self.staff.move(account, list(departments), "test", head=head)

    async def token(self, login: str) -> dict[str, str]:
        """Headers of a machine that acts for him."""
        account = await self.house.accounts.find(login)
        assert account is not None
        return {"Authorization": "Bearer " + await self.house.accounts.issue_token(account, "test", 86_400, "test")}


@asynccontextmanager
async def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: str) -> AsyncIterator[Open]:
    """`settings`: more of SEKISHO_…, without that."""
    quick_passwords(monkeypatch)
    monkeypatch.setattr(house, "Workers", NoJail)
    monkeypatch.setattr(house, "low_priority", NoJail)
    given = {
        "STORAGE_PATH": str(folder / "var"), "STORAGE_RESERVE": "1", "SERVICE_ORGANISATION": "関町", "PEOPLE_SECOND_FACTOR": "off",
        "PEOPLE_ELEVATION": "0",
    } | settings  # fmt: skip
    clock = Clock()
    made = House(config.load(None, {f"SEKISHO_{name}": value for name, value in given.items()}), frozenset(ROLES) - {"smtp"}, clock)
    async with AsyncExitStack() as stack:
        await made._open(stack)
        faces = {name: listener.application for name, listener in zip(("drop", "pickup", "admin"), made._faces(), strict=True)}
        yield Open(made, clock, Staff(made.journal, clock, "関町"), faces)
