"""Bombs through real jailed children, beside ordinary transfers: each bomb ends at a limit, everything else goes on."""

from __future__ import annotations

import asyncio
import os

from gateway.publishing import rulesets
from gateway.road import memory
from gateway.road.workers import Workers
from sanitizers.model import Job, Reason, Report, Verdict
from tests.build.zip import plain
from tests.sanitizers.formats.archive.test_cases import BOMBS, TEXT


async def sent(workers: Workers, name: str, data: bytes) -> Report:
    with memory.filled("input", data) as writable:
        source = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
        try:
            sanitized = await workers.sanitize(source, Job(name=name))
        finally:
            os.close(source)
    assert (sanitized.output_fd is not None) == sanitized.report.verdict.delivers
    if sanitized.output_fd is not None:
        os.close(sanitized.output_fd)
    return sanitized.report


async def test_other_transfers_go_on_beside_bombs() -> None:
    workers = Workers(rulesets.read(rulesets.builtin_folder()), 2)
    await workers.start()
    try:
        bombs = {f"{kind}.{'gz' if kind.startswith('gz') else 'zip'}": built() for kind, built in BOMBS.items()}
        async with asyncio.timeout(200):
            reports = await asyncio.gather(
                *(sent(workers, name, data) for name, data in bombs.items()),
                *(sent(workers, f"{number}.zip", plain(a_txt=TEXT * 100, b_csv=b"1,2\r\n" * 100)) for number in range(len(bombs))),
            )
    finally:
        await workers.stop()
    assert {(report.verdict, report.reason) for report in reports[: len(bombs)]} == {(Verdict.HELD, Reason.LIMIT_EXCEEDED)}
    assert all(report.output is None for report in reports[: len(bombs)])
    assert [report.verdict for report in reports[len(bombs) :]] == [Verdict.CLEAN] * len(bombs)
