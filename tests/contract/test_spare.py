"""The child ahead: what becomes of it when it is killed, when its parent goes, when rules change; and that it has one job and no more."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psutil
import pytest

from gateway.road.workers import Workers
from sanitizers import child, spare
from sanitizers.model import Limits, Reason, Verdict
from tests.build.jailed import HOSTILE, LIMITS, PATIENT, content, play, warm_parents

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    crew = Workers({}, 2, command=HOSTILE)
    await crew.start()
    yield crew
    await crew.stop()


async def the_spare(parent: psutil.Process) -> psutil.Process:
    """Waits until the parent has one child, which sleeps: it waits for its job."""
    async with asyncio.timeout(30):
        while True:
            children = parent.children()
            if len(children) == 1 and children[0].status() == psutil.STATUS_SLEEPING:
                return children[0]
            await asyncio.sleep(0.01)


async def gone(process: psutil.Process) -> None:
    async with asyncio.timeout(30):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.01)


def the_parent() -> psutil.Process:
    (parent,) = warm_parents()
    return parent


async def test_a_child_waits_before_there_is_a_job_and_takes_it(workers: Workers) -> None:
    waiting = await the_spare(the_parent())
    assert content(await play(workers, "who", PATIENT)) == str(waiting.pid).encode()


async def test_no_child_sees_two_transfers(workers: Workers) -> None:
    pids = [content(await play(workers, "who", PATIENT)) for _ in range(6)]
    pids += [content(one) for one in await asyncio.gather(*(play(workers, "who", PATIENT) for _ in range(6)))]
    assert len(set(pids)) == len(pids)


async def test_a_child_at_work_holds_nothing_but_its_job(workers: Workers) -> None:
    opened = msgspec.json.decode(content(await play(workers, "descriptors", PATIENT)), type=list[int])
    assert opened[:6] == [0, 1, 2, child.SOURCE_FD, child.OUTPUT_FD, child.REPORT_FD]
    # Besides those: what holds the mapped source, and qpdf's random device.
    assert len(opened) == 8
    assert opened[6] == child.JOB_FD
    assert opened[7] > spare.DOOR_FD


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
async def test_a_spare_that_is_killed_before_its_job_costs_no_transfer(workers: Workers, number: int) -> None:
    parent = the_parent()
    waiting = await the_spare(parent)
    waiting.send_signal(number)
    await gone(waiting)
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"
    assert the_parent() == parent
    assert await the_spare(parent) != waiting


async def test_a_spare_that_dies_with_its_job_in_hand_is_a_crash(workers: Workers) -> None:
    parent = the_parent()
    waiting = await the_spare(parent)
    waiting.suspend()                   # the job lies in its socket, unread
    pending = asyncio.create_task(play(workers, "good", PATIENT))
    async with asyncio.timeout(30):
        while len(parent.children()) < 2:   # the next spare: this one is taken
            await asyncio.sleep(0.01)
    waiting.kill()
    sanitized = await pending
    assert (sanitized.report.verdict, sanitized.report.reason) == (Verdict.HELD, Reason.WORKER_CRASHED)
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"


async def test_a_spare_that_does_not_wake_is_out_of_time_from_the_hand_over_on(workers: Workers) -> None:
    (await the_spare(the_parent())).suspend()
    sanitized = await play(workers, "good", msgspec.structs.replace(LIMITS, wall_seconds=0.5))
    assert (sanitized.report.verdict, sanitized.report.reason) == (Verdict.HELD, Reason.TIMEOUT)
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"


async def test_the_time_of_waiting_is_not_the_time_of_the_job(workers: Workers) -> None:
    await the_spare(the_parent())
    await asyncio.sleep(1.5)            # longer than the job may take
    limits = Limits(wall_seconds=1.0, cpu_seconds=1)
    assert content(await play(workers, "good", limits)) == b"rebuilt: good"


def test_what_a_spare_used_before_its_job_is_added_to_its_cpu_limit() -> None:
    program = (
        "import resource, time\nfrom sanitizers.jail import walls\nfrom sanitizers.model import Limits\n"
        "time.process_time = lambda: 7.9\nwalls._limit(Limits(cpu_seconds=3, memory_bytes=1 << 30), 1 << 33)\n"
        "print(resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_AS))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT).stdout
    assert told == f"(10, 12) ({(1 << 33) + (1 << 30)}, {(1 << 33) + (1 << 30)})\n"


async def test_a_parent_that_retires_takes_its_spare_along() -> None:
    crew = Workers({}, 1, command=HOSTILE)
    await crew.start()
    waiting = await the_spare(the_parent())
    await crew.stop()
    await gone(waiting)
    assert warm_parents() == []


async def test_a_parent_that_is_killed_takes_its_spare_along(workers: Workers) -> None:
    parent = the_parent()
    waiting = await the_spare(parent)
    parent.kill()
    await gone(waiting)
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"


async def test_new_rules_mean_a_new_spare(workers: Workers) -> None:
    waiting = await the_spare(the_parent())
    await workers.reload({"a.yar": "rule A { condition: true }"})
    sanitized = await play(workers, "who", PATIENT)
    assert [match.rule for match in sanitized.report.matches] == ["A"]
    assert content(sanitized) != str(waiting.pid).encode()
    await gone(waiting)


async def test_spares_that_all_die_make_no_endless_row(tmp_path: Path) -> None:
    broken = tmp_path / "parent.py"
    count = tmp_path / "count"
    count.touch(0o666)
    tmp_path.chmod(0o777)
    broken.write_text(
        "import os, sys\nfrom sanitizers import child, parent\n"
        f"count = os.open({str(count)!r}, os.O_WRONLY | os.O_APPEND)\n"
        "def prepare(_):\n    raise OSError('no walls')\n"
        "child.prepare = prepare\nkeep = parent.spare._live\n"
        "def live(*arguments):\n    os.write(count, b'x')\n    keep(*arguments)\n"
        "parent.spare._live = live\nsys.exit(parent.main())\n",
        "utf-8",
    )
    crew = Workers({}, 1, command=(sys.executable, str(broken)))
    await crew.start()
    parent = the_parent()
    for _ in range(3):
        sanitized = await play(crew, "good", PATIENT)
        assert (sanitized.report.verdict, sanitized.report.reason) == (Verdict.HELD, Reason.WORKER_CRASHED)
    assert the_parent() == parent
    await crew.stop()
    assert 0 < count.stat().st_size <= 1 + 3 * 3        # for each job: two that die before they have it, and the one ahead


async def test_a_child_that_has_said_all_need_not_be_waited_for(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.road.workers._LINGER_SECONDS", 0.2)
    parent = the_parent()
    for _ in range(5):                  # more than there are slots: each is killed soon
        assert content(await play(workers, "linger", PATIENT)) == b"said"
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"
    await the_spare(parent)


async def test_what_is_written_after_the_report_is_never_delivered(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.road.workers._LINGER_SECONDS", 0.2)
    for _ in range(8):
        sanitized = await play(workers, "write_late", PATIENT)
        if sanitized.output_fd is None:
            assert sanitized.report.reason is Reason.WORKER_CRASHED
        else:
            assert content(sanitized) == b"honest"
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"
