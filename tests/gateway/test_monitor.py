"""The address of its own for monitoring: every node has it, whatever its roles, and the doctor asks there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from gateway import config, house
from gateway.commands import Failure, doctor
from gateway.house import House
from tests.build import journals
from tests.build.face import quick_passwords
from tests.build.ports import free_port
from tests.gateway.crossing.test_segments import settings
from tests.gateway.test_house import Fake, running


@pytest.fixture
async def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> config.Config:
    quick_passwords(monkeypatch)
    monkeypatch.setattr(house, "Workers", Fake)
    monkeypatch.setattr(house, "low_priority", Fake)
    (tmp_path / "var").mkdir()
    journal = await journals.new(tmp_path / "var/sekisho.db")
    await journal.stop()
    return settings(tmp_path, monitor_listen=f"127.0.0.1:{free_port()}")


async def test_a_node_without_any_face_tells_how_it_does(given: config.Config) -> None:
    where = f"http://{given['monitor.listen']}"
    async with running(House(given, frozenset({"worker"}))), aiohttp.ClientSession() as session:
        for path in ("/healthz", "/readyz"):
            async with session.get(where + path) as answer:
                assert answer.status == 200
        # Looked up one after another while somebody may be asking.
        told, text = ("sekisho_ready 1.0", 'sekisho_jail_wall{wall="seccomp (fake)"}', "sekisho_transfers{"), ""
        async with asyncio.timeout(20):
            while not all(one in text for one in told):
                async with session.get(where + "/metrics") as answer:
                    text = await answer.text()
        async with session.get(where + "/") as answer:
            assert answer.status == 404


async def test_the_doctor_asks_whether_it_is_well(given: config.Config, monkeypatch: pytest.MonkeyPatch) -> None:


    made = House(given, frozenset({"worker"}))
    async with running(made):
        assert await asyncio.to_thread(doctor._alive, given) == 0
        made._draining = True
        with pytest.raises(Failure, match="503"):
            await asyncio.to_thread(doctor._alive, given)
    with pytest.raises(Failure, match="ConnectionRefused"):
        await asyncio.to_thread(doctor._alive, given)
