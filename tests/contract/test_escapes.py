"""Children that want out, crash, lie or take too much, one after the other under the same parent: each is held, and the next is served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.road.workers import Workers
from sanitizers.model import Reason, Verdict
from tests.build.jailed import ESCAPES, HOSTILE, LIMITS, PATIENT, content, play, warm_parents

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers() -> AsyncIterator[Workers]:
    """One crew for all: whatever a child does, its parent stays and serves the next."""
    crew = Workers({}, 2, command=HOSTILE)
    await crew.start()
    (parent,) = warm_parents()
    yield crew
    assert warm_parents() == [parent]
    await crew.stop()


CRASHES = (
    "crash", "segfault", "abort", "exit_quietly", "garbage", "long_frame", "flood_report", "forged_report", "shown_instead", "swap_output",
    *ESCAPES,
)  # fmt: skip


@pytest.mark.parametrize("deed", CRASHES)
async def test_an_escape_or_crash_is_held_as_worker_crashed(workers: Workers, deed: str) -> None:
    sanitized = await play(workers, deed, PATIENT)
    assert (sanitized.report.verdict, sanitized.report.reason) == (Verdict.HELD, Reason.WORKER_CRASHED)
    assert sanitized.output_fd is None
    assert not Path("/tmp/sekisho-escape").exists()
    assert content(await play(workers, "good morning", PATIENT)) == b"rebuilt: good morning"


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("spin", Reason.TIMEOUT),
        ("spin_deaf", Reason.TIMEOUT),
        ("burn", Reason.TIMEOUT),
        ("thread spin", Reason.TIMEOUT),
        ("thread spin_deaf", Reason.TIMEOUT),
        ("thread eat_memory", Reason.LIMIT_EXCEEDED),
        ("first_thread_leaves", Reason.TIMEOUT),
        ("eat_memory", Reason.LIMIT_EXCEEDED),
        ("flood_output", Reason.LIMIT_EXCEEDED),
    ],
)
async def test_too_much_is_held_with_the_limit_as_reason(workers: Workers, deed: str, reason: Reason) -> None:
    sanitized = await play(workers, deed, LIMITS if reason is Reason.TIMEOUT else PATIENT)
    assert (sanitized.report.verdict, sanitized.report.reason) == (Verdict.HELD, reason)
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"
