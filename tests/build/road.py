"""Transfers part of the way down the road, on any journal."""

from __future__ import annotations

from gateway.model import Addressee, Delivery, RecipientState, State
from gateway.storage.journal import Journal
from sanitizers.model import Reason, Verdict
from tests.build.transfer import NOW, arrival, claimed, report, settlement


async def accepted(journal: Journal, **changes: object) -> int:
    return (await journal.accept(arrival(**changes)))[0]  # type: ignore[arg-type]


async def released(journal: Journal, **changes: object) -> int:
    """A transfer whose result is released."""
    transfer_id = await accepted(journal, **changes)
    claim = claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60))
    await journal.settle(claim, settlement(), at=NOW)
    return transfer_id


async def kept_inside(journal: Journal, reason: Reason = Reason.ENCRYPTED, **changes: object) -> int:
    transfer_id = await accepted(journal, **changes)
    claim = claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60))
    verdict = Verdict.BLOCKED if reason is Reason.MALWARE else Verdict.HELD
    await journal.settle(claim, settlement(report(verdict, reason)), at=NOW)
    return transfer_id


async def delivery_of(journal: Journal, at: float = NOW) -> Delivery:
    (delivery,) = await journal.claim_deliveries(10, at=at, lease_until=at + 60)
    return delivery


async def state_of(journal: Journal, transfer_id: int) -> State:
    return (await journal.transfer(transfer_id)).state


def outcome(address: str, state: RecipientState, due: float | None = None, code: int = 250) -> Addressee:
    return Addressee(address=address, state=state, due=due, code=code, enhanced="2.0.0", text="said")
