"""The jail against children that want out or want to do harm. Every one is contained, reported, and leaves the service unharmed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from gateway.road import memory
from gateway.road.workers import JailUnavailable, Workers
from sanitizers.model import Job, Limits, Reason
from tests.build.jailed import ESCAPES, HOSTILE, PATIENT, content, play, warm_parents


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    crew = Workers({}, 2, command=HOSTILE)
    await crew.start()
    yield crew
    await crew.stop()


async def only_a_spare_is_left(parent: psutil.Process) -> None:
    """What has said its word may still be ending; soon there is one child, which waits for the next job."""
    async with asyncio.timeout(30):
        while len(parent.children(recursive=True)) != 1:
            await asyncio.sleep(0.01)
    assert warm_parents() == [parent]


async def test_a_thread_may_be_started_and_is_behind_the_same_walls(workers: Workers) -> None:
    assert content(await play(workers, "thread good", PATIENT)) == b"rebuilt: thread good"
    for deed in ("segfault", "exit_quietly", "garbage", *ESCAPES):
        sanitized = await play(workers, f"thread {deed}", PATIENT)
        assert (deed, sanitized.report.reason, sanitized.output_fd) == (deed, Reason.WORKER_CRASHED, None)
    assert not Path("/tmp/sekisho-escape").exists()
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"


async def test_clone_starts_a_thread_as_glibc_does_and_nothing_else(workers: Workers) -> None:
    assert content(await play(workers, "clones")) == b"Resource temporarily unavailable"
    assert content(await play(workers, "thread clones")) == b"Resource temporarily unavailable"


async def test_a_flood_of_threads_ends_soon_and_leaves_the_others_alone(workers: Workers) -> None:
    flood = asyncio.create_task(play(workers, "thread_flood", Limits(memory_bytes=1 << 30)))
    for _ in range(5):
        assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"
    count = int(content(await flood).removeprefix(b"threads: "))
    assert 50 < count < 128
    assert content(await play(workers, "thread good", PATIENT)) == b"rebuilt: thread good"


async def test_a_source_that_a_child_could_change_is_not_handed_over(workers: Workers) -> None:
    with memory.filled("input", b"good") as writable, pytest.raises(ValueError, match="could change"):
        await workers.sanitize(writable, Job(name="sample.txt"))


async def test_others_go_on_beside_a_child_that_spins(workers: Workers) -> None:
    spinning = asyncio.create_task(play(workers, "spin"))
    for _ in range(5):
        assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"
    assert (await spinning).report.reason is Reason.TIMEOUT


async def test_no_child_and_no_descriptor_is_left_behind(workers: Workers) -> None:
    content(await play(workers, "good"))
    parent = warm_parents()[0]
    await only_a_spare_is_left(parent)
    before = await descriptors(parent)
    for deed in ("good", "crash", "garbage", "spin_deaf", "first_thread_leaves"):
        sanitized = await play(workers, deed)
        if sanitized.output_fd is not None:
            os.close(sanitized.output_fd)
    await only_a_spare_is_left(parent)
    assert await descriptors(parent) == before


async def descriptors(parent: psutil.Process) -> tuple[list[str], int]:
    """Ours and the parent's, once nothing changes any more: a child's end is told before the last of its descriptors is let go."""
    seen = ([""], -1)
    async with asyncio.timeout(60):
        while (now := (sorted(os.listdir("/proc/self/fd")), parent.num_fds())) != seen:
            seen = now
            await asyncio.sleep(0.3)
    return seen


async def test_the_environment_of_the_road_does_not_reach_a_child(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_SECRET", "hunter2")
    crew = Workers({}, 1, command=HOSTILE)
    await crew.start()
    seen = content(await play(crew, "environment"))
    await crew.stop()
    assert b"hunter2" not in seen
    assert b"PATH" in seen


async def test_a_parent_that_dies_is_started_again_and_its_transfers_are_held(workers: Workers) -> None:
    hanging = asyncio.create_task(play(workers, "spin_deaf"))
    await asyncio.sleep(0.3)
    warm_parents()[0].kill()
    assert (await hanging).report.reason is Reason.WORKER_CRASHED
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"
    (parent,) = warm_parents()
    await only_a_spare_is_left(parent)


async def test_a_parent_that_hangs_is_killed(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.road.warm_parent._GRACE_SECONDS", 0.3)
    warm_parents()[0].suspend()
    sanitized = await play(workers, "good", Limits(wall_seconds=0.3))
    assert sanitized.report.reason is Reason.TIMEOUT
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"


async def test_a_parent_that_has_grown_is_replaced(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    before = warm_parents()[0].pid
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"
    assert warm_parents()[0].pid == before
    monkeypatch.setattr("gateway.road.warm_parent._GROWTH", 0.5)
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"
    assert [child.pid for child in warm_parents()] != [before]


async def test_a_reload_takes_over_without_losing_a_transfer(workers: Workers) -> None:
    running = [asyncio.create_task(play(workers, "good")) for _ in range(4)]
    await workers.reload({"a.yar": "rule A { condition: true }"})
    for task in running:
        assert content(await task) == b"rebuilt: good"
    assert [match.rule for match in (await play(workers, "good")).report.matches] == ["A"]


async def test_rules_that_do_not_compile_leave_the_old_ones_in_force(workers: Workers) -> None:
    with pytest.raises(ValueError, match=r"a\.yar"):
        await workers.reload({"a.yar": "rule A { condition: maybe }"})
    assert content(await play(workers, "good", PATIENT)) == b"rebuilt: good"


async def test_no_jail_no_start(tmp_path: Path) -> None:
    broken = tmp_path / "parent.py"
    broken.write_text(
        "import sys\nfrom sanitizers.jail import seccomp, walls\nfrom sanitizers import parent\n"
        "seccomp.lock = lambda: None\nsys.exit(parent.main())\n",
        "utf-8",
    )
    with pytest.raises(JailUnavailable, match="a jailed process could"):
        await Workers({}, 1, command=(sys.executable, str(broken))).start()


async def test_every_required_wall_stands_here(workers: Workers) -> None:
    assert {"no-new-privs", "limits", "seccomp", "unprivileged-user"} <= set(workers.walls)
