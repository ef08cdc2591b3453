"""Work in threads on descriptors: who is cancelled waits for it, and nothing is left open."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from gateway.storage.disk import to_the_end


async def cancelled_twice_while(work: threading.Event, waiting: asyncio.Task[int]) -> None:
    """Neither ends it before the thread is through."""
    for _ in range(2):
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0.01)
        assert not waiting.done()
    work.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_cancelled_caller_waits_and_what_he_would_have_got_is_given_back() -> None:
    over, opened = threading.Event(), []

    def work() -> int:
        over.wait(10)
        opened.append(os.open(os.devnull, os.O_RDONLY))
        return opened[0]

    await cancelled_twice_while(over, asyncio.create_task(to_the_end(asyncio.ensure_future(asyncio.to_thread(work)), os.close)))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


async def test_where_nothing_came_of_it_nothing_is_given_back() -> None:
    over = threading.Event()
    undone: list[int] = []

    def work() -> int:
        over.wait(10)
        raise OSError("the disk is gone")

    await cancelled_twice_while(over, asyncio.create_task(to_the_end(asyncio.ensure_future(asyncio.to_thread(work)), undone.append)))
    assert undone == []


async def test_who_is_not_cancelled_gets_the_result_or_the_error() -> None:
    assert await to_the_end(asyncio.ensure_future(asyncio.to_thread(lambda: 7))) == 7
    with pytest.raises(ZeroDivisionError):
        await to_the_end(asyncio.ensure_future(asyncio.to_thread(lambda: 1 // 0)))
