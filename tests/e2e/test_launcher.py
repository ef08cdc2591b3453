"""What is forked with its modules loaded behaves as the command started anew does."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.build.launcher import Launcher, launcher
from tests.e2e.service import SEKISHO, Service

STRANGE = ("user", "frobnicate")


def test_status_output_and_environment_are_those_of_the_command(launcher: Launcher, tmp_path: Path) -> None:
    settings = os.environ | {"SEKISHO_STORAGE_PATH": str(tmp_path / "forked")}
    forked = launcher.run(STRANGE, settings)
    plain = subprocess.run([*SEKISHO, *STRANGE], capture_output=True, text=True, timeout=120, check=False)
    assert (forked.returncode, forked.stdout, forked.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert forked.returncode == 2
    assert launcher.run(("user", "list"), settings).returncode == 0
    assert (tmp_path / "forked" / "sekisho.db").exists()
    assert "SEKISHO_STORAGE_PATH" not in os.environ


def test_how_it_ended_is_told_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with launcher() as made:
        services = [Service(tmp_path / name, 1, launcher=made) for name in ("killed", "left")]
        for service in services:
            service.start(120)
        killed, left = (service.process for service in services)
        assert killed is not None
        assert left is not None
        assert killed.poll() is None
        killed.kill()
        assert (killed.wait(), killed.poll()) == (-signal.SIGKILL, -signal.SIGKILL)
        assert left.poll() is None
    assert not psutil.pid_exists(left.pid)


async def test_threads_may_share_one(launcher: Launcher) -> None:
    ran = await asyncio.gather(*(asyncio.to_thread(launcher.run, ("user", f"nothing-{number}"), dict(os.environ)) for number in range(8)))
    assert [f"'nothing-{number}'" in one.stderr for number, one in enumerate(ran)] == [True] * 8
    with pytest.raises(subprocess.TimeoutExpired):
        await asyncio.to_thread(launcher.run, ("sanitize", "/dev/zero"), dict(os.environ), "", 0.0)
