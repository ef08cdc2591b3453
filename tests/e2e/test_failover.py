"""Three nodes of the real service, a database with a synchronous standby, an object store, each in a network of its own: all of them fail
while mail comes in, and nothing is lost.

`SEKISHO_FAILOVER_SECONDS` says how long mail comes in, five minutes by default; `SEKISHO_FAILOVER_RATE` how many a second;
`SEKISHO_FAILOVER_NOTE` a folder for counts and picture.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path

import pytest

from gateway import audit
from gateway.model import State
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from tests.build import network, swift
from tests.build.cluster import Cluster, NextHop, Sender, cluster, waited
from tests.build.outages import Hour, Outages, picture
from tests.build.postgres import PROGRAMS

SECONDS = float(os.environ.get("SEKISHO_FAILOVER_SECONDS", "300"))
RATE = float(os.environ.get("SEKISHO_FAILOVER_RATE", "3"))
NOTE = os.environ.get("SEKISHO_FAILOVER_NOTE")
# A node that was lost is known to be lost after two minutes; then what it had in hand is done by another. So long nothing may arrive.
QUIET_SECONDS = 400.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(SECONDS + 1_500),
    pytest.mark.skipif(PROGRAMS is None or not swift.HERE or not network.possible(), reason="no servers, or no networks"),
]


def test_everything_fails_and_nothing_is_lost(tmp_path: Path) -> None:
    with cluster(tmp_path) as (all_of_it, hop):
        hour, sender, over = Hour(), all_of_it.sender(RATE, hop), threading.Event()
        looking = threading.Thread(target=hour.look, args=(sender, hop, over), daemon=True)
        looking.start()
        with sender.sending():
            Outages(all_of_it, hour).happen(SECONDS, (5, 15) if SECONDS < 1_000 else (15, 50))
        done = all_handed_on(sender, hop)
        over.set()
        looking.join(10)
        told = told_of(hour, sender, hop)
        print(json.dumps(told, ensure_ascii=False, indent=1))       # noqa: T201 - what a long run is looked at for
        if NOTE:
            (Path(NOTE) / "failover.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
            (Path(NOTE) / "failover.svg").write_text(picture(hour))
        assert done, sorted(sender.accepted - set(hop.arrived))[:20]
        with all_of_it.inside("a"):
            states = asyncio.run(states_of(all_of_it))
    assert not hop.dirty, hop.dirty[:5]
    assert hop.files, "attachments came, too"
    assert set(hop.arrived) <= sender.accepted | sender.unanswered, "nobody sent this"
    assert states == {State.DELIVERED}
    assert told["handed on twice"] <= hour.in_hand
    assert len(hour.counts()) >= 5, "several kinds of outage"


def all_handed_on(sender: Sender, hop: NextHop) -> bool:
    """Whether everything arrives, as long as something does."""
    seen = -1
    while len(hop.arrived) > seen and not sender.accepted <= set(hop.arrived):
        seen = len(hop.arrived)
        waited(lambda: sender.accepted <= set(hop.arrived) or len(hop.arrived) > seen, QUIET_SECONDS)     # noqa: B023 - asked at once
    return sender.accepted <= set(hop.arrived)


def told_of(hour: Hour, sender: Sender, hop: NextHop) -> dict[str, object]:
    return {
        "minutes": round(hour.now / 60, 1),
        "sent": sender.sent,
        "accepted": len(sender.accepted),
        "refused (their sender has them still)": sender.refused,
        "cut before the answer": len(sender.unanswered),
        "of these delivered": len(sender.unanswered & set(hop.arrived)),
        "delivered": len(hop.arrived),
        "accepted and lost": len(sender.accepted - set(hop.arrived)),
        "delivered with something that must not be": len(hop.dirty),
        "handed on twice": sum(count - 1 for count in hop.arrived.values()),
        "at most by the documented window": hour.in_hand,
        "outages": dict(hour.counts()),
    }


async def states_of(all_of_it: Cluster) -> set[State]:
    """Of all transfers, of which the record must be whole."""
    journal = Journal(all_of_it.database.address)
    await journal.start()
    try:
        found = await journal.transfers(Filter(limit=1_000_000))
        assert (await audit.verify(journal)).broken is None
        return {one.state for one in found}
    finally:
        await journal.stop()
