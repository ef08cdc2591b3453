"""The road against a warm parent that lies, falls silent or dies at a bad moment: every wait ends, nothing it says is believed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from gateway.road import memory
from gateway.road.warm_parent import WarmParent
from gateway.road.workers import JailUnavailable, Workers
from sanitizers.model import Job, Reason, Verdict
from tests.build.jailed import HOSTILE, PATIENT, content, play, warm_parents


def false(how: str) -> tuple[str, ...]:
    return (sys.executable, str(Path(__file__).with_name("false_parent.py")), how)


@contextlib.asynccontextmanager
async def crew(how: str) -> AsyncIterator[Workers]:
    made = Workers({}, 1, command=false(how))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@contextlib.contextmanager
def four() -> Iterator[tuple[int, int, int, int]]:
    """Descriptors as a child gets them."""
    fds = [os.open(os.devnull, os.O_RDONLY) for _ in range(4)]
    try:
        yield (fds[0], fds[1], fds[2], fds[3])
    finally:
        for fd in fds:
            os.close(fd)


# ------------------------------------------------------------------------------------------------------------- its start


async def test_a_first_word_other_than_ready_is_no_start() -> None:
    with pytest.raises(JailUnavailable, match="did not start"):
        await Workers({}, 1, command=false("not ready")).start()
    assert warm_parents() == []


async def test_a_missing_wall_is_named() -> None:
    with pytest.raises(JailUnavailable, match=r"missing walls: seccomp$"):
        await Workers({}, 1, command=false("no seccomp")).start()
    lenient = Workers({}, 1, jail_required=False, command=false("no seccomp"))
    await lenient.start()
    assert lenient.walls == ("no-new-privs", "limits")
    await lenient.stop()


async def test_a_start_that_is_given_up_leaves_no_process() -> None:
    starting = asyncio.create_task(Workers({}, 1, command=false("silent")).start())
    while not warm_parents():
        await asyncio.sleep(0.01)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert warm_parents() == []


async def test_without_a_start_nothing_is_taken_and_nothing_is_kept() -> None:
    idle = Workers({}, 1, command=false("patient"))
    before = sorted(os.listdir("/proc/self/fd"))
    for _ in range(2):          # the second would wait for ever for a place that the first had not given back
        with pytest.raises(RuntimeError, match="not started"):
            await play(idle, "good")
    assert sorted(os.listdir("/proc/self/fd")) == before
    await idle.stop()


# -------------------------------------------------------------------------------------------------------- what it answers


@pytest.mark.parametrize("how", ["nonsense", "echoes", "another size"])
async def test_an_answer_that_does_not_hold_is_a_lost_child(how: str) -> None:
    async with crew(how) as workers:
        for _ in range(2):
            sanitized = await play(workers, "good", PATIENT)
            assert (sanitized.report.verdict, sanitized.report.reason) == (Verdict.HELD, Reason.WORKER_CRASHED)
            assert sanitized.output_fd is None


async def test_passwords_come_beside_the_report() -> None:
    async with crew("passwords") as workers:
        sanitized = await play(workers, "good", PATIENT)
        assert sanitized.passwords == ("ひらけごま",)
        assert content(sanitized) == b""


async def test_what_a_child_said_before_it_ended_counts() -> None:
    said: list[str] = []
    async with crew("says much and ends") as workers:
        with memory.filled("input", b"good") as writable:
            source = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
            sanitized = await workers.sanitize(source, Job(name="sample.txt", limits=PATIENT), said.append)
            os.close(source)
    assert sanitized.report.verdict is Verdict.CLEAN
    assert said == ["p" * 400] * 1_600
    content(sanitized)


# --------------------------------------------------------------------------------------------------------------- its end


async def test_a_parent_that_has_just_died_ends_every_wait() -> None:
    parent = await WarmParent.start({}, false("patient"))
    process = warm_parents()[0]
    process.kill()
    while psutil.pid_exists(process.pid):
        pass        # the loop may not hear of it yet
    with four() as fds:
        ends = [await parent.run(60.0, fds) for _ in range(2)]      # the first meets a closed socket, the second knows
        assert not parent.alive
        assert [(await parent.wait(number, end, 60.0)).status for number, end in ends] == [signal.SIGKILL] * 2
    await parent.retire()
    assert not parent.grown


async def test_a_parent_that_does_not_leave_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = await WarmParent.start({}, false("deaf"))
    monkeypatch.setattr("gateway.road.warm_parent._GRACE_SECONDS", 0.1)
    (process,) = warm_parents()
    await parent.retire()
    assert not process.is_running()


async def test_a_stop_during_a_reload_leaves_neither_parent() -> None:
    workers = Workers({}, 2, command=false("patient"))
    await workers.start()
    reloading = asyncio.create_task(workers.reload({"a.yar": "rule A { condition: true }"}))
    before = set(warm_parents())
    while set(warm_parents()) == before:
        await asyncio.sleep(0.01)
    await workers.stop()
    await reloading
    assert warm_parents() == []


async def test_a_stop_waits_for_the_children_of_a_parent_before() -> None:
    workers = Workers({}, 2, command=false("patient"))
    await workers.start()
    running = asyncio.create_task(play(workers, "good", PATIENT))
    while not workers._endings:
        await asyncio.sleep(0.01)
    (first,), before = warm_parents(), workers._parent
    reloading = asyncio.create_task(workers.reload({"a.yar": "rule A { condition: true }"}))
    while workers._parent is before:
        await asyncio.sleep(0.01)
    stopping = asyncio.create_task(workers.stop())
    while len(warm_parents()) > 1:
        await asyncio.sleep(0.01)
    assert warm_parents() == [first]
    assert not stopping.done()
    first.kill()
    assert (await running).report.reason is Reason.WORKER_CRASHED
    await asyncio.gather(reloading, stopping)
    assert not workers._endings


async def test_a_child_that_nobody_waits_for_any_more_is_killed_and_gives_its_place_back() -> None:
    workers = Workers({}, 1, command=HOSTILE)
    await workers.start()
    (parent,) = warm_parents()
    spinning = asyncio.create_task(play(workers, "spin", PATIENT))
    async with asyncio.timeout(25):     # it would spin for longer
        while not (busy := [child for child in parent.children() if _seconds(child) > 0.1]):
            await asyncio.sleep(0.01)
        spinning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await spinning
        assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"
        while any(child.is_running() for child in busy):
            await asyncio.sleep(0.01)
    await workers.stop()


def _seconds(process: psutil.Process) -> float:
    try:
        return float(process.cpu_times().user)
    except psutil.Error:
        return 0.0      # it has just gone


# ---------------------------------------------------------------------------------------------------------------- memory


def test_a_sealed_descriptor_may_be_sealed_again() -> None:
    with memory.filled("x", b"sealed") as fd:
        memory.seal(fd)
        memory.seal(fd)
        with pytest.raises(PermissionError):
            os.write(fd, b"x")


@pytest.mark.parametrize("name", ["x" * 300])
def test_a_descriptor_that_cannot_be_made_is_told(name: str) -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        memory.create(name)
