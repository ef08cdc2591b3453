"""What is to be done with one transfer: the policy that holds for it, and the job that the jail is given."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from gateway.model import Transfer, rfc3339
from gateway.policy import Excepted, KindAction, Policy, effective, facts
from gateway.policy.layers import named, stricter_value
from gateway.policy.reading import FACTS
from gateway.storage.exceptions import Grant
from gateway.storage.journal import Journal
from gateway.storage.standing import standing
from sanitizers.model import Job, Kind

_DAY_SECONDS: Final = 86_400
AS_POLICY_SAYS: Final[Mapping[str, object]] = MappingProxyType({})


class Orders:
    """`policy` may be replaced at any time. `pickup_url`: where readers of a mail open what is locked in it; empty: nowhere."""

    def __init__(
        self, journal: Journal, policy: Policy, *, pickup_url: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self.policy = policy
        self._journal = journal
        self._pickup_url = pickup_url
        self._clock = clock

    async def policy_for(self, transfer: Transfer) -> Policy:
        """What holds for it now, with the exceptions that count now."""
        policy, at = self.policy, self._clock()
        given = facts(transfer)
        who = given.people if policy.asks_departments else ()
        known = await self._journal.ask(lambda connection: standing(connection, who, transfer.organisation, at))
        return effective(policy, facts(transfer, known.departments), binding(known.exceptions, transfer))

    def job(
        self,
        transfer: Transfer,
        policy: Policy,
        rules: str,
        *,
        passwords: tuple[str, ...] = (),
        chosen: Mapping[str, object] = AS_POLICY_SAYS,
    ) -> Job:
        """`policy`: what holds for the transfer; `chosen`: fields of its treatment that a person wants otherwise, which count only where
        they are stricter. Who wants less than policy asks for an exception (例外措置), which another grants."""
        treatment = msgspec.structs.replace(
            policy.treatment,
            receipt_no=transfer.receipt_no,
            organisation=transfer.organisation,
            pickup_url=self._pickup_url,
            received_at=rfc3339(transfer.received_at),
            original_until=rfc3339(transfer.received_at + policy.original_days * _DAY_SECONDS)[:10],
            **{name: _no_milder(policy, name, value) for name, value in chosen.items()},
        )
        return Job(
            name=transfer.name,
            limits=policy.limits,
            treatment=treatment,
            passwords=passwords,
            policy=policy.version,
            rules=rules,
            door=transfer.door,
        )


def _no_milder(policy: Policy, name: str, value: object) -> object:
    """A fact of the one transfer, as who confirmed it, is no matter of strictness."""
    return value if name in FACTS else stricter_value(name, getattr(policy.treatment, name), value)


def binding(grants: Iterable[Grant], transfer: Transfer) -> tuple[Excepted, ...]:
    """Those that fit a transfer, as policy lays them on. One for a user fits only what is for nobody else."""
    people = transfer.recipients or (transfer.sender,)
    return tuple(
        Excepted(
            number=one.number,
            kind=Kind(one.kind),
            action=KindAction(one.action),
            until=one.expires_at,
            approver=one.approver,
            sha256=one.sha256,
        )
        for one in grants
        if (not one.sender or named(transfer.sender, (one.sender,)))
        and (not one.account or all(named(person, (one.account,)) for person in people))
    )
