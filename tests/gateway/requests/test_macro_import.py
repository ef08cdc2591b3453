"""マクロ付き取込み through a real jail: asked for, approved by two, and what comes out is what came in."""

from __future__ import annotations

import hashlib
import os

import pytest

from deploy.demo import samples
from gateway.policy import Excepted, KindAction, Policy, decide, effective
from gateway.policy.layers import Facts
from gateway.road import memory
from gateway.road.workers import Sanitized, Workers
from sanitizers.model import Job, Kind, Verdict

DOCM = samples.docx(macro=True)
DIGEST = hashlib.sha256(DOCM).hexdigest()
GRANT = Excepted(number="EX-2026-0001", kind=Kind.DOCM, action=KindAction.CONFIRM, until=2e9, approver="kanri", sha256=DIGEST)


async def made(policy: Policy) -> Sanitized:
    workers = Workers({}, 1)
    await workers.start()
    try:
        with memory.filled("input", DOCM) as writable:
            source = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
            try:
                return await workers.sanitize(source, Job(name="様式1.docm", treatment=policy.treatment))
            finally:
                os.close(source)
    finally:
        await workers.stop()


@pytest.mark.parametrize("grants", [(), (GRANT,)], ids=["nobody approved", "approved"])
async def test_only_the_exception_for_this_file_lets_its_macros_in(grants: tuple[Excepted, ...]) -> None:
    policy = effective(Policy(), Facts(sha256=DIGEST), grants)
    report, output, _ = await made(policy)
    assert output is not None, report
    content = os.pread(output, 1 << 20, 0)
    os.close(output)
    decision = decide(report, policy)
    assert (content == DOCM) == bool(grants)
    assert (report.verdict, decision.verdict) == ((Verdict.CONFIRMED,) * 2 if grants else (Verdict.SANITIZED,) * 2)
