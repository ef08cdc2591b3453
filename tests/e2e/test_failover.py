"""Three nodes, a database with a synchronous standby, an object store: each of them fails while mail comes in, and nothing is lost.

Counted are the mails that somebody was told are accepted, those handed on, and those handed on twice. `SEKISHO_FAILOVER_SECONDS` says how
long mail comes in, five minutes by default.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

import pytest

from gateway import audit
from gateway.model import State
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from tests.build import swift
from tests.build.nodes import Nodes, nodes
from tests.build.postgres import PROGRAMS, pair
from tests.build.transfer import RESULT, digest

SECONDS = float(os.environ.get("SEKISHO_FAILOVER_SECONDS", "300"))
# Between "handed on" and "recorded" a mail may be handed on again: at most what a node has in hand when it is lost.
IN_HAND = 4

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 400), pytest.mark.skipif(PROGRAMS is None or not swift.HERE, reason="no servers")]


def test_everything_fails_once_and_nothing_is_lost(tmp_path: Path) -> None:
    dice = random.Random(11)
    with pair() as database, swift.server() as objects, nodes(tmp_path, database.address, swift=objects.endpoint, lease=5.0, rate=4.0) as several:
        for name in ("a", "b", "c"):
            several.start(name)
        assert several.wait(lambda: len(several.lines("started")) == 3, 90)
        ends, lost = time.monotonic() + SECONDS, 0
        failed_over = False
        while (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, dice.uniform(0.02, 0.06) * SECONDS))
            what = "database" if not failed_over and left < SECONDS / 2 else dice.choice(("kill", "pause", "objects"))
            failed_over |= what == "database"
            lost += _fail(what, dice.choice("abc"), several, database, objects)
            told = f"{SECONDS - left:6.1f} s  {what:<9} accepted {len(several.accepted)}, delivered {len(several.delivered)}"
            print(told)     # noqa: T201 - what a long run is looked at for
        several.stop()
        several.start("d", rate=0)
        assert several.wait(lambda: several.accepted <= set(several.delivered), 120), several.accepted - set(several.delivered)
        several.stop()
        asyncio.run(_consistent(database.address, several))
    twice = sum(count - 1 for count in several.delivered.values())
    fenced, refused = len(several.lines("fenced")), len(several.lines("refused"))
    print(f"accepted {len(several.accepted)}, lost 0, handed on twice {twice}, fenced off {fenced}, refused {refused}")  # noqa: T201
    assert several.digests == {digest(RESULT)}, "nothing but results was handed on"
    assert failed_over
    assert twice <= IN_HAND * lost


def _fail(what: str, name: str, several: Nodes, database: object, objects: swift.Swift) -> int:
    """How many nodes may have had something in hand that they could not record."""
    if what == "kill":
        several.kill(name)
        time.sleep(1)
        several.start(name)
        return 1
    if what == "pause":
        several.pause(name)
        time.sleep(7)       # longer than its leases
        several.go_on(name)
        return 1
    if what == "objects":
        objects.stop("object")
        time.sleep(3)
        objects.start("object")
        objects.ready()
        return 3
    database.fail_over()    # type: ignore[attr-defined]
    return 3


async def _consistent(url: str, several: Nodes) -> None:
    journal = Journal(url)
    await journal.start()
    try:
        found = {one.receipt_no: one.state for one in await journal.transfers(Filter(limit=1_000_000))}
        assert several.accepted <= set(found)
        assert {found[number] for number in several.accepted} == {State.DELIVERED}
        assert (await audit.verify(journal)).broken is None
    finally:
        await journal.stop()
