"""The way of an upload whose result was made before: from the claim to the settled delivery, no jail, on the real stores.

`lookup` is the question alone (row, report, blob read and compared with its digest), `hit` the whole road from the claim on, receipt and
the flush of the journal to disk included; `cpu` is what this process worked for it. Scanners from outside are not in it: they are asked
each time, and their time is their own.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop

from gateway.model import Door
from gateway.policy import Policy
from gateway.road.pipeline import Pipeline
from gateway.road.results import Results
from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from gateway.telemetry import log
from sanitizers.model import Kind
from tests.build.transfer import FakeWorkers, arrival, report, signer

HITS = 200
SIZES = (20 << 10, 200 << 10, 2 << 20)


def percentiles(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return f"p50 {statistics.median(ordered) * 1000:6.2f} ms   p95 {ordered[int(len(ordered) * 0.95)] * 1000:6.2f} ms"


async def measure(size: int) -> dict[str, float]:
    """Milliseconds: of the whole road, of the question alone, and of processor time."""
    content, result = os.urandom(size), os.urandom(size)
    with tempfile.TemporaryDirectory() as folder:
        journal, blobs = Journal(Path(folder) / "sekisho.db"), LocalBlobs(Path(folder) / "blobs", reserve=0)
        await blobs.start()
        await journal.start()
        await blobs.put(content)
        workers = FakeWorkers(lambda job, source: report(source=source, output=result, kind=Kind.PDF, policy=job.policy), output=result)
        results = Results(journal, blobs, seconds=86_400.0)
        pipeline = Pipeline(journal, blobs, workers, Policy(), signer(), results=results)
        hits, cpu, lookups = [], [], []
        find = results.find

        async def timed(key: str, transfer: object) -> object:
            began = time.perf_counter()
            found = await find(key, transfer)  # type: ignore[arg-type]
            lookups.append(time.perf_counter() - began)
            return found

        results.find = timed  # type: ignore[method-assign, assignment]
        for number in range(HITS + 1):
            who, now = f"staff{number}", time.time()
            await journal.accept(arrival(content, door=Door.DROP, name="一斉照会.pdf", sender=who, recipients=(who,), received_at=now))
            (claim,) = await journal.claim(1, at=now, lease_until=now + 60)
            began, worked = time.perf_counter(), time.process_time()
            await pipeline.process(claim)
            hits.append(time.perf_counter() - began)
            cpu.append(time.process_time() - worked)
        assert len(workers.jobs) == 1, "the jail worked once"
        worked = statistics.median(cpu[1:]) * 1000
        print(f"{size >> 10:6d} KiB   hit {percentiles(hits[1:])}   lookup {percentiles(lookups[1:])}   cpu {worked:.2f} ms a hit")
        await journal.stop()
        await blobs.stop()
    return {"p50": statistics.median(hits[1:]) * 1000, "lookup": statistics.median(lookups[1:]) * 1000, "cpu": worked}


def measured() -> dict[str, dict[str, float]]:
    log.start("error")
    return {f"{size >> 10} KiB": uvloop.run(measure(size)) for size in SIZES}


def main() -> None:
    measured()


if __name__ == "__main__":
    main()
