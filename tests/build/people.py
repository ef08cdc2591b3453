"""A town hall on paper: departments, heads, deputies, people with two log-ins and a log-in with two people. No password is ever compared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.people.roles import Role
from gateway.storage import accounts as account_rows
from gateway.storage import people
from gateway.storage.accounts import Account
from gateway.storage.journal import Journal
from gateway.storage.people import Department, Place
from tests.build.face import Clock

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass
class Hall:
    """One installation's stores and a clock."""

    journal: Journal
    clock: Clock
    departments: dict[str, Department] = field(default_factory=dict)

    async def department(self, name: str, below: str = "") -> Department:
        parent = self.departments[below].id if below else None
        made = await self.journal.write(
            lambda c: people.department_added(c, organisation="関町", name=name, parent_id=parent, at=self.clock(), actor="test")
        )
        self.departments[name] = made
        return made

    async def account(self, login: str, role: Role = Role.STAFF, *places: tuple[str, bool], person: str = "") -> Account:
        """`places`: department and whether it leads it; the first is the main one."""
        at = self.clock()
        wanted = [Place(department_id=self.departments[name].id, main=not index, head=head) for index, (name, head) in enumerate(places)]

        def add(connection: object) -> Account:
            account_rows.add(connection, login=login, name=f"{login}さん", mail="", role=role, password_hash="x", at=at, actor="test",  # type: ignore[arg-type]
                             person=person or login)
            made = account_rows.by_login(connection, login)  # type: ignore[arg-type]
            assert made is not None
            people.placed(connection, made, wanted, at=at, actor="test")  # type: ignore[arg-type]
            return made

        return await self.journal.write(add)

    async def away(self, account: Account, delegate: Account | None = None, *, days: float = 1) -> int:
        at = self.clock()
        return await self.journal.write(
            lambda c: people.absent(c, account, delegate=delegate, from_at=at, until_at=at + days * DAY, reason="出張", at=at, actor="test")
        )

    async def deeds(self) -> list[tuple[str, str, str]]:
        """Actor, action and subject of everything that was recorded."""
        return [(entry.actor, entry.action, entry.subject) async for entry in self.journal.entries()]


@asynccontextmanager
async def hall(folder: Path) -> AsyncIterator[Hall]:
    journal = Journal(folder / "sekisho.db")
    await journal.start()
    try:
        yield Hall(journal, Clock())
    finally:
        await journal.stop()
