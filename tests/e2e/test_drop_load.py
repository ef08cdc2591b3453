"""The drop of a real service under load: what is large passes through, and hundreds at once are answered, in the same memory."""

from __future__ import annotations

import pytest

from tests.build.load import Client, Watch, at_once
from tests.e2e.service import Service

MIB = 1 << 20


async def uploads(service: Service, *, large: int, most_large: int, small: int, count: int, most_many: int) -> None:
    """One upload of `large` bytes in each way, then `count` of `small` bytes side by side; at most so many bytes more than before."""
    token = service.person("tanaka", "tanaka@town.example.jp")
    assert service.process is not None
    async with Client(f"http://127.0.0.1:{service.drop}", token) as client:
        await client.raw(MIB, "the first one loads what is loaded once")
        for way in (client.raw, client.form, client.tus):
            watch = Watch(service.process.pid)
            async with watch.looking():
                await way(large, way.__name__)
            assert watch.growth < most_large, f"{way.__name__}: {watch.growth / MIB:.1f} MiB more"
        watch = Watch(service.process.pid)
        async with watch.looking():
            ran = await at_once(count, lambda number: client.raw(small, f"many {number}"))
        assert ran.errors == []
        assert watch.growth < most_many, f"{count} at once: {watch.growth / MIB:.1f} MiB more"
    taken = service.transfers()
    assert len(taken) == count + 4
    assert sorted(one["size"] for one in taken)[-3:] == [large] * 3


@pytest.mark.slow
async def test_memory_stays_as_it_was(service: Service) -> None:
    """What is sent is several times what the service may grow by."""
    await uploads(service, large=60 * MIB, most_large=30 * MIB, small=64 << 10, count=200, most_many=75 * MIB)


@pytest.mark.slow
async def test_half_a_gigabyte_and_two_hundred_files(service: Service) -> None:
    await uploads(service, large=500 * MIB, most_large=150 * MIB, small=MIB, count=200, most_many=150 * MIB)
