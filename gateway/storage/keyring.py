"""The keys of the organisations: made at the first need, kept under the master key, one after another.

    master key  →  key of an organisation  →  key of one copy of a blob  →  its bytes

Each is AES-256-GCM and bound to what it belongs to. To change the master key only the keys of the organisations are wrapped anew, to
change one of these only the keys of its copies; no byte of a blob is touched. To give a blob up its own key is destroyed, to give an
organisation up its keys are.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from sqlalchemy import Connection

from gateway.storage import copies, ledger
from gateway.storage.copies import Copy, OrganisationKey
from gateway.storage.faults import BlobDamagedError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.master import Master
from gateway.storage.sealed import SealBrokenError
from gateway.storage.sealer import Sealer
from gateway.telemetry import log

_log = log.get(__name__)
_OCTETS: Final = 32
# How long a process goes on sealing under a key that another one has retired: what it sealed stays readable, and is moved by the next turn.
_REMEMBERED_SECONDS: Final = 60.0


class Sealed(NamedTuple):
    """A key of a copy as its row holds it."""

    key_id: int
    wrapped: str


class Keyring:
    """`clock`: seconds since 1970. Every call raises StorageError."""

    def __init__(self, journal: Journal, master: Master, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._master = master
        self._clock = clock
        self._open: dict[int, Sealer] = {}
        self._current: dict[str, tuple[int, float]] = {}

    async def start(self) -> None:
        """Whether the master key opens what is there: a service with another key does not start."""
        for key in await self._journal.ask(copies.keys):
            await self._sealer(key)

    async def wrap(self, data_key: bytes, organisation: str, digest: str) -> Sealed:
        """The key of a new copy of that blob."""
        key_id = await self._now(organisation)
        return Sealed(key_id, self._open[key_id].seal(data_key, _about_copy(digest)))

    async def unwrap(self, copy: Copy) -> bytes:
        """Raises BlobMissingError when the key was destroyed, BlobDamagedError when the row was tampered with."""
        assert copy.key_id is not None
        number = copy.key_id
        sealer = self._open.get(number) or await self._sealer(await self._journal.ask(lambda connection: copies.key(connection, number)))
        try:
            return sealer.open(copy.wrapped, _about_copy(copy.digest))
        except SealBrokenError:
            raise BlobDamagedError(f"{copy.digest[:12]}: its key does not open") from None

    def forget(self, organisation: str) -> None:
        """Which of its keys is the current one is asked anew."""
        self._current.pop(organisation, None)

    async def _now(self, organisation: str) -> int:
        key_id, asked_at = self._current.get(organisation, (0, 0.0))
        moment = time.monotonic()
        if not key_id or moment - asked_at > _REMEMBERED_SECONDS:
            found = await self._journal.ask(lambda connection: copies.current_key(connection, organisation))
            key_id = await self._made(organisation) if found is None else found.id
            if found is not None:
                await self._sealer(found)
            self._current[organisation] = (key_id, moment)
        return key_id

    async def _made(self, organisation: str) -> int:
        """Whoever comes second takes the first one's."""
        new = secrets.token_bytes(_OCTETS)
        wrapped = await asyncio.to_thread(self._master.wrap, new, _about_key(organisation))

        def make(connection: Connection) -> OrganisationKey:
            if (found := copies.current_key(connection, organisation)) is not None:
                return found
            self._must_agree(connection)
            at, master = self._clock(), self._master.name
            number = copies.add_key(connection, organisation, wrapped, master, at)
            detail: dict[str, object] = {"key": number, "master": master}
            ledger.append(connection, at=at, actor="keyring", action="key.made", subject=organisation, detail=detail)
            return OrganisationKey(number, organisation, wrapped, master)

        made = await self._journal.write(make)
        await self._sealer(made)
        return made.id

    def _must_agree(self, connection: Connection) -> None:
        if any(key.master != self._master.name for key in copies.keys(connection)):
            raise StorageError("storage.key: the keys are under another master key by now; this process has to be started again")

    async def _sealer(self, key: OrganisationKey) -> Sealer:
        if key.id not in self._open:
            octets = await asyncio.to_thread(self._master.unwrap, key.wrapped, _about_key(key.organisation))
            self._open[key.id] = Sealer(lambda: octets)
        return self._open[key.id]

    # --------------------------------------------------------------------------------------------------------- turning

    async def turn(self, organisation: str, *, actor: str) -> int:
        """A new key for an organisation; everything of it is moved under the new one and the old ones are destroyed. How many copies."""
        new = secrets.token_bytes(_OCTETS)
        wrapped = await asyncio.to_thread(self._master.wrap, new, _about_key(organisation))

        def begin(connection: Connection) -> OrganisationKey:
            self._must_agree(connection)
            at = self._clock()
            number = copies.add_key(connection, organisation, wrapped, self._master.name, at)
            copies.retire_keys(connection, organisation, number, at)
            ledger.append(connection, at=at, actor=actor, action="key.turned", subject=organisation, detail={"key": number})
            return OrganisationKey(number, organisation, wrapped, self._master.name)

        key = await self._journal.write(begin)
        await self._sealer(key)
        self._current[organisation] = (key.id, time.monotonic())
        older = [one for one in await self._journal.ask(copies.keys) if one.organisation == organisation and one.id != key.id]
        moved = 0
        for old in older:
            moved += await self._move(old, key)
        await self.tidy(actor=actor)
        return moved

    async def _move(self, old: OrganisationKey, new: OrganisationKey) -> int:
        before, after = await self._sealer(old), await self._sealer(new)
        moved, last = 0, 0
        while page := await self._journal.ask(lambda connection: copies.under(connection, old.id, last)):  # noqa: B023
            turned = [(one.id, after.seal(before.open(one.wrapped, about), about)) for one in page for about in (_about_copy(one.digest),)]
            await self._journal.write(lambda connection: copies.rewrap(connection, turned, new.id))  # noqa: B023
            moved, last = moved + len(page), page[-1].id
        return moved

    async def tidy(self, *, actor: str) -> int:
        """Retired keys under which nothing lies any more are destroyed; how many."""

        def destroy(connection: Connection) -> int:
            gone = copies.destroy_keys(connection, self._clock(), but_used=True)
            for number in gone:
                ledger.append(connection, at=self._clock(), actor=actor, action="key.destroyed", subject=f"key {number}", detail={})
            return len(gone)

        return await self._journal.write(destroy)

    async def erase(self, organisation: str, *, actor: str, reason: str) -> int:
        """暗号消去: the keys of an organisation are destroyed, and with them every blob that was kept under them alone. How many keys."""

        def destroy(connection: Connection) -> int:
            gone = copies.destroy_keys(connection, self._clock(), organisation=organisation)
            detail: dict[str, object] = {"keys": gone, "reason": reason}
            ledger.append(connection, at=self._clock(), actor=actor, action="key.erased", subject=organisation, detail=detail)
            return len(gone)

        erased = await self._journal.write(destroy)
        self._open.clear()
        self._current.clear()
        return erased

    async def move_to(self, master: Master, *, actor: str) -> int:
        """All keys under another master key, in one step; how many. From then on the setting must name it."""
        keys = await self._journal.ask(copies.keys)
        wrapped = []
        for key in keys:
            octets = await asyncio.to_thread(self._master.unwrap, key.wrapped, _about_key(key.organisation))
            wrapped.append((key, await asyncio.to_thread(master.wrap, octets, _about_key(key.organisation))))

        def move(connection: Connection) -> None:
            if copies.keys(connection) != keys:
                raise StorageError("keys: changed meanwhile, try again")
            for key, new in wrapped:
                copies.rewrap_key(connection, key.id, new, master.name)
            detail: dict[str, object] = {"from": self._master.name, "keys": len(wrapped)}
            ledger.append(connection, at=self._clock(), actor=actor, action="key.master", subject=master.name, detail=detail)

        await self._journal.write(move)
        self._master = master
        return len(wrapped)


def _about_key(organisation: str) -> str:
    return f"organisation {organisation}"


def _about_copy(digest: str) -> str:
    return f"blob {digest}"
