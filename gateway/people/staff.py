"""Where people belong: departments, groups, moves one by one, and the mass move of 1 April."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from gateway.people import passwords, roster
from gateway.people.accounts import Accounts
from gateway.people.roles import PRIVILEGED, RefusedError, Role
from gateway.people.roster import Entry, Fault, Plan
from gateway.storage import accounts as rows
from gateway.storage import people
from gateway.storage.accounts import Account
from gateway.storage.journal import Journal
from gateway.storage.people import Department, Membership, NameTakenError, Place

_LONGEST_NAME: Final = 100
_AT_A_TIME: Final = 2


class Staff:
    """All questions about where people belong. `clock`: seconds since 1970; `organisation`: whose departments these are."""

    def __init__(self, journal: Journal, clock: Callable[[], float], organisation: str) -> None:
        self._journal = journal
        self._clock = clock
        self._organisation = organisation or "-"

    # ------------------------------------------------------------------------------------------------------ departments

    async def departments(self) -> list[Department]:
        """Open and closed ones."""
        return await self._journal.ask(people.all_departments)

    async def members(self, department: Department) -> list[Membership]:
        return await self._journal.ask(lambda connection: people.members(connection, department.id))

    async def add_department(self, name: str, actor: str, below: str = "") -> Department:
        """Raises RefusedError."""
        if not (name := name.strip()) or len(name) > _LONGEST_NAME:
            raise RefusedError("課の名前を入力してください。 / name the department")
        at = self._clock()

        def added(connection: Connection) -> Department:
            parent = self._named(connection, below) if below else None
            return people.department_added(
                connection, organisation=self._organisation, name=name, parent_id=parent.id if parent else None, at=at, actor=actor
            )

        try:
            return await self._journal.write(added)
        except NameTakenError:
            raise RefusedError(f"課「{name}」はすでにあります。 / there is such a department") from None

    async def place_department(self, name: str, below: str, actor: str) -> None:
        """Below another one, or at the top. Raises RefusedError."""
        at = self._clock()

        def placed(connection: Connection) -> None:
            parent = self._named(connection, below).id if below else None
            try:
                people.department_placed(connection, self._named(connection, name), parent, at=at, actor=actor)
            except ValueError:
                raise RefusedError(f"「{below}」は「{name}」の下にあります。 / it would be below itself") from None

        await self._journal.write(placed)

    async def close_department(self, name: str, actor: str) -> None:
        """Raises RefusedError, also while somebody belongs to it."""
        at = self._clock()

        def closed(connection: Connection) -> None:
            one = self._named(connection, name)
            if people.members(connection, one.id):
                raise RefusedError(f"「{name}」にはまだ職員がいます。先に異動してください。 / people still belong to it")
            people.department_closed(connection, one, at=at, actor=actor)

        await self._journal.write(closed)

    # ----------------------------------------------------------------------------------------------------------- people

    async def move(self, account: Account, departments: Sequence[str], actor: str, *, head: bool = False) -> None:
        """異動: the first is 主務. A privileged holder has to choose a new password. Raises RefusedError."""
        at = self._clock()

        def moved(connection: Connection) -> None:
            ids = [self._named(connection, name).id for name in dict.fromkeys(departments)]
            places = [Place(department_id=one, main=index == 0, head=head and index == 0) for index, one in enumerate(ids)]
            people.moved(connection, account, places, at=at, actor=actor, privileged=Role(account.role) in PRIVILEGED)

        await self._journal.write(moved)

    def _named(self, connection: Connection, name: str) -> Department:
        found = people.department_named(connection, name)
        if found is None or found.closed:
            raise RefusedError(f"課「{name}」がありません / no such department")
        return found

    # ----------------------------------------------------------------------------------------------------------- groups

    async def groups(self) -> dict[str, list[str]]:
        """Name → log-in names."""
        return await self._journal.ask(people.all_groups)

    async def set_group(self, name: str, logins: Iterable[str], actor: str) -> None:
        """Exactly these members. Raises RefusedError."""
        if not (name := name.strip()) or len(name) > _LONGEST_NAME:
            raise RefusedError("グループの名前を入力してください。 / name the group")
        at, wanted = self._clock(), [login for login in logins if login]

        def put(connection: Connection) -> None:
            found = {login: rows.by_login(connection, login) for login in wanted}
            if missing := [login for login, account in found.items() if account is None]:
                raise RefusedError(f"{'、'.join(missing)}: そのような利用者はいません / no such account")
            people.group_set(connection, name, [account.id for account in found.values() if account], at=at, actor=actor)

        await self._journal.write(put)

    async def dissolve_group(self, name: str, actor: str) -> bool:
        at = self._clock()
        return await self._journal.write(lambda connection: people.group_dissolved(connection, name, at=at, actor=actor))

    # ------------------------------------------------------------------------------------------------------ the mass move

    async def preview(self, entries: Sequence[Entry], faults: Sequence[Fault] = (), *, complete: bool = False) -> Plan:
        """What following the list would do; nothing is written. A list from a directory says the same thing."""
        checked = [*faults, *(Fault(one.line, why) for one in entries if (why := Accounts.unusable(one.login, one.mail)))]
        return await self._journal.ask(lambda connection: roster.plan(connection, entries, faults=checked, complete=complete))

    async def follow(self, entries: Sequence[Entry], seen: str, actor: str, *, complete: bool = False) -> dict[str, str]:
        """The list whose plan had the digest `seen`, in one transaction. Log-in → temporary password of those who join, shown once.
        Raises RefusedError, also when the plan is not that one any more."""
        wanted = await self.preview(entries, complete=complete)
        if wanted.digest != seen or wanted.faults:
            raise RefusedError("確認の後に内容が変わりました。もう一度確認してください。 / it has changed, look again")
        given = {one.login: passwords.temporary() for one in wanted.joins}
        hashes = await _hashed(given)
        at = self._clock()

        def followed(connection: Connection) -> None:
            if roster.plan(connection, entries, complete=complete).digest != seen:
                raise RefusedError("確認の後に内容が変わりました。もう一度確認してください。 / it has changed, look again")
            roster.follow(connection, wanted, hashes, at=at, actor=actor)

        await self._journal.write(followed)
        return {login: password for login, password in given.items() if not _of(wanted, login).directory}


def _of(wanted: Plan, login: str) -> Entry:
    return next(one for one in wanted.joins if one.login == login)


async def _hashed(given: dict[str, str]) -> dict[str, str]:
    """argon2id is meant to be slow: two at a time, beside the event loop."""
    limit = asyncio.Semaphore(_AT_A_TIME)

    async def one(password: str) -> str:
        async with limit:
            return await asyncio.to_thread(passwords.hashed, password)

    return dict(zip(given, await asyncio.gather(*(one(password) for password in given.values())), strict=True))
