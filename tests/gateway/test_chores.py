"""What is done now and then: what stops it, and what only costs it one turn."""

from __future__ import annotations

import asyncio

import pytest

from gateway.chores import now_and_then
from gateway.storage.faults import StorageError


def failing(error: Exception, turns: list[int]) -> object:
    async def do() -> None:
        turns.append(1)
        if len(turns) < 3:
            raise error
        raise asyncio.CancelledError

    return do


async def test_a_store_that_fails_costs_one_turn() -> None:
    turns: list[int] = []
    with pytest.raises(asyncio.CancelledError):
        await now_and_then("test", 0, failing(StorageError("busy"), turns))  # type: ignore[arg-type]
    assert len(turns) == 3


async def test_a_bug_stops_it_unless_it_goes_on_whatever_happens() -> None:
    turns: list[int] = []
    with pytest.raises(ValueError, match="bug"):
        await now_and_then("test", 0, failing(ValueError("bug"), turns))  # type: ignore[arg-type]
    assert len(turns) == 1
    with pytest.raises(asyncio.CancelledError):
        await now_and_then("test", 0, failing(ValueError("bug"), turns), whatever=True)  # type: ignore[arg-type]
    assert len(turns) == 3
