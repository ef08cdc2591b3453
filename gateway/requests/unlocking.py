"""Passwords that people give later: the kept original goes through the jail once more, without a new upload.

A password lives in the memory of this process and of one jailed child, and nowhere else. Five that do not fit close the transfer to
passwords; one that fits opens the count anew for what else is locked in it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.model import IllegalTransitionError, Transfer
from gateway.policy import locked
from gateway.road.pipeline import LONGEST, MOST_TRIES, Pipeline, StoppedByScannersError
from gateway.storage.faults import LeaseLostError
from gateway.storage.journal import Journal
from gateway.storage.settling import NotAllowedError

# Transfers whose fitting passwords are kept in mind until the service stops: a mail with two locked files needs the first for the second.
_REMEMBERED: Final = 1_000


class Tried(NamedTuple):
    """What came of one password. `locked`: names of the parts that still wait for one; `left`: how many more may be tried."""

    opened: bool
    locked: tuple[str, ...]
    left: int


class BusyError(Exception):
    """The transfer is being worked on or delivered right now; later it can be opened."""


class Unlocking:
    """All attempts of one process. `clock` gives seconds since 1970."""

    def __init__(self, journal: Journal, pipeline: Pipeline, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._pipeline = pipeline
        self._clock = clock
        self._fitting: OrderedDict[int, tuple[str, ...]] = OrderedDict()

    async def waiting(self, transfer: Transfer) -> tuple[str, ...]:
        """Names of the parts of a transfer that a password would open; none once the original is gone."""
        if transfer.blob is None:
            return ()
        return tuple(part.input.name for part in locked(await self._journal.report(transfer.id)))

    async def attempt(self, transfer: Transfer, password: str, *, actor: str) -> Tried:
        """Raises ValueError (not a password), NotAllowedError (nothing is locked, too many tries), BusyError, StorageError."""
        if not 0 < len(password) <= LONGEST or "\0" in password:
            raise ValueError("not a password")
        if not transfer.at_rest:
            raise BusyError(transfer.receipt_no)
        if not await self.waiting(transfer):
            raise NotAllowedError(f"{transfer.receipt_no}: nothing of it waits for a password")
        left = await self._journal.begin_try(transfer.id, most=MOST_TRIES, at=self._clock(), actor=actor)
        passwords = (*self._fitting.get(transfer.id, ()), password)
        try:
            opened = await self._pipeline.unlock(transfer, passwords, actor=actor)
        except (IllegalTransitionError, LeaseLostError, StoppedByScannersError):
            raise BusyError(transfer.receipt_no) from None
        if opened:
            self._remember(transfer.id, passwords)
        still = await self.waiting(await self._journal.transfer(transfer.id))
        return Tried(opened, still, MOST_TRIES if opened else left)

    def _remember(self, transfer_id: int, passwords: tuple[str, ...]) -> None:
        self._fitting[transfer_id] = passwords
        self._fitting.move_to_end(transfer_id)
        if len(self._fitting) > _REMEMBERED:
            self._fitting.popitem(last=False)
